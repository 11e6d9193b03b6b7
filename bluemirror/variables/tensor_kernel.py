"""Which kernel computes a tensor, and what is derived from its values: ratios, shares, the fold from accounts."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bluemirror.compiled import compiled
from bluemirror.variables.cells import FOLDS, NEGLIGIBLE, Cells, Members, Rows
from bluemirror.variables.crossing import Crossing, combined
from bluemirror.variables.declarations import Window, Windows
from bluemirror.variables.grouped import Ints
from bluemirror.variables.loaded import SliceCodes
from bluemirror.variables.operators import OPERATORS, SERIES_DAYS
from bluemirror.variables.ordered_kernel import ORDERED
from bluemirror.variables.plan import Tensor
from bluemirror.variables.series_kernel import SERIES, monthly
from bluemirror.variables.value_kernel import VALUES

Floats = NDArray[np.float64]


class Shard:
    """Computes tensors over the rows of one family in one shard; what tensors share is computed once."""

    def __init__(self, rows: Rows, windows: Windows) -> None:
        self.rows = rows
        self.windows = windows
        self._cells: dict[tuple[str, ...], Cells] = {}
        self._results: dict[tuple[object, ...], Floats] = {}

    def cells(self, tensor: Tensor) -> Cells:
        """The cells of the tensor's cross."""
        names = tuple(one.name for one in tensor.slices)
        if names not in self._cells:
            self._cells[names] = Cells(self.rows, names)
        return self._cells[names]

    def values(self, tensor: Tensor) -> Floats:
        """The tensor's values a unit: (windows or pairs, groups..., units)."""
        if tensor.pairs:
            short = self._aggregate(tensor, tuple(pair[0] for pair in tensor.pairs))
            long = self._aggregate(tensor, tuple(pair[1] for pair in tensor.pairs))
            return _divide(short, long) if tensor.form == "ratio" else _divide(short, _rest(long, short))
        values = self._aggregate(tensor, tensor.windows)
        if tensor.form == "share":
            axis = 1 + next(i for i, one in enumerate(tensor.slices) if one.name == tensor.share)
            groups = tensor.slices[axis - 1].groups
            whole = next(i for i, group in enumerate(groups) if group.is_all)
            parts = [i for i, group in enumerate(groups) if not group.is_all]
            return _divide(np.take(values, parts, axis=axis), np.take(values, [whole], axis=axis))
        return values

    def _aggregate(self, tensor: Tensor, windows: tuple[Window, ...]) -> Floats:
        names = tuple(one.name for one in tensor.slices)
        column = tensor.measure.column
        key = (names, tensor.agg, column, tensor.measure.scale, windows)
        if key not in self._results:
            self._results[key] = self._compute(tensor, windows)
        return self._results[key]

    def _compute(self, tensor: Tensor, windows: tuple[Window, ...]) -> Floats:
        cells, column = self.cells(tensor), tensor.measure.column
        kernel = OPERATORS[tensor.agg].kernel
        if kernel == "series":
            values = self._series(cells, tensor, windows)
        else:
            table = {"fold": FOLDS, "value": VALUES, "ordered": ORDERED}[kernel]
            every = table[tensor.agg](cells, column or "")
            position = {size: index for index, size in enumerate(self.windows.sizes)}
            values = every[[self.rows.windows if one.size is None else position[one.size] for one in windows]]
        if OPERATORS[tensor.agg].unit == "=" and tensor.measure.scale != 1.0:
            return values * tensor.measure.scale
        return values

    def _series(self, cells: Cells, tensor: Tensor, windows: tuple[Window, ...]) -> Floats:
        length = SERIES_DAYS if self.windows.unit == "day" else 1
        months = [int(one.size or 0) // length for one in windows]
        dense = monthly(cells, tensor.measure.of, max(months))
        return np.stack([SERIES[tensor.agg](dense[:count]) for count in months])


def _divide(numerator: Floats, denominator: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(denominator == 0, np.nan, numerator / denominator)


def _rest(whole: Floats, part: Floats) -> Floats:
    """What is left of a sum without a part of it; a rest that is rounding is nothing."""
    rest = whole - part
    return np.where(np.abs(rest) <= NEGLIGIBLE * np.abs(whole), 0.0, rest)


def fold_units(
    values: Floats, owner: Ints, outer: Sequence[SliceCodes], observations: int, over: str
) -> Floats:
    """Fold units into observations for every combination of outer groups: (..., outer groups..., observations).

    ``owner`` (units,) is the observation of each unit. Nulls are left out. Sums and counts of no unit are 0, other
    aggregates null.
    """
    crossing = Crossing.of(outer)
    code = combined(outer, len(owner))
    flat = np.ascontiguousarray(values).reshape(math.prod(values.shape[:-1]), values.shape[-1])
    shape = (len(flat), crossing.groups, observations)
    members = (owner, code, crossing.start, crossing.group)
    if over in ("max", "min"):
        result = np.full(shape, np.nan)
        _fold_ends(result, flat, *members, 1.0 if over == "max" else -1.0)
    else:
        result = np.zeros(shape)
        _fold_sums(result, flat, *members, over == "any")
        if over == "mean":
            count = np.zeros(shape)
            _fold_sums(count, np.where(np.isnan(flat), np.nan, 1.0), *members, False)
            result = _divide(result, count)
    return result.reshape(*values.shape[:-1], *crossing.shape, observations)


@compiled
def _fold_sums(
    result: Floats, values: Floats, owner: Ints, code: Members, start: Members, group: Members, any_: bool
) -> None:
    """Sum the units, or count those above zero: (values, combinations, observations)."""
    for which in range(values.shape[0]):
        for unit in range(values.shape[1]):
            value = values[which, unit]
            if any_:
                value = 1.0 if value > 0 else 0.0
            if not np.isnan(value):
                for place in range(start[code[unit]], start[code[unit] + 1]):
                    result[which, group[place], owner[unit]] += value


@compiled
def _fold_ends(
    result: Floats, values: Floats, owner: Ints, code: Members, start: Members, group: Members, sign: float
) -> None:
    """Keep the greatest (``sign`` 1) or the least (-1) of the units: (values, combinations, observations)."""
    for which in range(values.shape[0]):
        for unit in range(values.shape[1]):
            value = values[which, unit]
            if not np.isnan(value):
                for place in range(start[code[unit]], start[code[unit] + 1]):
                    known = result[which, group[place], owner[unit]]
                    if np.isnan(known) or value * sign > known * sign:
                        result[which, group[place], owner[unit]] = value
