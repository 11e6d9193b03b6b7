"""The value kernel: distinct counts, concentration and entropy over overlapping groups.

What matters of a (unit, value) pair is, for distinct counts, only the most recent bucket in which a group saw it; for
concentration and entropy, how often each bucket did, or how much of a weight it brought.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bluemirror.compiled import compiled
from bluemirror.variables.cells import Cells, Members, Rows, running
from bluemirror.variables.grouped import Ints

Floats = NDArray[np.float64]


SPARSE = 64
"""Numbers a row from which the numbers of values are worth making small."""


class Pairs:
    """Distinct (unit, value) pairs of a column in a shard.

    ``of`` (rows,) numbers the pair of each row, -1 where the value is null; ``unit`` (pairs,) is ascending.
    """

    def __init__(self, rows: Rows, column: str) -> None:
        values = rows.values[column]
        if int(values.max(initial=-1)) >= SPARSE * (len(values) + 1):
            # Few rows of a large table: its numbers are made small, so that nobody waits for room that stays empty.
            distinct, small = np.unique(values, return_inverse=True)
            values = (small - np.searchsorted(distinct, 0)).astype(np.int32)
        self.of = np.empty(len(values), dtype=np.int32)
        unit = np.empty(len(values), dtype=np.int32)
        known = np.full(int(values.max(initial=-1)) + 1, -1, dtype=np.int32)
        self.size = _number_pairs(values, rows.unit, known, self.of, unit)
        self.unit = unit[: self.size]


@compiled
def _number_pairs(values: Members, unit: Ints, known: Members, pair: Members, pair_unit: Members) -> int:
    """Number the pairs in the order of the rows; ``known`` (values,) holds the newest pair of each value."""
    size = 0
    for row in range(len(unit)):
        value = values[row]
        if value < 0:
            pair[row] = -1
            continue
        # Rows of a unit stand together: a pair of another unit is an old one.
        if known[value] < 0 or pair_unit[known[value]] != unit[row]:
            known[value] = size
            pair_unit[size] = unit[row]
            size += 1
        pair[row] = known[value]
    return size


def _pairs(cells: Cells, column: str) -> Pairs:
    cache = cells.rows.cache
    if ("pairs", column) not in cache:
        cache["pairs", column] = Pairs(cells.rows, column)
    pairs: Pairs = cache["pairs", column]
    return pairs


def distinct(cells: Cells, column: str) -> Floats:
    """Number of distinct values: (windows + 1, groups..., units)."""
    rows, pairs = cells.rows, _pairs(cells, column)
    never = rows.windows + 1
    newest = np.full((cells.crossing.groups, pairs.size), never, dtype=np.int16)
    _newest_buckets(newest, rows.bucket, pairs.of, cells.code, *cells.members)
    result = cells.empty(0.0)
    _count_newest(result, newest, pairs.unit)
    return cells.shaped(running(np.add, result))


@compiled
def _newest_buckets(
    newest: NDArray[np.int16], bucket: Ints, pair: Members, code: Members, start: Members, group: Members
) -> None:
    """Most recent bucket in which each combination of groups saw each pair: (combinations, pairs)."""
    for row in range(len(pair)):
        if pair[row] >= 0:
            for place in range(start[code[row]], start[code[row] + 1]):
                newest[group[place], pair[row]] = min(newest[group[place], pair[row]], bucket[row])


@compiled
def _count_newest(result: Floats, newest: NDArray[np.int16], unit: Members) -> None:
    """Count the pairs by their most recent bucket: (windows + 1, combinations, units)."""
    for combination in range(newest.shape[0]):
        for pair in range(newest.shape[1]):
            bucket = newest[combination, pair]
            if bucket < result.shape[0]:
                result[bucket, combination, unit[pair]] += 1.0


def _spread(measure: int) -> Callable[[Cells, str], Floats]:
    """HHI (:data:`HHI`), entropy (:data:`ENTROPY`) or the share of the ``measure`` largest values."""

    def compute(cells: Cells, column: str) -> Floats:
        """(windows + 1, groups..., units), nan where there is no row; of ``values`` or ``values|weights``."""
        of, _, by = column.partition("|")
        rows, pairs = cells.rows, _pairs(cells, of)
        weights = rows.numbers[by] if by else np.ones(len(rows.unit))
        often = np.zeros((rows.windows + 1, cells.crossing.groups, pairs.size))
        _weigh_pairs(often, rows.bucket, pairs.of, cells.code, *cells.members, weights)
        running(np.add, often)
        result = cells.empty(np.nan)
        _spread_pairs(result, often, pairs.unit, measure)
        return cells.shaped(result)

    return compute


HHI, ENTROPY = 0, -1


@compiled
def _weigh_pairs(
    often: Floats, bucket: Ints, pair: Members, code: Members, start: Members, group: Members, weights: Floats
) -> None:
    """Sum the weights of each pair, what is not above zero aside: (windows + 1, combinations, pairs)."""
    for row in range(len(pair)):
        if pair[row] >= 0 and weights[row] > 0:
            for place in range(start[code[row]], start[code[row] + 1]):
                often[bucket[row], group[place], pair[row]] += weights[row]


@compiled
def _spread_pairs(result: Floats, often: Floats, unit: Members, measure: int) -> None:
    """How a unit's weight spreads over its values: (windows + 1, combinations, units)."""
    rest = np.empty(len(unit))
    for window in range(often.shape[0]):
        for combination in range(often.shape[1]):
            first = 0
            while first < len(unit):
                last, total = first, 0.0
                while last < len(unit) and unit[last] == unit[first]:
                    total += often[window, combination, last]
                    last += 1
                if total > 0:
                    spread = 0.0
                    if measure > 0:
                        for pair in range(first, last):
                            rest[pair] = often[window, combination, pair]
                        for _ in range(min(measure, last - first)):
                            largest = first
                            for pair in range(first + 1, last):
                                if rest[pair] > rest[largest]:
                                    largest = pair
                            spread += rest[largest] / total
                            rest[largest] = 0.0
                    else:
                        for pair in range(first, last):
                            share = often[window, combination, pair] / total
                            if share > 0:
                                spread += share * share if measure == HHI else -share * np.log(share)
                    result[window, combination, unit[first]] = spread
                first = last


VALUES: dict[str, Callable[[Cells, str], Floats]] = {
    # Herfindahl-Hirschman index: sum of squared shares of the values, 1 when there is one value.
    "hhi": _spread(HHI),
    # Shannon entropy of the shares of the values, in nats; 0 when there is one value.
    "entropy": _spread(ENTROPY),
    "distinct": distinct,
    "top1": _spread(1),
    "top3": _spread(3),
    "top5": _spread(5),
}
"""Aggregates of the value kernel."""
