"""Where published rows are kept, opened from the settings alone: publishing and checking need not wait for Feast."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from bluemirror.errors import StoreError
from bluemirror.features.packing import Layout

_STRING = 2
"""Feast's number for the type of a text, in its value types and before each part of a key."""


class Tables(Protocol):
    """Tables of packed rows, found by the bytes of an entity key."""

    def publish(
        self,
        table: str,
        layout: Layout,
        facts: Mapping[str, Any],
        batches: Iterable[tuple[Sequence[bytes], Sequence[bytes]]],
    ) -> None:
        """Replace a table by the (keys, rows) of ``batches``; on any error the table stays as it was."""

    def upsert(self, table: str, layout: Layout, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Write some (key, row) into a table, in one step; the table is made if there is none."""

    def fetch(self, table: str, keys: Sequence[bytes]) -> tuple[Layout, list[bytes | None]]:
        """The rows of ``keys``, all of one published state; None for a key that is not there."""

    def scan(self, table: str, rows: int = 20_000) -> Iterator[tuple[Layout, list[bytes], list[bytes]]]:
        """Every (key, row) of one published state, some thousand at a time."""

    def facts(self, table: str) -> dict[str, Any] | None:
        """What was written beside the rows, and how many there are; None if the table was never published."""

    def drop(self, table: str) -> None:
        """Remove a table; nothing happens if there is none."""


def open_tables(settings: Mapping[str, Any], repo: Path) -> Tables:
    """The tables that the section ``online_store`` of ``feature_store.yaml`` names.

    Raises
    ------
    StoreError
        If it names a store that is not one of ours.
    """
    from bluemirror.features.online_files import FileTables
    from bluemirror.features.online_redis import RedisTables

    kind = str(settings.get("type"))
    if kind.endswith(".PackedSqliteOnlineStore"):
        return FileTables((repo / str(settings.get("path", "online"))).resolve())
    if kind.endswith(".PackedRedisOnlineStore"):
        return RedisTables(str(settings["address"]))
    raise StoreError(
        f"the online store {kind} keeps no packed rows",
        field="online_store",
        rule="its type is PackedSqliteOnlineStore or PackedRedisOnlineStore of bluemirror.features.online_store",
        fix="correct feature_store.yaml",
    )


def table_name(project: str, view: str) -> str:
    """Name of the table of a view."""
    return f"{project}.{view}"


def text_keys(key: str, values: Iterable[str]) -> list[bytes]:
    """Entity keys of one text column as Feast writes them (version 3): how many parts, their names, their values."""
    name = key.encode()
    head = struct.pack("<III", 1, _STRING, len(name)) + name + struct.pack("<I", _STRING)
    found = []
    for value in values:
        text = value.encode()
        found.append(head + struct.pack("<I", len(text)) + text)
    return found


def key_texts(key: str, keys: Iterable[bytes]) -> list[str]:
    """The values of :func:`text_keys`."""
    skip = 12 + len(key.encode()) + 8
    return [each[skip:].decode() for each in keys]
