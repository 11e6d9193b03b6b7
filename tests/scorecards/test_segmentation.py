"""A card a segment on one scale, and everybody's card for whoever has none of his own."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from bluemirror.errors import ModelError
from bluemirror.scorecards.scorecard import ScorecardClassifier
from bluemirror.scorecards.segmentation import REST, SegmentedScorecard


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks([SegmentedScorecard()])
def test_estimator(estimator, check):
    check(estimator)


def world(seed, rows=12_000):
    """Thin files are told by ``device``, thick ones by ``bureau``; a few are very thick, and some have no file."""
    random = np.random.default_rng(seed)
    months = random.choice([3.0, 30.0, 300.0, np.nan], rows, p=[0.45, 0.45, 0.02, 0.08])
    bureau, device = random.normal(size=(2, rows))
    thin = months < 12
    odds = np.where(thin, 1.2 * device - 1.5, 1.2 * bureau - 2.2)
    bad = (random.random(rows) < 1 / (1 + np.exp(-odds))).astype(int)
    return pl.DataFrame({"months": months, "bureau": bureau, "device": device}), bad


@pytest.fixture(scope="module")
def fitted():
    card = ScorecardClassifier(round_points=False)
    return SegmentedScorecard(card, "months", (12.0, 120.0)).fit(*world(1))


def test_each_row_is_scored_by_the_card_of_its_segment(fitted):
    assert set(fitted.cards_) == {REST, 0, 1}  # the very thick have too few bads
    frame, _ = world(2, 2000)
    numbers = fitted.segments(frame)
    expected = frame["months"].to_numpy()
    assert (numbers == np.select([expected <= 12, expected <= 120], [0, 1], REST)).all()
    for number, card in fitted.cards_.items():
        mine = frame.filter(numbers == number)
        assert (fitted.score_points(frame)[numbers == number] == card.score_points(mine)).all()
    p = fitted.predict_proba(frame)[:, 1]
    assert fitted.score_points(frame) == pytest.approx(600 + 40 * np.log2((1 - p) / p / 30))


def test_its_worth_is_shown_on_other_rows(fitted):
    shown = fitted.worth(*world(3))
    assert shown["segment"].to_list() == ["all", "rest", "0", "1"]
    gain = dict(zip(shown["segment"], shown["auc"] - shown["auc_of_one_card"], strict=True))
    assert gain["0"] > 0.02
    assert gain["1"] > 0.02
    assert gain["all"] > 0.02
    assert gain["rest"] == 0
    assert shown["rows"][0] == shown["rows"][1:].sum()


def test_text_round_trip(fitted):
    frame, _ = world(4, 1000)
    again = SegmentedScorecard.from_text(fitted.to_text())
    assert (again.score_points(frame) == fitted.score_points(frame)).all()
    assert again.to_text() == fitted.to_text()
    with pytest.raises(ModelError, match="not a segmented"):
        SegmentedScorecard.from_text(ScorecardClassifier().fit(*world(1, 2000)).to_text())


def test_what_cannot_be_is_told():
    frame, bad = world(5, 2000)
    with pytest.raises(ModelError, match="no column 'age'"):
        SegmentedScorecard(segment="age").fit(frame, bad)
    with pytest.raises(ModelError, match="do not ascend"):
        SegmentedScorecard(segment="months", edges=(5, 1)).fit(frame, bad)
