"""The statistics: bounds that hold, sums that agree with the slow way."""

from __future__ import annotations

from math import comb, exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluemirror.desk.evidence import (
    ENOUGH,
    cusum,
    cusum_limit,
    evidence_above,
    evidence_below,
    psi,
    psi_limit,
    share_range,
)


def tail(count: int, of: int, share: float) -> float:
    """Chance of ``count`` or more out of ``of``, summed term by term."""
    return sum(comb(of, k) * share**k * (1 - share) ** (of - k) for k in range(count, of + 1))


@given(st.integers(1, 60), st.data(), st.floats(0.01, 0.99))
def test_evidence_never_promises_more_than_the_binomial_gives(of, data, share):
    count = data.draw(st.integers(0, of))
    assert tail(count, of, share) <= exp(-evidence_above(count, of, share)) * (1 + 1e-9)
    assert evidence_below(count, of, share) == pytest.approx(evidence_above(of - count, of, 1 - share))


def test_evidence_of_the_expected_is_none_and_of_the_impossible_without_end():
    assert evidence_above(5, 10, 0.5) == 0
    assert evidence_above(0, 0, 0.5) == 0
    assert evidence_above(1, 10, 0.0) == float("inf")
    assert evidence_above(10, 10, 0.5) == pytest.approx(10 * log(2))


@given(st.lists(st.booleans(), max_size=60), st.floats(0.05, 0.4), st.floats(0.5, 0.95))
def test_cusum_restarts_below_zero(events, usual, changed):
    expected, at = [], 0.0
    for event in events:
        at = max(0.0, at + (log(changed / usual) if event else log((1 - changed) / (1 - usual))))
        expected.append(at)
    assert cusum(np.array(events, bool), usual, changed) == pytest.approx(expected, abs=1e-9)


def test_cusum_keeps_its_false_alarm_rate():
    """At a limit for one alarm in twenty runs, a thousand runs of 200 unchanged calls give fewer than fifty."""
    rng = np.random.default_rng(7)
    limit = log(200) + log(20)
    alarms = sum(cusum(rng.random(200) < 0.4, 0.4, 0.85).max() > limit for _ in range(1000))
    assert alarms <= 50
    assert cusum_limit(200) == pytest.approx(log(200) + ENOUGH)


def test_cusum_sees_a_collapse_within_a_few_calls():
    rng = np.random.default_rng(1)
    before = rng.random(300) < 0.4
    events = np.concatenate([before, np.ones(40, bool)])
    sums = cusum(events, 0.4, 0.85)
    first = int(np.flatnonzero(sums > cusum_limit(len(events)))[0])
    assert 300 <= first < 330


def test_cusum_refuses_what_is_no_share():
    with pytest.raises(ValueError, match="between 0 and 1"):
        cusum(np.array([True]), 0.0, 0.5)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=8), st.data())
def test_psi_is_the_sum_of_its_bins(before, data):
    now = data.draw(st.lists(st.integers(0, 50), min_size=len(before), max_size=len(before)))
    expected = 0.0
    if sum(before) and sum(now):
        for b, n in zip(before, now, strict=True):
            if b or n:
                e, a = (b or 0.5) / sum(before), (n or 0.5) / sum(now)
                expected += (a - e) * log(a / e)
    assert psi(np.array(before, float), np.array(now, float)) == pytest.approx(expected)


@pytest.mark.parametrize("bins", [3, 10])
def test_psi_of_the_unchanged_stays_below_its_limit(bins):
    """For one in twenty, about one in twenty: the limit is neither too low nor useless."""
    rng = np.random.default_rng(3)
    shares = np.ones(bins) / bins
    limit = psi_limit(bins, 2000, 400, 0.05)
    over = sum(
        psi(rng.multinomial(2000, shares).astype(float), rng.multinomial(400, shares).astype(float)) > limit
        for _ in range(2000)
    )
    assert 0.03 <= over / 2000 <= 0.08


@given(st.integers(0, 1000), st.integers(1, 1000))
def test_share_range_holds_the_share(count, of):
    count = min(count, of)
    low, high = share_range(count, of)
    assert 0 <= low <= high <= 1
    assert low - 0.5 / (of + 1) <= count / of <= high + 0.5 / (of + 1)
