"""Which kernel computes a tensor, and what is derived from its values: ratios, shares, the fold from accounts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bluemirror.compiled import compiled
from bluemirror.variables.cells import FOLDS, NEGLIGIBLE, Cells, Members, Rows
from bluemirror.variables.crossing import Crossing, combined
from bluemirror.variables.declarations import Family, Window, Windows
from bluemirror.variables.grouped import Ints
from bluemirror.variables.loaded import SliceCodes
from bluemirror.variables.operators import OPERATORS, SERIES_DAYS
from bluemirror.variables.ordered_kernel import ORDERED
from bluemirror.variables.plan import Tensor, tensors
from bluemirror.variables.series_kernel import SERIES, monthly
from bluemirror.variables.value_kernel import VALUES

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """One aggregate of a tensor for some windows.

    Attributes
    ----------
    key
        What it depends on: equal parts of a shard are computed once.
    windows
        Places of the windows among those of the family, as a slice where they stand together.
    months
        Of a series: how many months each window has.
    """

    key: int
    windows: slice | list[int]
    months: tuple[int, ...]


class Way:
    """How a tensor is computed over the rows of its family; worked out once, because shards may be small.

    Attributes
    ----------
    tensor, slices
        The tensor, and the names of its cross.
    parts
        Its one aggregate, or the short and the long one of its pairs of windows.
    scale
        By which its values are multiplied; None for 1 and for what has no unit of the column.
    share
        Axis of the slice of a share, places of its parts and of the whole.
    """

    __slots__ = ("column", "kernel", "parts", "scale", "share", "slices", "tensor")

    def __init__(self, tensor: Tensor, windows: Windows, keys: dict[object, int]) -> None:
        self.tensor = tensor
        self.slices = tuple(one.name for one in tensor.slices)
        self.column = tensor.measure.column
        operator = OPERATORS[tensor.agg]
        self.kernel = operator.kernel
        scaled = operator.unit == "=" and tensor.measure.scale != 1.0
        self.scale = tensor.measure.scale if scaled else None
        asked = (
            (tuple(pair[0] for pair in tensor.pairs), tuple(pair[1] for pair in tensor.pairs))
            if tensor.pairs
            else (tensor.windows,)
        )
        self.parts = tuple(self._part(one, windows, keys) for one in asked)
        self.share: tuple[int, list[int], list[int]] | None = None
        if tensor.form == "share":
            axis = 1 + next(i for i, one in enumerate(tensor.slices) if one.name == tensor.share)
            groups = tensor.slices[axis - 1].groups
            whole = next(i for i, group in enumerate(groups) if group.is_all)
            self.share = axis, [i for i, group in enumerate(groups) if not group.is_all], [whole]

    def _part(self, asked: tuple[Window, ...], windows: Windows, keys: dict[object, int]) -> Part:
        position = {size: index for index, size in enumerate(windows.sizes)}
        places = [len(windows.sizes) if one.size is None else position[one.size] for one in asked]
        together = places == list(range(places[0], places[0] + len(places)))
        key = (self.slices, self.tensor.agg, self.column, self.tensor.measure.scale, asked)
        length = SERIES_DAYS if windows.unit == "day" else 1
        return Part(
            keys.setdefault(key, len(keys)),
            slice(places[0], places[0] + len(places)) if together else places,
            tuple(int(one.size or 0) // length for one in asked),
        )


def ways(family: Family) -> tuple[Way, ...]:
    """The tensors of a family, ready to be computed."""
    keys: dict[object, int] = {}
    return tuple(Way(tensor, family.windows, keys) for tensor in tensors(family))


class Shard:
    """Computes tensors over the rows of one family in one shard; what tensors share is computed once."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self._cells: dict[tuple[str, ...], Cells] = {}
        self._results: dict[int, Floats] = {}

    def cells(self, slices: tuple[str, ...]) -> Cells:
        """The cells of a cross."""
        if slices not in self._cells:
            self._cells[slices] = Cells(self.rows, slices)
        return self._cells[slices]

    def values(self, way: Way) -> Floats:
        """A tensor's values a unit: (windows or pairs, groups..., units)."""
        if len(way.parts) > 1:
            short, long = (self._aggregate(way, part) for part in way.parts)
            return _divide(short, long) if way.tensor.form == "ratio" else _divide(short, _rest(long, short))
        values = self._aggregate(way, way.parts[0])
        if way.share is not None:
            axis, parts, whole = way.share
            return _divide(np.take(values, parts, axis=axis), np.take(values, whole, axis=axis))
        return values

    def _aggregate(self, way: Way, part: Part) -> Floats:
        if part.key not in self._results:
            self._results[part.key] = self._compute(way, part)
        return self._results[part.key]

    def _compute(self, way: Way, part: Part) -> Floats:
        cells = self.cells(way.slices)
        if way.kernel == "series":
            dense = monthly(cells, way.tensor.measure.of, max(part.months))
            values = np.stack([SERIES[way.tensor.agg](dense[:count]) for count in part.months])
        else:
            values = KERNELS[way.kernel][way.tensor.agg](cells, way.column or "")[part.windows]
        return values if way.scale is None else values * way.scale


KERNELS = {"fold": FOLDS, "value": VALUES, "ordered": ORDERED}


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
