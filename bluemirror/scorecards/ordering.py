"""Bins whose bad rates are ordered in every period, not only overall.

Neighbouring bins are merged, the worst offence first, until the bad rates of all bins go one way in each period. What
looked like a step and was one period's luck, or turned round later, is gone; what remains can be explained anytime.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.scorecards.binning_table import BinningTable


def ordered_edges(
    values: Any, bad: Any, period: Any, edges: Any, direction: int = 0, tolerance: float = 0.0
) -> Any:
    """The edges that are left.

    Parameters
    ----------
    values, bad, period
        Shape (rows,): numbers without missing ones, True for bad, whole numbers.
    edges
        Ascending inner edges.
    direction
        1 if the bad rate rises with the value, -1 if it falls, 0: whichever it does overall.
    tolerance
        Standard errors by which a step within one period may go the wrong way; 0: none may. Overall none may.

    Returns
    -------
    Some of ``edges``; none if no cut is ordered in every period.
    """
    edges = np.asarray(edges, float)
    if not edges.size or not values.size:
        return edges
    code = np.searchsorted(edges, values, side="left")
    part = np.unique(period, return_inverse=True)[1]
    shape = (int(part.max()) + 1, edges.size + 1)
    flat = part * shape[1] + code
    rows = np.bincount(flat, minlength=shape[0] * shape[1]).reshape(shape).astype(float)
    bads = np.bincount(flat, weights=bad, minlength=shape[0] * shape[1]).reshape(shape)
    # The whole is one more period, and no tolerance holds for it.
    rows, bads = np.vstack([rows, rows.sum(0)]), np.vstack([bads, bads.sum(0)])
    allowed = np.r_[np.full(shape[0], tolerance), 0.0]
    way = direction or _way(rows[-1], bads[-1])
    keep = edges.tolist()
    while keep:
        wrong = _wrong_steps(rows, bads, way, allowed)
        if not wrong.any():
            break
        worst = int(np.argmax(wrong))
        rows, bads = _merged(rows, worst), _merged(bads, worst)
        del keep[worst]
    return np.array(keep)


def _way(rows: Any, bads: Any) -> int:
    rate = bads / np.maximum(rows, 1)
    place = np.arange(rows.size)
    mean = np.average(rate, weights=rows)
    slope = (rows * (rate - mean) * (place - np.average(place, weights=rows))).sum()
    return 1 if slope >= 0 else -1


def _wrong_steps(rows: Any, bads: Any, way: int, allowed: Any) -> Any:
    """Shape (edges,): by how many standard errors in all the step over each edge goes the wrong way."""
    rate = bads / np.maximum(rows, 1)
    step = way * np.diff(rate, axis=1)
    left, right = rows[:, :-1], rows[:, 1:]
    both = (left > 0) & (right > 0)
    pooled = (bads[:, :-1] + bads[:, 1:]) / np.maximum(left + right, 1)
    variance = pooled * (1 - pooled) * (1 / np.maximum(left, 1) + 1 / np.maximum(right, 1))
    # Equal rates are no order, but no offence either; a step against the way always has a spread.
    error = np.where(both & (step < 0), -step / np.sqrt(np.maximum(variance, 1e-300)), 0.0)
    return np.where(error > allowed[:, None], error, 0.0).sum(0)


def _merged(counts: Any, place: int) -> Any:
    out = np.delete(counts, place + 1, axis=1)
    out[:, place] += counts[:, place + 1]
    return out


def by_period(table: BinningTable, values: Any, bad: Any, period: Any) -> pl.DataFrame:
    """Rows and bad rate of each bin in each period: period, bin, rows, share, bad_rate; arrays of shape (rows,)."""
    import polars as pl

    labels = [b.label for b in table.bins]
    frame = pl.DataFrame({"period": period, "code": table.assign(values), "bad": np.asarray(bad, float)})
    counted = frame.group_by("period", "code").agg(rows=pl.len(), bad_rate=pl.col("bad").mean())
    return (
        counted.sort("period", "code")
        .with_columns(
            bin=pl.Series([labels[c] for c in counted.sort("period", "code")["code"]]),
            share=pl.col("rows") / pl.col("rows").sum().over("period"),
        )
        .select("period", "bin", "rows", "share", "bad_rate")
    )
