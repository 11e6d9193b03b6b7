"""Segments: a card for each part of the population that behaves differently, on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from bluemirror.errors import ModelError
from bluemirror.scorecards.binning import column_names, two_classes
from bluemirror.scorecards.binning_table import from_yaml, to_yaml
from bluemirror.scorecards.scorecard import ScorecardClassifier

if TYPE_CHECKING:
    import polars as pl

FORMAT = "bluemirror segmented scorecard 1"
REST = -1
"""The number of the card of everybody, which scores segments with too few bads, and rows without a segment."""


class SegmentedScorecard(ClassifierMixin, BaseEstimator):
    """One scorecard a segment, and one of everybody for whoever has none of his own.

    All cards stand on the same scale, so that equal points are equal odds whichever card gave them.

    Parameters
    ----------
    card : ScorecardClassifier or None
        What is fitted in each segment; None: one with its defaults.
    segment : str or None
        The column that tells the segment; None: one segment, everybody. It stays an input of the cards.
    edges : sequence of float
        Inner edges of the segments: ``value <= edges[0]`` is segment 0. A missing value is in no segment.
    min_bads : int
        A segment with fewer bads (or goods) has no card of its own.

    Attributes
    ----------
    classes_ : array of shape (2,)
        The second is bad.
    cards_ : dict of int to ScorecardClassifier
        The fitted cards by segment; ``REST`` is that of everybody.
    """

    def __init__(
        self,
        card: ScorecardClassifier | None = None,
        segment: str | None = None,
        edges: Sequence[float] = (),
        min_bads: int = 100,
    ) -> None:
        self.card = card
        self.segment = segment
        self.edges = edges
        self.min_bads = min_bads

    def fit(self, X: Any, y: Any) -> SegmentedScorecard:
        """Fit the card of everybody, and one of each segment that has the cases.

        Parameters
        ----------
        X : array or frame of shape (rows, columns)
            Numbers; NaN is missing.
        y : array of shape (rows,)
            Two classes; the one that sorts second is bad.

        Raises
        ------
        ValueError
            If ``y`` has not exactly two classes, or ``X`` is not numeric or holds infinities.
        ModelError
            If there is no such column, or the edges do not ascend.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_all_finite="allow-nan")
        self.classes_, bad = two_classes(y)
        if list(self.edges) != sorted(set(self.edges)):
            raise ModelError(
                "the edges of the segments do not ascend",
                field="edges",
                rule="each above the one before",
                fix=f"write {sorted(set(self.edges))}",
            )
        frame = self._frame(X)
        template = self.card if self.card is not None else ScorecardClassifier()
        self.cards_ = {REST: clone(template).fit(frame, y)}
        numbers = self._numbers(X)
        for number in sorted({int(n) for n in numbers if n != REST}):
            mine = numbers == number
            if min(bad[mine].sum(), (~bad[mine]).sum()) >= max(self.min_bads, 1):
                self.cards_[number] = clone(template).fit(frame.filter(mine), y[mine])
        return self

    def _frame(self, X: Any) -> pl.DataFrame:
        import polars as pl

        return pl.DataFrame(X, schema=column_names(self), orient="row")

    def _numbers(self, X: Any) -> Any:
        """The segment of each row, ``REST`` where it has none; shape (rows,)."""
        if self.segment is None:
            return np.full(len(X), REST)
        names = column_names(self)
        if self.segment not in names:
            raise ModelError(
                f"there is no column {self.segment!r} to tell the segment",
                field="segment",
                rule=f"one of {', '.join(names[:12])}",
                fix="hand it over with the inputs",
            )
        value = X[:, names.index(self.segment)]
        found = np.searchsorted(np.asarray(self.edges, float), value, side="left")
        return np.where(np.isnan(value), REST, found)

    def segments(self, X: Any) -> Any:
        """Which card scores each row: a key of ``cards_``; shape (rows,)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        return self._cards_of(X)

    def _cards_of(self, X: Any) -> Any:
        numbers = self._numbers(X)
        return np.where(np.isin(numbers, list(self.cards_)), numbers, REST)

    def _by_card(self, X: Any, method: str) -> Any:
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        frame, numbers = self._frame(X), self._cards_of(X)
        out = np.empty(len(X))
        for number, card in self.cards_.items():
            mine = numbers == number
            if mine.any():
                inputs = frame.filter(mine).select(list(card.feature_names_in_))
                out[mine] = getattr(card, method)(inputs)
        return out

    def decision_function(self, X: Any) -> Any:
        """Log odds of bad, shape (rows,)."""
        return self._by_card(X, "decision_function")

    def predict_proba(self, X: Any) -> Any:
        """Probabilities of good and bad, shape (rows, 2)."""
        bad = 1 / (1 + np.exp(-self.decision_function(X)))
        return np.column_stack([1 - bad, bad])

    def predict(self, X: Any) -> Any:
        """The likelier class, shape (rows,)."""
        log_odds = self.decision_function(X)
        return self.classes_[(log_odds > 0).astype(int)]

    def score_points(self, X: Any) -> Any:
        """The score by the card of each row's segment, shape (rows,); high is good."""
        return self._by_card(X, "score_points")

    def worth(self, X: Any, y: Any) -> pl.DataFrame:
        """Is it worth it: AUC of the segments' cards beside that of everybody's card, on rows of one's choice.

        Returns
        -------
        polars.DataFrame
            A line a segment and one of all: segment, rows, bads, auc, auc_of_one_card. Judge on rows that were not
            fitted on; the AUC of all also counts whether the segments stand rightly beside each other.
        """
        import polars as pl

        from bluemirror.scorecards.measures import auc

        numbers, own = self.segments(X), self.decision_function(X)
        checked = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        rest = self.cards_[REST]
        one = rest.decision_function(self._frame(checked).select(list(rest.feature_names_in_)))
        bad = (np.asarray(y) == self.classes_[1]).astype(int)
        parts = [("all", np.ones(bad.size, bool))]
        parts += [("rest" if n == REST else str(n), numbers == n) for n in sorted(self.cards_)]
        lines = [
            (name, int(m.sum()), int(bad[m].sum()), auc(bad[m], own[m]), auc(bad[m], one[m]))
            for name, m in parts
            if m.any()
        ]
        return pl.DataFrame(lines, schema=["segment", "rows", "bads", "auc", "auc_of_one_card"], orient="row")

    def to_text(self) -> str:
        """All cards and how the segments are cut, as YAML."""
        check_is_fitted(self)
        return to_yaml(
            {
                "format": FORMAT,
                "segment": self.segment,
                "edges": [float(e) for e in self.edges],
                "min_bads": self.min_bads,
                "inputs": column_names(self),
                "cards": {number: card.to_text() for number, card in self.cards_.items()},
            }
        )

    @classmethod
    def from_text(cls, text: str) -> SegmentedScorecard:
        """The inverse of :meth:`to_text`; its inputs are those of the fit.

        Raises
        ------
        ModelError
            If the text is not of this format, or a card in it is not whole.
        """
        plain = from_yaml(text)
        if not isinstance(plain, dict) or plain.get("format") != FORMAT:
            raise ModelError(
                "this text is not a segmented scorecard",
                rule=f"format: {FORMAT}",
                fix="load what to_text wrote",
            )
        made = cls(None, plain["segment"], tuple(plain["edges"]), plain["min_bads"])
        made.cards_ = {int(n): ScorecardClassifier.from_text(t) for n, t in plain["cards"].items()}
        made.classes_ = made.cards_[REST].classes_
        made.feature_names_in_ = np.array(plain["inputs"], dtype=object)
        made.n_features_in_ = len(plain["inputs"])
        return made

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.classifier_tags.multi_class = False
        return tags
