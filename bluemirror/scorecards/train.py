"""Training: from a declaration to a registered scorecard and its challenger, or to "nothing changed"."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from bluemirror.errors import ModelError
from bluemirror.scorecards.population import OOT, TRAIN

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.features.training import TrainingSet
    from bluemirror.scorecards.calibration import Calibration
    from bluemirror.scorecards.candidates import CandidateSet
    from bluemirror.scorecards.challenger import Challenger
    from bluemirror.scorecards.population import Population
    from bluemirror.scorecards.reject_inference import Inference
    from bluemirror.scorecards.scorecard import ScorecardClassifier
    from bluemirror.scorecards.screen import ScreenReport
    from bluemirror.scorecards.spec import ModelSpec
    from bluemirror.scorecards.validate import Judged, Validation
    from bluemirror.workspace import Workspace

    Log = Callable[[str], None]


@dataclass(frozen=True)
class TrainReport:
    """What a training did.

    ``scorecard`` and ``challenger`` hold the validation's numbers (auc, ks, psi, gini, ...); ``flow`` the
    population flow; ``changed`` is False if this very training had been registered before. ``champion`` is the
    version that scores, if any.
    """

    model: str
    version: str
    changed: bool
    as_of: str
    scorecard: Mapping[str, float]
    challenger: Mapping[str, float]
    training_rows: int
    oot_rows: int
    oot_bads: int
    candidates: int
    finalists: int
    flow: tuple[Mapping[str, Any], ...]
    variables_used: tuple[str, ...]
    challenger_version: str
    champion: str | None
    gates: tuple[str, ...]
    fingerprint: str
    run_id: str
    seconds: float

    def as_plain(self) -> dict[str, Any]:
        """Numbers and texts only, for JSON."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> TrainReport:
        """The inverse of :meth:`as_plain`."""
        values = dict(plain)
        for key in ("flow", "variables_used", "gates"):
            values[key] = tuple(values[key])
        return cls(**values)

    def _repr_html_(self) -> str:
        from bluemirror.scorecards.display import html_table

        keys = ("auc", "auc_low", "auc_high", "gini", "ks", "psi", "brier")
        rows = [
            {"model": kind, **{k: values.get(k) for k in keys}}
            for kind, values in (("scorecard", self.scorecard), ("challenger", self.challenger))
        ]
        return html_table(f"{self.model} version {self.version}", rows) + html_table("Population", self.flow)


@dataclass(frozen=True)
class Trained:
    """Everything that one training made; what ``registry.register`` writes down.

    ``inputs`` holds for each side the scorecard's variables, with reasons, in the order of the side's rows.
    """

    spec: ModelSpec
    population: Population
    candidates: CandidateSet
    screening: ScreenReport
    scorecard: ScorecardClassifier
    scorecard_pack: Validation
    scorecard_judged: Mapping[str, Judged]
    challenger: Challenger
    challenger_pack: Validation
    challenger_judged: Mapping[str, Judged]
    finalists: tuple[str, ...]
    fingerprint: str
    data_hash: str
    inputs: Mapping[str, pl.DataFrame]
    training_set: str
    inference: Inference | None = None
    calibration: Calibration | None = None
    started: float = field(default_factory=time.monotonic)


def train(
    workspace: Workspace,
    model: str,
    log: Log | None = None,
    *,
    as_of: dt.date | None = None,
) -> TrainReport:
    """Train, validate and register ``models/<model>``.

    Steps: population, labels (mature ones only), split, screening of every candidate on training rows, the
    finalists' training set through Feast, scorecard, challenger, validation on the judging rows (which nothing
    before has looked at), registration. The same data, declaration and code make no new version.

    Parameters
    ----------
    log
        Called with a line of progress now and then.
    as_of
        The day at which the data stands; default: the newest delivery in the mart.

    Raises
    ------
    ModelError
        If the declaration is wrong, or the data cannot bear a model.
    """
    from bluemirror.scorecards.candidates import candidates
    from bluemirror.scorecards.fingerprint import data_hash, training_fingerprint
    from bluemirror.scorecards.population import read_population
    from bluemirror.scorecards.records import find_training, keep_training
    from bluemirror.scorecards.spec import read_spec

    started = time.monotonic()
    say = log or (lambda _: None)
    spec = read_spec(workspace, model)
    population = read_population(workspace, spec, as_of)
    chosen = candidates(workspace, spec)
    say(
        f"{model}: {population.side(TRAIN).height:,} training and {population.side(OOT).height:,} judging rows, "
        f"{len(chosen.variables):,} candidates ({chosen.refused_by_stage:,} refused for the stage)"
    )
    digest = data_hash(workspace, spec, population, chosen)
    fingerprint = training_fingerprint(spec, population.as_of, digest)
    before = find_training(workspace, model, fingerprint)
    if before is not None:
        say(f"{model}: nothing changed; version {before['version']} was trained on the same data")
        return TrainReport.from_plain({**before, "changed": False, "seconds": time.monotonic() - started})

    trained = fit(workspace, spec, population, chosen, fingerprint, digest, say)

    from bluemirror.scorecards.registry import register

    registered = register(workspace, trained, say)
    report = TrainReport(
        model=model,
        version=registered.version,
        changed=True,
        as_of=str(population.as_of),
        scorecard=trained.scorecard_pack.metrics,
        challenger=trained.challenger_pack.metrics,
        training_rows=population.side(TRAIN).height,
        oot_rows=population.side(OOT).height,
        oot_bads=int(population.side(OOT)["bad"].sum()),
        candidates=len(chosen.variables),
        finalists=len(trained.finalists),
        flow=tuple(asdict(s) for s in population.flow),
        variables_used=trained.scorecard.variables_,
        challenger_version=registered.challenger_version,
        champion=registered.champion,
        gates=registered.gates,
        fingerprint=fingerprint,
        run_id=registered.run_id,
        seconds=time.monotonic() - started,
    )
    keep_training(workspace, model, fingerprint, report.as_plain())
    return report


def fit(
    workspace: Workspace,
    spec: ModelSpec,
    population: Population,
    chosen: CandidateSet,
    fingerprint: str,
    digest: str,
    say: Log,
) -> Trained:
    """Screen, fit and validate; nothing is registered."""
    from bluemirror.scorecards.challenger import fit_challenger, later_rows
    from bluemirror.scorecards.finishing import finish
    from bluemirror.scorecards.scorecard import ScorecardClassifier
    from bluemirror.scorecards.screened import screen_candidates
    from bluemirror.scorecards.stored import SPECIALS, with_reasons, without_reasons
    from bluemirror.scorecards.validate import Judged, validate

    began = time.monotonic()
    rows = {side: population.side(side) for side in (TRAIN, OOT)}
    train_rows = rows[TRAIN]
    bad = train_rows["bad"].to_numpy()
    screening = screen_candidates(workspace, spec, population, chosen)
    say(
        f"{spec.name}: screened {screening.table.height:,} variables in {time.monotonic() - began:.1f} s: "
        f"{_told(screening.counts)}"
    )

    inputs = _challenger_inputs(screening, spec.challenger.variables)
    finalists = tuple(dict.fromkeys([*screening.kept, *inputs]))
    made = finalists_set(workspace, spec.name, population.rows, finalists, say)
    values = with_reasons(workspace, spec.observation_set, made.frame, chosen.block_of)
    is_train = (population.rows["side"] == TRAIN).to_numpy()
    parts = {TRAIN: values.filter(is_train), OOT: values.filter(~is_train)}

    began = time.monotonic()
    directions = {n: spec.constraints.direction(n) for n in finalists}
    card = ScorecardClassifier(
        max_bins=spec.binning.max_bins,
        min_share=spec.binning.min_share,
        monotone={n: d for n, d in directions.items() if d} or None,
        specials=dict(SPECIALS),
        max_variables=spec.constraints.max_variables,
        max_correlation=spec.constraints.max_correlation,
        max_vif=spec.constraints.max_vif,
        max_p_value=spec.constraints.max_p_value,
        ridge=spec.constraints.ridge,
        base_score=spec.points.base_score,
        base_odds=spec.points.base_odds,
        points_to_double=spec.points.points_to_double,
        order_tolerance=spec.binning.order_tolerance,
        selection=spec.constraints.selection,
        paid_sources={n: v.source for n, v in chosen.variables.items() if v.cost_yuan},
        max_paid_sources=spec.constraints.max_paid_sources,
    ).fit(parts[TRAIN].select(screening.kept), bad, _periods(train_rows, spec.binning.months))
    finished = finish(workspace, spec, population, chosen, card, parts[TRAIN], bad, say)
    card = finished.card
    say(f"{spec.name}: scorecard of {len(card.variables_)} variables in {time.monotonic() - began:.1f} s")

    challenger = fit_challenger(
        without_reasons(parts[TRAIN].select(inputs).to_numpy()),
        bad,
        inputs,
        [directions[n] for n in inputs],
        later_rows(train_rows["as_of"].to_numpy(), train_rows[population.entity_key].cast(str).to_list()),
        spec.challenger,
        spec.seed,
        lambda line: say(f"{spec.name}: {line}"),
    )

    def judged(side: str, probability: Any) -> Judged:
        return Judged(probability, rows[side]["bad"].to_numpy(), rows[side]["as_of"].to_numpy())

    of_card = {
        s: judged(s, card.predict_proba(parts[s].select(list(card.feature_names_in_)))[:, 1]) for s in parts
    }
    of_challenger = {
        s: judged(s, challenger.probability(without_reasons(parts[s].select(inputs).to_numpy())))
        for s in parts
    }
    return Trained(
        spec=spec,
        population=population,
        candidates=chosen,
        screening=screening,
        scorecard=card,
        scorecard_pack=validate(of_card[TRAIN], of_card[OOT], _both_sides(parts, card.variables_)),
        scorecard_judged=of_card,
        challenger=challenger,
        challenger_pack=validate(of_challenger[TRAIN], of_challenger[OOT], _both_sides(parts, inputs)),
        challenger_judged=of_challenger,
        finalists=finalists,
        fingerprint=fingerprint,
        data_hash=digest,
        inputs={side: frame.select(card.variables_) for side, frame in parts.items()},
        training_set=made.manifest.id,
        inference=finished.inference,
        calibration=finished.calibration,
    )


def _periods(rows: pl.DataFrame, months: int) -> Any:
    """The number of the period of each row, counted in spans of ``months``; None for one span."""
    if not months:
        return None
    return rows["as_of"].to_numpy().astype("datetime64[M]").astype(int) // months


def training_frame(
    workspace: Workspace, observations: pl.DataFrame, names: Sequence[str], log: Log | None = None
) -> pl.DataFrame:
    """``observations`` and one column a name, in the same order, through Feast; as :func:`finalists_set`."""
    return finalists_set(workspace, "", observations, names, log).frame


def finalists_set(
    workspace: Workspace, model: str, rows: pl.DataFrame, names: Sequence[str], log: Log | None = None
) -> TrainingSet:
    """The finalists' training set through Feast, kept with its manifest.

    ``rows`` holds observation_id, the entity key, as_of and the labels, sorted by observation_id; the set's frame too.

    Raises
    ------
    ModelError
        If a row cannot be described.
    """
    from bluemirror.features import training_set

    made = training_set(
        list(names), rows, workspace=workspace, made_by={"model": model} if model else None, log=log
    )
    if len(made.left_out):
        told = "; ".join(f"{count:,}: {reason}" for reason, count in made.manifest.left_out.items())
        raise ModelError(
            f"{len(made.left_out):,} labelled rows cannot be described",
            file=workspace.models_dir / model,
            rule="every row of a model's population has its variables",
            fix=f"look at the observation set's query: {told}",
        )
    return made


def _challenger_inputs(screening: ScreenReport, count: int) -> tuple[str, ...]:
    """The kept variables, then near twins and surplus by falling information value."""
    more = screening.table.filter(screening.table["verdict"].is_in(["cluster", "surplus"]))[
        "variable"
    ].to_list()
    return tuple([*screening.kept, *more][:count])


def _both_sides(parts: Mapping[str, pl.DataFrame], names: Sequence[str]) -> dict[str, tuple[Any, Any]]:
    from bluemirror.scorecards.stored import without_reasons

    return {
        n: (without_reasons(parts[TRAIN][n].to_numpy()), without_reasons(parts[OOT][n].to_numpy()))
        for n in names
    }


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n:,} {verdict}" for verdict, n in counts.items())
