"""Points: the weights of a scorecard on a scale on which so many points double the odds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bluemirror.scorecards.binning_table import BinningTable

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Scale:
    """``score = offset + factor * ln(good:bad odds)`` (Siddiqi 2006, ch. 6)."""

    base_score: float
    base_odds: float
    points_to_double: float

    @property
    def factor(self) -> float:
        """Points for one unit of log odds: ``points_to_double / ln 2``."""
        return self.points_to_double / math.log(2)

    @property
    def offset(self) -> float:
        """The score at odds of 1: ``base_score - factor * ln(base_odds)``."""
        return self.base_score - self.factor * math.log(self.base_odds)

    def score(self, probability: Any) -> Any:
        """The unrounded score of a probability of bad; any shape."""
        p = np.clip(np.asarray(probability, float), 1e-12, 1 - 1e-12)
        return self.offset + self.factor * np.log((1 - p) / p)


@dataclass(frozen=True)
class PointsLine:
    """The points of one bin of one variable."""

    variable: str
    label: str
    points: float


@dataclass(frozen=True)
class PointsTable:
    """Base points, and the points of each bin of each variable.

    A bin as risky as the population has 0 points, so that a contribution below 0 is a reason for a low score.
    """

    base: float
    lines: tuple[PointsLine, ...]

    def of(self, variable: str) -> Any:
        """Points of the bins of ``variable``, in the order of its binning table; shape (bins,)."""
        return np.array([line.points for line in self.lines if line.variable == variable])

    def as_plain(self) -> dict[str, Any]:
        """Mappings of numbers and texts only."""
        parts: dict[str, list[list[Any]]] = {}
        for line in self.lines:
            parts.setdefault(line.variable, []).append([line.label, line.points])
        return {"base": self.base, "bins": parts}

    def frame(self) -> pl.DataFrame:
        """A line a bin: variable, bin, points; first the base points."""
        import polars as pl

        return pl.DataFrame(self.rows())

    def rows(self) -> list[dict[str, Any]]:
        """The lines for display."""
        base = {"variable": "(base points)", "bin": "", "points": self.base}
        return [base, *({"variable": p.variable, "bin": p.label, "points": p.points} for p in self.lines)]

    def _repr_html_(self) -> str:
        from bluemirror.scorecards.display import html_table

        return html_table("Points", self.rows(), limit=400)


def points_table(
    tables: Sequence[BinningTable], weights: Any, intercept: float, scale: Scale, rounded: bool
) -> PointsTable:
    """Lay out the points of a logistic model on weights of evidence.

    ``base = offset - factor * intercept``; a bin's points are ``-factor * weight * WOE`` (``weights`` and
    ``intercept`` are in the log odds of bad). Rounded, a score differs from the exact one by at most half a point
    for each variable.
    """

    def points(value: float) -> float:
        return float(round(value)) + 0.0 if rounded else float(value)

    lines = tuple(
        PointsLine(table.variable, one.label, points(-scale.factor * float(weight) * one.woe))
        for table, weight in zip(tables, weights, strict=True)
        for one in table.bins
    )
    return PointsTable(points(scale.offset - scale.factor * intercept), lines)
