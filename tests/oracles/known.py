"""What was known at a moment, one row at a time: versions, tombstones, newest answers, current states."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """A small mart table. ``kind`` is that of its rows; a child's header is found through ``parent``."""

    name: str
    kind: str
    rows: list[Row]
    key: tuple[str, ...] = ()
    parent: str | None = None
    valid_to: str | None = None
    valid_days: int | None = None
    hit: tuple[str, str] | None = None


def arrival(row: Row) -> tuple[Any, ...]:
    return (row["known_time"], row["_delivery"], row["_file"], row["_line"], row["_seq"])


def in_time(row: Row) -> tuple[Any, ...]:
    return (row["event_time"], *arrival(row))


def known(table: Table, as_of: dt.datetime) -> list[Row]:
    """Rows that happened and were known by ``as_of``, each in its newest version known then."""
    result = []
    for row in table.rows:
        if row["known_time"] > as_of or row["event_time"] > as_of or row["_deleted"]:
            continue
        newer = [
            other
            for other in table.rows
            if table.key
            and all(other[name] == row[name] for name in table.key)
            and (table.kind != "state" or other["event_time"] == row["event_time"])
            and other["known_time"] <= as_of
            and arrival(other) > arrival(row)
        ]
        if not newer:
            result.append(row)
    return sorted(result, key=in_time)


def newest_answer(table: Table, as_of: dt.datetime, mine: Callable[[Row], bool]) -> Row | None:
    """The newest answer about me, if it is still valid."""
    found = [row for row in known(table, as_of) if mine(row)]
    if not found:
        return None
    newest = found[-1]
    if table.valid_days is not None and as_of - newest["event_time"] >= dt.timedelta(days=table.valid_days):
        return None
    return newest


def current_state(table: Table, as_of: dt.datetime, mine: Callable[[Row], bool]) -> Row | None:
    found = [
        row
        for row in known(table, as_of)
        if mine(row)
        and (table.valid_to is None or row[table.valid_to] is None or row[table.valid_to] > as_of)
    ]
    return found[-1] if found else None


def below(table: Table, parents: list[Row], end: dt.datetime, *, directly: bool) -> list[Row]:
    """Child rows in the documents of ``parents`` (or under the parent rows themselves), not dated after ``end``."""
    result = []
    for row in table.rows:
        for parent in parents:
            same = row["_doc"] == parent["_doc"] and (not directly or row["_parent"] == parent["_seq"])
            if same and row["event_time"] <= end:
                result.append(row)
    return sorted(result, key=lambda row: (row["event_time"], row["_seq"]))


def neighbours(links: Table, as_of: dt.datetime, from_: str, me: Any, through: str, to: str) -> list[Any]:
    """Whoever used what I used, as far as known; never myself."""
    seen = known(links, as_of)
    found = []
    for mine in seen:
        if mine[from_] != me or me is None or mine[through] is None:
            continue
        for other in seen:
            if other[through] == mine[through] and other[to] not in (None, me) and other[to] not in found:
                found.append(other[to])
    return found
