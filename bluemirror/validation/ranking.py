"""How well scores rank: AUC with DeLong's variance, alone and of two scores on the same rows; KS.

Sources: DeLong, DeLong and Clarke-Pearson, *Biometrics* 44 (1988), pp. 837-845, by the mid-ranks of Sun and Xu,
*IEEE Signal Processing Letters* 21 (2014), pp. 1389-1393.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = Any


@dataclass(frozen=True)
class Area:
    """An AUC with DeLong's standard error; NaN where there are not two bads and two goods."""

    value: float
    error: float

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Confidence interval, cut to [0, 1]."""
        from scipy.special import ndtri

        half = float(ndtri(0.5 + level / 2)) * self.error
        return max(0.0, self.value - half), min(1.0, self.value + half)


def placements(bad: Array, risk: Array) -> tuple[Array, Array]:
    """Share of the goods that each bad outranks, and of the bads that outrank each good; ties count half.

    Returns
    -------
    arrays of shapes (bads,) and (goods,)
        Each has the AUC as its mean (DeLong's V10 and V01).
    """
    from scipy.stats import rankdata

    bad, risk = np.asarray(bad) == 1, np.asarray(risk, float)
    x, y = risk[bad], risk[~bad]
    together = rankdata(np.r_[x, y])
    return (together[: x.size] - rankdata(x)) / y.size, 1 - (together[x.size :] - rankdata(y)) / x.size


def auc(bad: Array, risk: Array) -> Area:
    """Area under the ROC curve: the chance that a bad has a higher risk than a good, ties counting half."""
    bads = int(np.sum(np.asarray(bad) == 1))
    if min(bads, len(bad) - bads) < 2:
        return Area(math.nan, math.nan)
    v10, v01 = placements(bad, risk)
    return Area(float(v10.mean()), math.sqrt(v10.var(ddof=1) / v10.size + v01.var(ddof=1) / v01.size))


def auc_difference(bad: Array, one: Array, other: Array) -> tuple[float, float, float]:
    """AUC of ``one`` minus that of ``other`` on the same rows, its standard error, and the two-sided p-value."""
    v10, v01 = placements(bad, one)
    w10, w01 = placements(bad, other)
    difference = float(v10.mean() - w10.mean())
    error = math.sqrt((v10 - w10).var(ddof=1) / v10.size + (v01 - w01).var(ddof=1) / v01.size)
    return difference, error, two_sided(difference, error)


def apart(one: Area, other: Area) -> float:
    """Two-sided p-value of two AUC of different rows being the same."""
    return two_sided(one.value - other.value, math.hypot(one.error, other.error))


def two_sided(difference: float, error: float) -> float:
    """P-value of a normal ``difference`` with standard error ``error`` being zero; 1 if it cannot be told."""
    if not math.isfinite(difference) or not math.isfinite(error):
        return 1.0
    if error == 0:
        return 1.0 if difference == 0 else 0.0
    return math.erfc(abs(difference) / error / math.sqrt(2))


def ks(bad: Array, risk: Array) -> float:
    """Kolmogorov-Smirnov distance between the risks of bads and of goods."""
    bad, risk = np.asarray(bad) == 1, np.asarray(risk, float)
    if not bad.any() or bad.all():
        return math.nan
    order = np.argsort(risk, kind="stable")
    last_of_tie = np.r_[risk[order][1:] != risk[order][:-1], True]
    bads = np.cumsum(bad[order])[last_of_tie] / bad.sum()
    goods = np.cumsum(~bad[order])[last_of_tie] / (~bad).sum()
    return float(np.abs(bads - goods).max())


def roc(bad: Array, risk: Array) -> tuple[Array, Array]:
    """The ROC curve: share of the goods and of the bads at or above each risk, from (0, 0) to (1, 1)."""
    bad, risk = np.asarray(bad) == 1, np.asarray(risk, float)
    order = np.argsort(-risk, kind="stable")
    last_of_tie = np.r_[risk[order][1:] != risk[order][:-1], True]
    return (
        np.r_[0.0, np.cumsum(~bad[order])[last_of_tie] / (~bad).sum()],
        np.r_[0.0, np.cumsum(bad[order])[last_of_tie] / bad.sum()],
    )
