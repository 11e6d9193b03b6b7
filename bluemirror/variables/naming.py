"""Names, labels and units of a tensor's variables, enumerated in the order of its array."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from bluemirror.variables.declarations import Block, Family, Label, Measure, Window
from bluemirror.variables.operators import OPERATORS, OUTER
from bluemirror.variables.tensors import Tensor
from bluemirror.variables.variable import Variable, meaning_hash


def measure_token(measure: Measure, agg: str) -> str:
    """The part of a name that tells what is measured."""
    if agg == "count":
        return measure.token or "cnt"
    if agg == "distinct":
        return measure.token or f"{measure.of}_distinct"
    subject = measure.token or measure.of
    return f"{subject}_{agg}" if subject else agg


def _measure_label(measure: Measure, agg: str) -> Label:
    operator = OPERATORS[agg].label
    if measure.label is None:
        return operator
    if agg in ("count", "distinct"):
        return measure.label
    return Label(f"{measure.label.zh}{operator.zh}", f"{measure.label.en}, {operator.en}")


def _unit(family: Family, tensor: Tensor) -> str:
    if tensor.form != "value":
        return "ratio"
    if tensor.over == "any":
        return "count"
    unit = OPERATORS[tensor.agg].unit
    if unit == "age":
        return family.windows.unit
    return tensor.measure.unit if unit == "=" else unit


def _null_means(tensor: Tensor) -> str:
    if tensor.form != "value":
        return "zero denominator: no matching row in the longer window, the earlier one or the larger group"
    if tensor.over in ("max", "min", "mean"):
        return "not applicable: no unit of this group"
    if tensor.over or OPERATORS[tensor.agg].zero:
        return "never null where the source answered"
    if tensor.agg == "ratio":
        return "zero denominator: no matching row, or none with both numbers"
    if tensor.agg in ("cv", "month_cv"):
        return "zero denominator: no matching row, or a mean of zero"
    return "not applicable: no matching row"


def tensor_variables(block: Block, family: Family, tensor: Tensor) -> Iterator[Variable]:
    """The variables of ``tensor`` in the order of its array (observations aside)."""
    token = measure_token(tensor.measure, tensor.agg)
    what = _measure_label(tensor.measure, tensor.agg)
    suffix, tail = "", Label("", "")
    if tensor.over:
        suffix, tail = f"_{tensor.over}", OUTER[tensor.over]
        assert family.per is not None
        tail = Label(f"{family.per.label.zh}{tail.zh}", f"{tail.en} over {family.per.label.en}")
    if tensor.form == "share":
        suffix, tail = "_share", Label("占比", "share of all")
    axis: list[tuple[str, str, Label]]
    if tensor.pairs:
        axis = [_pair(tensor.form, short, long) for short, long in tensor.pairs]
    elif not family.windows.sizes or (
        tensor.agg in ("since_last", "since_first") and tensor.measure.windows is None
    ):
        # Without a choice of windows there is nothing to tell apart.
        axis = [("", "", Label("", ""))]
    else:
        axis = [(one.token, one.token, one.label) for one in tensor.windows]
    columns = _lineage(tensor, family)
    combinations = list(itertools.product(*tensor.group_axes, *(one.groups for one in tensor.outer)))
    for (window_token, window, window_label), groups in itertools.product(axis, combinations):
        # Units are named before rows: "card accounts, at least M2".
        inner = len(tensor.slices)
        ordered = [*groups[inner:], *groups[:inner]]
        named = [group for group in ordered if not group.is_all]
        parts = [block.name, family.name, *(group.name for group in named)]
        if tensor.pairs:
            parts += [token, window_token]
        else:
            parts += [window_token, token]
        name = "_".join(part for part in parts if part) + suffix
        group_en = ", ".join(group.label.en for group in named)
        label_en = ", ".join(part for part in (family.label.en, group_en, window_label.en) if part)
        yield Variable(
            name=name,
            block=block.name,
            family=family.name,
            source=block.source,
            table=family.table,
            label_zh=f"{window_label.zh}{''.join(g.label.zh for g in named)}{family.label.zh}{what.zh}{tail.zh}",
            label_en=f"{label_en}: {what.en}" + (f", {tail.en}" if tail.en else ""),
            unit=_unit(family, tensor),
            window=window,
            null_means=_null_means(tensor),
            columns=columns,
            meaning=meaning_hash(
                block,
                family,
                tensor.agg,
                tensor.measure.column,
                tensor.measure.scale,
                tensor.form,
                tensor.over,
                tensor.share,
                window,
                [
                    (one.column, g.codes, g.band)
                    for one, g in zip((*tensor.slices, *tensor.outer), groups, strict=True)
                ],
            ),
        )


def _pair(form: str, short: Window, long: Window) -> tuple[str, str, Label]:
    """Token in the name, window and label of a pair of windows."""
    if form == "ratio":
        label = Label(f"{short.label.zh}比{long.label.zh}", f"{short.label.en} over {long.label.en}")
        return f"r_{short.size}_{long.size}", f"{short.token}/{long.token}", label
    rest = (long.size or 0) - (short.size or 0)
    zh, en = ("天", "days") if short.unit == "day" else ("个月", "months")
    before = Label(f"此后{rest}{zh}", f"the {rest} {en} after") if short.forward else None
    before = before or Label(f"此前{rest}{zh}", f"the {rest} {en} before")
    label = Label(f"{short.label.zh}比{before.zh}", f"{short.label.en} over {before.en}")
    return f"g_{short.size}_{long.size}", f"{short.token}/{long.token}", label


def _lineage(tensor: Tensor, family: Family) -> tuple[str, ...]:
    columns = {one.column for one in tensor.slices}
    columns |= {one.column for one in tensor.outer}
    columns.add("event_time")
    columns |= {one for one in (tensor.measure.of, tensor.measure.by, family.windows.along) if one}
    return tuple(sorted(columns))
