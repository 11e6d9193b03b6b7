"""From declarations to variables: every name, label and address comes from here, in one order.

A tensor's variables are enumerated in the order of its array, so that a name and its values cannot drift apart.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator

from bluemirror.errors import FamilyError
from bluemirror.variables.combining import NULLS
from bluemirror.variables.declarations import Attribute, Block, Combination, Family, Label
from bluemirror.variables.naming import measure_token, tensor_variables
from bluemirror.variables.tensors import Tensor, tensors
from bluemirror.variables.variable import Variable, meaning_hash

__all__ = [
    "Tensor",
    "Variable",
    "attribute_variables",
    "block_variables",
    "combination_variable",
    "measure_token",
    "tensor_variables",
    "tensors",
]


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
            meaning=meaning_hash(block, family, *meaning),
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
    """The variable of a combination; both of its sides are variables of the block, or borrowed."""
    for side in (combination.left, combination.right):
        if side not in known:
            raise FamilyError(
                f"the combination {combination.name} names {side}, which the block does not have",
                file=block.path,
                field=combination.name,
                rule="a combination is computed from two variables of its own block, or in a block without families",
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
        source=block.source or "+".join(dict.fromkeys((*left.source.split("+"), *right.source.split("+")))),
        table=left.table,
        label_zh=combination.label.zh,
        label_en=combination.label.en,
        unit=combination.unit,
        window=left.window,
        null_means=NULLS[combination.operator].en,
        columns=tuple(sorted({*left.columns, *right.columns})),
        meaning=meaning,
    )


_SPELLED: OrderedDict[int, tuple[Block, tuple[Variable, ...]]] = OrderedDict()
"""Blocks whose variables were spelled out, by identity; the block is kept so that its identity stays its own."""

REMEMBERED = 256


def block_variables(block: Block) -> tuple[Variable, ...]:
    """Every variable of ``block`` in the order of its stored columns; remembered for the same block.

    Raises
    ------
    FamilyError
        If two variables get the same name.
    """
    known = _SPELLED.get(id(block))
    if known is None:
        known = _SPELLED[id(block)] = block, _spelled_out(block)
        while len(_SPELLED) > REMEMBERED:
            _SPELLED.popitem(last=False)
    return known[1]


def _spelled_out(block: Block) -> tuple[Variable, ...]:
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
    sides = {one.name: one for part in block.borrowed for one in block_variables(part)} or found
    for combination in block.combinations:
        add(combination_variable(block, combination, sides), 0)
    return tuple(found.values())
