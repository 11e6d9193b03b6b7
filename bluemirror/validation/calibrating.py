"""Do probabilities come true: curve, Brier score, and the tests of all rows and of each grade.

Sources: Brier, *Monthly Weather Review* 78 (1950); Spiegelhalter, *Statistics in Medicine* 5 (1986), pp. 421-433;
Hosmer and Lemeshow, *Applied Logistic Regression* (2000), section 5.2.2; Cox, *Biometrika* 45 (1958), pp. 562-565, for
the slope; Wilson, *JASA* 22 (1927); European Central Bank, *Instructions for reporting the validation results of
internal models* (2019), section 2.5.3.1, for Jeffreys' test; Basel Committee, Working Paper 14 (2005), for the
binomial test of a grade.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bluemirror.validation.ranking import two_sided

Array = Any
BARELY = 1e-9
"""Probabilities are kept this far from 0 and 1 where their logarithm is needed."""


def brier(bad: Array, probability: Array) -> float:
    """Mean squared distance between the probability and what happened."""
    return float(np.mean((np.asarray(probability, float) - np.asarray(bad, float)) ** 2))


def spiegelhalter(bad: Array, probability: Array) -> tuple[float, float]:
    """Spiegelhalter's Z (standard normal if every probability is true) and its two-sided p-value."""
    bad, p = np.asarray(bad, float), np.asarray(probability, float)
    spread = math.sqrt(float(np.sum((1 - 2 * p) ** 2 * p * (1 - p))))
    distance = float(np.sum((bad - p) * (1 - 2 * p)))
    return (distance / spread if spread else math.nan), two_sided(distance, spread)


def hosmer_lemeshow(bad: Array, probability: Array, groups: int = 10) -> tuple[float, float]:
    """Hosmer-Lemeshow statistic over quantiles of probability, and its p-value.

    On rows that nothing was fitted on it has as many degrees of freedom as groups.
    """
    from scipy.special import chdtrc

    rows, seen, expected = by_quantile(bad, probability, groups)
    variance = np.maximum(expected * (1 - expected / rows), 1e-12)
    statistic = float(((seen - expected) ** 2 / variance).sum())
    return statistic, float(chdtrc(rows.size, statistic))


def by_quantile(bad: Array, probability: Array, groups: int) -> tuple[Array, Array, Array]:
    """Rows, bads and expected bads of each quantile of probability; equal ones stay together; shape (groups,)."""
    bad, p = np.asarray(bad, float), np.asarray(probability, float)
    edges = np.unique(np.quantile(p, np.linspace(0, 1, groups + 1)[1:-1]))
    group = np.searchsorted(edges, p, side="left")
    rows = np.bincount(group).astype(float)
    held = rows > 0
    return rows[held], np.bincount(group, bad)[held], np.bincount(group, p)[held]


def in_the_large(bad: Array, probability: Array, fitted_on: int | None = None) -> tuple[float, float]:
    """Observed minus predicted rate, and its p-value.

    Parameters
    ----------
    fitted_on
        Rows that the level was fitted on: it is an estimate itself, whose variance is added. None: it is taken as
        true (the plain binomial test with unequal probabilities, by the normal distribution).
    """
    bad, p = np.asarray(bad, float), np.asarray(probability, float)
    variance = float(np.mean(p * (1 - p)))
    difference = float(np.mean(bad) - np.mean(p))
    error = math.sqrt(variance / p.size + (variance / fitted_on if fitted_on else 0.0))
    return difference, two_sided(difference, error)


def slope(bad: Array, probability: Array) -> tuple[float, float, float, float]:
    """Logistic regression of the outcome on the log odds: intercept, slope, and their standard errors (Cox).

    An intercept of 0 and a slope of 1 are right; below 1 the probabilities are too extreme. NaN if it does not
    settle.
    """
    bad, p = np.asarray(bad, float), np.clip(np.asarray(probability, float), BARELY, 1 - BARELY)
    X = np.column_stack([np.ones(p.size), np.log(p / (1 - p))])
    if np.ptp(X[:, 1]) < 1e-6:
        return math.nan, math.nan, math.nan, math.nan
    weights = np.array([0.0, 1.0])
    for _ in range(50):
        at = 1 / (1 + np.exp(-np.clip(X @ weights, -40, 40)))
        information = (X * (at * (1 - at))[:, None]).T @ X
        step = np.linalg.lstsq(information, X.T @ (bad - at), rcond=None)[0]
        weights = weights + step * min(1.0, 5 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-10:
            errors = np.sqrt(np.diag(np.linalg.pinv(information)))
            return float(weights[0]), float(weights[1]), float(errors[0]), float(errors[1])
    return math.nan, math.nan, math.nan, math.nan


def wilson(bads: Array, rows: Array, z: float = 1.959964) -> tuple[Array, Array]:
    """Wilson's interval of a rate; shape of ``rows``."""
    bads, rows = np.asarray(bads, float), np.asarray(rows, float)
    rate = bads / rows
    middle = (rate + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z * np.sqrt(rate * (1 - rate) / rows + z * z / (4 * rows * rows)) / (1 + z * z / rows)
    return np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)


def binomial_tail(bads: Array, rows: Array, probability: Array) -> Array:
    """Chance of at least ``bads`` of ``rows`` if each turns bad with ``probability``: small if that is too low."""
    from scipy.special import bdtrc

    bads, rows = np.asarray(bads, float), np.asarray(rows, float)
    return np.where(bads <= 0, 1.0, bdtrc(np.maximum(bads - 1, 0), rows.astype(int), probability))


def jeffreys(bads: Array, rows: Array, probability: Array) -> Array:
    """Jeffreys' test: the posterior chance, after a Beta(1/2, 1/2) prior, that the true rate is below ``probability``.

    Small where the probability is too low, as a p-value.
    """
    from scipy.special import betainc

    bads, rows = np.asarray(bads, float), np.asarray(rows, float)
    return betainc(bads + 0.5, rows - bads + 0.5, np.asarray(probability, float))
