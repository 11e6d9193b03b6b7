"""One mart row on its way into an explanation, and how such rows are fetched."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb


@dataclass
class Row:
    """One mart row; ``reason`` is empty while it counts. ``slices``: its value on each slice, as the family sees it."""

    mart: Mapping[str, Any]
    reason: str = ""
    of: Any = None
    by: Any = None
    slices: dict[str, Any] = field(default_factory=dict)
    outer: dict[str, Any] = field(default_factory=dict)
    unit: Any = None
    reference: dt.datetime = dt.datetime.min
    in_numerator: bool = True

    @property
    def time(self) -> dt.datetime:
        """What places it on the axis of time: its event time, or the date that its family's windows run on."""
        on = self.mart.get("_on")
        time: dt.datetime = self.mart["event_time"] if on is None else on
        return time

    @property
    def arrival(self) -> tuple[Any, ...]:
        """The order in which versions came."""
        return tuple(self.mart[name] for name in ("known_time", "_delivery", "_file", "_line", "_seq"))

    @property
    def document(self) -> tuple[Any, Any]:
        """The landed record and the row's number in it."""
        return self.mart["_doc"], self.mart["_seq"]


def fetch(connection: duckdb.DuckDBPyConnection, sql: str, *values: Any) -> list[dict[str, Any]]:
    """Run a query and give each row as a mapping."""
    cursor = connection.execute(sql, list(values))
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
