"""One column at a time: what there is, what is missing and why, spread, quantiles, and counts between fixed edges.

A value is read once and sorted once; zeros, the most frequent value of all, are counted and not sorted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bluemirror.compiled import compiled

Floats32 = NDArray[np.float32]
Ints = NDArray[np.int64]


@compiled
def describe(
    column: Floats32, reason: NDArray[np.int8], packed: Floats32, missing: Ints
) -> tuple[int, int, float, float, float, float]:
    """Figures of a column that need no order; what is neither missing nor zero goes into ``packed``.

    Parameters
    ----------
    column
        Shape (rows,); NaN is missing.
    reason
        Shape (rows,): why the column's source is silent about the row, 0 if it answered.
    packed
        Room for (rows,) values.
    missing
        Shape (5,), added to: missing although answered, then by the reasons 1 to 4.

    Returns
    -------
    values in ``packed``, zeros, mean, standard deviation (of a population: divided by the number of values), least and
    most; the last four are NaN without a value.
    """
    kept, zeros, total = 0, 0, 0.0
    low, high = np.inf, -np.inf
    for row in range(len(column)):
        value = column[row]
        if np.isnan(value):
            missing[reason[row]] += 1
        elif value == 0:
            zeros += 1
        else:
            packed[kept] = value
            kept += 1
            total += value
            low = min(low, value)
            high = max(high, value)
    present = kept + zeros
    if present == 0:
        return 0, 0, np.nan, np.nan, np.nan, np.nan
    if zeros > 0:
        low = min(low, 0.0)
        high = max(high, 0.0)
    mean = total / present
    # A second pass over what is still in the cache: the difference of two large sums would lose the small spreads.
    squares = zeros * mean * mean
    for place in range(kept):
        away = packed[place] - mean
        squares += away * away
    # The sum of equal values divided by their number need not be that value to the last bit.
    spread = np.sqrt(squares / present) if low < high else 0.0
    return kept, zeros, mean, spread, low, high


@compiled
def _up_to(ordered: Floats32, edge: float) -> int:
    """Number of values that are at most ``edge``."""
    first, last = 0, len(ordered)
    while first < last:
        middle = (first + last) // 2
        if ordered[middle] <= edge:
            first = middle + 1
        else:
            last = middle
    return first


@compiled
def quantiles(ordered: Floats32, zeros: int, at: NDArray[np.float64], into: NDArray[np.float64]) -> None:
    """Quantiles ``at`` of sorted values and so many zeros, interpolated linearly (type 7 of Hyndman and Fan 1996)."""
    count = len(ordered) + zeros
    if count == 0:
        into[:] = np.nan
        return
    negative = _up_to(ordered, 0.0)
    for place in range(len(at)):
        position = at[place] * (count - 1)
        low = int(np.floor(position))
        part = position - low
        value = 0.0
        for step in range(2):
            # Without a part of the next value the last one has no next.
            rank = min(low + step, count - 1)
            weight = part if step == 1 else 1.0 - part
            if weight == 0.0:
                continue
            if rank < negative:
                value += weight * ordered[rank]
            elif rank >= negative + zeros:
                value += weight * ordered[rank - zeros]
        into[place] = value


@compiled
def count_between(ordered: Floats32, zeros: int, edges: Floats32, into: Ints) -> None:
    """Counts of the bins between ``edges``: a value is in the bin whose number is that of the edges below it.

    Parameters
    ----------
    ordered, zeros
        The sorted values without zeros, and how many zeros there are.
    edges
        Ascending; at the end infinities, so that all columns have equally many.
    into
        Shape (edges,): counts of (before the first edge], (between], ...
    """
    below = 0
    for place in range(len(edges)):
        upto = _up_to(ordered, edges[place])
        if edges[place] >= 0:
            upto += zeros
        into[place] = upto - below
        below = upto


@compiled
def count_weeks(
    column: Floats32, reason: NDArray[np.int8], week: NDArray[np.int32], edges: Floats32, into: Ints
) -> None:
    """Counts a week of the bins of :func:`count_between` and, behind them, of what is missing by reason.

    Parameters
    ----------
    column, reason, week
        Shape (rows,).
    into
        Shape (weeks, bins + 5), added to.
    """
    bins = len(edges)
    for row in range(len(column)):
        value = column[row]
        if np.isnan(value):
            into[week[row], bins + reason[row]] += 1
        else:
            # A few edges: going up from the first costs less than halving.
            place = 0
            while edges[place] < value:
                place += 1
            into[week[row], place] += 1
