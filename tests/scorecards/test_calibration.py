"""Probabilities at the expected bad rate, ranks untouched, points that follow."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from bluemirror.errors import ModelError
from bluemirror.scorecards.calibration import on_outcomes, to_bad_rate
from bluemirror.scorecards.scorecard import ScorecardClassifier


@pytest.fixture(scope="module")
def world():
    random = np.random.default_rng(13)
    X = random.normal(size=(20_000, 2))
    p = 1 / (1 + np.exp(1.5 - X @ [1, 0.6]))
    bad = (random.random(len(p)) < p).astype(int)
    frame = pl.DataFrame(X, schema=["a", "b"])
    card = ScorecardClassifier(round_points=False, ridge=0.0).fit(frame[:10_000], bad[:10_000])
    return card, frame, bad, random


@pytest.mark.parametrize("target", [0.0005, 0.03, 0.5, 0.97])
def test_the_mean_is_the_target_and_ranks_stay(world, target):
    card, frame, _, _ = world
    before = card.score_points(frame)
    found = to_bad_rate(card, frame, target)
    assert found.after == pytest.approx(target, abs=1e-11)
    assert found.card.predict_proba(frame)[:, 1].mean() == pytest.approx(target, abs=1e-11)
    moved = found.card.score_points(frame) - before
    assert moved == pytest.approx(np.full(len(frame), found.points))
    assert (card.score_points(frame) == before).all()
    assert (found.card.coef_ == card.coef_).all()
    saved = ScorecardClassifier.from_text(found.card.to_text())
    assert (saved.score_points(frame) == found.card.score_points(frame)).all()


def test_points_keep_their_meaning(world):
    card, frame, _, _ = world
    made = to_bad_rate(card, frame, 0.02).card
    p = made.predict_proba(frame)[:, 1]
    assert made.score_points(frame) == pytest.approx(600 + 40 * np.log2((1 - p) / p / 30))


def test_a_card_that_was_too_sure_is_told_so(world):
    card, frame, bad, _ = world
    from bluemirror.scorecards.calibration import moved

    sure = moved(card, 0.4, 2.0)
    found = on_outcomes(sure, frame[10_000:], bad[10_000:])
    assert found.slope == pytest.approx(0.5, abs=0.05)
    assert found.after == pytest.approx(bad[10_000:].mean(), abs=1e-4)
    honest = on_outcomes(card, frame[10_000:], bad[10_000:])
    assert honest.slope == pytest.approx(1, abs=0.1)
    assert "slope" in found._repr_html_()


def test_what_cannot_be_is_told(world):
    card, frame, bad, _ = world
    with pytest.raises(ModelError, match="not a bad rate"):
        to_bad_rate(card, frame, 3.5)
    with pytest.raises(ModelError, match="the wrong way round"):
        on_outcomes(card, frame, 1 - bad)
