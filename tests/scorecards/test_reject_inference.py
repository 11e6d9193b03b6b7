"""Reject inference held against the outcome that a simulated bank's rejected applicants would have had."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from bluemirror.errors import ModelError
from bluemirror.scorecards.measures import auc
from bluemirror.scorecards.reject_inference import METHODS, infer
from bluemirror.scorecards.scorecard import ScorecardClassifier

N = 24_000


def bank(hidden, seed=17):
    """Applicants, their outcome, and who is accepted; an officer sees ``hidden`` of a risk that no variable holds."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(N, 3))
    feeling = random.normal(size=N)
    odds = X @ [0.8, 0.6, 0.0] + 0.8 * hidden * feeling - 2
    bad = (random.random(N) < 1 / (1 + np.exp(-odds))).astype(int)
    accepted = X @ [0.8, 0.6, 0.0] + 0.8 * hidden * feeling + random.normal(size=N) * 0.5 < 0.4
    return pl.DataFrame(X, schema=["a", "b", "noise"]), bad, accepted


@pytest.fixture(scope="module")
def seen():
    frame, bad, accepted = bank(0.0)
    card = ScorecardClassifier(ridge=1.0).fit(frame.filter(accepted), bad[accepted])
    return frame, bad, accepted, card


@pytest.fixture(scope="module")
def unseen():
    frame, bad, accepted = bank(1.5)
    card = ScorecardClassifier(ridge=1.0).fit(frame.filter(accepted), bad[accepted])
    return frame, bad, accepted, card


def inferred(world, **kwargs):
    frame, bad, accepted, card = world
    return infer(card, frame.filter(accepted), bad[accepted], frame.filter(~accepted), **kwargs)


def test_where_the_card_sees_what_the_bank_saw_the_rejected_are_told_nearly_right(seen):
    frame, bad, accepted, card = seen
    truth = bad[~accepted].mean()
    assert truth > 1.5 * bad[accepted].mean()
    for method in ("fuzzy", "parcelling"):
        found = inferred(seen, method=method)
        assert found.rejected_bad_rate == pytest.approx(truth, rel=0.2), method
        everybody = found.card.predict_proba(frame.select(found.card.variables_))[:, 1]
        assert everybody.mean() == pytest.approx(bad.mean(), rel=0.15)
        assert auc(bad, everybody) > auc(bad, card.predict_proba(frame)[:, 1]) - 0.005


def test_where_it_does_not_a_factor_is_needed(unseen):
    frame, bad, accepted, _ = unseen
    truth = bad[~accepted].mean()
    for method, factor in (("fuzzy", 4.0), ("parcelling", 4.0)):
        plain, prudent = inferred(unseen, method=method), inferred(unseen, method=method, factor=factor)
        assert plain.rejected_bad_rate < 0.6 * truth
        assert abs(prudent.rejected_bad_rate - truth) < abs(plain.rejected_bad_rate - truth)
        everybody = prudent.card.predict_proba(frame.select(prudent.card.variables_))[:, 1]
        naive = prudent.accepted_card.predict_proba(frame.select(prudent.card.variables_))[:, 1]
        assert abs(everybody.mean() - bad.mean()) < abs(naive.mean() - bad.mean())


def test_none_leaves_the_card_as_it_is(seen):
    frame, card = seen[0], seen[3]
    found = inferred(seen, method="none")
    chosen = frame.select(card.variables_)
    assert (found.card.score_points(chosen) == card.score_points(frame)).all()
    assert found.swaps["swapped"].to_list() == [0, 0, 0, 0]


def test_the_effect_is_shown(unseen):
    found = inferred(unseen, method="fuzzy", factor=4.0)
    assert found.effect["variable"].to_list() == ["(intercept)", *found.accepted_card.variables_]
    assert found.effect["weight_inferred"][0] > found.effect["weight"][0]  # riskier than it was told
    assert found.swaps["approved"].to_list() == [round(r * N) for r in (0.3, 0.5, 0.7, 0.9)]
    better = found.swaps["bad_rate_without"] - found.swaps["bad_rate_with"]
    assert better.min() >= 0
    shown = found._repr_html_()
    assert "Its effect on decisions" in shown
    assert "fuzzy" in repr(found)


def test_parcelling_repeats_itself_by_its_seed(seen):
    one, two = (inferred(seen, method="parcelling", seed=5) for _ in range(2))
    assert one.card.to_text() == two.card.to_text()
    assert one.card.to_text() != inferred(seen, method="parcelling", seed=6).card.to_text()


def test_what_cannot_be_is_told(seen):
    frame, bad, accepted, card = seen
    with pytest.raises(ModelError, match="no reject inference"):
        inferred(seen, method="guess")
    with pytest.raises(ModelError, match="better than the accepted"):
        inferred(seen, factor=0.5)
    with pytest.raises(ModelError, match="no rejected"):
        infer(card, frame.filter(accepted), bad[accepted], frame[:0])
    assert METHODS[0] == "none"
