"""Tensors: what one kernel yields for one measure over one cross, as an array of windows, groups and observations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bluemirror.errors import FamilyError
from bluemirror.variables.declarations import Family, Group, Measure, Slice, Window
from bluemirror.variables.operators import OPERATORS, SERIES_DAYS


@dataclass(frozen=True, slots=True)
class Tensor:
    """The values of one measure's aggregate over one cross: axes windows x groups x (outer groups) x observations.

    ``form`` is ``value``, ``ratio`` or ``growth`` (the window axis holds short/long pairs: short over long, or over
    the rest of long) or ``share`` (of the slice ``share``).
    """

    measure: Measure
    agg: str
    slices: tuple[Slice, ...]
    windows: tuple[Window, ...]
    form: str = "value"
    pairs: tuple[tuple[Window, Window], ...] = ()
    share: str | None = None
    over: str | None = None
    outer: tuple[Slice, ...] = ()

    @property
    def group_axes(self) -> tuple[tuple[Group, ...], ...]:
        """Groups of each row slice; the axis of a share leaves out the group of all rows."""
        return tuple(
            tuple(group for group in one.groups if not (group.is_all and one.name == self.share))
            for one in self.slices
        )


def tensors(family: Family) -> tuple[Tensor, ...]:
    """Every tensor of ``family``, in the order in which its variables are listed."""
    result: list[Tensor] = []
    outers = family.per.crosses if family.per else ((),)
    for measure in family.measures:
        for agg in measure.aggs:
            windows = _windows(family, measure, agg)
            if not windows:
                continue
            for cross in family.crosses if measure.crosses is None else measure.crosses:
                slices = tuple(family.slice(name) for name in cross)
                for outer_cross in outers:
                    outer = tuple(
                        next(one for one in family.per.slices if one.name == name)  # type: ignore[union-attr]
                        for name in outer_cross
                    )
                    result.extend(
                        Tensor(measure, agg, slices, windows, over=over, outer=outer)
                        for over in measure.over or (None,)
                    )
                    if family.per is None:
                        result.extend(_derived(measure, agg, slices, windows))
    return tuple(result)


def _windows(family: Family, measure: Measure, agg: str) -> tuple[Window, ...]:
    """The windows that one aggregate is asked for."""
    members = family.windows.members
    if measure.windows is not None:
        members = tuple(one for one in members if one.size in measure.windows)
    elif agg in ("since_last", "since_first"):
        return (Window(family.windows.unit, None, family.windows.forward),)
    if OPERATORS[agg].kernel == "series":
        length = SERIES_DAYS if family.windows.unit == "day" else 1
        members = tuple(
            one
            for one in members
            if one.size is not None and one.size >= 2 * length and one.size % length == 0
        )
    return members


def _derived(
    measure: Measure, agg: str, slices: tuple[Slice, ...], windows: tuple[Window, ...]
) -> Iterator[Tensor]:
    """Ratios of windows and shares of groups over an additive aggregate."""
    if not OPERATORS[agg].additive:
        return
    by_size = {one.size: one for one in windows}
    asked = {"ratio": measure.ratios, "growth": measure.growth if OPERATORS[agg].kernel == "fold" else ()}
    for form, sizes in asked.items():
        pairs = tuple(
            (by_size[short], by_size[long]) for short, long in sizes if short in by_size and long in by_size
        )
        if pairs:
            yield Tensor(measure, agg, slices, windows, form=form, pairs=pairs)
    for name in measure.shares:
        for one in slices:
            if one.name == name:
                if not any(group.is_all for group in one.groups):
                    raise FamilyError(
                        f"a share of slice {name} has nothing to be a share of",
                        field="shares",
                        rule="the slice of a share has a group of all rows",
                        fix="add all: '*' to its groups",
                    )
                yield Tensor(measure, agg, slices, windows, form="share", share=name)
