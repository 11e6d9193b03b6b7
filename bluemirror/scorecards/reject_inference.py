"""Reject inference: rejected applicants have no outcome; what is assumed about them, and what difference it makes.

* ``none``: the card describes accepted applicants, and whoever reads it for others extrapolates.
* ``fuzzy`` augmentation: each rejected applicant counts twice, as bad with the probability of the card of the accepted
  and as good with the rest (Siddiqi 2006, ch. 6).
* ``parcelling``: rejected applicants get good or bad at random within bands of that card's score, at the band's bad
  rate among the accepted times ``factor`` (prudence: the rejected of a band are no better than its accepted).

Bins and variables stay those of the accepted; weights of evidence, weights and points are computed anew. Under
``fuzzy`` the inferred outcomes carry no news of their own: it is an extrapolation that is written down. The tests hold
both against the truth of a simulated bank that rejects by what the card sees, and by what it does not see.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bluemirror.errors import ModelError

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.scorecards.scorecard import ScorecardClassifier

METHODS = ("none", "fuzzy", "parcelling")
BANDS = 10
LEANING = 20
"""Accepted applicants that the card's own opinion of a band counts as."""


@dataclass(frozen=True)
class Inference:
    """A card with inferred outcomes beside the card without.

    Parameters
    ----------
    method, factor
        What was assumed.
    card, accepted_card
        With the rejected applicants, and without.
    accepted, rejected
        Numbers of applicants.
    accepted_bad_rate, rejected_bad_rate
        Observed, and inferred.
    effect
        A line a variable: weight and information value without and with.
    swaps
        At some approval rates over all applicants: who is approved by one card alone, and the bad rate that each card
        expects of all that it approves.
    """

    method: str
    factor: float
    card: ScorecardClassifier
    accepted_card: ScorecardClassifier
    accepted: int
    rejected: int
    accepted_bad_rate: float
    rejected_bad_rate: float
    effect: pl.DataFrame
    swaps: pl.DataFrame

    def __repr__(self) -> str:
        return (
            f"Inference({self.method}: {self.accepted:,} accepted with {self.accepted_bad_rate:.2%} bad, "
            f"{self.rejected:,} rejected with {self.rejected_bad_rate:.2%} inferred)"
        )

    def _repr_html_(self) -> str:
        from bluemirror.scorecards.display import html_table

        keys = (
            "method",
            "factor",
            "accepted",
            "accepted_bad_rate",
            "rejected",
            "rejected_bad_rate",
        )
        return (
            html_table("Reject inference", [{k: getattr(self, k) for k in keys}])
            + html_table("Its effect on the variables", self.effect.to_dicts())
            + html_table("Its effect on decisions", self.swaps.to_dicts())
        )


def infer(
    card: ScorecardClassifier,
    X: Any,
    y: Any,
    rejected: Any,
    method: str = "fuzzy",
    factor: float = 1.0,
    seed: int = 0,
) -> Inference:
    """Fit ``card`` anew with the rejected applicants.

    Parameters
    ----------
    card
        Fitted on the accepted applicants ``X``, ``y``; it is not changed.
    X, y
        The accepted: inputs (a Polars frame with the card's columns) and outcome.
    rejected
        Inputs of the rejected, the same columns.
    method
        ``none``, ``fuzzy`` or ``parcelling``.
    factor
        What the bad rate (parcelling) or the odds of bad (fuzzy) of a rejected applicant are, compared with an
        accepted one of the same score; 1 or more.
    seed
        Of the random outcomes of parcelling.

    Raises
    ------
    ModelError
        For an unknown method, a factor below 1, or no rejected applicants.
    """
    import polars as pl

    from bluemirror.scorecards.refit import refit

    _check(method, factor, len(rejected))
    names = list(card.variables_)
    taken, turned = X.select(names), rejected.select(names)
    bad = np.asarray(y) == card.classes_[1]
    plain = refit(_narrow(card), taken, y)
    probability = plain.predict_proba(turned)[:, 1]
    if method == "parcelling":
        assumed = _parcelled(plain.predict_proba(taken)[:, 1], bad, probability, factor)
        drawn = np.random.default_rng(seed).random(assumed.size) < assumed
        everybody = pl.concat([taken, turned])
        made = refit(plain, everybody, card.classes_[np.r_[bad, drawn].astype(int)])
        inferred = float(drawn.mean())
    elif method == "fuzzy":
        odds = factor * probability / (1 - probability)
        assumed = odds / (1 + odds)
        everybody = pl.concat([taken, turned, turned])
        outcome = np.r_[bad, np.ones(assumed.size, bool), np.zeros(assumed.size, bool)]
        made = refit(
            plain,
            everybody,
            card.classes_[outcome.astype(int)],
            weight=np.r_[np.ones(bad.size), assumed, 1 - assumed],
        )
        inferred = float(assumed.mean())
    else:
        made, inferred = plain, float(probability.mean())
    return Inference(
        method,
        factor,
        made,
        plain,
        bad.size,
        len(rejected),
        float(bad.mean()),
        inferred,
        _effect(plain, made),
        _swaps(plain, made, pl.concat([taken, turned])),
    )


def _check(method: str, factor: float, rejected: int) -> None:
    if method not in METHODS:
        raise ModelError(
            f"{method!r} is no reject inference",
            field="reject_inference.method",
            rule=f"one of {', '.join(METHODS)}",
            fix="write none, and say so on the card",
        )
    if factor < 1:
        raise ModelError(
            f"a factor of {factor} makes the rejected better than the accepted of their score",
            field="reject_inference.factor",
            rule="1 or more",
            fix="write 1 for the same risk, 2 for twice",
        )
    if not rejected:
        raise ModelError(
            "there are no rejected applicants",
            field="reject_inference",
            rule="the inputs of the rejected are known",
            fix="hand them over, or declare none",
        )


def _narrow(card: ScorecardClassifier) -> ScorecardClassifier:
    """The card with its chosen variables as its only inputs."""
    from bluemirror.scorecards.scorecard import ScorecardClassifier

    return ScorecardClassifier.from_text(card.to_text())


def _parcelled(of_accepted: Any, bad: Any, of_rejected: Any, factor: float) -> Any:
    """Probability of bad of each rejected applicant: its band's rate among the accepted, times ``factor``.

    Bands hold equally many of the rejected: those of the accepted would put most rejected into the last one, whose
    accepted are better than they. A band with few accepted leans on the card: its mean counts as ``LEANING`` of them.
    """
    edges = np.unique(np.quantile(of_rejected, np.linspace(0, 1, BANDS + 1)[1:-1]))
    band, mine = (np.searchsorted(edges, risk, side="left") for risk in (of_accepted, of_rejected))
    size = edges.size + 1
    expected = np.bincount(mine, weights=of_rejected, minlength=size) / np.maximum(
        np.bincount(mine, minlength=size), 1
    )
    bads = np.bincount(band, weights=bad, minlength=size)
    rate = (bads + LEANING * expected) / (np.bincount(band, minlength=size) + LEANING)
    return np.minimum(rate[mine] * factor, 1.0)


def _effect(plain: ScorecardClassifier, made: ScorecardClassifier) -> pl.DataFrame:
    import polars as pl

    before = dict(zip(plain.variables_, plain.coef_[0].tolist(), strict=True))
    after = dict(zip(made.variables_, made.coef_[0].tolist(), strict=True))
    lines: list[tuple[Any, ...]] = [("(intercept)", plain.intercept_, made.intercept_, None, None)]
    lines += [(v, before[v], after.get(v), plain.tables_[v].iv, made.tables_[v].iv) for v in before]
    return pl.DataFrame(
        lines,
        schema={
            "variable": pl.String,
            "weight": pl.Float64,
            "weight_inferred": pl.Float64,
            "iv": pl.Float64,
            "iv_inferred": pl.Float64,
        },
        orient="row",
    )


def _swaps(plain: ScorecardClassifier, made: ScorecardClassifier, everybody: pl.DataFrame) -> pl.DataFrame:
    """What each card would approve of everybody who applied, at equal approval rates."""
    import polars as pl

    risks = [c.predict_proba(everybody)[:, 1] for c in (plain, made)]
    lines = []
    for rate in (0.3, 0.5, 0.7, 0.9):
        count = round(rate * len(everybody))
        chosen = [np.zeros(len(everybody), bool) for _ in risks]
        for mask, risk in zip(chosen, risks, strict=True):
            mask[np.argsort(risk, kind="stable")[:count]] = True
        swapped = int((chosen[1] & ~chosen[0]).sum())
        expected = [
            float(r[m].mean()) if count else 0.0 for r, m in ((risks[1], chosen[0]), (risks[1], chosen[1]))
        ]
        lines.append((rate, count, swapped, *expected))
    return pl.DataFrame(
        lines,
        schema=["approval_rate", "approved", "swapped", "bad_rate_without", "bad_rate_with"],
        orient="row",
    )
