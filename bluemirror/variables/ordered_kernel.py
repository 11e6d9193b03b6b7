"""The ordered kernel: what depends on the order of rows in time, or of values among themselves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bluemirror.compiled import compiled
from bluemirror.variables.ages import MICROSECONDS_A_DAY
from bluemirror.variables.cells import NEGLIGIBLE, Cells, Members, running
from bluemirror.variables.grouped import Ints

Floats = NDArray[np.float64]


def _end_value(newest: bool) -> Callable[[Cells, str], Floats]:
    def compute(cells: Cells, column: str) -> Floats:
        rows, result = cells.rows, cells.empty(np.nan)
        _end_values(result, rows.bucket, rows.unit, cells.code, *cells.members, rows.numbers[column], newest)
        return cells.shaped(result)

    return compute


@compiled
def _end_values(
    result: Floats,
    bucket: Ints,
    unit: Ints,
    code: Members,
    start: Members,
    group: Members,
    values: Floats,
    newest: bool,
) -> None:
    """First or last value of every window that holds it; rows come in the order of time."""
    for row in range(len(unit)):
        value = values[row]
        if not np.isnan(value):
            for place in range(start[code[row]], start[code[row] + 1]):
                for window in range(bucket[row], result.shape[0]):
                    if newest or np.isnan(result[window, group[place], unit[row]]):
                        result[window, group[place], unit[row]] = value


def _by_value(cells: Cells, column: str) -> Ints:
    """Rows by unit and value, nan last."""
    rows, key = cells.rows, ("by value", column)
    if key not in rows.cache:
        order = np.empty(len(rows.unit), dtype=np.int64)
        _sort_units(order, rows.unit, rows.numbers[column])
        rows.cache[key] = order
    found: Ints = rows.cache[key]
    return found


@compiled
def _sort_units(order: Ints, unit: Ints, values: Floats) -> None:
    """Sort the rows of each unit, which stand together, by value."""
    begin = 0
    while begin < len(unit):
        end = begin + 1
        while end < len(unit) and unit[end] == unit[begin]:
            end += 1
        order[begin:end] = begin + np.argsort(values[begin:end])
        begin = end


def _quantile(percent: int) -> Callable[[Cells, str], Floats]:
    """The value below which ``percent`` of the rows lie, interpolated linearly (type 7 of Hyndman and Fan)."""

    def compute(cells: Cells, column: str) -> Floats:
        rows, result = cells.rows, cells.empty(np.nan)
        order, values = _by_value(cells, column), rows.numbers[column]
        _quantiles(result, order, rows.bucket, rows.unit, cells.code, cells.crossing.holds, values, percent)
        return cells.shaped(result)

    return compute


@compiled
def _quantiles(
    result: Floats,
    order: Ints,
    bucket: Ints,
    unit: Ints,
    code: Members,
    holds: NDArray[np.bool_],
    values: Floats,
    percent: int,
) -> None:
    """Quantile of each window and combination of groups; ``order`` are the rows by unit and value, nan last."""
    inside = np.empty(len(unit))
    begin = 0
    while begin < len(unit):
        end = begin
        while end < len(unit) and unit[end] == unit[begin]:
            end += 1
        for window in range(result.shape[0]):
            for combination in range(result.shape[1]):
                size = 0
                for place in range(begin, end):
                    row = order[place]
                    if np.isnan(values[row]):
                        break
                    if bucket[row] <= window and holds[code[row], combination]:
                        inside[size] = values[row]
                        size += 1
                if size:
                    low = (size - 1) * percent // 100
                    rest = (size - 1) * percent % 100
                    value = inside[low]
                    if rest > 0:
                        value += (inside[low + 1] - value) * (rest / 100)
                    result[window, combination, unit[begin]] = value
        begin = end


def _gaps(statistic: str) -> Callable[[Cells, str], Floats]:
    def compute(cells: Cells, _: str) -> Floats:
        rows = cells.rows
        newest = np.empty(cells.crossing.groups, dtype=np.int64)
        sums = np.zeros((3, rows.windows + 1, cells.crossing.groups, rows.units))
        ends = cells.empty(np.inf if statistic == "min" else -np.inf)
        sign = 1.0 if statistic == "min" else -1.0
        _add_gaps(
            sums,
            ends,
            rows.bucket,
            rows.unit,
            cells.code,
            *cells.members,
            rows.time,
            newest,
            sign,
            statistic in ("min", "max"),
        )
        if statistic in ("min", "max"):
            ufunc = np.minimum if statistic == "min" else np.maximum
            running(ufunc, ends)
            return cells.shaped(np.where(np.isinf(ends), np.nan, ends))
        count, total, squares = (running(np.add, one) for one in sums)
        with np.errstate(divide="ignore", invalid="ignore"):
            value = total / count
            if statistic == "std":
                variance = squares / count - value * value
                variance[variance <= NEGLIGIBLE * value * value] = 0.0
                value = np.sqrt(variance)
        return cells.shaped(value)

    return compute


@compiled
def _add_gaps(
    sums: Floats,
    ends: Floats,
    bucket: Ints,
    unit: Ints,
    code: Members,
    start: Members,
    group: Members,
    time: Ints,
    newest: Ints,
    sign: float,
    extreme: bool,
) -> None:
    """Days between successive rows of a unit and a combination of groups, by the bucket of the older one.

    A gap lies in every window that holds its older end. ``newest`` (combinations,) is room for the row before;
    ``sums`` (3, buckets, combinations, units) takes number, sum and squares, ``ends`` the least (``sign`` 1) or the
    greatest gap (-1), whichever is asked for.
    """
    before = -1
    for row in range(len(unit)):
        if unit[row] != before:
            before = unit[row]
            newest[:] = -1
        for place in range(start[code[row]], start[code[row] + 1]):
            combination = group[place]
            older = newest[combination]
            if older >= 0:
                gap = (time[row] - time[older]) / MICROSECONDS_A_DAY
                if extreme:
                    if gap * sign < ends[bucket[older], combination, before] * sign:
                        ends[bucket[older], combination, before] = gap
                else:
                    sums[0, bucket[older], combination, before] += 1.0
                    sums[1, bucket[older], combination, before] += gap
                    sums[2, bucket[older], combination, before] += gap * gap
            newest[combination] = row


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
