"""Packed rows in SQLite, a file a view: a night is written beside and renamed, so no reader sees half of it."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from bluemirror.errors import StoreError
from bluemirror.features.packing import Layout

PAGE = 8192
"""Bytes of a page: some rows of a model's inputs fit one."""

_SCHEMA = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE key_of (key BLOB PRIMARY KEY, id INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE packed (id INTEGER PRIMARY KEY, row BLOB NOT NULL);
"""


class FileTables:
    """Tables of packed rows in one folder.

    A reader keeps the file that it opened until another one has taken its name; a row is looked up by the bytes of its
    entity key. The key is kept once, in the index.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._opened = threading.local()

    def publish(
        self,
        table: str,
        layout: Layout,
        facts: Mapping[str, Any],
        batches: Iterable[tuple[Sequence[bytes], Sequence[bytes]]],
    ) -> None:
        """Replace a table by the (keys, rows) of ``batches``; on any error the table stays as it was."""
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f".{table}.{uuid.uuid4().hex[:8]}.draft"
        try:
            with closing(_created(draft, layout, facts)) as connection:
                # Nobody else sees the draft, and a broken one is thrown away: no journal is needed.
                connection.execute("PRAGMA journal_mode = OFF")
                connection.execute("PRAGMA synchronous = OFF")
                with connection:
                    first = 0
                    for keys, rows in batches:
                        ids = range(first, first + len(keys))
                        connection.executemany(
                            "INSERT INTO packed VALUES (?, ?)", zip(ids, rows, strict=True)
                        )
                        # In the order of the index, which is then filled from left to right.
                        index = sorted(zip(keys, ids, strict=True))
                        connection.executemany("INSERT INTO key_of VALUES (?, ?)", index)
                        first += len(keys)
            with draft.open("rb") as written:
                os.fsync(written.fileno())
            with self._writing(table):
                os.replace(draft, self.path(table))
        finally:
            draft.unlink(missing_ok=True)

    def upsert(self, table: str, layout: Layout, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Write some (key, row) into a table, in one transaction; the table is made if there is none."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.path(table)
        with self._writing(table):
            if not path.is_file():
                _created(path, layout, {}).close()
            with closing(sqlite3.connect(path, timeout=30)) as connection, connection:
                held = _layout(connection)
                if held != layout:
                    raise _other_layout(table, path)
                # What stands here is no longer what a night published: the next one writes it anew.
                connection.execute("DELETE FROM facts WHERE name = 'mark'")
                for key, row in rows:
                    found = connection.execute("SELECT id FROM key_of WHERE key = ?", (key,)).fetchone()
                    if found:
                        connection.execute("UPDATE packed SET row = ? WHERE id = ?", (row, found[0]))
                    else:
                        place = connection.execute("INSERT INTO packed (row) VALUES (?)", (row,)).lastrowid
                        connection.execute("INSERT INTO key_of VALUES (?, ?)", (key, place))

    def fetch(self, table: str, keys: Sequence[bytes]) -> tuple[Layout, list[bytes | None]]:
        """The rows of ``keys``, all of one published state; None for a key that is not there."""
        connection, layout = self._reader(table)
        marks = ",".join("?" * len(keys))
        found = dict(
            connection.execute(
                f"SELECT key, row FROM key_of JOIN packed USING (id) WHERE key IN ({marks})", keys
            ).fetchall()
        )
        return layout, [found.get(key) for key in keys]

    def scan(self, table: str, rows: int = 20_000) -> Iterator[tuple[Layout, list[bytes], list[bytes]]]:
        """Every (key, row) of one published state, some thousand at a time."""
        connection, layout = self._reader(table)
        cursor = connection.execute("SELECT key, row FROM key_of JOIN packed USING (id)")
        while part := cursor.fetchmany(rows):
            yield layout, [key for key, _ in part], [row for _, row in part]

    def facts(self, table: str) -> dict[str, Any] | None:
        """What was written beside the rows, and how many there are; None if the table was never published."""
        if not self.path(table).is_file():
            return None
        connection, _ = self._reader(table)
        facts = {
            name: json.loads(value) for name, value in connection.execute("SELECT name, value FROM facts")
        }
        del facts["layout"]
        (count,) = connection.execute("SELECT count(*) FROM key_of").fetchone()
        return facts | {"stored_rows": count, "bytes": self.path(table).stat().st_size}

    def drop(self, table: str) -> None:
        """Remove a table; nothing happens if there is none."""
        for path in (self.path(table), self._lock(table)):
            path.unlink(missing_ok=True)

    def path(self, table: str) -> Path:
        """The file of a table."""
        return self.folder / f"{table}.sqlite"

    def _lock(self, table: str) -> Path:
        return self.folder / f".{table}.lock"

    @contextmanager
    def _writing(self, table: str) -> Iterator[None]:
        """One writer at a time: a row that is added must not be lost with the file that a new night replaces."""
        with self._lock(table).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _reader(self, table: str) -> tuple[sqlite3.Connection, Layout]:
        path = self.path(table)
        opened: dict[str, tuple[int, sqlite3.Connection, Layout]] = self._opened.__dict__.setdefault(
            "tables", {}
        )
        try:
            inode = path.stat().st_ino
            known = opened.get(table)
            if known is not None and known[0] == inode:
                return known[1], known[2]
            connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)
            layout = _layout(connection)
        except FileNotFoundError:
            raise StoreError(
                f"nothing has been published for {table}",
                file=path,
                rule="a serving view is read after it is published",
                fix="run: bluemirror publish",
            ) from None
        except sqlite3.Error as error:
            raise StoreError(
                f"the online table {table} cannot be read",
                file=path,
                rule="an online table is written whole and renamed into place",
                fix="remove the file and run: bluemirror publish",
            ) from error
        if known is not None:
            known[1].close()
        opened[table] = inode, connection, layout
        return connection, layout


def _created(path: Path, layout: Layout, facts: Mapping[str, Any]) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA page_size = {PAGE}")
    connection.executescript(_SCHEMA)
    told = {"layout": layout.text, **{name: json.dumps(value) for name, value in facts.items()}}
    with connection:
        connection.executemany("INSERT INTO facts VALUES (?, ?)", told.items())
    return connection


def _layout(connection: sqlite3.Connection) -> Layout:
    (text,) = connection.execute("SELECT value FROM facts WHERE name = 'layout'").fetchone()
    return Layout.read(text)


def _other_layout(table: str, place: object) -> StoreError:
    return StoreError(
        f"the online table {table} holds other fields than the view",
        file=str(place),
        rule="rows are added with the fields that were published",
        fix="publish the view anew: bluemirror publish",
    )
