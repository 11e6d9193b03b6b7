"""What follows from bins: counts, weights of evidence, weights, points, computed anew for other edges or other rows.

The chosen variables stay. Used after bins were edited by hand, for rows that count more or less than once (rejected
applicants whose outcome is inferred), and wherever the same card is to be fitted on other rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from bluemirror.errors import ModelError
from bluemirror.scorecards.binning_table import (
    INTERVAL,
    MISSING,
    SPECIAL,
    Bin,
    BinningTable,
    BinningTables,
    from_yaml,
    to_yaml,
)

if TYPE_CHECKING:
    from bluemirror.scorecards.scorecard import ScorecardClassifier

EDGES_FORMAT = "bluemirror edges 1"


def refit(
    card: ScorecardClassifier,
    X: Any,
    y: Any,
    *,
    edges: Mapping[str, Sequence[float]] | None = None,
    weight: Any = None,
) -> ScorecardClassifier:
    """The card with the same variables, fitted on ``X``, ``y``.

    Parameters
    ----------
    card
        A fitted scorecard; it is not changed.
    X
        Rows with the card's inputs.
    y
        Shape (rows,), the card's classes.
    edges
        Variable to its inner edges, where they change; as :func:`edges_from_text` reads them.
    weight
        Shape (rows,): how often each row counts; None: once.

    Returns
    -------
    A fitted scorecard. A variable whose weight has the wrong sign on these rows is out, as in ``fit``, and stands in
    ``dropped_``.

    Raises
    ------
    ModelError
        If edges of a variable are not ascending, or belong to none of the card's.
    """
    from sklearn.base import clone

    columns = card.columns(X)
    bad = np.asarray(y) == card.classes_[1]
    counts = np.ones(bad.size) if weight is None else np.asarray(weight, float)
    _check_edges(edges or {}, card)
    tables = {
        v: recounted(card.tables_[v], columns[v], bad, counts, (edges or {}).get(v)) for v in card.variables_
    }
    made = clone(card)
    made.classes_ = card.classes_
    made.n_features_in_ = card.n_features_in_
    if hasattr(card, "feature_names_in_"):
        made.feature_names_in_ = card.feature_names_in_
    made.tables_ = BinningTables([tables.get(t.variable, t) for t in card.tables_.values()])
    made.dropped_ = dict(card.dropped_)
    W = np.column_stack([tables[v].woe(columns[v]) for v in card.variables_]) if tables else None
    made.reweigh(card.variables_, W, bad, counts)
    return made


def recounted(
    table: BinningTable, values: Any, bad: Any, weight: Any, edges: Sequence[float] | None = None
) -> BinningTable:
    """A table with the counts, weights of evidence and information value of other rows; all arrays (rows,)."""
    from bluemirror.scorecards.binning import MIN_SPECIAL_ROWS, interval_label, trend_of
    from bluemirror.scorecards.measures import information_value, woe

    inner = list(table.edges if edges is None else map(float, edges))
    ends = [None, *inner, None]
    intervals = [
        Bin(INTERVAL, interval_label(low, high), 0, 0, 0.0, low=low, high=high)
        for low, high in pairwise(ends)
    ]
    others = [b for b in table.bins if b.kind in (SPECIAL, MISSING)]
    draft = BinningTable(table.variable, table.trend, 0.0, (*intervals, *others))
    code = draft.assign(values)
    rows = np.bincount(code, weights=weight, minlength=len(draft.bins))
    bads = np.bincount(code, weights=weight * bad, minlength=len(draft.bins))
    weights = woe(rows - bads, bads)
    few = np.array([b.kind != INTERVAL for b in draft.bins]) & (rows < MIN_SPECIAL_ROWS)
    weights[few] = 0.0
    bins = tuple(
        Bin(b.kind, b.label, round(n), round(m), float(w), b.low, b.high, b.value)
        for b, n, m, w in zip(draft.bins, rows, bads, weights, strict=True)
    )
    return BinningTable(
        table.variable,
        trend_of(weights[: len(intervals)]),
        float(information_value(rows - bads, bads)),
        bins,
    )


def edges_to_text(tables: BinningTables, variables: Sequence[str] | None = None) -> str:
    """The edges as YAML to edit by hand, beside each variable what its bins are now.

    Remove an edge to merge two bins, add one to split a bin, move one; then :func:`edges_from_text` and
    :func:`refit`. Comments are not read back.
    """
    lines = [
        f"format: {EDGES_FORMAT}",
        "# low < value <= high; missing values and their reasons keep bins of their own",
    ]
    for name in variables or tuple(tables):
        table = tables[name]
        lines += ["", f"# {name}: IV {table.iv:.3f}, {table.trend}"]
        lines += [
            f"#   {b.label:<28} {b.rows:>9,} rows {b.bads / b.rows if b.rows else 0:>7.2%} bad  woe {b.woe:+.3f}"
            for b in table.bins
        ]
        lines.append(to_yaml({name: list(table.edges)}).rstrip())
    return "\n".join(lines) + "\n"


def edges_from_text(text: str) -> dict[str, tuple[float, ...]]:
    """Variable to edges, as :func:`edges_to_text` wrote them or somebody changed them.

    Raises
    ------
    ModelError
        If the text is not of this format, or edges are not ascending numbers.
    """
    plain = from_yaml(text)
    if not isinstance(plain, dict) or plain.pop("format", None) != EDGES_FORMAT:
        raise ModelError(
            "this text does not hold edges",
            rule=f"format: {EDGES_FORMAT}",
            fix="edit what edges_to_text wrote",
        )
    found = {}
    for name, edges in plain.items():
        numbers = isinstance(edges, list) and all(
            isinstance(e, int | float) and not isinstance(e, bool) for e in edges
        )
        if not numbers:
            raise _wrong_edges(str(name))
        found[str(name)] = tuple(float(e) for e in edges)
    for name, inner in found.items():
        if list(inner) != sorted(set(inner)) or not all(map(np.isfinite, inner)):
            raise _wrong_edges(name)
    return found


def _wrong_edges(name: str) -> ModelError:
    return ModelError(
        f"the edges of {name} are not ascending numbers",
        field=name,
        rule="a list of finite numbers, each above the one before; [] for one bin",
        fix=f"write {name}: [1.0, 2.5]",
    )


def _check_edges(edges: Mapping[str, Sequence[float]], card: ScorecardClassifier) -> None:
    for name, inner in edges.items():
        if name not in card.variables_:
            raise ModelError(
                f"{name} is not on this scorecard",
                field=name,
                rule=f"edges of {', '.join(card.variables_)}",
                fix="remove it, or correct the name",
            )
        if list(inner) != sorted(set(inner)):
            raise _wrong_edges(name)
