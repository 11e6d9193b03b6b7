"""The measures of a scorecard: weight of evidence, information value, AUC, KS, PSI, calibration.

Plain numpy on plain arrays. ``bad`` is 0 or 1 with 1 = bad; a ``risk`` grows with the chance of bad.

Sources of the formulas: Siddiqi, *Credit Risk Scorecards* (2006), ch. 6 (WOE, IV, points) and ch. 9 (PSI);
DeLong, DeLong and Clarke-Pearson, *Biometrics* 44 (1988) for the variance of the AUC, computed by mid-ranks as
in Sun and Xu, *IEEE Signal Processing Letters* 21 (2014); Hosmer and Lemeshow, *Applied Logistic Regression*
(2000), section 5.2.2.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any  # a numpy array; its shape stands in each docstring

ZERO_CELL = 0.5
"""What an empty cell counts as, so that a WOE stays finite (Siddiqi's adjusted weight of evidence)."""


def woe(good: Array, bad: Array) -> Array:
    """Weight of evidence of each bin: ``ln(share of the goods / share of the bads)``.

    Parameters
    ----------
    good, bad : arrays of shape (..., bins)
        Counts of rows. A bin in which one of the two is 0 counts it as ``ZERO_CELL``; an empty bin has WOE 0.

    Returns
    -------
    array of shape (..., bins)
        Positive where the bin is better than the population.
    """
    good, bad = np.asarray(good, float), np.asarray(bad, float)
    empty = (good + bad) == 0
    all_good = np.maximum(good.sum(-1, keepdims=True), ZERO_CELL)
    all_bad = np.maximum(bad.sum(-1, keepdims=True), ZERO_CELL)
    ratio = (np.where(good == 0, ZERO_CELL, good) / all_good) / (np.where(bad == 0, ZERO_CELL, bad) / all_bad)
    return np.where(empty, 0.0, np.log(ratio))


def information_value(good: Array, bad: Array) -> Array:
    """Information value: ``sum over bins of (share of goods - share of bads) * WOE``; shape (...).

    Empty cells as in :func:`woe`.
    """
    good, bad = np.asarray(good, float), np.asarray(bad, float)
    all_good = np.maximum(good.sum(-1, keepdims=True), ZERO_CELL)
    all_bad = np.maximum(bad.sum(-1, keepdims=True), ZERO_CELL)
    return ((good / all_good - bad / all_bad) * woe(good, bad)).sum(-1)


def chance_information_value(bins: Array, goods: float, bads: float) -> Array:
    """The information value that a variable without any effect is expected to show.

    IV is close to a chi-square with ``bins - 1`` degrees of freedom scaled by ``1/goods + 1/bads``, so with few
    bads many bins look informative by chance alone. Screening subtracts this.
    """
    return np.maximum(np.asarray(bins, float) - 1, 0) * (1 / max(goods, 1.0) + 1 / max(bads, 1.0))


def psi(expected: Array, actual: Array) -> Array:
    """Population stability index: ``sum of (a - e) * ln(a / e)`` over the shares ``e``, ``a``; shape (...).

    Parameters
    ----------
    expected, actual : arrays of shape (..., bins)
        Counts. A bin empty on one side counts as ``ZERO_CELL`` there; empty on both sides adds nothing.
    """
    expected, actual = np.broadcast_arrays(np.asarray(expected, float), np.asarray(actual, float))
    both_empty = (expected + actual) == 0
    e = np.where(expected == 0, ZERO_CELL, expected) / np.maximum(expected.sum(-1, keepdims=True), ZERO_CELL)
    a = np.where(actual == 0, ZERO_CELL, actual) / np.maximum(actual.sum(-1, keepdims=True), ZERO_CELL)
    return np.where(both_empty, 0.0, (a - e) * np.log(a / e)).sum(-1)


def psi_of_values(expected: Array, actual: Array, bins: int = 10) -> float:
    """PSI of two samples of one number, cut at the ``bins`` quantiles of ``expected``; NaN is a bin of its own."""
    expected, actual = np.asarray(expected, float), np.asarray(actual, float)
    present = expected[~np.isnan(expected)]
    if present.size == 0:
        return 0.0
    edges = np.unique(np.quantile(present, np.linspace(0, 1, bins + 1)[1:-1]))

    def counts(values: Array) -> Array:
        code = np.where(np.isnan(values), edges.size + 1, np.searchsorted(edges, values, side="left"))
        return np.bincount(code, minlength=edges.size + 2)

    return float(psi(counts(expected), counts(actual)))


def mid_ranks(values: Array) -> Array:
    """Ranks from 1, ties sharing the mean of their ranks; shape (rows,)."""
    order = np.argsort(values, kind="stable")
    sorted_values = np.asarray(values)[order]
    starts = np.flatnonzero(np.r_[True, sorted_values[1:] != sorted_values[:-1]])
    ends = np.r_[starts[1:], sorted_values.size]
    ranks = np.empty(sorted_values.size)
    ranks[order] = np.repeat((starts + ends + 1) / 2, ends - starts)
    return ranks


def auc(bad: Array, risk: Array) -> float:
    """Area under the ROC curve: the chance that a bad has a higher risk than a good, ties counting half."""
    bad = np.asarray(bad) == 1
    bads, goods = int(bad.sum()), int((~bad).sum())
    if not bads or not goods:
        return float("nan")
    return float((mid_ranks(np.asarray(risk, float))[bad].sum() - bads * (bads + 1) / 2) / (bads * goods))


def auc_interval(bad: Array, risk: Array, level: float = 0.95) -> tuple[float, float]:
    """Confidence interval of the AUC by DeLong's variance, cut to [0, 1]."""
    from statistics import NormalDist

    bad, risk = np.asarray(bad) == 1, np.asarray(risk, float)
    x, y = risk[bad], risk[~bad]
    if x.size < 2 or y.size < 2:
        return (float("nan"), float("nan"))
    together = mid_ranks(np.r_[x, y])
    of_bads = (together[: x.size] - mid_ranks(x)) / y.size
    of_goods = 1 - (together[x.size :] - mid_ranks(y)) / x.size
    area = float(of_bads.mean())
    spread = NormalDist().inv_cdf(0.5 + level / 2) * np.sqrt(
        of_bads.var(ddof=1) / x.size + of_goods.var(ddof=1) / y.size
    )
    return (max(0.0, area - float(spread)), min(1.0, area + float(spread)))


def ks(bad: Array, risk: Array) -> float:
    """Kolmogorov-Smirnov distance: the largest gap between the distributions of risk of bads and of goods."""
    bad, risk = np.asarray(bad) == 1, np.asarray(risk, float)
    if not bad.any() or bad.all():
        return float("nan")
    order = np.argsort(risk, kind="stable")
    last_of_tie = np.r_[risk[order][1:] != risk[order][:-1], True]
    bads = np.cumsum(bad[order])[last_of_tie] / bad.sum()
    goods = np.cumsum(~bad[order])[last_of_tie] / (~bad).sum()
    return float(np.abs(bads - goods).max())


def bands(risk: Array, count: int = 10) -> Array:
    """Band of each row, 0 = lowest risk, cut at quantiles; equal risks share a band; shape (rows,) of int."""
    risk = np.asarray(risk, float)
    edges = np.unique(np.quantile(risk, np.linspace(0, 1, count + 1)[1:-1]))
    return np.unique(np.searchsorted(edges, risk, side="left"), return_inverse=True)[1]


def brier(bad: Array, probability: Array) -> float:
    """Brier score: mean squared distance between the probability and what happened."""
    return float(np.mean((np.asarray(probability, float) - np.asarray(bad, float)) ** 2))


def hosmer_lemeshow(bad: Array, probability: Array, groups: int = 10) -> tuple[float, float]:
    """Hosmer-Lemeshow statistic over ``groups`` of probability, and its p-value.

    Out of sample the statistic has ``groups`` degrees of freedom (no parameter was fitted on these rows).
    """
    from scipy.stats import chi2

    bad, probability = np.asarray(bad, float), np.asarray(probability, float)
    group = bands(probability, groups)
    rows = np.bincount(group).astype(float)
    seen = np.bincount(group, weights=bad)
    expected = np.bincount(group, weights=probability)
    variance = np.maximum(expected * (1 - expected / rows), 1e-12)
    statistic = float(((seen - expected) ** 2 / variance).sum())
    return statistic, float(chi2.sf(statistic, rows.size))
