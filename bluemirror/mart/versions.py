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
    name, keys = quote(table.name), ", ".join(key)
    if not key:
        return f"SELECT *, NULL::TIMESTAMP AS _superseded FROM {name}"
    # Nearly every key is told once: only rows of the others go through the window function, which has to sort.
    same = " AND ".join(f"t.{one} IS NOT DISTINCT FROM _again.{one}" for one in key)
    return (
        f"WITH _again AS MATERIALIZED (SELECT {keys} FROM {name} GROUP BY {keys} HAVING count(*) > 1), "
        "_versions AS MATERIALIZED (SELECT _doc, _seq, "
        f"lead(known_time) OVER (PARTITION BY {keys} ORDER BY {ORDER}) AS _superseded "
        f"FROM {name} t SEMI JOIN _again ON {same}) "
        f"SELECT * FROM {name} LEFT JOIN _versions USING (_doc, _seq)"
    )
