"""The ordered kernel: what depends on the order of rows in time, or of values among themselves."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bluemirror.variables.ages import MICROSECONDS_A_DAY
from bluemirror.variables.cells import NEGLIGIBLE, Cells, Rows
from bluemirror.variables.grouped import Ints

Floats = NDArray[np.float64]


def _groups(cells: Cells) -> Iterator[tuple[tuple[int, ...], NDArray[np.bool_]]]:
    """Each combination of groups: its position and the rows that it holds."""
    masks = []
    for one in cells.slices:
        tables = []
        for codes in one.members:
            holds = np.zeros(one.size, dtype=bool)
            holds[codes] = True
            tables.append(holds[one.code])
        masks.append(tables)
    for position in itertools.product(*(range(len(one)) for one in masks)):
        held = np.ones(len(cells.rows.unit), dtype=bool)
        for axis, index in enumerate(position):
            held &= masks[axis][index]
        yield position, held


def _empty(cells: Cells) -> Floats:
    groups = tuple(len(one.members) for one in cells.slices)
    return np.full((cells.rows.windows + 1, *groups, cells.rows.units), np.nan)


def _ends(unit: Ints) -> NDArray[np.bool_]:
    """Marks the last of each run of equal units."""
    return np.append(unit[1:] != unit[:-1], True) if len(unit) else np.zeros(0, dtype=bool)


def _end_value(newest: bool) -> Callable[[Cells, str], Floats]:
    def compute(cells: Cells, column: str) -> Floats:
        rows, result = cells.rows, _empty(cells)
        values = rows.numbers[column]
        order = rows.by_time if newest else rows.by_time[::-1]
        order = order[~np.isnan(values[order])]
        for position, held in _groups(cells):
            chosen = order[held[order]]
            for window in range(rows.windows + 1):
                inside = chosen[rows.bucket[chosen] <= window]
                last = inside[_ends(rows.unit[inside])]
                at: Any = (window, *position, rows.unit[last])
                result[at] = values[last]
        return result

    return compute


def _by_value(rows: Rows, column: str) -> Ints:
    """Rows that have a value, by unit and value."""
    key = ("by value", column)
    if key not in rows.cache:
        values = rows.numbers[column]
        order = np.lexsort((values, rows.unit))
        rows.cache[key] = order[~np.isnan(values[order])]
    sorted_rows: Ints = rows.cache[key]
    return sorted_rows


def _quantile(percent: int) -> Callable[[Cells, str], Floats]:
    """The value below which ``percent`` of the rows lie, interpolated linearly (type 7 of Hyndman and Fan)."""

    def compute(cells: Cells, column: str) -> Floats:
        rows, result = cells.rows, _empty(cells)
        values, order = rows.numbers[column], _by_value(cells.rows, column)
        for position, held in _groups(cells):
            chosen = order[held[order]]
            for window in range(rows.windows + 1):
                inside = chosen[rows.bucket[chosen] <= window]
                ends = np.flatnonzero(_ends(rows.unit[inside]))
                if not len(ends):
                    continue
                starts = np.append(0, ends[:-1] + 1)
                low, rest = np.divmod((ends - starts) * percent, 100)
                below = values[inside[starts + low]]
                above = values[inside[starts + low + (rest > 0)]]
                at: Any = (window, *position, rows.unit[inside[ends]])
                result[at] = below + (above - below) * (rest / 100)
        return result

    return compute


def _gaps(statistic: str) -> Callable[[Cells, str], Floats]:
    def compute(cells: Cells, _: str) -> Floats:
        rows, result = cells.rows, _empty(cells)
        shape = (rows.windows + 1, rows.units)
        for position, held in _groups(cells):
            chosen = rows.by_time[held[rows.by_time]]
            same = rows.unit[chosen[1:]] == rows.unit[chosen[:-1]]
            older, newer = chosen[:-1][same], chosen[1:][same]
            gap = (rows.time[newer] - rows.time[older]) / MICROSECONDS_A_DAY
            # A gap lies in every window that holds its older end.
            cell = rows.bucket[older] * rows.units + rows.unit[older]
            if statistic in ("min", "max"):
                ufunc, empty = (np.minimum, np.inf) if statistic == "min" else (np.maximum, -np.inf)
                dense = np.full(shape[0] * shape[1], empty)
                ufunc.at(dense, cell, gap)
                folded = ufunc.accumulate(dense.reshape(shape), axis=0)
                value = np.where(np.isinf(folded), np.nan, folded)
            else:
                count, total, squares = (
                    np.cumsum(
                        np.bincount(cell, weights=weight, minlength=shape[0] * shape[1]).reshape(shape),
                        axis=0,
                    )
                    for weight in (np.ones_like(gap), gap, gap * gap)
                )
                with np.errstate(divide="ignore", invalid="ignore"):
                    value = total / count
                    if statistic == "std":
                        variance = squares / count - value * value
                        variance[variance <= NEGLIGIBLE * value * value] = 0.0
                        value = np.sqrt(variance)
            at: Any = (slice(None), *position)
            result[at] = value
        return result

    return compute


ORDERED: dict[str, Callable[[Cells, str], Floats]] = {
    "first": _end_value(newest=False),
    "last": _end_value(newest=True),
    "median": _quantile(50),
    "p10": _quantile(10),
    "p25": _quantile(25),
    "p75": _quantile(75),
    "p90": _quantile(90),
    "gap_min": _gaps("min"),
    "gap_max": _gaps("max"),
    "gap_mean": _gaps("mean"),
    "gap_std": _gaps("std"),
}
"""Aggregates of the ordered kernel: cells and column to (windows + 1, groups..., units)."""
