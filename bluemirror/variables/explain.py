"""Explaining a value: the very rows behind it, those left out with the reason, and the value recomputed from them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bluemirror.errors import FamilyError

if TYPE_CHECKING:
    import duckdb

    from bluemirror.variables.by_hand import Fact
    from bluemirror.variables.declarations import Attribute, Block, Family, Group, Window
    from bluemirror.variables.explain_rows import Reader, Row
    from bluemirror.variables.explanation import Explanation
    from bluemirror.variables.tables import Catalog
    from bluemirror.variables.tensors import Tensor
    from bluemirror.variables.variable import Variable
    from bluemirror.workspace import Workspace

OUTSIDE = "outside the window"
EMPTY = "its column is empty"


@dataclass(frozen=True)
class Question:
    """What is asked of the rows: a tensor's aggregate for one window (or a pair) and one choice of groups."""

    tensor: Tensor
    windows: tuple[Window, ...]
    groups: tuple[Group, ...]
    outer: tuple[Group, ...]


def explain(
    workspace: Workspace, name: str, observation_id: str, observation_set: str | None = None
) -> Explanation:
    """Explain the value of a variable for one observation.

    Parameters
    ----------
    observation_set
        The set that holds the observation; the first of the spine by default.

    Returns
    -------
    Explanation
        With the rows that count, those that do not, the stored value and the value recomputed from the rows.

    Raises
    ------
    FamilyError
        If the variable or the observation does not exist, or the set has not been built.
    """
    import bluemirror
    from bluemirror.contracts import read_contracts
    from bluemirror.variables.catalogue import catalogue, find
    from bluemirror.variables.language import load_blocks
    from bluemirror.variables.spine import read_spine
    from bluemirror.variables.tables import Catalog

    variable = find(catalogue(workspace), name)
    which = observation_set or next(iter(read_spine(workspace).observations))
    observation = _observation(workspace, which, observation_id)
    block = next(one for one in load_blocks(workspace) if one.name == variable.block)
    connection = bluemirror.connect(workspace)
    try:
        catalog = Catalog(read_contracts(workspace.contracts_dir))
        return _explain(workspace, which, connection, catalog, block, variable, observation)
    finally:
        connection.close()


def _observation(workspace: Workspace, which: str, observation_id: str) -> dict[str, Any]:
    import polars as pl

    from bluemirror.variables.store import variable_files

    files = variable_files(workspace, which, "observations")
    if not files:
        raise FamilyError(
            f"the observations {which} have not been built",
            file=workspace.variables / which,
            rule="values are explained after they are computed",
            fix="run: bluemirror features",
        )
    found = pl.scan_parquet(files).filter(pl.col("observation_id") == observation_id).collect()
    if not len(found):
        some = pl.scan_parquet(files).select("observation_id").head(3).collect()["observation_id"].to_list()
        raise FamilyError(
            f"there is no observation {observation_id!r}",
            field=observation_id,
            rule=f"observation ids are those of the set {which}",
            fix=f"name one of them, for example {', '.join(some)}",
        )
    return dict(found.row(0, named=True))


def _explain(
    workspace: Workspace,
    which: str,
    connection: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    block: Block,
    variable: Variable,
    observation: Mapping[str, Any],
) -> Explanation:
    from bluemirror.variables.by_hand import divide
    from bluemirror.variables.explanation import Explanation
    from bluemirror.variables.plan import block_variables
    from bluemirror.variables.reasons import ANSWERED, NO_HIT, REASONS
    from bluemirror.variables.store import read_variables

    reason_column = f"{block.name}__reason"
    stored = read_variables(
        workspace, which, [variable.name, reason_column], [observation["observation_id"]]
    ).row(0, named=True)
    reason = int(stored[reason_column])
    answered = reason == ANSWERED or (reason == NO_HIT and block.miss == "zero")
    empty = Explanation(
        variable, observation["observation_id"], observation["as_of"], REASONS[reason], stored[variable.name], None
    )
    made = next((one for one in block.combinations if f"{block.name}_{one.name}" == variable.name), None)
    if made is not None:
        known = {one.name: one for one in block_variables(block)}
        left, right = (
            _explain(workspace, which, connection, catalog, block, known[side], observation)
            for side in (made.left, made.right)
        )
        value = None
        if left.recomputed is not None and right.recomputed is not None:
            value = (
                divide(left.recomputed, right.recomputed)
                if made.operator == "ratio"
                else left.recomputed - right.recomputed
            )
        return replace(empty, recomputed=value, parts=(left, right))
    family = next(one for one in block.families if one.name == variable.family)
    found = locate(block, family, variable.name)
    if isinstance(found, Question):
        tensor = found.tensor
        reader = _reader(connection, catalog, block, family, found)
        rows = reader.rows(observation)
        value = _answer(family, found, reader, rows)
    else:
        reader = _reader(connection, catalog, block, family, None, found)
        rows = reader.rows(observation)
        value = _attribute(reader, rows, observation, found)
        tensor = None
    shown = tuple(_shown(reader, row, tensor) for row in rows)
    return replace(empty, recomputed=value if answered else None, rows=shown)


def locate(block: Block, family: Family, name: str) -> Question | tuple[Attribute | None, str | None]:
    """What a variable of ``family`` asks: a question to its rows, or an attribute (None: the age) and its flag."""
    from bluemirror.variables.plan import attribute_variables, tensor_variables, tensors

    for variable, attribute, code in attribute_variables(block, family):
        if variable.name == name:
            return attribute, code
    for tensor in tensors(family):
        names = [one.name for one in tensor_variables(block, family, tensor)]
        if name not in names:
            continue
        axis = [(one,) for one in tensor.windows] if tensor.form != "ratio" else list(tensor.pairs)
        choices = itertools.product(axis, *tensor.group_axes, *(one.groups for one in tensor.outer))
        windows, *groups = list(choices)[names.index(name)]
        inner = len(tensor.slices)
        return Question(tensor, tuple(windows), tuple(groups[:inner]), tuple(groups[inner:]))  # type: ignore[arg-type]
    raise FamilyError(f"family {family.name} does not yield {name}", file=block.path, field=name)


def _reader(
    connection: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    block: Block,
    family: Family,
    question: Question | None,
    attribute: tuple[Attribute | None, str | None] = (None, None),
) -> Reader:
    from bluemirror.variables.explain_rows import Reader

    if question is None:
        of = attribute[0].column if attribute[0] else None
        return Reader(connection, catalog, block, family, of, (), ())
    tensor = question.tensor
    return Reader(connection, catalog, block, family, tensor.measure.of, tensor.slices, tensor.outer)


def _fact(row: Row) -> Fact:
    from bluemirror.variables.by_hand import Fact

    number = None
    if row.of is not None and not hasattr(row.of, "year"):
        try:
            number = float(row.of)
        except ValueError:
            number = None
    return Fact(row.mart["event_time"], row.reference, number, None if row.of is None else str(row.of))


def _answer(family: Family, question: Question, reader: Reader, rows: Sequence[Row]) -> float | None:
    """Mark the rows that are not asked for, and compute the value from the rest."""
    from bluemirror.variables.by_hand import divide, holds, inside

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
        if not row.reason and not inside(row.mart["event_time"], row.reference, question.windows[-1], family.windows):
            row.reason = OUTSIDE
    counted = [row for row in rows if not row.reason]
    if tensor.over is not None:
        return _folded(family, question, reader, counted)
    long = _aggregate(family, tensor, counted, question.windows[-1])
    value = long
    if tensor.form == "ratio":
        for row in counted:
            row.in_numerator = inside(row.mart["event_time"], row.reference, question.windows[0], family.windows)
        short = _aggregate(family, tensor, [row for row in counted if row.in_numerator], question.windows[0])
        value = divide(short, long)
    elif tensor.form == "share":
        for row in counted:
            row.in_numerator = all(
                holds(group, row.slices[one.name]) for one, group in zip(tensor.slices, question.groups, strict=True)
            )
        part = _aggregate(family, tensor, [row for row in counted if row.in_numerator], question.windows[0])
        value = divide(part, long)
    if tensor.measure.of is not None:
        for row in counted:
            if row.of is None:
                row.reason = EMPTY
    return value


def _aggregate(family: Family, tensor: Tensor, rows: Sequence[Row], window: Window) -> float | None:
    from bluemirror.variables.by_hand import aggregate
    from bluemirror.variables.operators import OPERATORS

    facts = [_fact(row) for row in rows]
    value = aggregate(tensor.agg, facts, window, family.windows, tensor.measure.of is not None)
    scaled = value is not None and OPERATORS[tensor.agg].unit == "="
    return value * tensor.measure.scale if scaled and value is not None else value


def _folded(family: Family, question: Question, reader: Reader, counted: Sequence[Row]) -> float | None:
    from bluemirror.variables.by_hand import fold, holds

    tensor = question.tensor
    by_unit: dict[Any, list[Row]] = {
        unit: []
        for unit, outer in reader.units.items()
        if all(
            holds(group, outer[one.name]) for one, group in zip(tensor.outer, question.outer, strict=True)
        )
    }
    for row in counted:
        by_unit[row.unit].append(row)
    values = [_aggregate(family, tensor, rows, question.windows[-1]) for rows in by_unit.values()]
    assert tensor.over is not None
    return fold(tensor.over, values)


def _attribute(
    reader: Reader,
    rows: Sequence[Row],
    observation: Mapping[str, Any],
    found: tuple[Attribute | None, str | None],
) -> float | None:
    """The value of the one newest answer, or of the state that held."""
    from bluemirror.variables.explain_rows import NOT_CURRENT

    attribute, code = found
    living = [row for row in rows if not row.reason]
    ends = reader.header.valid_to
    holding = [
        row for row in living if ends is None or row.mart[ends] is None or row.mart[ends] > observation["as_of"]
    ]
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


def _shown(reader: Reader, row: Row, tensor: Tensor | None) -> Any:
    """A row as it may be shown: no personal value, no key in full."""
    from bluemirror.variables.explanation import ShownRow

    personal = {column for one in reader.table.fields if one.personal for column, _ in one.columns}
    keys = {column for one in reader.table.fields if one.key is not None for column, _ in one.columns}
    values: dict[str, Any] = {}
    asked = [(one.column, row.slices.get(one.name)) for one in reader.slices]
    asked += [(one.column, row.outer.get(one.name)) for one in reader.outer]
    if reader.of is not None:
        asked.append((reader.of, row.of))
    for column, value in asked:
        if column in keys and value is not None:
            values[column] = f"{str(value)[:8]}..."
        elif column in personal and value is not None:
            values[column] = "(personal)"
        else:
            values[column] = value
    unit = None if row.unit is None else (str(row.unit[1]) if isinstance(row.unit, tuple) else str(row.unit))
    part = ""
    if not row.reason and tensor is not None and tensor.form != "value":
        part = "numerator and denominator" if row.in_numerator else "denominator"
    return ShownRow(
        file=row.mart["_file"],
        line=row.mart["_line"],
        event_time=row.mart["event_time"],
        known_time=row.mart["known_time"],
        counts=not row.reason,
        reason=row.reason or part,
        unit=unit,
        values=values,
    )

