"""PSI over bins that are large enough: what chance alone leaves nearly empty is merged with its neighbour.

A bin in which fewer than five rows are expected of the smaller sample adds more noise than it tells: PSI is then far
from the chi-square distribution that its limit is taken from (the rule of five: Cochran, *Biometrics* 10, 1954).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bluemirror.compiled import compiled
from bluemirror.scorecards.measures import ZERO_CELL

LEAST_EXPECTED = 5.0
"""Rows that a bin must expect of the smaller sample, had nothing changed."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def merged_psi(earlier: Ints, now: Ints, ordered: int) -> tuple[Floats, Ints]:
    """PSI of each variable, and how many bins were left.

    Parameters
    ----------
    earlier, now
        Counts of shape (variables, bins).
    ordered
        The first so many bins are values in order; the others (reasons of missing) are merged among themselves.

    Returns
    -------
    Shape (variables,) each. 0 where one bin is left, or one of the samples is empty.
    """
    index, bins = np.zeros(len(now)), np.zeros(len(now), np.int64)
    _merged_psi(np.ascontiguousarray(earlier), np.ascontiguousarray(now), ordered, index, bins)
    return index, bins


@compiled
def _merged_psi(earlier: Ints, now: Ints, ordered: int, index: Floats, bins: Ints) -> None:
    width = earlier.shape[1]
    left, right = np.zeros(width), np.zeros(width)
    for variable in range(len(earlier)):
        n, m = 0.0, 0.0
        for place in range(width):
            n += earlier[variable, place]
            m += now[variable, place]
        if n == 0 or m == 0:
            continue
        # Expected rows of the smaller sample in a bin that holds e + a rows of both.
        smaller = min(n, m) / (n + m)
        groups = 0
        e, a = 0.0, 0.0
        for place in range(width):
            if place == ordered:
                groups = _close(left, right, groups, e, a)
                e, a = 0.0, 0.0
            e += earlier[variable, place]
            a += now[variable, place]
            if (e + a) * smaller >= LEAST_EXPECTED:
                left[groups], right[groups] = e, a
                groups += 1
                e, a = 0.0, 0.0
        groups = _close(left, right, groups, e, a)
        total = 0.0
        for place in range(groups):
            was = max(left[place], ZERO_CELL) / n
            are = max(right[place], ZERO_CELL) / m
            total += (are - was) * np.log(are / was)
        index[variable] = total if groups > 1 else 0.0
        bins[variable] = groups


@compiled
def _close(left: Floats, right: Floats, groups: int, e: float, a: float) -> int:
    """Put what is left over into the last group, or make the first one of it."""
    if e + a == 0:
        return groups
    if groups > 0:
        left[groups - 1] += e
        right[groups - 1] += a
        return groups
    left[0], right[0] = e, a
    return 1
