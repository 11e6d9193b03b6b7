"""Binner and scorecard as scikit-learn citizens, their readable state, points and reasons."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from bluemirror.errors import ModelError
from bluemirror.scorecards.binning import WoeBinner, bin_column
from bluemirror.scorecards.binning_table import BinningTables
from bluemirror.scorecards.measures import auc
from bluemirror.scorecards.scorecard import ScorecardClassifier
from bluemirror.scorecards.selection import fit_logistic, variance_inflation
from bluemirror.scorecards.stored import SPECIALS


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks([WoeBinner(), ScorecardClassifier()])
def test_estimator(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(7)
    n = 4000
    a, b, c = random.normal(size=(3, n))
    bad = (random.random(n) < 1 / (1 + np.exp(2 - a + 0.7 * b))).astype(int)
    b = b.copy()
    no_hit = random.random(n) < 0.15
    b[no_hit] = list(SPECIALS)[2]
    c[random.random(n) < 0.3] = np.nan
    frame = pl.DataFrame(
        {"a": a, "b": b, "c": c, "a_again": a + random.normal(size=n) * 0.1, "flat": np.ones(n)}
    )
    return frame, bad


@pytest.fixture(scope="module")
def card(rows):
    return ScorecardClassifier(specials=dict(SPECIALS)).fit(*rows)


def test_bins_are_monotone_and_count_every_row(rows):
    frame, bad = rows
    tables = WoeBinner(specials=dict(SPECIALS)).fit(frame, bad).tables_
    assert tables["a"].trend == "ascending"
    assert tables["b"].trend == "descending"
    for table in tables.values():
        assert sum(b.rows for b in table.bins) == len(bad)
        assert sum(b.bads for b in table.bins) == bad.sum()
        codes = table.assign(frame[table.variable].to_numpy())
        assert np.bincount(codes, minlength=len(table.bins)).tolist() == [b.rows for b in table.bins]
    no_hit = next(b for b in tables["b"].bins if b.label == "no hit")
    assert no_hit.rows > 400
    assert no_hit.woe == pytest.approx(0, abs=0.4)
    missing = tables["c"].bins[-1]
    assert (missing.kind, missing.rows) == ("missing", frame["c"].is_nan().sum())


def test_declared_direction_holds(rows):
    frame, bad = rows
    table = WoeBinner(monotone={"a": -1}).fit(frame.select("a", "flat"), bad).tables_["a"]
    assert table.trend in {"descending", "flat"}


def test_the_woe_of_a_bin_is_that_of_its_rows(rows):
    frame, bad = rows
    table = bin_column("a", frame["a"].to_numpy(), bad == 1, 5, 0.05, 0, {})
    for one in table.bins[:-1]:
        good_share = (one.rows - one.bads) / (bad == 0).sum()
        assert one.woe == pytest.approx(math.log(good_share / (one.bads / bad.sum())))


def test_unseen_reasons_are_neutral(card):
    table = card.tables_["a"]
    assert table.woe([np.nan, *SPECIALS]).tolist() == [0.0] * 5


def test_binning_text_round_trip(rows):
    tables = WoeBinner(specials=dict(SPECIALS)).fit(*rows).tables_
    again = BinningTables.from_text(tables.to_text())
    assert again == tables
    assert again.to_text() == tables.to_text()
    with pytest.raises(ModelError, match="not a set of binning tables"):
        BinningTables.from_text("- {variable: a}")
    swapped = tables.as_plain()
    swapped[0]["bins"][0], swapped[0]["bins"][1] = swapped[0]["bins"][1], swapped[0]["bins"][0]
    with pytest.raises(ModelError, match="not in order"):
        BinningTables.from_plain(swapped)


def test_the_scorecard_chooses_what_matters(card):
    assert set(card.variables_) >= {"a", "b"} or set(card.variables_) >= {"a_again", "b"}
    assert "flat" not in card.variables_
    assert len({"a", "a_again"} & set(card.variables_)) == 1
    assert (card.coef_ < 0).all()


def test_odds_double_every_so_many_points(rows, card):
    frame, _ = rows
    exact = ScorecardClassifier(specials=dict(SPECIALS), round_points=False).fit(*rows)
    points, p = exact.score_points(frame), exact.predict_proba(frame)[:, 1]
    expected = 600 + 40 * np.log2(((1 - p) / p) / 30)
    assert points == pytest.approx(expected)
    rounded = card.score_points(frame)
    assert np.abs(rounded - points).max() <= (len(card.variables_) + 1) / 2
    assert (rounded == np.round(rounded)).all()


def test_reasons_sum_to_the_score(rows, card):
    frame, _ = rows
    parts = card.contributions(frame)
    assert (card.points_table_.base + parts.sum(1) == card.score_points(frame)).all()
    reasons = card.reason_codes(frame, len(card.variables_))
    costs = np.where(parts < 0, parts, 0).sum(1)
    told = sum(reasons[f"points_{k + 1}"].fill_null(0).to_numpy() for k in range(len(card.variables_)))
    assert (told == costs).all()
    first = reasons.row(0, named=True)
    if first["reason_1"]:
        assert parts[0, card.variables_.index(first["reason_1"])] == first["points_1"] == parts[0].min()


def test_scorecard_text_round_trip(rows, card):
    frame, _ = rows
    again = ScorecardClassifier.from_text(card.to_text())
    assert (again.predict_proba(frame.select(card.variables_)) == card.predict_proba(frame)).all()
    assert (again.score_points(frame.select(card.variables_)) == card.score_points(frame)).all()
    assert again.to_text() == card.to_text()
    with pytest.raises(ModelError, match="not a scorecard"):
        ScorecardClassifier.from_text("format: something else")
    tampered = card.to_text().replace(
        f"base: {card.points_table_.base}", f"base: {card.points_table_.base + 5}"
    )
    with pytest.raises(ModelError, match="points"):
        ScorecardClassifier.from_text(tampered)
    with pytest.raises(ModelError, match="parameter 'ridges'"):
        ScorecardClassifier.from_text(card.to_text().replace("ridge:", "ridges:"))


def test_fit_is_deterministic_and_thread_free(rows):
    one = ScorecardClassifier(specials=dict(SPECIALS), threads=1).fit(*rows)
    two = ScorecardClassifier(specials=dict(SPECIALS), threads=2).fit(*rows)
    assert one.to_text() == two.to_text()


def test_logistic_is_scikit_learns(rows):
    from sklearn.linear_model import LogisticRegression

    frame, bad = rows
    W = WoeBinner(specials=dict(SPECIALS)).fit_transform(frame.select("a", "b"), bad)
    beta, _ = fit_logistic(W, bad, 0)
    reference = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(W, bad)
    assert beta[1:] == pytest.approx(reference.coef_[0], abs=1e-5)
    assert beta[0] == pytest.approx(reference.intercept_[0], abs=1e-5)


def test_variance_inflation_is_one_over_one_minus_r_squared():
    random = np.random.default_rng(8)
    X = random.normal(size=(500, 3))
    X[:, 2] += X[:, 0]
    slow = []
    for i in range(3):
        D = np.column_stack([np.ones(500), np.delete(X, i, 1)])
        residual = X[:, i] - D @ np.linalg.lstsq(D, X[:, i], rcond=None)[0]
        slow.append(1 / (residual.var() / X[:, i].var()))
    assert variance_inflation(X) == pytest.approx(slow)


def test_wrong_signs_never_stay(rows):
    # the difference of two twins invites one of them with the wrong sign
    frame, bad = rows
    wide = frame.with_columns(b2=pl.col("a") * 0.9 + pl.col("b").clip(-5, 5) * 0.3)
    fitted = ScorecardClassifier(max_correlation=0.999, max_vif=1e9, max_p_value=1.0).fit(wide, bad)
    assert (fitted.coef_ < 0).all()


def test_ranking_is_worth_something(rows, card):
    frame, bad = rows
    assert auc(bad, card.predict_proba(frame)[:, 1]) > 0.7
    assert auc(bad, -card.score_points(frame)) > 0.7


def test_a_binning_table_draws_its_rates(rows):
    table = bin_column("a", rows[0]["a"].to_numpy(), rows[1] == 1, 4, 0.05, 0, {})
    shown = table._repr_html_()
    worst = max(b.bads / b.rows for b in table.bins if b.rows)
    lines = [line for line in shown.split("<tr>") if f">{worst:.4g}<" in line]
    assert len(lines) == 1
    assert "100%" in lines[0]
    assert shown.count("linear-gradient") >= 3 * (len(table.bins) - 1)
    assert "#f5d6cf" in lines[0]  # its weight of evidence is below 0


def test_values_introduce_themselves(rows, card):
    shown = card.points_table_._repr_html_() + card.tables_._repr_html_()
    assert "<table>" in shown
    assert "no hit" in shown
    renamed = bin_column("<script>", rows[0]["a"].to_numpy(), rows[1] == 1, 5, 0.05, 0, {})
    assert "<script>" not in renamed._repr_html_()
