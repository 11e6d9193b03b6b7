"""The pass over a column against a slow oracle, on generated columns of every kind."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bluemirror.health.profile import Profile
from bluemirror.health.reference import Reference
from bluemirror.scorecards.cutting import VALUE_CODES
from tests.health import oracle

NUMBERS = st.one_of(
    st.just(float("nan")),
    st.just(0.0),
    st.integers(-3, 12).map(float),
    st.floats(-1e9, 1e9, width=32),
)
COLUMNS = st.lists(st.tuples(NUMBERS, st.integers(0, 4)), min_size=1, max_size=60)


def _profile(column: NDArray[np.float32], reason: NDArray[np.int8], edges: NDArray[np.float32]) -> Profile:
    found = Profile.empty(1, len(column))
    found.fill(0, column[None, :], reason, edges[None, :])
    return found


def _edges(cuts: list[float]) -> NDArray[np.float32]:
    edges = np.full(VALUE_CODES, np.inf, np.float32)
    edges[: len(cuts)] = sorted(cuts)
    return edges


def _check(column: NDArray[np.float32], reason: NDArray[np.int8], cuts: list[float]) -> None:
    edges = _edges(cuts)
    found, expected = _profile(column, reason, edges), oracle.described(column, reason)
    assert found.present[0] == expected["present"]
    assert found.missing[0].tolist() == expected["missing"]
    assert found.zeros[0] == expected["zeros"]
    counted = oracle.binned(column, [float(edge) for edge in edges if np.isfinite(edge)])
    assert found.counts[0, : len(counted)].tolist() == counted
    assert found.counts.sum() == len(column)
    if not expected["present"]:
        assert np.isnan([found.mean[0], found.std[0], found.low[0], found.high[0]]).all()
        assert np.isnan(found.quantiles).all()
        return
    size = max(abs(expected["low"]), abs(expected["high"]), 1e-30)
    assert found.low[0] == expected["low"]
    assert found.high[0] == expected["high"]
    assert abs(found.mean[0] - expected["mean"]) <= 1e-12 * size
    assert abs(found.std[0] - expected["std"]) <= 1e-9 * size
    assert found.quantiles[0] == pytest.approx(expected["quantiles"], rel=1e-12, abs=1e-12 * size)


@settings(max_examples=400, deadline=None)
@given(COLUMNS, st.lists(st.floats(-1e9, 1e9, width=32), max_size=6))
def test_any_column(rows: list[tuple[float, int]], cuts: list[float]) -> None:
    column = np.array([value for value, _ in rows], np.float32)
    _check(column, np.array([why for _, why in rows], np.int8), cuts)


@pytest.mark.parametrize(
    "values",
    [
        [],
        [np.nan],
        [np.nan] * 7,
        [3.5],
        [0.0],
        [-0.0, 0.0],
        [2.5] * 9,
        [0.1] * 1000,
        [0.0] * 5 + [np.nan] * 2,
        [-1.0, 0.0, 0.0, 1.0],
        [1e-30, -1e-30, 0.0],
        [3e38, -3e38],
    ],
    ids=str,
)
def test_columns_of_one_kind(values: list[float]) -> None:
    column = np.array(values, np.float32)
    _check(column, np.zeros(len(column), np.int8), [0.0, 1.0])


def test_a_constant_has_no_spread() -> None:
    column = np.full(1000, 0.1, np.float32)
    found = _profile(column, np.zeros(1000, np.int8), _edges([]))
    assert found.std[0] == 0


def test_large_columns_of_a_real_shape() -> None:
    rng = np.random.default_rng(3)
    for column in (
        rng.poisson(0.3, 20_000),
        np.where(rng.random(20_000) < 0.4, np.nan, rng.lognormal(8, 2, 20_000)),
        rng.normal(size=20_000),
    ):
        reason = np.where(rng.random(20_000) < 0.5, 3, 0).astype(np.int8)
        _check(column.astype(np.float32), reason, [0.0, 0.5, 2.0, 4000.0])


@settings(max_examples=100, deadline=None)
@given(COLUMNS, st.integers(1, 4))
def test_a_reference_counts_its_own_rows_and_its_weeks(rows: list[tuple[float, int]], weeks: int) -> None:
    from bluemirror.health.reference import _weekly

    column = np.array([[value for value, _ in rows]], np.float32)
    reason = np.array([why for _, why in rows], np.int8)
    week = np.arange(len(rows), dtype=np.int32) % weeks
    made = Reference.empty(1, len(rows))
    made.fill(0, column, reason, week)
    weekly = _weekly(column, reason, week, made.edges)
    assert (weekly.sum(axis=1) == made.profile.counts).all()
    for each in range(weekly.shape[1]):
        chosen = week == each
        edges = [float(edge) for edge in made.edges[0] if np.isfinite(edge)]
        counted = oracle.binned(column[0, chosen], edges)
        assert weekly[0, each, : len(counted)].tolist() == counted
        expected = oracle.described(column[0, chosen], reason[chosen])
        assert weekly[0, each, VALUE_CODES:].tolist() == expected["missing"]


def test_bins_of_the_reference_hold_about_a_tenth_each() -> None:
    rng = np.random.default_rng(5)
    column = rng.normal(size=(1, 5000)).astype(np.float32)
    made = Reference.empty(1, 5000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made.fill(0, column, np.zeros(5000, np.int8), np.zeros(5000, np.int32))
    counts = made.profile.counts[0, :VALUE_CODES]
    assert counts[counts > 0].tolist() == pytest.approx([500] * 10, abs=2)
