"""The identity tables as they were known at a moment: for families, graphs and notebooks."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from bluemirror.errors import IdentityError

if TYPE_CHECKING:
    import duckdb

TABLES = ("entity", "entity_key", "entity_link", "entity_cluster")


def known_sql(table: str, as_of: str) -> str:
    """Rows of an identity table that were known at a moment, as SQL.

    Parameters
    ----------
    table
        One of :data:`TABLES`.
    as_of
        The moment, as an SQL expression: a literal, a column of the query around it.

    Returns
    -------
    str
        A query for a FROM clause, in brackets. Whether a tie still held is another question: it did at ``x`` if
        ``valid_from <= x`` and ``valid_to`` is null or later.
    """
    if table not in TABLES:
        raise IdentityError(
            f"there is no identity table {table!r}",
            rule=f"identity tables are {', '.join(TABLES)}",
            fix="write one of them",
        )
    return (
        f"(SELECT * FROM {table} WHERE known_time <= {as_of}"
        f" AND (superseded_time IS NULL OR superseded_time > {as_of}))"
    )


def known_at(
    connection: duckdb.DuckDBPyConnection, table: str, as_of: dt.datetime
) -> duckdb.DuckDBPyRelation:
    """The rows of an identity table that were known at ``as_of``.

    Parameters
    ----------
    connection
        From :func:`bluemirror.connect`.
    """
    moment = f"TIMESTAMP '{as_of.isoformat(sep=' ')}'"
    return connection.sql(f"SELECT * FROM {known_sql(table, moment)}")
