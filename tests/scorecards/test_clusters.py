"""Representatives: by information value, unless stability, coverage or price say otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from bluemirror.scorecards.clusters import clusters, worth
from bluemirror.scorecards.screen import Chunk, screen
from bluemirror.scorecards.spec import Screening


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(6)
    n = 6000
    x = random.normal(size=n)
    bad = random.random(n) < 1 / (1 + np.exp(2 - x))
    month = np.arange(n) * 6 // n
    return x, bad, month, random


def test_a_cheaper_twin_speaks_for_the_cluster(rows):
    x, bad, month, random = rows
    X = np.stack([x, x + random.normal(size=x.size) * 0.15]).astype(np.float32)
    chunk = [Chunk(("dear", "free"), X)]
    priced = screen(chunk, bad, month, costs={"dear": 4.0})
    assert priced.kept == ("free",)
    assert priced.cluster("free")["variable"].to_list() == ["free", "dear"]
    assert screen(chunk, bad, month).kept == ("dear",)
    assert screen(chunk, bad, month, Screening(prefer_cheap=0.0), costs={"dear": 4.0}).kept == ("dear",)


def test_a_full_and_a_steady_twin_are_preferred(rows):
    x, bad, month, random = rows
    thin = x.copy()
    thin[random.random(x.size) < 0.25] = np.nan
    limits = Screening(max_correlation=0.6, prefer_covered=0.5)
    full = x + random.normal(size=x.size) * 0.5
    found = screen([Chunk(("thin", "full"), np.stack([thin, full]).astype(np.float32))], bad, month, limits)
    table = {r["variable"]: r for r in found.table.to_dicts()}
    assert table["full"]["worth"] / table["full"]["iv_net"] > table["thin"]["worth"] / table["thin"]["iv_net"]
    shaking = worth(np.ones(2), np.array([0.0, 0.25]), np.zeros(2), np.zeros(2), Screening(prefer_stable=0.2))
    assert shaking.tolist() == [1.0, 0.8]


def test_representatives_are_unlike_each_other_and_like_those_they_speak_for(rows):
    _, _, _, random = rows
    base = random.normal(size=(40, 3000))
    X = np.concatenate([base, base + random.normal(size=base.shape) * 0.3, base * -1])
    codes = np.stack([np.searchsorted(np.quantile(row, np.arange(1, 10) / 10), row) for row in X])
    weights = random.normal(size=(120, 1)) * np.arange(10.0)
    order = random.permutation(120).tolist()
    found = clusters(codes.astype(np.uint8), order, weights.astype(np.float32), 0.7, 120)
    seen = np.abs(np.corrcoef(np.take_along_axis(weights, codes, 1)))
    leaders = np.array(found.leaders)
    assert len(leaders) == 40
    apart = seen[np.ix_(leaders, leaders)] - np.eye(40)
    assert apart.max() <= 0.7
    assert (seen[np.arange(120), found.leader_of] > 0.7).all()
    rank = np.argsort(order)
    assert (rank[found.leader_of] <= rank).all()
    few = clusters(codes.astype(np.uint8), order, weights.astype(np.float32), 0.7, 10)
    assert few.leaders == found.leaders[:10]
    assert (few.leader_of == -1).sum() == 90
