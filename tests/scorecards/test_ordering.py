"""Bins are ordered in every period, with as few merges as the worst offences ask for."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bluemirror.scorecards.binning import WoeBinner, bin_column
from bluemirror.scorecards.ordering import by_period, ordered_edges
from bluemirror.scorecards.scorecard import ScorecardClassifier


def rates(values, bad, period, edges):
    """The bad rate of each bin in each period and overall; None where a bin is empty."""
    code = np.searchsorted(edges, values, side="left")
    parts = [np.ones(len(values), bool), *(period == p for p in np.unique(period))]
    return [
        [bad[p & (code == c)].mean() if (p & (code == c)).any() else None for c in range(len(edges) + 1)]
        for p in parts
    ]


def ordered(row, way):
    pairs = [(a, b) for a, b in pairwise(row) if a is not None and b is not None]
    return all(way * (b - a) >= -1e-12 for a, b in pairs)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.integers(0, 3)), min_size=1, max_size=200),
    st.sampled_from([1, -1, 0]),
)
def test_every_period_goes_one_way(rows, direction):
    values, bad, period = (np.array(x) for x in zip(*rows, strict=True))
    edges = np.arange(9) + 0.5
    left = ordered_edges(values.astype(float), bad, period, edges, direction)
    assert set(left) <= set(edges)
    found = rates(values, bad, period, left)
    ways = [direction] if direction else [1, -1]
    assert any(all(ordered(row, way) for row in found) for way in ways)


@pytest.fixture(scope="module")
def turning():
    """Three steps; the middle one is there in the first of two periods only, and the other way round in the second."""
    random = np.random.default_rng(2)
    values = random.uniform(0, 4, 20_000)
    period = np.arange(values.size) % 2
    step = np.floor(values).astype(int)
    rate = np.where(period == 0, np.array([0.05, 0.1, 0.2, 0.3])[step], np.array([0.05, 0.2, 0.1, 0.3])[step])
    return values, random.random(values.size) < rate, period


def test_the_step_that_turns_is_merged_and_no_other(turning):
    values, bad, period = turning
    assert ordered_edges(values, bad, period, [1, 2, 3]).tolist() == [1, 3]
    assert ordered_edges(values, bad, np.zeros(values.size), [1, 2, 3]).tolist() == [1, 2, 3]
    assert ordered_edges(values, bad, period, [1, 2, 3], -1).size == 0
    assert ordered_edges(values, bad, period, [1, 2, 3], 0, 1e9).tolist() == [1, 2, 3]


def test_the_binner_and_the_card_take_periods(turning):
    values, bad, period = turning
    frame = pl.DataFrame({"x": values})
    tables = WoeBinner().fit(frame, bad, period).tables_
    edges = np.array(tables["x"].edges)
    assert all(ordered(row, 1) for row in rates(values, bad, period, edges))
    loose = np.array(WoeBinner().fit(frame, bad).tables_["x"].edges)
    assert not all(ordered(row, 1) for row in rates(values, bad, period, loose))
    assert set(edges) < set(loose)
    card = ScorecardClassifier().fit(frame, bad, period)
    assert card.tables_ == tables


def test_bins_by_period_count_every_row(turning):
    values, bad, period = turning
    values = values.copy()
    values[::7] = np.nan
    table = bin_column("x", values, bad, 4, 0.05, 0, {}, period)
    shown = by_period(table, values, bad, period)
    assert shown["rows"].sum() == len(values)
    assert shown.group_by("period").agg(pl.col("share").sum())["share"].to_list() == pytest.approx([1, 1])
    first = shown.filter((pl.col("period") == 0) & (pl.col("bin") == table.bins[0].label)).row(0, named=True)
    inside = (values <= table.edges[0]) & (period == 0)
    assert (first["rows"], first["bad_rate"]) == (inside.sum(), pytest.approx(bad[inside].mean()))
