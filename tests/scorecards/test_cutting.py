"""Compiled cutting and counting against the plain way to say it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bluemirror.scorecards.cutting import BINS, CODES, MISSING_CODE, cut, quantile_edges

VALUES = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, 1.0, -3.0, float("nan"), float("inf"), 2.5e-40]),
    st.sampled_from([np.finfo(np.float32).min.item(), np.finfo(np.float32).max.item(), 1e-45]),
    st.floats(width=32, allow_nan=False, allow_infinity=False),
)


def plain_edges(values):
    """Every tenth value; where two of them are equal, a cut just below as well."""
    ordered = sorted(values)
    picks = [np.float32(ordered[part * len(ordered) // BINS]) for part in range(1, BINS)]
    edges = set(picks)
    with np.errstate(all="ignore"):  # below the least number of all there is only minus infinity
        edges |= {np.nextafter(b, np.float32(-np.inf)) for a, b in pairwise(picks) if a == b}
    return sorted(edges)


@settings(max_examples=200, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=80), st.randoms(use_true_random=False))
def test_codes_and_counts_are_those_of_the_definition(values, random):
    column = np.array(values, np.float32)
    silent = np.array([MISSING_CODE + random.randrange(5) for _ in values], np.uint8)
    cell = np.array([random.randrange(3) for _ in values], np.int32)
    codes, counts, most = cut(column[None], silent, cell, 3)
    missing = np.isnan(column)
    present = column[~missing].tolist()
    edges = plain_edges(present) if present else []
    expected = [
        int(s) if gone else sum(bool(e < v) for e in edges)
        for v, s, gone in zip(column, silent, missing, strict=True)
    ]
    assert codes[0].tolist() == expected
    for part in range(3):
        mine = [c for c, k in zip(expected, cell, strict=True) if k == part]
        assert counts[0, part].tolist() == np.bincount(mine, minlength=CODES).tolist()
    assert most[0] == max((sum(w == v for w in present) for v in present), default=0)


def test_edges_of_sorted_values_are_the_same_with_zeros_counted_apart():
    random = np.random.default_rng(1)
    column = np.where(random.random(5000) < 0.4, 0, random.normal(size=5000)).astype(np.float32)
    edges = quantile_edges(np.sort(column))
    codes, _, _ = cut(column[None], np.full(5000, MISSING_CODE, np.uint8), np.zeros(5000, np.int32), 1)
    assert codes[0].tolist() == np.searchsorted(edges, column, side="left").tolist()
    assert len(np.unique(codes)) > 6
