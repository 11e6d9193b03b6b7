"""Reasons in words and by variable; both sum to the score."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from bluemirror.errors import ModelError
from bluemirror.scorecards.reasons import OTHER, Reasons, explain
from bluemirror.scorecards.scorecard import ScorecardClassifier

DECLARED = {
    "R01": {"zh": "近期查询次数较多", "en": "many recent inquiries", "names": ["query_*"]},
    "R02": {"zh": "有逾期记录", "en": "late payments on record", "names": ["late_*", "query_late"]},
    "R03": {"zh": "没有用到", "en": "not on this card", "names": ["nothing_*"]},
}


@pytest.fixture(scope="module", params=[True, False], ids=["whole points", "exact points"])
def card(request):
    random = np.random.default_rng(21)
    X = random.normal(size=(6000, 4))
    bad = random.random(6000) < 1 / (1 + np.exp(2 - X @ [0.8, 0.7, 0.6, 0.5]))
    frame = pl.DataFrame(X, schema=["query_1m", "query_late", "late_12m", "income"])
    return ScorecardClassifier(round_points=request.param).fit(frame, bad), frame


def test_both_views_sum_to_the_score(card):
    fitted, frame = card
    told = explain(fitted, frame, Reasons.from_plain(DECLARED))
    score = fitted.score_points(frame)
    if fitted.round_points:
        assert (told.score() == score).all()
    assert told.score() == pytest.approx(score, abs=1e-9)
    assert told.base + told.by_variable.sum(1) == pytest.approx(score, abs=1e-9)
    assert [r.code for r in told.reasons] == ["R01", "R02", "R99"]
    inside = told.internal(0)
    assert inside["points"].sum() + told.base == pytest.approx(score[0])
    assert dict(inside.select("variable", "reason").iter_rows()) == {
        "query_1m": "R01",
        "query_late": "R01",
        "late_12m": "R02",
        "income": "R99",
    }


def test_the_customer_reads_what_cost_the_most(card):
    fitted, frame = card
    told = explain(fitted, frame, Reasons.from_plain(DECLARED))
    shown = told.customer(4)
    costs = np.where(told.by_reason < 0, told.by_reason, 0).sum(1)
    summed = sum(shown[f"points_{k}"].fill_null(0.0).to_numpy() for k in (1, 2, 3, 4))
    assert summed == pytest.approx(costs)
    assert (shown["points_1"].fill_null(0) <= shown["points_2"].fill_null(0)).all()
    first = shown.filter(pl.col("code_1") == "R01").row(0, named=True)
    assert (first["zh_1"], first["en_1"]) == (DECLARED["R01"]["zh"], DECLARED["R01"]["en"])
    other = shown.filter(pl.col("code_1") == OTHER.code)
    assert other["zh_1"].unique().to_list() == [OTHER.zh]
    assert shown["code_4"].null_count() == len(shown)
    # no name of a variable in what the customer reads
    assert not any("query" in str(v) or "12m" in str(v) for v in shown.row(0))


def test_without_reasons_everything_is_other(card):
    fitted, frame = card
    told = explain(fitted, frame, Reasons())
    assert [r.code for r in told.reasons] == ["R99"]
    assert told.score() == pytest.approx(fitted.score_points(frame), abs=1e-9)


@pytest.mark.parametrize(
    ("declared", "rule"),
    [
        ({"R01": {"zh": "x", "names": ["a"]}}, "not whole"),
        ({"R01": {"zh": " ", "en": "x", "names": ["a"]}}, "not whole"),
        ({"R99": {"zh": "x", "en": "x", "names": ["a"]}}, "stands twice"),
    ],
)
def test_wrong_reasons_are_told(declared, rule):
    with pytest.raises(ModelError, match=rule):
        Reasons.from_plain(declared)
