"""The fold kernel: rows to cells, cells to windows.

A cell is (disjoint time bucket, combination of groups, unit); units (observations, or accounts of a two-level family)
are the last axis, so that every later step runs along contiguous memory. One pass over the rows a statistic adds each
row to the groups that it belongs to (groups may overlap); windows are a running fold over the buckets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bluemirror.compiled import compiled
from bluemirror.variables.crossing import Crossing, combined
from bluemirror.variables.grouped import Ints
from bluemirror.variables.loaded import SliceCodes

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """The resolved rows of one family in one shard, by unit and time; ties keep the order of arrival.

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
    crossings
        Crosses of slices that were worked out before, by their names; the same for all shards.
    """

    units: int
    unit: Ints
    time: Ints
    age: Ints
    bucket: Ints
    recency: Floats
    slices: dict[str, SliceCodes]
    numbers: dict[str, Floats]
    values: dict[str, NDArray[np.int32]]
    windows: int
    month_days: bool = True
    crossings: dict[tuple[str, ...], Crossing] = field(default_factory=dict)
    cache: dict[object, Any] = field(default_factory=dict)


class Cells:
    """Cells of one cross of slices over one shard's rows, and their folds, each computed once."""

    def __init__(self, rows: Rows, slices: Sequence[str]) -> None:
        self.rows = rows
        self.names = tuple(slices)
        crossed = [rows.slices[name] for name in slices]
        if self.names not in rows.crossings:
            rows.crossings[self.names] = Crossing.of(crossed)
        self.crossing = rows.crossings[self.names]
        self.code = combined(crossed, len(rows.unit))
        self._folded: dict[tuple[str, str | None], Floats] = {}
        self.spread: dict[str, tuple[Floats, Floats, Floats]] = {}

    def empty(self, value: float, first: int | None = None) -> Floats:
        """An array of (windows + 1, combinations, units), or of ``first`` instead of the windows."""
        first = self.rows.windows + 1 if first is None else first
        return np.full((first, self.crossing.groups, self.rows.units), value)

    def shaped(self, flat: NDArray[Any]) -> NDArray[Any]:
        """The same array with an axis of groups for each slice: (first, groups..., units)."""
        return flat.reshape(len(flat), *self.crossing.shape, self.rows.units)

    def folded(self, statistic: str, column: str | None) -> Floats:
        """A statistic over groups and windows: (windows + 1, groups..., units); the last window is all of the past.

        ``column`` names a column of numbers, ``None`` the rows themselves, ``"@recency"`` the time since.
        """
        key = (statistic, column)
        if key not in self._folded:
            ufunc, empty, loop = STATISTICS[statistic]
            cells = self.empty(empty)
            loop(cells, self.rows.bucket, self.rows.unit, self.code, *self.members, self._values(column))
            self._folded[key] = self.shaped(running(ufunc, cells))
        return self._folded[key]

    @property
    def members(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """To which combinations of groups a code belongs, as the loops want it."""
        return self.crossing.start, self.crossing.group

    def _values(self, column: str | None) -> Floats:
        if column is None:
            # Rows are counted whatever they hold.
            return np.zeros(len(self.rows.unit))
        return self.rows.recency if column == "@recency" else self.rows.numbers[column]


Members = NDArray[np.int32]
Planes = TypeVar("Planes", bound=NDArray[Any])


def running(ufunc: np.ufunc, cells: Planes) -> Planes:
    """Fold the buckets of ``cells`` (first axis) into windows, in place.

    Plane by plane: ``ufunc.accumulate`` goes down the first axis a value at a time, which takes twenty times as long.
    """
    for newer, plane in pairwise(cells):
        ufunc(newer, plane, out=plane)
    return cells


@compiled
def count_cells(
    cells: Floats, bucket: Ints, unit: Ints, code: Members, start: Members, group: Members, values: Floats
) -> None:
    """Count the rows whose value is there in ``cells`` (buckets, combinations, units)."""
    for row in range(len(unit)):
        if not np.isnan(values[row]):
            for place in range(start[code[row]], start[code[row] + 1]):
                cells[bucket[row], group[place], unit[row]] += 1.0


@compiled
def sum_cells(
    cells: Floats, bucket: Ints, unit: Ints, code: Members, start: Members, group: Members, values: Floats
) -> None:
    """Sum the values."""
    for row in range(len(unit)):
        value = values[row]
        if not np.isnan(value):
            for place in range(start[code[row]], start[code[row] + 1]):
                cells[bucket[row], group[place], unit[row]] += value


@compiled
def square_cells(
    cells: Floats, bucket: Ints, unit: Ints, code: Members, start: Members, group: Members, values: Floats
) -> None:
    """Sum the squares of the values."""
    for row in range(len(unit)):
        value = values[row]
        if not np.isnan(value):
            for place in range(start[code[row]], start[code[row] + 1]):
                cells[bucket[row], group[place], unit[row]] += value * value


@compiled
def least_cells(
    cells: Floats, bucket: Ints, unit: Ints, code: Members, start: Members, group: Members, values: Floats
) -> None:
    """Keep the least value."""
    for row in range(len(unit)):
        value = values[row]
        if not np.isnan(value):
            for place in range(start[code[row]], start[code[row] + 1]):
                cells[bucket[row], group[place], unit[row]] = min(
                    cells[bucket[row], group[place], unit[row]], value
                )


@compiled
def most_cells(
    cells: Floats, bucket: Ints, unit: Ints, code: Members, start: Members, group: Members, values: Floats
) -> None:
    """Keep the greatest value."""
    for row in range(len(unit)):
        value = values[row]
        if not np.isnan(value):
            for place in range(start[code[row]], start[code[row] + 1]):
                cells[bucket[row], group[place], unit[row]] = max(
                    cells[bucket[row], group[place], unit[row]], value
                )


STATISTICS: dict[str, tuple[np.ufunc, float, Callable[..., None]]] = {
    "count": (np.add, 0.0, count_cells),
    "sum": (np.add, 0.0, sum_cells),
    "squares": (np.add, 0.0, square_cells),
    "min": (np.minimum, np.inf, least_cells),
    "max": (np.maximum, -np.inf, most_cells),
}
"""Statistic of a cell: the ufunc by which buckets are folded, the value of an empty cell, the loop over the rows."""


NEGLIGIBLE = 1e-12
"""A variance below this share of the squared mean is rounding, not spread: sums of squares lose that much."""


def moments(cells: Cells, column: str) -> tuple[Floats, Floats, Floats]:
    """Count, mean and (population) standard deviation of ``column``; nan where the count is 0. Not to be changed."""
    if column not in cells.spread:
        cells.spread[column] = _moments(cells, column)
    return cells.spread[column]


def _moments(cells: Cells, column: str) -> tuple[Floats, Floats, Floats]:
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
