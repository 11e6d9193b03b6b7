"""Series of months: counts or sums a month, and what their shape tells.

A month of a family whose windows are days is 30 days back from the reference; of one whose windows are months, the
month of its grain. Months without a row count as zero.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bluemirror.variables.cells import NEGLIGIBLE, Cells, count_cells, running, sum_cells

Floats = NDArray[np.float64]


def monthly(cells: Cells, column: str | None, months: int) -> Floats:
    """Counts of rows, or sums of ``column``, a month: (months, groups..., units), the newest month first."""
    rows = cells.rows
    key = ("months", cells.names, column, months)
    if key in rows.cache:
        cached: Floats = rows.cache[key]
        return cached
    month = rows.age // 30 if rows.month_days else rows.age
    kept = np.flatnonzero((month >= 0) & (month < months))
    values = np.zeros(len(kept)) if column is None else rows.numbers[column][kept]
    flat = cells.empty(0.0, months)
    loop = count_cells if column is None else sum_cells
    loop(flat, month[kept], rows.unit[kept], cells.code[kept], *cells.members, values)
    dense: Floats = cells.shaped(flat)
    rows.cache[key] = dense
    return dense


def _std(series: Floats) -> Floats:
    mean = series.mean(axis=0)
    variance = (series * series).mean(axis=0) - mean * mean
    return np.sqrt(np.where(variance <= NEGLIGIBLE * mean * mean, 0.0, variance))


def _cv(series: Floats) -> Floats:
    mean = series.mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(mean == 0, np.nan, _std(series) / mean)


def _slope(series: Floats) -> Floats:
    """Least squares slope a month, positive when the newer months are higher."""
    position = np.arange(len(series) - 1, -1, -1, dtype=np.float64)
    position -= position.mean()
    return np.tensordot(position, series, axes=(0, 0)) / (position @ position)


def _run(series: Floats) -> Floats:
    """Longest run of successive months above zero."""
    longest = np.zeros(series.shape[1:])
    running = np.zeros(series.shape[1:])
    for month in series:
        running = np.where(month > 0, running + 1, 0.0)
        longest = np.maximum(longest, running)
    return longest


def _run_now(held: NDArray[np.bool_]) -> Floats:
    """Months in a row that hold, from the newest one on."""
    return running(np.logical_and, held).sum(axis=0).astype(np.float64)


SERIES: dict[str, Callable[[Floats], Floats]] = {
    "months_active": lambda series: (series != 0).sum(axis=0).astype(np.float64),
    "month_mean": lambda series: series.mean(axis=0),
    "month_max": lambda series: series.max(axis=0),
    "month_min": lambda series: series.min(axis=0),
    "month_std": _std,
    "month_cv": _cv,
    "month_slope": _slope,
    "run_max": _run,
    "run_now": lambda series: _run_now(series > 0),
    "quiet_max": lambda series: _run((series <= 0).astype(np.float64)),
    "quiet_now": lambda series: _run_now(series <= 0),
}
"""Aggregates of a series (months, groups..., units), the newest month first, to (groups..., units)."""
