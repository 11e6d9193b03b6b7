"""Optimal binning of numeric variables into weights of evidence, as a scikit-learn transformer."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import ClassifierTags, Tags
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from bluemirror.scorecards.binning_table import INTERVAL, MISSING, SPECIAL, Bin, BinningTable, BinningTables
from bluemirror.scorecards.measures import information_value, woe
from bluemirror.scorecards.ordering import ordered_edges

TRENDS = {1: "ascending", -1: "descending", 0: "auto"}
MIN_SPECIAL_ROWS = 30
"""A special or missing bin with fewer training rows says nothing yet: WOE 0."""


class WoeBinner(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Cut every column into a few monotone bins and replace values by the bins' weights of evidence.

    The cuts are OptBinning's (the split of largest IV under the constraints, Navas-Palencia 2020,
    arXiv:2001.08025). Missing values are a bin of their own, and so is each special value, such as the code of a
    reason why a value is missing.

    Parameters
    ----------
    max_bins : int
        At most so many intervals a variable.
    min_share : float
        Each interval holds at least this share of the rows that have a value.
    monotone : mapping of column name to 1 or -1, or None
        1: the bad rate rises with the value; -1: it falls. Columns not named are monotone in the direction that
        fits better.
    specials : mapping of float to str, or None
        Values that are codes rather than numbers, with their meaning.
    threads : int
        Columns binned at a time; the result does not depend on it.
    order_tolerance : float
        Where ``fit`` is told of periods: standard errors by which the bad rate may go the wrong way from a bin to the
        next within one period (see ``ordering``).

    Attributes
    ----------
    tables_ : BinningTables
        The fitted bins by column name.
    classes_ : array of shape (2,)
        The labels; the second is bad.
    """

    def __init__(
        self,
        max_bins: int = 6,
        min_share: float = 0.05,
        monotone: Mapping[str, int] | None = None,
        specials: Mapping[float, str] | None = None,
        threads: int = 2,
        order_tolerance: float = 0.0,
    ) -> None:
        self.max_bins = max_bins
        self.min_share = min_share
        self.monotone = monotone
        self.specials = specials
        self.threads = threads
        self.order_tolerance = order_tolerance

    def fit(self, X: Any, y: Any, period: Any = None) -> WoeBinner:
        """Find the bins.

        Parameters
        ----------
        X : array or frame of shape (rows, columns)
            Numbers; NaN is missing.
        y : array of shape (rows,)
            Two classes; the one that sorts second is bad.
        period : array of shape (rows,) or None
            Whole numbers, such as quarters: bins are merged until their bad rates are ordered in each.

        Raises
        ------
        ValueError
            If ``y`` has not exactly two classes, or ``X`` is not numeric or holds infinities.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_all_finite="allow-nan")
        self.classes_, bad = two_classes(y)
        names = column_names(self)
        monotone = self.monotone or {}
        specials = dict(self.specials or {})

        def one(i: int) -> BinningTable:
            return bin_column(
                names[i],
                X[:, i],
                bad,
                self.max_bins,
                self.min_share,
                monotone.get(names[i], 0),
                specials,
                None if period is None else np.asarray(period),
                self.order_tolerance,
            )

        if self.threads > 1 and len(names) > 1:
            with ThreadPoolExecutor(self.threads) as pool:
                tables = list(pool.map(one, range(len(names))))
        else:
            tables = [one(i) for i in range(len(names))]
        self.tables_ = BinningTables(tables)
        return self

    def transform(self, X: Any) -> Any:
        """Weights of evidence, shape (rows, columns); columns as in ``fit``."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        return np.column_stack([t.woe(X[:, i]) for i, t in enumerate(self.tables_.values())])

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.required = True
        tags.classifier_tags = ClassifierTags(multi_class=False)
        return tags


def two_classes(y: Any) -> tuple[Any, Any]:
    """The two classes, sorted, and an array that is True where ``y`` is the second.

    Raises
    ------
    ValueError
        For any other number of classes, or a target that is not discrete.
    """
    check_classification_targets(y)
    kind = type_of_target(y, input_name="y", raise_unknown=True)
    classes = np.unique(y)
    if kind != "binary":
        raise ValueError(f"Only binary classification is supported. The type of the target is {kind}.")
    if classes.size < 2:
        raise ValueError("Classifier can't train when only one class is present: y must hold goods and bads.")
    return classes, np.asarray(y) == classes[1]


def column_names(estimator: Any) -> list[str]:
    """The column names seen in fit, or x0, x1, ... for arrays."""
    named = getattr(estimator, "feature_names_in_", None)
    return (
        [str(n) for n in named] if named is not None else [f"x{i}" for i in range(estimator.n_features_in_)]
    )


def bin_column(
    name: str,
    values: Any,
    bad: Any,
    max_bins: int,
    min_share: float,
    direction: int,
    specials: Mapping[float, str],
    period: Any = None,
    tolerance: float = 0.0,
) -> BinningTable:
    """Bin one column; ``values``, ``bad`` and ``period`` of shape (rows,), ``direction`` 1, -1 or 0 (either)."""
    is_special = np.isin(values, np.array(list(specials), float)) if specials else np.zeros(values.size, bool)
    missing = np.isnan(values)
    plain = ~(is_special | missing)
    edges = optimal_edges(values[plain], bad[plain], max_bins, min_share, direction)
    if period is not None:
        edges = ordered_edges(values[plain], bad[plain], period[plain], edges, direction, tolerance)
    code = np.searchsorted(edges, values[plain], side="left")
    rows = list(np.bincount(code, minlength=edges.size + 1))
    bads = list(np.bincount(code, weights=bad[plain], minlength=edges.size + 1).astype(int))
    ends = [None, *edges.tolist(), None]
    kinds: list[dict[str, Any]] = [
        {"kind": INTERVAL, "label": interval_label(ends[i], ends[i + 1]), "low": ends[i], "high": ends[i + 1]}
        for i in range(edges.size + 1)
    ]
    for value, meaning in specials.items():
        rows.append(int((values == value).sum()))
        bads.append(int(bad[values == value].sum()))
        kinds.append({"kind": SPECIAL, "label": meaning, "value": float(value)})
    rows.append(int(missing.sum()))
    bads.append(int(bad[missing].sum()))
    kinds.append({"kind": MISSING, "label": "missing"})
    counted, bad_counts = np.array(rows), np.array(bads)
    weights = woe(counted - bad_counts, bad_counts)
    for i, kind in enumerate(kinds):
        if kind["kind"] != INTERVAL and counted[i] < MIN_SPECIAL_ROWS:
            weights[i] = 0.0
    iv = float(information_value(counted - bad_counts, bad_counts))
    bins = tuple(
        Bin(rows=int(n), bads=int(b), woe=float(w), **k)
        for n, b, w, k in zip(counted, bad_counts, weights, kinds, strict=True)
    )
    return BinningTable(name, trend_of(weights[: edges.size + 1]), iv, bins)


def optimal_edges(values: Any, bad: Any, max_bins: int, min_share: float, direction: int) -> Any:
    """Inner edges of the binning of largest IV under the constraints; empty if there is nothing to cut."""
    if values.size < 2 or not bad.any() or bad.all() or values.min() == values.max():
        return np.empty(0)
    from optbinning import OptimalBinning

    found = OptimalBinning(
        max_n_bins=max_bins,
        min_bin_size=min_share,
        monotonic_trend={1: "ascending", -1: "descending"}.get(direction, "auto_asc_desc"),
        time_limit=10,
    ).fit(values, bad.astype(int))
    # OptBinning's intervals are low <= value < high; ours are low < value <= high, as is usual on a scorecard
    return np.nextafter(np.asarray(found.splits, float), -np.inf)


def trend_of(weights: Any) -> str:
    """Where the bad rate goes as the value rises: ascending, descending, flat or mixed; weights (intervals,)."""
    steps = np.diff(weights)
    if not steps.size:
        return "flat"
    return "ascending" if (steps <= 0).all() else "descending" if (steps >= 0).all() else "mixed"


def interval_label(low: float | None, high: float | None) -> str:
    """How an interval is written, six digits of each end."""
    if low is None and high is None:
        return "any value"
    if low is None:
        return f"<= {high:.6g}"
    return f"> {low:.6g}" if high is None else f"{low:.6g} to {high:.6g}"
