"""The fold kernel: rows to cells, cells to groups and windows.

A cell is (disjoint time bucket, slice code, ..., unit); units (observations, or accounts of a two-level family) are
the last axis, so that every later step runs along contiguous memory. One pass over the rows a statistic, then folds:
groups by membership over the code axes (groups may overlap), windows as a running fold over the bucket axis.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bluemirror.variables.grouped import Ints
from bluemirror.variables.load import SliceCodes

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """The resolved rows of one family in one shard.

    Attributes
    ----------
    units
        Number of units (the last axis of everything that is computed).
    unit, time
        (rows,) unit of each row and its event time, microseconds.
    age, bucket
        (rows,) whole days or months back, and index of the shortest window that holds it.
    recency
        (rows,) days or months as reported by "time since".
    slices, numbers, values
        Slices by name, columns of numbers (nan: null) and of identities (-1: null).
    windows
        Number of windows with a size; bucket ``windows`` is older than all of them.
    """

    units: int
    unit: Ints
    time: Ints
    age: Ints
    bucket: Ints
    recency: Floats
    slices: dict[str, SliceCodes]
    numbers: dict[str, Floats]
    values: dict[str, Ints]
    windows: int
    month_days: bool = True
    cache: dict[object, Any] = field(default_factory=dict)

    @cached_property
    def by_time(self) -> Ints:
        """Row numbers sorted by unit, then time; ties keep the order of arrival."""
        return np.lexsort((self.time, self.unit))


STATISTICS: dict[str, tuple[np.ufunc, float]] = {
    "count": (np.add, 0.0),
    "sum": (np.add, 0.0),
    "squares": (np.add, 0.0),
    "min": (np.minimum, np.inf),
    "max": (np.maximum, -np.inf),
}
"""Statistic of a cell: the ufunc by which cells are folded, and the value of an empty cell."""


class Cells:
    """Cells of one cross of slices over one shard's rows, and their folds, each computed once."""

    def __init__(self, rows: Rows, slices: Sequence[str]) -> None:
        self.rows = rows
        self.slices = [rows.slices[name] for name in slices]
        self.shape = (rows.windows + 1, *(one.size for one in self.slices), rows.units)
        cell = rows.bucket
        for one in self.slices:
            cell = cell * one.size + one.code
        self.cell = cell * rows.units + rows.unit
        self._folded: dict[tuple[str, str | None], Floats] = {}

    def folded(self, statistic: str, column: str | None) -> Floats:
        """A statistic over groups and windows: (windows + 1, groups..., units); the last window is all of the past.

        ``column`` names a column of numbers, ``None`` the rows themselves, ``"@recency"`` the time since.
        """
        key = (statistic, column)
        if key not in self._folded:
            ufunc, empty = STATISTICS[statistic]
            dense = self._scatter(statistic, column, empty)
            for axis, one in enumerate(self.slices, start=1):
                dense = np.stack(
                    [ufunc.reduce(np.take(dense, codes, axis=axis), axis=axis) for codes in one.members],
                    axis=axis,
                )
            self._folded[key] = ufunc.accumulate(dense, axis=0)
        return self._folded[key]

    def _scatter(self, statistic: str, column: str | None, empty: float) -> Floats:
        cell = self.cell
        if column is not None:
            values = self.rows.recency if column == "@recency" else self.rows.numbers[column]
            present = ~np.isnan(values)
            if not present.all():
                cell, values = cell[present], values[present]
        size = int(np.prod(self.shape))
        dense: Floats
        if statistic == "count":
            dense = np.bincount(cell, minlength=size).astype(np.float64)
        elif statistic in ("sum", "squares"):
            weights = values if statistic == "sum" else values * values
            dense = np.bincount(cell, weights=weights, minlength=size).astype(np.float64, copy=False)
        else:
            dense = np.full(size, empty)
            STATISTICS[statistic][0].at(dense, cell, values)
        return dense.reshape(self.shape)


NEGLIGIBLE = 1e-12
"""A variance below this share of the squared mean is rounding, not spread: sums of squares lose that much."""


def moments(cells: Cells, column: str) -> tuple[Floats, Floats, Floats]:
    """Count, mean and (population) standard deviation of ``column``; nan where the count is 0."""
    count = cells.folded("count", column)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = cells.folded("sum", column) / count
        variance = cells.folded("squares", column) / count - mean * mean
    variance[variance <= NEGLIGIBLE * mean * mean] = 0.0
    return count, mean, np.sqrt(variance)


def _finite(values: Floats) -> Floats:
    return np.where(np.isinf(values), np.nan, values)


def _cv(cells: Cells, column: str) -> Floats:
    _, mean, deviation = moments(cells, column)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(mean == 0, np.nan, deviation / mean)


def _ratio(cells: Cells, columns: str) -> Floats:
    """Sum of one column over the sum of another, over the rows that have both."""
    of, by = columns.split("|")
    above, below = cells.folded("sum", columns), cells.folded("sum", f"{by}|{of}")
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below == 0, np.nan, above / below)


FOLDS: dict[str, Callable[[Cells, str], Floats]] = {
    "count": lambda cells, _: cells.folded("count", None),
    "any": lambda cells, _: (cells.folded("count", None) > 0).astype(np.float64),
    "ratio": _ratio,
    "sum": lambda cells, column: cells.folded("sum", column),
    "mean": lambda cells, column: moments(cells, column)[1],
    "std": lambda cells, column: moments(cells, column)[2],
    "cv": _cv,
    "min": lambda cells, column: _finite(cells.folded("min", column)),
    "max": lambda cells, column: _finite(cells.folded("max", column)),
    "since_last": lambda cells, _: _finite(cells.folded("min", "@recency")),
    "since_first": lambda cells, _: _finite(cells.folded("max", "@recency")),
}
"""Aggregates of the fold kernel: cells and column to (windows + 1, groups..., units)."""
