"""How far two samples lie apart: PSI with the limit that chance sets, changes of shares, concentration, migration.

Sources: Siddiqi, *Credit Risk Scorecards* (2006), ch. 9, for PSI and CSI; Yurdakul, *Statistical properties of the
population stability index* (2018), for its distribution: ``PSI / (1/n + 1/m)`` is close to a chi-square; Herfindahl's
index.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Array = Any
EMPTY_CELL = 0.5
"""What an empty cell counts as, so that its logarithm stays finite."""


def psi(expected: Array, actual: Array) -> float:
    """Population stability index of two rows of counts, shape (bins,): ``sum of (a - e) * ln(a / e)`` over shares."""
    expected, actual = np.asarray(expected, float), np.asarray(actual, float)
    used = (expected + actual) > 0
    expected, actual = expected[used], actual[used]
    e = np.where(expected == 0, EMPTY_CELL, expected) / max(expected.sum(), EMPTY_CELL)
    a = np.where(actual == 0, EMPTY_CELL, actual) / max(actual.sum(), EMPTY_CELL)
    return float(((a - e) * np.log(a / e)).sum())


def psi_p_value(value: float, expected: Array, actual: Array) -> float:
    """Chance of a PSI of at least ``value`` between two samples of one population."""
    from scipy.special import chdtrc

    expected, actual = np.asarray(expected, float), np.asarray(actual, float)
    freedom = int(np.sum((expected + actual) > 0)) - 1
    if freedom < 1 or not expected.sum() or not actual.sum():
        return 1.0
    return float(chdtrc(freedom, value / (1 / expected.sum() + 1 / actual.sum())))


def cuts(values: Array, parts: int = 10) -> Array:
    """Edges at the quantiles of what is present; equal ones once; shape (at most parts - 1,)."""
    present = np.asarray(values, float)
    present = present[~np.isnan(present)]
    if not present.size:
        return np.empty(0)
    return np.unique(np.quantile(present, np.linspace(0, 1, parts + 1)[1:-1]))


def codes(values: Array, edges: Array) -> Array:
    """Bin of each value; a missing one has the last bin, ``len(edges) + 1``, to itself."""
    values = np.asarray(values, float)
    return np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="left"))


def counts(values: Array, edges: Array) -> Array:
    """Rows of each bin, shape (len(edges) + 2,)."""
    return np.bincount(codes(values, edges), minlength=len(edges) + 2)


def shares_p_value(one: int, of_one: int, other: int, of_other: int) -> float:
    """Two-sided p-value of two shares being the same (pooled normal test)."""
    if not of_one or not of_other:
        return 1.0
    pooled = (one + other) / (of_one + of_other)
    error = math.sqrt(pooled * (1 - pooled) * (1 / of_one + 1 / of_other))
    difference = one / of_one - other / of_other
    return math.erfc(abs(difference) / error / math.sqrt(2)) if error else 1.0


def herfindahl(rows: Array) -> float:
    """Herfindahl index of counts: sum of squared shares; 1 if all is in one place, 1/n if it is even over n."""
    rows = np.asarray(rows, float)
    return float(((rows / rows.sum()) ** 2).sum()) if rows.sum() else math.nan


def migration(before: Array, after: Array, grades: int) -> Array:
    """Rows by grade before and after, shape (grades, grades)."""
    return np.bincount(np.asarray(before) * grades + np.asarray(after), minlength=grades * grades).reshape(
        grades, grades
    )
