"""Calibration: a card's probabilities moved to the bad rate that is expected where it will be used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bluemirror.errors import ModelError

if TYPE_CHECKING:
    from bluemirror.scorecards.scorecard import ScorecardClassifier


@dataclass(frozen=True)
class Calibration:
    """A calibrated card and what the calibration did.

    ``before`` and ``after`` are mean probabilities over the rows it was made on, ``shift`` and ``slope`` what the log
    odds were moved and stretched by, ``points`` what that is on the scale (of the shift alone).
    """

    card: ScorecardClassifier
    rows: int
    before: float
    after: float
    shift: float
    slope: float
    points: float

    def _repr_html_(self) -> str:
        from bluemirror.scorecards.display import html_table

        shown = {k: getattr(self, k) for k in ("rows", "before", "after", "shift", "slope", "points")}
        return html_table("Calibration", [shown])


def to_bad_rate(card: ScorecardClassifier, X: Any, target: float) -> Calibration:
    """Shift the intercept until the mean probability of bad over ``X`` is ``target``.

    Ranks do not change, and every score moves by the same number of points. The equation ``mean(1 / (1 + exp(-(z +
    shift)))) = target`` has one solution; it is found by Newton's method within halvings, to 1e-12.

    Parameters
    ----------
    card
        A fitted scorecard; it is not changed.
    X
        The rows that the target speaks of, such as all applicants of a year.
    target
        Their expected bad rate, between 0 and 1.

    Raises
    ------
    ModelError
        If the target is not between 0 and 1.
    """
    if not 0 < target < 1:
        raise ModelError(
            f"{target!r} is not a bad rate",
            field="target_bad_rate",
            rule="between 0 and 1, such as 0.035",
            fix="write it as a share, not in percent",
        )
    odds = card.decision_function(X)
    shift = _shift(odds, target)
    made = moved(card, shift, 1.0)
    return _told(card, made, X, shift, 1.0)


def on_outcomes(card: ScorecardClassifier, X: Any, y: Any) -> Calibration:
    """Shift and stretch the log odds to what happened on ``X``, ``y`` (Platt 1999, by maximum likelihood).

    For rows that the card was not fitted on, such as a later quarter: a slope below 1 says that it was too sure.
    """
    from bluemirror.scorecards.selection import fit_logistic

    odds = card.decision_function(X)
    bad = (np.asarray(y) == card.classes_[1]).astype(float)
    beta, _ = fit_logistic(odds.reshape(-1, 1), bad, 0.0)
    if beta[1] <= 0:
        raise ModelError(
            "on these rows the card ranks the wrong way round",
            rule="a calibration stretches log odds by a number above 0",
            fix="look at the discrimination of the card on these rows first",
        )
    return _told(card, moved(card, float(beta[0]), float(beta[1])), X, float(beta[0]), float(beta[1]))


def _told(
    card: ScorecardClassifier, made: ScorecardClassifier, X: Any, shift: float, slope: float
) -> Calibration:
    from bluemirror.scorecards.points import Scale

    before, after = card.predict_proba(X)[:, 1], made.predict_proba(X)[:, 1]
    factor = Scale(card.base_score, card.base_odds, card.points_to_double).factor
    return Calibration(
        made, len(before), float(before.mean()), float(after.mean()), shift, slope, -factor * shift
    )


def moved(card: ScorecardClassifier, shift: float, slope: float) -> ScorecardClassifier:
    """The card with log odds ``shift + slope * z``; its points follow."""
    from copy import copy

    made = copy(card)
    made.intercept_ = float(shift + slope * card.intercept_)
    made.coef_ = card.coef_ * slope
    made.lay_out_points()
    return made


def _shift(odds: Any, target: float) -> float:
    low, high = -50.0 - float(np.max(odds)), 50.0 - float(np.min(odds))
    shift = 0.0
    for _ in range(200):
        p = 1 / (1 + np.exp(-(odds + shift)))
        gap = float(p.mean()) - target
        if abs(gap) < 1e-13:
            break
        low, high = (low, shift) if gap > 0 else (shift, high)
        step = shift - gap / max(float((p * (1 - p)).mean()), 1e-300)
        shift = step if low < step < high else (low + high) / 2
    return shift
