"""The value kernel: distinct counts, concentration and entropy over overlapping groups.

What matters of a (unit, value) pair is, for distinct counts, only the most recent bucket in which a group saw it; for
concentration and entropy, how often each bucket did, or how much of a weight it brought.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bluemirror.variables.cells import Cells, Rows
from bluemirror.variables.grouped import Ints

Floats = NDArray[np.float64]


class Pairs:
    """Distinct (unit, value) pairs of a column in a shard; ``pair`` numbers the pair of each kept row."""

    def __init__(self, rows: Rows, column: str) -> None:
        values = rows.values[column]
        self.kept = np.flatnonzero(values >= 0)
        width = int(values.max(initial=0)) + 1
        keys, self.pair = np.unique(rows.unit[self.kept] * width + values[self.kept], return_inverse=True)
        self.unit: Ints = keys // width
        self.size = len(keys)


def _pairs(cells: Cells, column: str) -> Pairs:
    cache = cells.rows.cache
    if ("pairs", column) not in cache:
        cache["pairs", column] = Pairs(cells.rows, column)
    pairs: Pairs = cache["pairs", column]
    return pairs


def _over_groups(cells: Cells, dense: NDArray[Any], ufunc: np.ufunc) -> NDArray[Any]:
    """Fold the code axes (all but the last) of ``dense`` into groups."""
    for axis, one in enumerate(cells.slices):
        dense = np.stack(
            [ufunc.reduce(np.take(dense, codes, axis=axis), axis=axis) for codes in one.members], axis=axis
        )
    return dense


def _codes(cells: Cells, kept: Ints) -> tuple[Ints, tuple[int, ...]]:
    code: Ints = np.zeros(len(kept), dtype=np.int64)
    for one in cells.slices:
        code = code * one.size + one.code[kept]
    return code, tuple(one.size for one in cells.slices)


def distinct(cells: Cells, column: str) -> Floats:
    """Number of distinct values: (windows + 1, groups..., units)."""
    rows, pairs = cells.rows, _pairs(cells, column)
    code, sizes = _codes(cells, pairs.kept)
    never = rows.windows + 1
    newest = np.full((int(np.prod(sizes)), pairs.size), never, dtype=np.int64)
    np.minimum.at(newest, (code, pairs.pair), rows.bucket[pairs.kept])
    grouped = _over_groups(cells, newest.reshape(*sizes, pairs.size), np.minimum)
    groups = grouped.shape[:-1]
    flat = grouped.reshape(math.prod(groups), pairs.size)
    result = np.empty((len(flat), rows.windows + 1, rows.units))
    for position, bucket in enumerate(flat):
        counted = np.bincount(bucket * rows.units + pairs.unit, minlength=(never + 1) * rows.units)
        result[position] = np.cumsum(counted.reshape(never + 1, rows.units)[:never], axis=0)
    return np.moveaxis(result, 1, 0).reshape(never, *groups, rows.units)


Term = Callable[[Floats, Floats, Ints], Floats]


def _weights(rows: Rows, by: str, kept: Ints) -> Floats | None:
    """The weight of each kept row, 0 where it has none or less; None where rows are counted."""
    if not by:
        return None
    weight = rows.numbers[by][kept]
    return np.where(weight > 0, weight, 0.0)


def _spread(cells: Cells, column: str, term: Term) -> Floats:
    """Sum over values of ``term(count, total, unit)``: (windows + 1, groups..., units); nan where there is no row.

    ``column`` names the values, or ``values|weights``.
    """
    of, _, by = column.partition("|")
    rows, pairs = cells.rows, _pairs(cells, of)
    code, sizes = _codes(cells, pairs.kept)
    shape = (*sizes, rows.windows + 1, pairs.size)
    flat = (code * (rows.windows + 1) + rows.bucket[pairs.kept]) * pairs.size + pairs.pair
    weights = _weights(rows, by, pairs.kept)
    dense = np.bincount(flat, weights, minlength=int(np.prod(shape))).reshape(shape).astype(np.float64)
    grouped = np.cumsum(_over_groups(cells, dense, np.add), axis=-2)
    counts = grouped.reshape(math.prod(grouped.shape[:-1]), pairs.size)
    result = np.empty((len(counts), rows.units))
    for position, count in enumerate(counts):
        total: Floats = np.bincount(pairs.unit, weights=count, minlength=rows.units).astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = term(count, total[pairs.unit], pairs.unit)
        summed = np.bincount(pairs.unit, weights=np.where(count > 0, terms, 0.0), minlength=rows.units)
        result[position] = np.where(total > 0, summed, np.nan)
    shaped = result.reshape(*grouped.shape[:-1], rows.units)
    return np.moveaxis(shaped, -2, 0)


def hhi(cells: Cells, column: str) -> Floats:
    """Herfindahl-Hirschman index: sum of squared shares of the values, 1 when there is one value."""
    return _spread(cells, column, lambda count, total, _: (count / total) ** 2)


def entropy(cells: Cells, column: str) -> Floats:
    """Shannon entropy of the shares of the values, in nats; 0 when there is one value."""
    return _spread(cells, column, lambda count, total, _: -(count / total) * np.log(count / total))


def _top(size: int) -> Callable[[Cells, str], Floats]:
    """Share of the ``size`` largest values of each unit."""

    def largest(count: Floats, total: Floats, unit: Ints) -> Floats:
        order = np.lexsort((-count, unit))
        first = np.searchsorted(unit, unit)
        among = np.empty(len(count), dtype=bool)
        among[order] = np.arange(len(count)) - first < size
        return np.where(among, count / total, 0.0)

    return lambda cells, column: _spread(cells, column, largest)


VALUES: dict[str, Callable[[Cells, str], Floats]] = {
    "distinct": distinct,
    "hhi": hhi,
    "entropy": entropy,
    "top1": _top(1),
    "top3": _top(3),
    "top5": _top(5),
    "top10": _top(10),
}
"""Aggregates of the value kernel."""
