"""Versions of one business key: each row with the moment at which a newer version of it became known."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bluemirror.contracts import Table

ORDER = "known_time, _delivery, _file, _line, _seq"


def quote(name: str) -> str:
    """A column or table name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def versions_sql(table: Table) -> str:
    """All rows of a keyed table with ``_superseded``: when a newer version of the same key became known.

    A state's key is the business key and the moment from which the state holds, because each new state is another
    fact, not a correction of the one before.
    """
    key = [quote(column) for column in table.key_columns]
    if table.kind == "state":
        key.append("event_time")
    if not key:
        return f"SELECT *, NULL::TIMESTAMP AS _superseded FROM {quote(table.name)}"
    return (
        f"SELECT *, lead(known_time) OVER (PARTITION BY {', '.join(key)} ORDER BY {ORDER}) AS _superseded "
        f"FROM {quote(table.name)}"
    )
