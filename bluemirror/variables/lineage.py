"""Where the value of a variable can come from: every table and column that is read on the way to it.

A family's filter, its key, the times of its rows and the answers to its source's calls belong to every variable of it;
what is grouped by and what is aggregated only to those that do so. A change of anything else leaves the value as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bluemirror.contracts import Contract, Table
from bluemirror.variables.declarations import Block, Family
from bluemirror.variables.expressions import At, Tables
from bluemirror.variables.plan import attribute_variables, tensor_variables, tensors
from bluemirror.variables.spine import Spine

TIMES = ("event_time", "known_time")

Lineage = Mapping[str, frozenset[At]]
"""Variable -> the columns that it can come from."""


def lineage(block: Block, contracts: Mapping[str, Contract], spine: Spine) -> Lineage:
    """Lineage of every variable of ``block``; of a block across sources, through the variables that it compares.

    Returns
    -------
    Mapping
        Name -> (table, column) pairs. ``event_time`` and ``known_time`` stand for the times of a table's rows.
    """
    tables = Tables(contracts)
    found: dict[str, frozenset[At]] = {}
    for part in (*block.borrowed, block):
        told = _told(part, tables, spine)
        for family in part.families:
            whole = told | _of_family(family, tables)
            for name, columns in _own(part, family, tables):
                found[name] = frozenset(whole | columns)
        for one in part.combinations:
            found[f"{part.name}_{one.name}"] = found[one.left] | found[one.right]
    own = {f"{block.name}_{one.name}" for one in block.combinations}
    return found if block.families else {name: columns for name, columns in found.items() if name in own}


def _rows_of(table: Table) -> set[At]:
    """What decides whether a row counts, whatever it says: its key, its times, its end."""
    columns = {*table.key_columns, *TIMES}
    if table.valid_to is not None:
        columns.add(table.valid_to)
    return {(table.name, column) for column in columns}


def _told(block: Block, tables: Tables, spine: Spine) -> set[At]:
    """What decides whether the source said anything."""
    found: set[At] = set()
    first = next((family for family in block.families if family.via is None), None)
    if first is not None:
        header = tables.above(first.table)[-1]
        found |= _rows_of(header) | {tables.keyed(first.table, first.match[0])}
        if header.hit is not None:
            found.add((header.name, header.hit[0]))
    if spine.calls is not None and tables.known(spine.calls.table):
        calls = spine.calls
        found |= _rows_of(tables.above(calls.table)[0])
        found |= {(calls.table, column) for column in (calls.source, calls.entity, calls.result)}
    return found


def _of_family(family: Family, tables: Tables) -> set[At]:
    """What every variable of a family depends on."""
    chain = tables.above(family.table)
    found = {at for table in chain for at in _rows_of(table)}
    found.add(tables.keyed(family.table, family.match[0]))
    found |= tables.columns(family.where, family.table)
    found |= _named((family.exclude_self, family.windows.along), family, tables)
    if family.via is not None:
        via = family.via
        found |= _rows_of(tables.above(via.table)[0])
        found |= {(via.table, column) for column in (via.from_[0], via.through, via.to)}
    if family.per is not None:
        level = family.per.table or family.table
        found |= tables.columns(family.per.where, level)
        found |= _named((family.per.key,), family, tables)
    return found


def _named(names: Iterable[str | None], family: Family, tables: Tables) -> set[At]:
    """Columns of the family's table, or those that a computed column is made from."""
    found: set[At] = set()
    for name in names:
        if name is not None:
            text = family.columns.get(name)
            found |= {(family.table, name)} if text is None else tables.columns(text, family.table)
    return found


def _own(block: Block, family: Family, tables: Tables) -> Iterable[tuple[str, set[At]]]:
    """Each variable of a family, with what it groups by and aggregates."""
    for variable, attribute, _ in attribute_variables(block, family):
        yield variable.name, set() if attribute is None else _named((attribute.column,), family, tables)
    per = family.per
    for tensor in tensors(family):
        columns = _named(
            (tensor.measure.of, tensor.measure.by, *(one.column for one in tensor.slices)), family, tables
        )
        if per is not None:
            level = per.table or family.table
            computed = {**({} if per.table else family.columns), **per.columns}
            for one in tensor.outer:
                text = computed.get(one.column)
                columns |= {(level, one.column)} if text is None else tables.columns(text, level)
        for variable in tensor_variables(block, family, tensor):
            yield variable.name, columns
