"""The scorecard: binning, weights of evidence, logistic regression, points; a scikit-learn classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from bluemirror.errors import ModelError
from bluemirror.scorecards.binning import WoeBinner, column_names, two_classes
from bluemirror.scorecards.binning_table import BinningTables, from_yaml, to_yaml
from bluemirror.scorecards.points import Scale, points_table
from bluemirror.scorecards.selection import choose, fit_logistic, order_of

if TYPE_CHECKING:
    import polars as pl

FORMAT = "bluemirror scorecard 1"


class ScorecardClassifier(ClassifierMixin, BaseEstimator):
    """A scorecard in the way of Siddiqi (2006): each chosen variable gives points by the bin of its value.

    Parameters
    ----------
    max_bins, min_share, monotone, specials, threads, order_tolerance
        As of :class:`~bluemirror.scorecards.binning.WoeBinner`.
    max_variables : int
        At most so many variables are chosen.
    max_correlation, max_vif, max_p_value : float
        Limits of the choice, on weights of evidence (see ``selection.choose``). Variables whose weight has the
        wrong sign are dropped.
    ridge : float
        Precision of a normal prior around 0 on the weights. Bins and variables were chosen on the same rows, so
        plain maximum likelihood is too sure of them; with few bads 20 to 50 ranks and calibrates better.
    selection : str
        ``forward``, or ``l1``: the most variables that a penalty on the sum of weights leaves, then the same limits.
    paid_sources : mapping of column name to str, or None
        The source of each variable that has a price.
    max_paid_sources : int or None
        At most so many of these are bought.
    base_score, base_odds, points_to_double : float
        The score is ``base_score`` at good:bad odds of ``base_odds``, and ``points_to_double`` more at twice these.
    round_points : bool
        Whole points, as on a printed scorecard.

    Attributes
    ----------
    classes_ : array of shape (2,)
        The second is bad.
    tables_ : BinningTables
        Bins of all variables seen in fit (after loading from text: of the chosen ones).
    variables_ : tuple of str
        The chosen variables in the order of entry.
    intercept_ : float
    coef_ : array of shape (1, chosen)
        Weights of the weights of evidence in the log odds of bad; all negative.
    dropped_ : dict
        Why a variable that was looked at is not in.
    points_table_ : PointsTable
    """

    def __init__(
        self,
        max_bins: int = 6,
        min_share: float = 0.05,
        monotone: Mapping[str, int] | None = None,
        specials: Mapping[float, str] | None = None,
        max_variables: int = 20,
        max_correlation: float = 0.75,
        max_vif: float = 5.0,
        max_p_value: float = 0.05,
        ridge: float = 1.0,
        base_score: float = 600.0,
        base_odds: float = 30.0,
        points_to_double: float = 40.0,
        round_points: bool = True,
        threads: int = 2,
        order_tolerance: float = 0.0,
        selection: str = "forward",
        paid_sources: Mapping[str, str] | None = None,
        max_paid_sources: int | None = None,
    ) -> None:
        self.max_bins = max_bins
        self.min_share = min_share
        self.monotone = monotone
        self.specials = specials
        self.max_variables = max_variables
        self.max_correlation = max_correlation
        self.max_vif = max_vif
        self.max_p_value = max_p_value
        self.ridge = ridge
        self.base_score = base_score
        self.base_odds = base_odds
        self.points_to_double = points_to_double
        self.round_points = round_points
        self.threads = threads
        self.order_tolerance = order_tolerance
        self.selection = selection
        self.paid_sources = paid_sources
        self.max_paid_sources = max_paid_sources

    def fit(self, X: Any, y: Any, period: Any = None) -> ScorecardClassifier:
        """Bin, choose, weigh, and lay out the points.

        Parameters
        ----------
        X : array or frame of shape (rows, columns)
            Numbers; NaN is missing.
        y : array of shape (rows,)
            Two classes; the one that sorts second is bad.
        period : array of shape (rows,) or None
            Whole numbers, such as quarters: bad rates of bins are ordered in each.

        Raises
        ------
        ValueError
            If ``y`` has not exactly two classes, or ``X`` is not numeric or holds infinities.
        """
        frame = X
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_all_finite="allow-nan")
        self.classes_, bad = two_classes(y)
        binner = WoeBinner(
            self.max_bins, self.min_share, self.monotone, self.specials, self.threads, self.order_tolerance
        ).fit(frame, y, period)
        self.tables_ = binner.tables_
        names = column_names(self)
        W = np.column_stack([self.tables_[n].woe(X[:, i]) for i, n in enumerate(names)])
        iv = np.array([t.iv for t in self.tables_.values()])
        order = order_of(names, iv)
        found = choose(
            W[:, order],
            bad,
            iv[order],
            self.max_variables,
            self.max_correlation,
            self.max_vif,
            self.max_p_value,
            self.ridge,
            [(self.paid_sources or {}).get(names[i]) for i in order],
            self.max_paid_sources,
            self.selection,
        )
        self.variables_ = tuple(names[order[c]] for c in found.columns)
        self.dropped_ = {names[order[c]]: why for c, why in found.dropped}
        self.intercept_ = found.intercept
        self.coef_ = np.asarray(found.weights, float).reshape(1, -1)
        self.lay_out_points()
        return self

    def lay_out_points(self) -> None:
        """Points from bins, weights and scale; to be called by whoever changes one of them."""
        scale = Scale(self.base_score, self.base_odds, self.points_to_double)
        chosen = [self.tables_[v] for v in self.variables_]
        self.points_table_ = points_table(chosen, self.coef_[0], self.intercept_, scale, self.round_points)

    def reweigh(self, variables: Sequence[str], W: Any, bad: Any, counts: Any) -> None:
        """Fit the weights of ``variables`` anew; who has the wrong sign leaves, the worst first.

        Parameters
        ----------
        variables
            Names in order; their tables stand in ``tables_``.
        W
            Weights of evidence, shape (rows, variables).
        bad
            Shape (rows,), 0 or 1.
        counts
            Shape (rows,): how often each row counts.
        """
        stay = list(range(len(variables)))
        beta, _ = fit_logistic(W[:, stay], bad, self.ridge, counts)
        while stay and beta[1:].max() >= 0:
            worst = int(np.argmax(beta[1:]))
            self.dropped_[variables[stay[worst]]] = "wrong sign"
            del stay[worst]
            beta, _ = fit_logistic(W[:, stay], bad, self.ridge, counts)
        self.variables_ = tuple(variables[i] for i in stay)
        self.intercept_ = float(beta[0])
        self.coef_ = beta[1:].reshape(1, -1)
        self.lay_out_points()

    def columns(self, X: Any) -> dict[str, Any]:
        """The chosen columns by name, after the usual checks; under "" a column that every input has."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        names = column_names(self)
        return {v: X[:, names.index(v)] for v in self.variables_} | {"": X[:, :1]}

    def decision_function(self, X: Any) -> Any:
        """Log odds of bad, shape (rows,), from unrounded weights."""
        columns = self.columns(X)
        total = np.full(len(columns[""]), self.intercept_)
        for weight, variable in zip(self.coef_[0], self.variables_, strict=True):
            table = self.tables_[variable]
            total += (weight * table.weights)[table.assign(columns[variable])]
        return total

    def predict_proba(self, X: Any) -> Any:
        """Probabilities of good and bad, shape (rows, 2)."""
        bad = 1 / (1 + np.exp(-self.decision_function(X)))
        return np.column_stack([1 - bad, bad])

    def predict(self, X: Any) -> Any:
        """The likelier class, shape (rows,)."""
        log_odds = self.decision_function(X)
        return self.classes_[(log_odds > 0).astype(int)]

    def score_points(self, X: Any) -> Any:
        """The score, shape (rows,): base points plus the points of every variable; high is good."""
        parts = self.contributions(X)
        total = np.full(len(parts), self.points_table_.base)
        # One after the other, as the generated SQL and the scorer of single rows add; numpy's own sum takes pairs.
        for points in parts.T:
            total += points
        return total

    def contributions(self, X: Any) -> Any:
        """Points of each chosen variable, shape (rows, chosen); base points + their sum = the score."""
        columns = self.columns(X)
        table = self.points_table_
        parts = [table.of(v)[self.tables_[v].assign(columns[v])] for v in self.variables_]
        return np.column_stack(parts) if parts else np.zeros((len(columns[""]), 0))

    def reason_codes(self, X: Any, count: int = 3) -> pl.DataFrame:
        """The variables that cost a row the most points, against the population's average (0 points).

        Returns
        -------
        polars.DataFrame of shape (rows, 2 * count)
            ``reason_1``, ``points_1``, ... Most costly first; null where fewer variables cost points.
        """
        import polars as pl

        parts = self.contributions(X)
        order = np.argsort(parts, axis=1, kind="stable")[:, :count]
        names = np.array([*self.variables_, ""], dtype=object)
        out: dict[str, Any] = {}
        for k in range(count):
            if k >= order.shape[1]:
                out[f"reason_{k + 1}"] = [None] * len(parts)
                out[f"points_{k + 1}"] = [None] * len(parts)
                continue
            cost = np.take_along_axis(parts, order[:, k : k + 1], 1)[:, 0]
            out[f"reason_{k + 1}"] = [
                n if c < 0 else None for n, c in zip(names[order[:, k]], cost, strict=True)
            ]
            out[f"points_{k + 1}"] = [float(c) if c < 0 else None for c in cost]
        kinds = {f"reason_{k + 1}": pl.String for k in range(count)} | {
            f"points_{k + 1}": pl.Float64 for k in range(count)
        }
        return pl.DataFrame(out, schema={c: kinds[c] for c in out})

    def to_text(self) -> str:
        """The fitted scorecard as YAML: parameters, bins, weights, points; nothing else is needed to score."""
        check_is_fitted(self)
        parameters = {
            k: v
            for k, v in self.get_params().items()
            if k not in ("monotone", "specials", "threads", "paid_sources")
        }
        return to_yaml(
            {
                "format": FORMAT,
                "parameters": parameters,
                "monotone": dict(self.monotone or {}),
                "specials": [{"value": float(v), "means": m} for v, m in (self.specials or {}).items()],
                "classes": self.classes_.tolist(),
                "intercept": float(self.intercept_),
                "weights": {v: float(c) for v, c in zip(self.variables_, self.coef_[0], strict=True)},
                "points": self.points_table_.as_plain(),
                "bins": BinningTables([self.tables_[v] for v in self.variables_]).as_plain(),
            }
        )

    @classmethod
    def from_text(cls, text: str) -> ScorecardClassifier:
        """A fitted scorecard from the text of :meth:`to_text`; its inputs are the chosen variables, in order.

        Raises
        ------
        ModelError
            If the text is not a scorecard of this format, or its points are not those of its weights.
        """
        plain = from_yaml(text)
        if not isinstance(plain, dict) or plain.get("format") != FORMAT:
            raise ModelError(
                "this text is not a scorecard", rule=f"format: {FORMAT}", fix="load what to_text wrote"
            )
        specials = {float(s["value"]): str(s["means"]) for s in plain["specials"]}
        unknown = sorted(set(plain["parameters"]) - set(cls().get_params()))
        if unknown:
            raise ModelError(
                f"this scorecard was saved with a parameter {unknown[0]!r} that this library does not know",
                field="parameters",
                rule=f"format: {FORMAT}",
                fix="score with the version of bluemirror that trained it, or train anew",
            )
        card = cls(monotone=plain["monotone"] or None, specials=specials or None, **plain["parameters"])
        card.classes_ = np.array(plain["classes"])
        card.tables_ = BinningTables.from_plain(plain["bins"])
        card.variables_ = tuple(plain["weights"])
        card.dropped_ = {}
        card.intercept_ = plain["intercept"]
        card.coef_ = np.array([list(plain["weights"].values())], float).reshape(1, -1)
        card.feature_names_in_ = np.array(card.variables_, dtype=object)
        card.n_features_in_ = len(card.variables_)
        card.lay_out_points()
        if card.points_table_.as_plain() != plain["points"]:
            raise ModelError(
                "the points in this text are not those of its weights",
                field="points",
                rule="points follow from weights, bins and scale",
                fix="load the text that was saved, unchanged",
            )
        return card

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.classifier_tags.multi_class = False
        return tags
