"""Bins edited by hand and what follows; rows that count more than once."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from bluemirror.errors import ModelError
from bluemirror.scorecards.refit import edges_from_text, edges_to_text, refit
from bluemirror.scorecards.scorecard import ScorecardClassifier
from bluemirror.scorecards.selection import fit_logistic
from bluemirror.scorecards.stored import SPECIALS


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(11)
    X = random.normal(size=(5000, 3))
    bad = (random.random(5000) < 1 / (1 + np.exp(2 - X @ [1, 0.7, -0.5]))).astype(int)
    X[random.random(X.shape) < 0.1] = np.nan
    X[random.random(X.shape) < 0.1] = list(SPECIALS)[2]
    return pl.DataFrame(X, schema=["a", "b", "c"]), bad


@pytest.fixture(scope="module")
def card(rows):
    return ScorecardClassifier(specials=dict(SPECIALS)).fit(*rows)


def test_the_same_rows_and_edges_give_the_same_card(rows, card):
    again = refit(card, *rows)
    assert again.tables_ == card.tables_
    assert again.coef_ == pytest.approx(card.coef_, abs=1e-7)
    assert (again.score_points(rows[0]) == card.score_points(rows[0])).all()


def test_edges_by_hand_round_trip_and_are_followed(rows, card):
    frame, bad = rows
    text = edges_to_text(card.tables_, card.variables_)
    edges = edges_from_text(text)
    assert edges == {v: card.tables_[v].edges for v in card.variables_}
    name = card.variables_[0]
    edited = text.replace(text[text.index(f"\n{name}:") :], f"\n{name}: [-0.5, 0.25]\n")
    made = refit(card, frame, bad, edges={name: edges_from_text(edited)[name]})
    table = made.tables_[name]
    assert table.edges == (-0.5, 0.25)
    value = frame[name].to_numpy()
    inside = (value > -0.5) & (value <= 0.25)
    assert (table.bins[1].rows, table.bins[1].bads) == (inside.sum(), bad[inside].sum())
    other = card.variables_[1]
    assert made.tables_[other] == card.tables_[other]
    assert not np.array_equal(made.coef_, card.coef_)
    assert made.points_table_ != card.points_table_
    assert card.tables_[name].edges == edges[name]
    again = ScorecardClassifier.from_text(made.to_text())
    chosen = frame.select(made.variables_)
    assert (again.score_points(chosen) == made.score_points(frame)).all()


def test_a_row_that_counts_twice_is_two_rows(rows, card):
    frame, bad = rows
    twice = np.arange(len(bad)) % 3 == 0
    by_weight = refit(card, frame, bad, weight=1.0 + twice)
    by_hand = refit(card, pl.concat([frame, frame.filter(twice)]), np.r_[bad, bad[twice]])
    assert by_weight.tables_ == by_hand.tables_
    assert by_weight.coef_ == pytest.approx(by_hand.coef_, abs=1e-7)


def test_what_turns_round_on_other_rows_leaves(rows, card):
    frame, bad = rows
    name = card.variables_[0]
    # a twin that carries the same bins takes the weight; what is left of this one's is noise around 0
    random = np.random.default_rng(1)
    outcome = (random.random(len(bad)) < 0.3).astype(int)
    made = refit(card, frame, outcome)
    assert (made.coef_ < 0).all()
    assert {*made.variables_, *made.dropped_} >= set(card.variables_), name


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [1, 2]", "does not hold edges"),
        ("format: bluemirror edges 1\na: [2, 1]", "not ascending"),
        ("format: bluemirror edges 1\na: [1, 1]", "not ascending"),
        ("format: bluemirror edges 1\na: [.inf]", "not ascending"),
        ("format: bluemirror edges 1\na: low", "not ascending"),
    ],
)
def test_wrong_edges_are_told(text, told):
    with pytest.raises(ModelError, match=told):
        edges_from_text(text)


def test_edges_of_others_are_told(rows, card):
    with pytest.raises(ModelError, match="not on this scorecard"):
        refit(card, *rows, edges={"elsewhere": (1.0,)})


def test_counted_rows_are_scikit_learns_weights():
    from sklearn.linear_model import LogisticRegression

    random = np.random.default_rng(2)
    W = random.normal(size=(2000, 2))
    bad = (random.random(2000) < 1 / (1 + np.exp(1 - W[:, 0]))).astype(int)
    counts = random.random(2000) * 3
    beta, _ = fit_logistic(W, bad, 0, counts)
    other = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(W, bad, counts)
    assert beta[1:] == pytest.approx(other.coef_[0], abs=1e-5)
