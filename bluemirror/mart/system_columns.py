"""The columns that every mart table has beside its own."""

from __future__ import annotations

SYSTEM = {
    "event_time": "timestamp",
    "known_time": "timestamp",
    "_doc": "doc",
    "_seq": "row",
    "_parent": "row",
    "_delivery": "date",
    "_file": "string",
    "_line": "row",
    "_deleted": "bool",
}
"""System columns of every mart table, in order, with their types."""
