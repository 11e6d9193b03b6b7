"""PSI against its definition, against the scorecard's own, and what chance makes of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bluemirror.desk.evidence import psi_limit
from bluemirror.health.merging import LEAST_EXPECTED, merged_psi
from bluemirror.health.stability import MARGIN, SHIFT, compare, limits
from bluemirror.scorecards.cutting import CODES, VALUE_CODES
from bluemirror.scorecards.measures import psi
from tests.health import oracle

COUNTS = st.lists(st.integers(0, 40), min_size=CODES, max_size=CODES)


@settings(max_examples=400, deadline=None)
@given(COUNTS, COUNTS, st.integers(1, CODES))
def test_psi_is_its_definition_over_the_bins_that_are_left(
    earlier: list[int], now: list[int], ordered: int
) -> None:
    assume(sum(earlier) and sum(now))
    index, bins = merged_psi(np.array([earlier]), np.array([now]), ordered)
    groups = oracle.merged(earlier, now, ordered)
    assert bins[0] == len(groups)
    assert index[0] == pytest.approx(oracle.psi(groups), abs=1e-12)


def test_a_hand_computed_table() -> None:
    """Three bins of 50, 30, 20 % that become 40, 30, 30 %: 0.1 ln(5/4) + 0.1 ln(3/2)."""
    index, bins = merged_psi(np.array([[500, 300, 200]]), np.array([[40, 30, 30]]), 3)
    assert bins[0] == 3
    assert index[0] == pytest.approx(0.1 * np.log(1.25) + 0.1 * np.log(1.5))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(10, 900), st.integers(10, 900)), min_size=2, max_size=CODES))
def test_with_large_bins_it_is_the_scorecards_psi(bins: list[tuple[int, int]]) -> None:
    earlier, now = (np.array([[one[side] for one in bins]]) for side in (0, 1))
    smaller = min(earlier.sum(), now.sum()) / (earlier.sum() + now.sum())
    assume(((earlier + now) * smaller >= LEAST_EXPECTED).all())
    index, left = merged_psi(earlier, now, earlier.shape[1])
    assert left[0] == earlier.shape[1]
    assert index[0] == pytest.approx(float(psi(earlier, now)[0]))


def test_nothing_to_compare_is_no_change() -> None:
    none, some = np.zeros((1, CODES), np.int64), np.full((1, CODES), 9, np.int64)
    for earlier, now in ((none, some), (some, none), (none, none)):
        index, bins = merged_psi(earlier, now, VALUE_CODES)
        assert index[0] == 0
        assert bins[0] == 0


@pytest.mark.parametrize("rows", [60, 150, 2000])
@pytest.mark.parametrize("shape", ["even", "skewed", "sparse"])
def test_chance_passes_the_limit_rarely(shape: str, rows: int) -> None:
    """Unchanged shares, 40,000 draws: a limit for one in a thousand is passed by no more than five.

    With bins of five rows the tail is heavier than chi-square's (2 to 4 times at one in a thousand, up to 20 at one in
    a million, of a million draws); with a thousand rows it is not.
    """
    rng = np.random.default_rng(11)
    shares = {
        "even": np.full(10, 0.1),
        "skewed": np.array([0.7, 0.1, 0.1, 0.05, 0.05]),
        "sparse": np.r_[0.9, np.full(15, 0.1 / 15)],
    }[shape]
    earlier = rng.multinomial(5000, shares, 40_000)
    now = rng.multinomial(rows, shares, 40_000)
    index, bins = merged_psi(earlier, now, len(shares))
    limit = np.array([psi_limit(int(one), 5000, rows, 1e-3) for one in bins])
    assert (index >= limit).mean() <= 5e-3
    assert (index >= limits(bins, 5000, rows, 1)).sum() <= 2


def test_moved_is_far_beyond_chance_and_beyond_what_was_usual() -> None:
    before, now = np.array([[500, 500], [500, 500]]), np.array([[190, 10], [100, 100]])
    before, now = (np.pad(one, ((0, 0), (0, CODES - 2))) for one in (before, now))
    found = compare(before, now, np.zeros(2), 1, 200)
    assert found.moved.tolist() == [True, False]
    assert found.limit[1] >= SHIFT
    usual = found.index / MARGIN + 0.01
    assert not compare(before, now, usual, 1, 200).moved.any()


def test_too_few_rows_are_not_judged() -> None:
    before, now = np.full((1, CODES), 100), np.full((1, CODES), 1)
    found = compare(before, now, np.zeros(1), 1, 200)
    assert np.isnan(found.index).all()
    assert not found.moved.any()
