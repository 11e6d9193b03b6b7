"""What a variable asks of its rows, and the answer computed from them one by one."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bluemirror.clock import add_months
from bluemirror.errors import FamilyError
from bluemirror.variables.by_hand import DAY, Fact, aggregate, divide, fold, holds, inside
from bluemirror.variables.declarations import Attribute, Block, Family, Group, Window, Windows
from bluemirror.variables.explain_rows import NOT_CURRENT, Reader, holds_at
from bluemirror.variables.mart_row import Row
from bluemirror.variables.operators import OPERATORS
from bluemirror.variables.plan import attribute_variables, tensor_variables, tensors
from bluemirror.variables.tensors import Tensor

OUTSIDE = "outside the window"
EMPTY = "its column is empty"


@dataclass(frozen=True)
class Question:
    """What is asked of the rows: a tensor's aggregate for one window (or a pair) and one choice of groups."""

    tensor: Tensor
    windows: tuple[Window, ...]
    groups: tuple[Group, ...]
    outer: tuple[Group, ...]


def locate(block: Block, family: Family, name: str) -> Question | tuple[Attribute | None, str | None]:
    """What a variable of ``family`` asks: a question to its rows, or an attribute (None: the age) and its flag."""
    for variable, attribute, code in attribute_variables(block, family):
        if variable.name == name:
            return attribute, code
    for tensor in tensors(family):
        names = [one.name for one in tensor_variables(block, family, tensor)]
        if name not in names:
            continue
        axis = list(tensor.pairs) if tensor.pairs else [(one,) for one in tensor.windows]
        choices = itertools.product(axis, *tensor.group_axes, *(one.groups for one in tensor.outer))
        windows, *groups = list(choices)[names.index(name)]
        inner = len(tensor.slices)
        return Question(tensor, tuple(windows), tuple(groups[:inner]), tuple(groups[inner:]))  # type: ignore[arg-type]
    raise FamilyError(f"family {family.name} does not yield {name}", file=block.path, field=name)


def _fact(row: Row) -> Fact:
    text = None if row.of is None else str(row.of)
    return Fact(row.time, row.reference, _number(row.of), text, _number(row.by))


def _number(value: Any) -> float | None:
    if value is None or hasattr(value, "year"):
        return None
    try:
        return float(value)
    except ValueError:
        return None


@dataclass(frozen=True)
class Answer:
    """A value computed from its rows; of two levels, with the value of each unit of the middle level."""

    value: float | None
    units: Mapping[Any, float | None] = field(default_factory=dict)


def answer(family: Family, question: Question, reader: Reader, rows: Sequence[Row]) -> Answer:
    """Mark the rows that are not asked for, and compute the value from the rest."""
    tensor = question.tensor
    whole = list(question.groups)
    if tensor.form == "share":
        position = next(i for i, one in enumerate(tensor.slices) if one.name == tensor.share)
        whole[position] = next(group for group in tensor.slices[position].groups if group.is_all)
    for row in rows:
        if row.reason:
            continue
        for one, group in zip((*tensor.slices, *tensor.outer), (*whole, *question.outer), strict=True):
            value = {**row.slices, **row.outer}[one.name]
            if not holds(group, value):
                row.reason = f"filtered out: {one.name} is not {group.name}"
        if not row.reason and not inside(row.time, row.reference, question.windows[-1], family.windows):
            row.reason = OUTSIDE
    counted = sorted((row for row in rows if not row.reason), key=lambda row: row.time)
    if tensor.over is not None:
        return _folded(family, question, reader, counted)
    long = _aggregate(family, tensor, counted, question.windows[-1])
    value = long
    if tensor.pairs:
        for row in counted:
            row.in_numerator = inside(row.time, row.reference, question.windows[0], family.windows)
        short = _aggregate(family, tensor, [row for row in counted if row.in_numerator], question.windows[0])
        if tensor.form == "growth":
            earlier = [row for row in counted if not row.in_numerator]
            long = _aggregate(family, tensor, earlier, question.windows[-1])
        value = divide(short, long)
    elif tensor.form == "share":
        for row in counted:
            row.in_numerator = all(
                holds(group, row.slices[one.name])
                for one, group in zip(tensor.slices, question.groups, strict=True)
            )
        part = _aggregate(family, tensor, [row for row in counted if row.in_numerator], question.windows[0])
        value = divide(part, long)
    if tensor.measure.of is not None:
        for row in counted:
            if row.of is None:
                row.reason = EMPTY
    return Answer(value)


def _aggregate(family: Family, tensor: Tensor, rows: Sequence[Row], window: Window) -> float | None:

    facts = [_fact(row) for row in rows]
    of, by = tensor.measure.of is not None, tensor.measure.by is not None
    value = aggregate(tensor.agg, facts, window, family.windows, of, by)
    scaled = value is not None and OPERATORS[tensor.agg].unit == "="
    return value * tensor.measure.scale if scaled and value is not None else value


def _folded(family: Family, question: Question, reader: Reader, counted: Sequence[Row]) -> Answer:
    tensor = question.tensor
    by_unit: dict[Any, list[Row]] = {
        unit: []
        for unit, outer in reader.units.items()
        if all(holds(group, outer[one.name]) for one, group in zip(tensor.outer, question.outer, strict=True))
    }
    for row in counted:
        by_unit[row.unit].append(row)
    window = question.windows[-1]
    values = {unit: _aggregate(family, tensor, rows, window) for unit, rows in by_unit.items()}
    assert tensor.over is not None
    return Answer(fold(tensor.over, list(values.values())), values)


def looked_at(family: Family, question: Question, reference: dt.datetime) -> str:
    """The span of time that is asked for, in words; "" where it is all of the past."""
    windows, along = family.windows, family.windows.along
    spans = [_span(one, windows, reference) for one in question.windows]
    if not spans[-1]:
        return ""
    what = f"{along}: " if along else ""
    if len(spans) == 1:
        return what + spans[0]
    over = "over the rest of" if question.tensor.form == "growth" else "over"
    return f"{what}{spans[0]}; {over}: {spans[1]}"


def _span(window: Window, windows: Windows, reference: dt.datetime) -> str:
    size, end = window.size, reference.isoformat(sep=" ", timespec="seconds")
    if size is None:
        return f"from {reference.date()} on" if windows.forward else ""
    if windows.forward:
        ends = (
            add_months(reference.date(), size) if windows.unit == "month" else reference.date() + size * DAY
        )
        return f"from {reference.date()} until before {ends}"
    if windows.unit == "day":
        return f"later than {(reference - size * DAY).isoformat(sep=' ', timespec='seconds')}, up to {end}"
    start = add_months(reference.date(), -size)
    if windows.grain == "month":
        return f"the months {start:%Y-%m} to {reference:%Y-%m}"
    return f"later than {start}, up to {end}"


def attribute_value(
    reader: Reader,
    rows: Sequence[Row],
    observation: Mapping[str, Any],
    found: tuple[Attribute | None, str | None],
) -> float | None:
    """The value of the one newest answer, or of the state that held."""
    attribute, code = found
    living = [row for row in rows if not row.reason]
    holding = [row for row in living if holds_at(row, reader.header.valid_to, observation["as_of"])]
    for row in living:
        if not holding or row is not holding[-1]:
            row.reason = NOT_CURRENT
    if not holding:
        return None
    row = holding[-1]
    if attribute is None:
        return float((observation["as_of"].date() - row.mart["event_time"].date()).days)
    if row.of is None:
        row.reason = EMPTY
        return None
    text = str(row.of).lower() if isinstance(row.of, bool) else str(row.of)
    if code is not None:
        return float(text == code)
    if attribute.ordinal is not None:
        return attribute.ordinal.get(text)
    return float(row.of) * attribute.scale
