"""Who used what the observed one used, as known at as_of: the way of a relation, row by row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bluemirror.mart.versions import quote
from bluemirror.variables.mart_row import Row, fetch

if TYPE_CHECKING:
    import duckdb

    from bluemirror.contracts import Table
    from bluemirror.variables.declarations import Block, Relation
    from bluemirror.variables.tables import Catalog


def neighbours(
    connection: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    block: Block,
    via: Relation,
    observation: Mapping[str, Any],
) -> list[Any]:
    """Keys of those who used anything that the observed one used; never oneself."""
    as_of, own = observation["as_of"], observation[via.from_[1]]
    table = catalog.contract(via.table, block).table(via.table)
    used = {row[via.through] for row in _links(connection, table, via.from_[0], [own], as_of)} - {None}
    others = {row[via.to] for row in _links(connection, table, via.through, sorted(used), as_of)}
    return sorted(others - {None, own})


def _links(
    connection: duckdb.DuckDBPyConnection, table: Table, column: str, values: list[Any], as_of: dt.datetime
) -> list[Mapping[str, Any]]:
    """Link rows with one of ``values``, in the version known at as_of.

    All values are asked for at once: a device or an address that many use would take a query for each of them.
    """
    if not values:
        return []
    name = quote(table.name)
    mine = f"coalesce(t.{quote(column)} IN ({', '.join('?' * len(values))}), false)"
    key = (
        [*table.key_columns, *(["event_time"] if table.kind == "state" else [])] if table.key_columns else []
    )
    selected = f"SELECT t.*, {mine} AS _mine FROM {name} t "
    if key:
        keys = ", ".join(map(quote, key))
        same = " AND ".join(f"m.{quote(one)} IS NOT DISTINCT FROM t.{quote(one)}" for one in key)
        few = f"WITH m AS MATERIALIZED (SELECT DISTINCT {keys} FROM {name} t WHERE {mine}) "
        sql = f"{few}{selected}SEMI JOIN m ON {same} WHERE t.known_time <= ?"
    else:
        sql = f"{selected}WHERE {mine} AND t.known_time <= ?"
    found = fetch(connection, sql, *values, *values, as_of)
    newest: dict[Any, Row] = {}
    for one in map(Row, found):
        which = tuple(one.mart[each] for each in key) or one.document
        if which not in newest or one.arrival > newest[which].arrival:
            newest[which] = one
    return [
        one.mart
        for one in newest.values()
        if one.mart["_mine"] and one.mart["event_time"] <= as_of and not one.mart["_deleted"]
    ]
