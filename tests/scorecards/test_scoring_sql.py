"""The estimator, the scorer of single rows and the generated SQL give the same score, bit by bit."""

from __future__ import annotations

import duckdb
import numpy as np
import polars as pl
import pytest

from bluemirror.scorecards.scorecard import ScorecardClassifier
from bluemirror.scorecards.scoring_sql import RowScorer, scoring_sql
from bluemirror.scorecards.stored import REASONS, SPECIALS

NAMES = ("a", "b b", "c", 'd"d', "e", "f", "g")


def inputs(rows, seed):
    """Values, missing ones, every special, values outside of training, and the edges' own neighbours."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, len(NAMES)))
    X[:, 2] = np.round(X[:, 2] * 2)
    X[:, 3] = X[:, 3].astype(np.float32)
    return X, random


def spoiled(X, random, card):
    X = X.copy()
    X[random.random(X.shape) < 0.1] = np.nan
    for special in SPECIALS:
        X[random.random(X.shape) < 0.03] = special
    X[random.random(X.shape) < 0.02] = 1e300
    X[random.random(X.shape) < 0.02] = -1e30
    X[random.random(X.shape) < 0.01] = -0.0
    for i, name in enumerate(NAMES):
        edges = np.array(card.tables_[name].edges)
        if edges.size:
            near = np.concatenate([edges, np.nextafter(edges, np.inf), np.nextafter(edges, -np.inf)])
            at = random.random(len(X)) < 0.1
            X[at, i] = random.choice(near, at.sum())
    return X


@pytest.fixture(scope="module", params=[True, False], ids=["whole points", "exact points"])
def card(request):
    X, random = inputs(6000, 1)
    bad = random.random(len(X)) < 1 / (1 + np.exp(2 - X @ np.linspace(1, 0.3, len(NAMES))))
    X[random.random(X.shape) < 0.1] = np.nan
    X[random.random(X.shape) < 0.05] = list(SPECIALS)[2]
    return ScorecardClassifier(
        specials=dict(SPECIALS), round_points=request.param, max_variables=len(NAMES), base_score=601.3
    ).fit(pl.DataFrame(X, schema=list(NAMES)), bad)


def compare(card, rows, singles):
    X, random = inputs(rows, 2)
    X = spoiled(X, random, card)
    frame = pl.DataFrame(X, schema=list(NAMES))
    expected, odds = card.score_points(frame), card.decision_function(frame)
    with duckdb.connect() as connection:
        connection.register("input", frame.with_row_index("row").to_arrow())
        made = connection.sql(scoring_sql(card, "input", ["row"], parts=True)).pl().sort("row")
    assert (made["score"].to_numpy() == expected).all()
    assert (made["log_odds"].to_numpy() == odds).all()
    assert made["probability"].to_numpy() == pytest.approx(card.predict_proba(frame)[:, 1], rel=1e-14)
    parts = made.select([f"points_{v}" for v in card.variables_]).to_numpy()
    assert (parts == card.contributions(frame)).all()
    scorer = RowScorer(card)
    for i, row in enumerate(frame[:singles].iter_rows(named=True)):
        one = scorer.score(row)
        assert (one.score, one.log_odds) == (expected[i], odds[i])
        assert list(one.points.values()) == parts[i].tolist()
        assert one.probability == pytest.approx(made["probability"][i], rel=1e-14)
    return len(np.unique(expected))


def test_three_ways_one_score(card):
    assert len(card.variables_) >= 5
    assert compare(card, 20_000, 20_000) > 100


@pytest.mark.slow
def test_three_ways_one_score_over_a_million_rows(card):
    assert compare(card, 1_000_000, 1_000_000) > 100


def test_variables_as_they_are_stored_with_their_reason_beside_them(card):
    random = np.random.default_rng(3)
    values = random.normal(size=(3000, len(NAMES))).astype(np.float32)
    gone = random.random(values.shape) < 0.4
    reason = random.integers(0, 5, len(values))
    stored = pl.DataFrame(np.where(gone, np.nan, values), schema=list(NAMES)).with_columns(
        pl.col(NAMES[0]).fill_nan(None), pl.Series("reason", reason)
    )
    code = np.array([np.nan, *SPECIALS])[reason]
    X = pl.DataFrame(np.where(gone, code[:, None], values.astype(float)), schema=list(NAMES))
    with duckdb.connect() as connection:
        connection.register("stored", stored.to_arrow())
        made = connection.sql(scoring_sql(card, "stored", reasons=dict.fromkeys(NAMES, "reason"))).pl()
    assert (made["score"].to_numpy() == card.score_points(X)).all()
    assert len(REASONS) == 4


def test_an_absent_value_is_a_missing_one(card):
    scorer = RowScorer(card)
    assert scorer.score({}) == scorer.score(dict.fromkeys(NAMES, float("nan")))
    assert scorer.score({}) == scorer.score(dict.fromkeys(NAMES))
