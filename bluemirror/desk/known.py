"""The mart as it was known at the end of a day: deliveries up to then, newest versions by then, nothing later."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from bluemirror.mart.connect import define_views
from bluemirror.mart.manifests import Snapshot

if TYPE_CHECKING:
    import duckdb

    from bluemirror.contracts import Contract, Table
    from bluemirror.workspace import Workspace

MEMORY = "2GB"
"""What DuckDB may hold before it spills to disk."""


def between(
    state: Snapshot, first: dt.date, last: dt.date, other_first: Mapping[str, dt.date] | None = None
) -> Snapshot:
    """The deliveries of ``state`` from ``first`` to ``last``: reading a window costs what the window holds.

    ``other_first`` names sources (source -> day) of which more or less is wanted.
    """
    firsts = other_first or {}
    kept = {}
    for source, deliveries in state.deliveries.items():
        days = (firsts.get(source, first).isoformat(), last.isoformat())
        kept[source] = {day: one for day, one in deliveries.items() if days[0] <= day <= days[1]}
    return Snapshot(kept)


def open_known(
    workspace: Workspace, contracts: Iterable[Contract], state: Snapshot
) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB with one view a table of ``contracts`` over the deliveries of ``state``."""
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"SET memory_limit = '{MEMORY}'")
    connection.execute(f"SET temp_directory = {text(str(workspace.data / 'desk' / '.spill'))}")
    for contract in contracts:
        define_views(connection, workspace, contract, state)
    return connection


def newest_sql(table: Table, end: dt.datetime, columns: Mapping[str, str], where: str = "true") -> str:
    """SQL for the newest version, known by ``end``, of every row of an event table that is not deleted.

    Parameters
    ----------
    columns
        Name -> SQL expression over the table's columns.
    where
        A condition on the newest versions.
    """
    key = ", ".join(quote(name) for name in table.key_columns)
    chosen = ", ".join(f"{expression} AS {quote(name)}" for name, expression in columns.items())
    order = ", ".join(f"{name} DESC" for name in ("known_time", "_delivery", "_file", "_line", "_seq"))
    return (
        f"SELECT {chosen} FROM (SELECT * FROM {quote(table.name)} WHERE known_time <= {moment(end)} "
        f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {order}) = 1) t "
        f"WHERE NOT coalesce(_deleted, false) AND ({where})"
    )


def quote(name: str) -> str:
    """A name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A text as SQL."""
    return "'" + value.replace("'", "''") + "'"


def moment(value: dt.datetime) -> str:
    """A moment as SQL."""
    return f"TIMESTAMP '{value.isoformat(sep=' ')}'"


def day(value: dt.date) -> str:
    """A day as SQL."""
    return f"DATE '{value.isoformat()}'"
