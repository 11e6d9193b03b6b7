"""From declarations to variables: every name, label and address comes from here, in one order.

A :class:`Tensor` is what one kernel yields for one measure and one cross: an array whose axes are windows, groups
and, last, observations. Its variables are enumerated in the order of the array, so that a name and its values
cannot drift apart.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from bluemirror.errors import FamilyError
from bluemirror.variables.declarations import (
    Attribute,
    Block,
    Combination,
    Family,
    Group,
    Label,
    Measure,
    Slice,
    Window,
)
from bluemirror.variables.operators import OPERATORS, OUTER, SERIES_DAYS


@dataclass(frozen=True, slots=True)
class Variable:
    """One column of a block: what it is called, what it means and where it comes from.

    Attributes
    ----------
    window
        Token of its window, ``""`` if it has none.
    null_means
        Why the value may be null although the source answered.
    columns
        Columns of ``table`` (and its parent) that the value is computed from.
    meaning
        Hash of everything that defines the value; a changed meaning is another hash.
    """

    name: str
    block: str
    family: str
    source: str
    table: str
    label_zh: str
    label_en: str
    unit: str
    window: str
    null_means: str
    columns: tuple[str, ...]
    meaning: str
    stages: tuple[str, ...] = ()
    cost_yuan: float = 0.0
    first_day: str = ""


@dataclass(frozen=True, slots=True)
class Tensor:
    """The values of one measure's aggregate over one cross: axes windows x groups x (outer groups) x observations.

    ``form`` is ``value``, ``ratio`` (the window axis holds short/long pairs) or ``share`` (of the slice ``share``).
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
        return (Window(family.windows.unit, None),)
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
    pairs = tuple(
        (by_size[short], by_size[long])
        for short, long in measure.ratios
        if short in by_size and long in by_size
    )
    if pairs:
        yield Tensor(measure, agg, slices, windows, form="ratio", pairs=pairs)
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
        return "zero denominator: no matching row in the longer window or larger group"
    if tensor.over in ("max", "min", "mean"):
        return "not applicable: no unit of this group"
    if tensor.over or OPERATORS[tensor.agg].zero:
        return "never null where the source answered"
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
    if tensor.form == "ratio":
        axis = [
            (
                f"r_{short.size}_{long.size}",
                f"{short.token}/{long.token}",
                Label(f"{short.label.zh}比{long.label.zh}", f"{short.label.en} over {long.label.en}"),
            )
            for short, long in tensor.pairs
        ]
    elif tensor.agg in ("since_last", "since_first") and tensor.measure.windows is None:
        axis = [("", "", Label("", ""))]
    else:
        axis = [(one.token, one.token, one.label) for one in tensor.windows]
    columns = _lineage(tensor)
    combinations = list(itertools.product(*tensor.group_axes, *(one.groups for one in tensor.outer)))
    for (window_token, window, window_label), groups in itertools.product(axis, combinations):
        # Units are named before rows: "card accounts, at least M2".
        inner = len(tensor.slices)
        ordered = [*groups[inner:], *groups[:inner]]
        named = [group for group in ordered if not group.is_all]
        parts = [block.name, family.name, *(group.name for group in named)]
        if tensor.form == "ratio":
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
            meaning=_meaning(
                block,
                family,
                tensor.agg,
                tensor.measure.of,
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


def _lineage(tensor: Tensor) -> tuple[str, ...]:
    columns = {one.column for one in tensor.slices}
    columns |= {one.column for one in tensor.outer}
    columns.add("event_time")
    if tensor.measure.of:
        columns.add(tensor.measure.of)
    return tuple(sorted(columns))


def _meaning(block: Block, family: Family, *parts: object) -> str:
    """Twelve hex digits that change when the way a value is computed changes; labels do not count."""
    per = family.per
    basis = repr(
        (
            block.source,
            block.miss,
            family.table,
            family.match,
            sorted(family.columns.items()),
            family.where,
            family.exclude_self,
            (family.windows.unit, family.windows.grain),
            None
            if family.via is None
            else (family.via.table, family.via.from_, family.via.through, family.via.to),
            None if per is None else (per.table, per.key, sorted(per.columns.items()), per.where),
            parts,
        )
    )
    return hashlib.sha256(basis.encode()).hexdigest()[:12]


def attribute_variables(
    block: Block, family: Family
) -> Iterator[tuple[Variable, Attribute | None, str | None]]:
    """Variables of the age of the answer and of its attributes: (variable, attribute, flag code)."""

    def variable(
        name: str, label: Label, unit: str, null: str, columns: tuple[str, ...], *meaning: object
    ) -> Variable:
        return Variable(
            name=f"{block.name}_{family.name}_{name}",
            block=block.name,
            family=family.name,
            source=block.source,
            table=family.table,
            label_zh=label.zh,
            label_en=label.en,
            unit=unit,
            window="",
            null_means=null,
            columns=columns,
            meaning=_meaning(block, family, *meaning),
        )

    if family.age:
        label = Label(f"{family.label.zh}距今天数", f"{family.label.en}: days since")
        yield (
            variable("age_days", label, "day", "not applicable: nothing known", ("event_time",), "age"),
            None,
            None,
        )
    for one in family.attributes:
        label = Label(f"{family.label.zh}{one.label.zh}", f"{family.label.en}: {one.label.en}")
        if one.one_hot:
            for code, text in one.one_hot:
                token = "".join(char if char.isalnum() else "_" for char in code.lower()).strip("_")
                flagged = Label(f"{label.zh}为{text.zh}", f"{label.en} is {text.en}")
                yield (
                    variable(
                        f"{one.name}_{token}",
                        flagged,
                        "flag",
                        "the source left it empty",
                        (one.column,),
                        one.column,
                        code,
                    ),
                    one,
                    code,
                )
        else:
            ordinal = None if one.ordinal is None else sorted(one.ordinal.items())
            yield (
                variable(
                    one.name,
                    label,
                    one.unit,
                    "the source left it empty",
                    (one.column,),
                    one.column,
                    ordinal,
                    one.scale,
                ),
                one,
                None,
            )


def combination_variable(block: Block, combination: Combination, known: dict[str, Variable]) -> Variable:
    """The variable of a combination; both of its sides are variables of the block."""
    for side in (combination.left, combination.right):
        if side not in known:
            raise FamilyError(
                f"the combination {combination.name} names {side}, which the block does not have",
                file=block.path,
                field=combination.name,
                rule="a combination is computed from two variables of its own block",
                fix=f"search the names with: bluemirror catalogue search {side.split('_')[-1]}",
            )
    left, right = known[combination.left], known[combination.right]
    meaning = hashlib.sha256(repr((combination.operator, left.meaning, right.meaning)).encode()).hexdigest()[
        :12
    ]
    return Variable(
        name=f"{block.name}_{combination.name}",
        block=block.name,
        family=combination.name,
        source=block.source,
        table=left.table,
        label_zh=combination.label.zh,
        label_en=combination.label.en,
        unit=combination.unit,
        window=left.window,
        null_means="zero denominator" if combination.operator == "ratio" else "a side is null",
        columns=tuple(sorted({*left.columns, *right.columns})),
        meaning=meaning,
    )


def block_variables(block: Block) -> tuple[Variable, ...]:
    """Every variable of ``block`` in the order of its stored columns.

    Raises
    ------
    FamilyError
        If two variables get the same name.
    """
    found: dict[str, Variable] = {}

    def add(variable: Variable, line: int) -> None:
        if variable.name in found:
            raise FamilyError(
                f"two variables are called {variable.name}",
                file=f"{block.path}, line {line}",
                field=variable.family,
                rule="a name is computed from family, groups, window and measure, and is unique",
                fix="rename a group, the family, or give the measure another as:",
            )
        found[variable.name] = variable

    for family in block.families:
        for variable, _, _ in attribute_variables(block, family):
            add(variable, family.line)
        for tensor in tensors(family):
            for variable in tensor_variables(block, family, tensor):
                add(variable, family.line)
    for combination in block.combinations:
        add(combination_variable(block, combination, found), 0)
    return tuple(found.values())
