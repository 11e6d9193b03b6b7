"""What was known, in SQL: temporary tables of moments and of the rows that count for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bluemirror.contracts import Contract, Table

ARRIVED = ("known_time", "_delivery", "_file", "_line", "_seq")


class Mart:
    """Copies of the mart's tables with a number for each row (``rid``), made once."""

    def __init__(self, connection: Any, contracts: Mapping[str, Contract]) -> None:
        self.run = connection.sql
        self.execute = connection.execute
        self.contract_of = {t.name: c for c in contracts.values() for t in c.tables}
        self._copied: set[str] = set()

    def table(self, name: str) -> Table:
        return self.contract_of[name].table(name)

    def header(self, name: str) -> Table:
        table = self.table(name)
        while table.parent is not None:
            table = self.table(table.parent)
        return table

    def copy(self, name: str) -> str:
        if name not in self._copied:
            self.execute(
                f'CREATE OR REPLACE TEMP TABLE "o_{name}" AS SELECT *, row_number() OVER () AS rid FROM "{name}"'
            )
            self._copied.add(name)
        return f'"o_{name}"'

    def make(self, name: str, query: str) -> str:
        self.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")
        return name

    def known(self, table: Table, column: str, moments: str) -> str:
        """Rows (mid, rid) about the key of each moment (mid, key, as_of), in the version known then."""
        rows = self.copy(table.name)
        keys = [*table.key_columns, *(["event_time"] if table.kind == "state" else [])]
        order = f"({', '.join(f't.{name}' for name in ARRIVED)})"
        child, _, name = column.rpartition(".")
        on = f'JOIN {rows} t ON t."{name}" = m.key'
        if child:
            # Whom a document is about stands in a list of its own.
            on = f'JOIN (SELECT DISTINCT _doc, "{name}" AS mark FROM {self.copy(child)}) l ON l.mark = m.key '
            on += f"JOIN {rows} t ON t._doc = l._doc"
        self.make(
            "o_candidates",
            f"SELECT m.mid, m.as_of, t.* FROM {moments} m {on} "
            "WHERE t.known_time <= m.as_of AND t.event_time <= m.as_of AND NOT coalesce(t._deleted, false)",
        )
        if not keys:
            return "SELECT mid, rid FROM o_candidates"
        same = " AND ".join(f't."{name}" IS NOT DISTINCT FROM n."{name}"' for name in keys)
        return (
            "SELECT mid, rid FROM o_candidates EXCEPT "
            f"SELECT t.mid, t.rid FROM o_candidates t JOIN {rows} n ON {same} AND n.known_time <= t.as_of "
            f"AND {order.replace('t.', 'n.')} > {order}"
        )

    def newest(self, table: Table, column: str, moments: str, valid_days: int | None) -> str:
        """At most one row a moment: the state that holds, the newest valid answer, or the last row."""
        last = f"row_number() OVER (PARTITION BY k.mid ORDER BY {', '.join(f't.{n} DESC' for n in ('event_time', *ARRIVED))})"
        holds = "true"
        if table.kind == "state" and table.valid_to is not None:
            holds = f't."{table.valid_to}" IS NULL OR CAST(t."{table.valid_to}" AS TIMESTAMP) > m.as_of'
        chosen = (
            f"SELECT k.mid, k.rid, t.event_time, m.as_of FROM ({self.known(table, column, moments)}) k "
            f"JOIN {self.copy(table.name)} t USING (rid) JOIN {moments} m USING (mid) WHERE {holds} QUALIFY {last} = 1"
        )
        fresh = "true"
        if table.kind == "answer" and valid_days is not None:
            fresh = f"as_of - event_time < INTERVAL {valid_days} DAY"
        return f"SELECT mid, rid FROM ({chosen}) WHERE {fresh}"
