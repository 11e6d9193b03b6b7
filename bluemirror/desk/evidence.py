"""How surprising a count is, in nats, without a table of any distribution: every alert is weighed on one scale.

Evidence of ``e`` nats bounds the chance of a false alarm by ``exp(-e)``, whatever the size of the sample. So one
threshold, :data:`ENOUGH`, serves ten calls and ten million.
"""

from __future__ import annotations

from math import exp, log, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

FALSE_ALARMS = 1e-4
"""Chance at most that one test of one source on one day speaks without a cause. Fifty sources with ten tests each
then give one false alarm in three weeks at most; the bounds are wide, so that in fact there are fewer."""
ENOUGH = log(1 / FALSE_ALARMS)
"""Evidence in nats (9.2) from which on a test speaks."""

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def evidence_above(count: int, of: int, share: float) -> float:
    """Evidence that ``count`` out of ``of`` are more than chance makes of ``share``; 0 if they are not more.

    ``n KL(k/n || p)``: the chance of ``count`` or more is at most ``exp(-evidence)`` (Chernoff 1952, the form with
    the relative entropy).
    """
    if of <= 0 or count <= 0:
        return 0.0
    if share <= 0:
        return float("inf")
    seen = count / of
    if seen <= share:
        return 0.0
    rest = (1 - seen) * log((1 - seen) / (1 - share)) if seen < 1 else 0.0
    return of * (seen * log(seen / share) + rest)


def evidence_below(count: int, of: int, share: float) -> float:
    """Evidence that ``count`` out of ``of`` are fewer than chance makes of ``share``."""
    return evidence_above(of - count, of, 1 - share)


def share_range(count: int, of: int, errors: float = 2.0) -> tuple[float, float]:
    """Lower and upper guess of a share known from ``count`` out of ``of``: ``errors`` standard errors around it.

    The centre is (count + 1/2) / (of + 1) (Agresti and Coull 1998 in spirit), so that no share is 0 or 1 for good.
    """
    centre = (count + 0.5) / (of + 1)
    margin = errors * sqrt(centre * (1 - centre) / (of + 1))
    return max(centre - margin, 0.0), min(centre + margin, 1.0)


def cusum(events: Flags, usual: float, changed: float) -> Floats:
    """Evidence at each call, in order, that the share of ``events`` went from ``usual`` to ``changed`` by then.

    Page's cumulative sum (1954) of log likelihood ratios, restarted wherever it falls below 0: shape (calls,).
    By Ville's inequality the sum from one fixed start passes ``h`` with a chance of at most ``exp(-h)``; over all
    starts among ``n`` calls, of at most ``n exp(-h)``: see :func:`cusum_limit`.
    """
    if not 0 < usual < 1 or not 0 < changed < 1:
        raise ValueError(f"shares lie between 0 and 1: {usual}, {changed}")
    steps = np.where(events, log(changed / usual), log((1 - changed) / (1 - usual)))
    sums = np.cumsum(steps)
    # The lowest sum so far, the start (0) among them: what remains is the sum since the best restart.
    return sums - np.minimum(np.minimum.accumulate(sums), 0.0)


def cusum_limit(calls: int) -> float:
    """What :func:`cusum` over ``calls`` calls passes without a cause with a chance of :data:`FALSE_ALARMS` at most."""
    return log(max(calls, 1)) + ENOUGH


def psi(expected: Floats, actual: Floats) -> float:
    """Population stability index of two arrays of counts: ``sum of (a - e) ln(a / e)`` over shares; (bins,).

    A bin that is empty on one side counts half a row there; one that is empty on both adds nothing.
    """
    there = (expected + actual) > 0
    e, a = expected[there], actual[there]
    if not e.sum() or not a.sum():
        return 0.0
    e = np.where(e == 0, 0.5, e) / e.sum()
    a = np.where(a == 0, 0.5, a) / a.sum()
    return float(((a - e) * np.log(a / e)).sum())


def psi_limit(bins: int, expected: float, actual: float, false_alarms: float) -> float:
    """What PSI passes by chance with the probability ``false_alarms`` when nothing changed.

    Without a change ``psi / (1/n + 1/m)`` is nearly chi-square with ``bins - 1`` degrees of freedom (Yurdakul and
    Naranjo 2020); its quantile by Wilson and Hilferty (1931), good to three digits from three degrees on.
    """
    degrees = max(bins - 1, 1)
    z = NormalDist().inv_cdf(1 - false_alarms)
    part = 2 / (9 * degrees)
    quantile = degrees * (1 - part + z * sqrt(part)) ** 3
    return quantile * (1 / expected + 1 / actual)


def chance(evidence: float) -> float:
    """The bound on the chance of a false alarm that ``evidence`` stands for."""
    return exp(-evidence)
