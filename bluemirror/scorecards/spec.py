"""A model's declaration, ``models/<name>/model.yaml``, as a frozen value."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bluemirror.scorecards.reading import Reader, read_mapping
from bluemirror.workspace import Workspace

STAGES = ("pre", "mid", "post")
DIRECTIONS = {"ascending": 1, "descending": -1}
ANY_WAY = "auto"
"""Monotone in the direction that the training rows show."""


@dataclass(frozen=True)
class Query:
    """SQL over the mart (``bluemirror.connect``), from a file beside ``model.yaml`` or written in it."""

    text: str
    file: Path | None = None


@dataclass(frozen=True)
class Moment:
    """A day, written as a date or as so many months before the day of the data."""

    day: dt.date | None = None
    months_before: int = 0

    def on(self, as_of: dt.date) -> dt.date:
        """The day meant when the data stands at ``as_of``."""
        from bluemirror.clock import add_months

        return self.day if self.day is not None else add_months(as_of, -self.months_before)


@dataclass(frozen=True)
class Split:
    """Which rows train and which judge: ``by`` time (both windows inclusive) or a ``hold_out`` query."""

    by: str
    train_from: Moment | None = None
    train_to: Moment | None = None
    oot_from: Moment | None = None
    oot_to: Moment | None = None
    held_out: Query | None = None


@dataclass(frozen=True)
class Candidates:
    """Which variables may enter: blocks and name patterns (``*`` and ``?``)."""

    blocks: tuple[str, ...] = ("*",)
    names: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True)
class Screening:
    """Thresholds of the screening pass. IV is the one above chance (see ``measures``).

    ``max_same``: the share of one value among the values from which on a variable is as good as constant.
    ``max_iv`` and ``max_auc``: who tells more is suspected to know the outcome. ``min_month_p`` and
    ``min_month_slope``: who passes below both does not tell the same in every month (see ``constancy``).
    ``prefer_...``: what stability, coverage and price weigh against IV in choosing representatives (see ``worth``).
    """

    max_missing: float = 0.98
    min_iv: float = 0.01
    max_psi: float = 0.25
    max_correlation: float = 0.85
    keep: int = 120
    max_same: float = 0.999
    max_iv: float = 2.0
    max_auc: float = 0.85
    min_month_p: float = 1e-4
    min_month_slope: float = 0.5
    prefer_stable: float = 0.2
    prefer_covered: float = 0.1
    prefer_cheap: float = 0.2


@dataclass(frozen=True)
class Binning:
    """How finalists are binned."""

    max_bins: int = 6
    min_share: float = 0.05


@dataclass(frozen=True)
class Constraints:
    """Bounds of the scorecard.

    ``monotone`` maps name patterns to ascending, descending or auto (in risk); ``ridge`` draws the weights towards
    0 (see ``ScorecardClassifier``).
    """

    max_variables: int = 20
    max_correlation: float = 0.75
    max_vif: float = 5.0
    max_p_value: float = 0.05
    ridge: float = 20.0
    monotone: Mapping[str, str] = field(default_factory=dict)

    def direction(self, name: str) -> int:
        """1 if risk must rise with the variable, -1 if it must fall, 0 if nothing is declared; last match wins."""
        from fnmatch import fnmatchcase

        found = 0
        for pattern, way in self.monotone.items():
            if fnmatchcase(name, pattern):
                found = DIRECTIONS.get(way, 0)
        return found


@dataclass(frozen=True)
class ChallengerSearch:
    """Budget and space of the challenger's search; each range is (low, high)."""

    variables: int = 200
    trials: int = 12
    seconds: float = 25.0
    rounds: int = 400
    depth: tuple[float, float] = (2, 5)
    learning_rate: tuple[float, float] = (0.03, 0.12)
    min_child_weight: tuple[float, float] = (5, 80)
    subsample: tuple[float, float] = (0.6, 1.0)
    column_share: tuple[float, float] = (0.2, 0.9)
    l2: tuple[float, float] = (1.0, 50.0)


@dataclass(frozen=True)
class Points:
    """Scale: ``base_score`` at good:bad odds of ``base_odds``; ``points_to_double`` more doubles the odds."""

    base_score: float = 600.0
    base_odds: float = 30.0
    points_to_double: float = 40.0


@dataclass(frozen=True)
class Gates:
    """What a version must reach out of time before it can become champion."""

    min_auc: float = 0.65
    max_psi: float = 0.25
    min_bads: int = 200


@dataclass(frozen=True)
class ModelSpec:
    """One declared model. Built by :func:`read_spec`, which checks every key and value."""

    name: str
    title_zh: str
    title_en: str
    trainer: str
    reviewers: tuple[str, ...]
    stage: str
    observation_set: str
    population: Query
    population_text: str
    label: Query
    horizon: str
    split: Split
    candidates: Candidates
    screening: Screening
    binning: Binning
    constraints: Constraints
    challenger: ChallengerSearch
    points: Points
    gates: Gates
    seed: int
    text: str
    file: Path
    card: Path | None = None


def read_specs(workspace: Workspace) -> dict[str, ModelSpec]:
    """All models of the workspace by name; empty if it declares none."""
    folder = workspace.models_dir
    found = sorted(folder.glob("*/model.yaml")) if folder.is_dir() else []
    return {path.parent.name: read_spec(workspace, path.parent.name) for path in found}


def read_spec(workspace: Workspace, name: str) -> ModelSpec:
    """Read and check ``models/<name>/model.yaml``.

    Raises
    ------
    ModelError
        For a missing file, an unknown or missing key, a wrong value: with file, field, rule and fix.
    """
    file = workspace.models_dir / name / "model.yaml"
    values, text = read_mapping(file, workspace)
    top = Reader(file, values)
    title = top.section("title", required=True)
    population = top.section("population", required=True)
    label = top.section("label", required=True)
    spec = ModelSpec(
        name=top.one_of("model", (name,), rule="a model is named as its folder"),
        title_zh=title.text("zh"),
        title_en=title.text("en"),
        trainer=top.text("owner"),
        reviewers=top.texts("reviewers"),
        stage=top.one_of("stage", STAGES),
        observation_set=top.text("observation_set"),
        population=population.query("sql"),
        population_text=population.text("text", ""),
        label=label.query("sql"),
        horizon=label.text("horizon"),
        split=_split(top.section("split", required=True)),
        candidates=_candidates(top.section("candidates")),
        screening=_screening(top.section("screening")),
        binning=_binning(top.section("binning")),
        constraints=_constraints(top.section("constraints")),
        challenger=_challenger(top.section("challenger")),
        points=_points(top.section("points")),
        gates=_gates(top.section("gates")),
        seed=top.integer("seed", 20230101, low=0),
        text=text,
        file=file,
        card=file.parent / "card.md" if (file.parent / "card.md").is_file() else None,
    )
    for section in (title, population, label, top):
        section.finish()
    if spec.trainer in spec.reviewers:
        raise top.error(
            "reviewers",
            f"{spec.trainer!r} is the trainer",
            "the reviewer is not the trainer",
            "name somebody else",
        )
    return spec


def _split(r: Reader) -> Split:
    by = r.one_of("by", ("time", "hold_out"))
    if by == "hold_out":
        split = Split(by, held_out=r.query("sql"))
    else:
        split = Split(
            by, r.moment("train_from"), r.moment("train_to"), r.moment("oot_from"), r.moment("oot_to")
        )
    r.finish()
    return split


def _candidates(r: Reader) -> Candidates:
    d = Candidates()
    found = Candidates(r.texts("blocks", d.blocks), r.texts("names", d.names), r.texts("exclude", d.exclude))
    r.finish()
    return found


def _screening(r: Reader) -> Screening:
    d = Screening()
    found = Screening(
        max_missing=r.number("max_missing", d.max_missing, low=0, high=1),
        min_iv=r.number("min_iv", d.min_iv, low=0),
        max_psi=r.number("max_psi", d.max_psi, low=0),
        max_correlation=r.number("max_correlation", d.max_correlation, low=0, high=1),
        keep=r.integer("keep", d.keep, low=1),
        max_iv=r.number("max_iv", d.max_iv, low=0),
        min_month_slope=r.number("min_month_slope", d.min_month_slope),
        **{
            key: r.number(key, getattr(d, key), low=0, high=1)
            for key in (
                "max_same",
                "max_auc",
                "min_month_p",
                "prefer_stable",
                "prefer_covered",
                "prefer_cheap",
            )
        },
    )
    r.finish()
    return found


def _binning(r: Reader) -> Binning:
    d = Binning()
    found = Binning(
        max_bins=r.integer("max_bins", d.max_bins, low=2, high=20),
        min_share=r.number("min_share", d.min_share, low=0.001, high=0.5),
    )
    r.finish()
    return found


def _constraints(r: Reader) -> Constraints:
    d = Constraints()
    found = Constraints(
        max_variables=r.integer("max_variables", d.max_variables, low=1),
        max_correlation=r.number("max_correlation", d.max_correlation, low=0, high=1),
        max_vif=r.number("max_vif", d.max_vif, low=1),
        max_p_value=r.number("max_p_value", d.max_p_value, low=0, high=1),
        ridge=r.number("ridge", d.ridge, low=0),
        monotone=r.choices("monotone", (*DIRECTIONS, ANY_WAY)),
    )
    r.finish()
    return found


def _challenger(r: Reader) -> ChallengerSearch:
    d = ChallengerSearch()
    ranges = ("depth", "learning_rate", "min_child_weight", "subsample", "column_share", "l2")
    found = ChallengerSearch(
        r.integer("variables", d.variables, low=1),
        r.integer("trials", d.trials, low=1),
        r.number("seconds", d.seconds, low=1),
        r.integer("rounds", d.rounds, low=1),
        *(r.bounds(key, getattr(d, key)) for key in ranges),
    )
    r.finish()
    return found


def _points(r: Reader) -> Points:
    d = Points()
    found = Points(
        base_score=r.number("base_score", d.base_score),
        base_odds=r.number("base_odds", d.base_odds, low=1e-9),
        points_to_double=r.number("points_to_double", d.points_to_double, low=1e-9),
    )
    r.finish()
    return found


def _gates(r: Reader) -> Gates:
    d = Gates()
    found = Gates(
        min_auc=r.number("min_auc", d.min_auc, low=0, high=1),
        max_psi=r.number("max_psi", d.max_psi, low=0),
        min_bads=r.integer("min_bads", d.min_bads, low=0),
    )
    r.finish()
    return found
