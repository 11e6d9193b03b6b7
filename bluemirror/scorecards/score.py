"""Batch scoring: every observation of a model's set by its champion, written back to the mart."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bluemirror.errors import ModelError

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.scorecards.scorecard import ScorecardClassifier
    from bluemirror.workspace import Workspace

TABLE = "model_score"
KEY = ("observation_id", "model", "version")
REASONS = 3


@dataclass(frozen=True)
class ScoreReport:
    """What a scoring did: ``scored`` observations in the set, of which ``written`` are new or changed rows."""

    model: str
    version: str
    scored: int
    written: int
    changed: bool
    mean_score: float
    mean_probability: float
    promoted_by: str
    seconds: float

    def _repr_html_(self) -> str:
        from bluemirror.scorecards.display import html_table

        return html_table(f"Scores of {self.model}", [vars(self)])


def score(workspace: Workspace, model: str, log: Callable[[str], None] | None = None) -> ScoreReport:
    """Score all stored observations of the model's set by its champion.

    The champion's promotion record is verified first. Rows of the mart's table ``model_score`` (entity key,
    observation_id, model, version, score, probability, reason_1 to reason_3 with points_1 to points_3, as_of) are
    replaced by observation, model and version; with nothing new nothing is written.

    Raises
    ------
    ModelError
        If there is no champion that was promoted as it stands, or one of its variables is gone or means something else
        and how it was declared was not kept.
    """
    from bluemirror.scorecards.records import champion_record
    from bluemirror.scorecards.registry import load_champion
    from bluemirror.scorecards.spec import read_spec
    from bluemirror.scorecards.stored import read_observations

    started = time.monotonic()
    spec = read_spec(workspace, model)
    champion = load_champion(workspace, model)
    promotion = champion_record(workspace, model)
    home = _home(workspace, model, champion.version, log)
    observations = read_observations(home, spec.observation_set)
    frame = _scores(
        home, spec.observation_set, observations.rows, observations.entity_key, champion.scorecard
    )
    frame = frame.with_columns(_constant(model, "model"), _constant(champion.version, "version"))
    fresh = _not_yet_written(workspace, frame)
    if fresh.height:
        from bluemirror.mart.writeback import write_table

        write_table(workspace, TABLE, fresh, KEY)
    report = ScoreReport(
        model=model,
        version=champion.version,
        scored=frame.height,
        written=fresh.height,
        changed=fresh.height > 0,
        mean_score=float(frame["score"].to_numpy().mean()),
        mean_probability=float(frame["probability"].to_numpy().mean()),
        promoted_by=promotion.reviewer if promotion else "",
        seconds=time.monotonic() - started,
    )
    if log:
        done = f"{report.written:,} written to {TABLE}" if report.changed else "nothing changed"
        log(f"{model}: {report.scored:,} observations scored by version {report.version}; {done}")
    return report


def _home(workspace: Workspace, model: str, version: str, log: Callable[[str], None] | None) -> Workspace:
    """Where the champion's variables stand: a meaning that changed since it was registered is not its own."""
    from bluemirror.features.former import build_former, home_of
    from bluemirror.features.services import read_services

    service = next(
        (one for one in read_services(workspace) if (one.model, one.version) == (model, version)), None
    )
    if service is None:
        return workspace
    home = home_of(workspace, service)
    if home is not workspace:
        build_former(workspace, log, model)
    return home


def _scores(
    workspace: Workspace, observation_set: str, rows: pl.DataFrame, entity_key: str, card: ScorecardClassifier
) -> pl.DataFrame:
    import polars as pl

    from bluemirror.scorecards.stored import with_reasons
    from bluemirror.variables import catalogue, read_variables

    known = {v.name: v for v in catalogue(workspace)}
    gone = [name for name in card.variables_ if name not in known]
    if gone:
        raise ModelError(
            f"the champion reads {gone[0]!r}, which no family makes any more",
            file=workspace.families_dir,
            field=gone[0],
            rule="a scoring model's variables stay declared",
            fix="bring the family back, or train and promote a new version",
        )
    names = list(card.variables_)
    values = read_variables(workspace, observation_set, names)
    rows = rows.join(values.select("observation_id"), on="observation_id", how="semi").sort("observation_id")
    values = values.join(rows.select("observation_id"), on="observation_id", how="semi").sort(
        "observation_id"
    )
    X = with_reasons(workspace, observation_set, values, {n: known[n].block for n in names}).select(names)
    return pl.concat(
        [
            rows.select(entity_key, "observation_id", "as_of"),
            pl.DataFrame({"score": card.score_points(X), "probability": card.predict_proba(X)[:, 1]}),
            card.reason_codes(X, REASONS),
        ],
        how="horizontal",
    )


def _not_yet_written(workspace: Workspace, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows that the mart's table does not hold with these very values."""
    import polars as pl

    from bluemirror.mart.connect import WRITTEN

    files = sorted((workspace.mart / WRITTEN / TABLE).glob("*.parquet"))
    if not files:
        return frame
    held = pl.read_parquet(files)
    if set(frame.columns) - set(held.columns):
        return frame
    return frame.join(held.select(frame.columns), on=frame.columns, how="anti", nulls_equal=True)


def _constant(value: str, name: str) -> Any:
    import polars as pl

    return pl.lit(value).alias(name)
