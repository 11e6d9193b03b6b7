"""A model's declaration, ``models/<name>/model.yaml``, as a frozen value."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bluemirror.scorecards.reading import Reader, read_mapping
from bluemirror.workspace import Workspace

if TYPE_CHECKING:
    from bluemirror.scorecards.reasons import Reasons

STAGES = ("pre", "mid", "post")
PERIODS = {"whole": 0, "month": 1, "quarter": 3, "half_year": 6}
"""Months of a period in which bins are ordered."""
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
    """How finalists are binned.

    ``ordered_in``: bad rates of bins are ordered in every month, quarter or half-year, each step to within
    ``order_tolerance`` standard errors (see ``ordering``); ``whole``: overall only.
    """

    max_bins: int = 6
    min_share: float = 0.05
    ordered_in: str = "whole"
    order_tolerance: float = 0.0

    @property
    def months(self) -> int:
        """Months of a period; 0 for the whole."""
        return PERIODS[self.ordered_in]


@dataclass(frozen=True)
class Constraints:
    """Bounds of the scorecard.

    ``monotone`` maps name patterns to ascending, descending or auto (in risk); ``ridge`` draws the weights towards
    0 (see ``ScorecardClassifier``). ``selection``: forward or l1. ``max_paid_sources``: at most so many sources that
    take money for a query.
    """

    max_variables: int = 20
    max_correlation: float = 0.75
    max_vif: float = 5.0
    max_p_value: float = 0.05
    ridge: float = 20.0
    monotone: Mapping[str, str] = field(default_factory=dict)
    selection: str = "forward"
    max_paid_sources: int = 1000

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
    """Scale: ``base_score`` at good:bad odds of ``base_odds``; ``points_to_double`` more doubles the odds.

    ``target_bad_rate``: what the mean probability over the training applicants is moved to; 0: it stays.
    """

    base_score: float = 600.0
    base_odds: float = 30.0
    points_to_double: float = 40.0
    target_bad_rate: float = 0.0


@dataclass(frozen=True)
class Rejects:
    """What is assumed about rejected applicants (see ``reject_inference``).

    ``excluded``: the reasons of the population query that mean a rejection.
    """

    method: str = "none"
    factor: float = 1.0
    excluded: tuple[str, ...] = ()


@dataclass(frozen=True)
class Gates:
    """What a version must reach out of time before it can become champion."""

    min_auc: float = 0.65
    max_psi: float = 0.25
    min_bads: int = 200


@dataclass(frozen=True)
class Parts:
    """What the validation looks at part by part: a query that names, for each observation, the parts it belongs to.

    ``segments`` are parts of the business, ``groups`` people who must not be treated unequally; columns of the query.
    """

    query: Query
    segments: tuple[str, ...]
    groups: tuple[str, ...]


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
    rejects: Rejects
    reasons: Reasons
    seed: int
    text: str
    file: Path
    card: Path | None = None
    parts: Parts | None = None


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
    from bluemirror.scorecards import sections
    from bluemirror.scorecards.reasons import Reasons

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
        split=sections.split(top.section("split", required=True)),
        candidates=sections.candidates(top.section("candidates")),
        screening=sections.screening(top.section("screening")),
        binning=sections.binning(top.section("binning")),
        constraints=sections.constraints(top.section("constraints")),
        challenger=sections.challenger(top.section("challenger")),
        points=sections.points(top.section("points")),
        gates=sections.gates(top.section("gates")),
        rejects=sections.rejects(top.section("reject_inference")),
        reasons=Reasons.from_plain(top.section("reasons").values),
        seed=top.integer("seed", 20230101, low=0),
        text=text,
        file=file,
        card=file.parent / "card.md" if (file.parent / "card.md").is_file() else None,
        parts=sections.validation(top.section("validation")),
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
