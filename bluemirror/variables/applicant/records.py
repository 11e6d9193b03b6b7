"""The records of an applicant that the mart does not hold yet: typed, checked, keys hashed, rows by table."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bluemirror.variables.applicant.row_functions import text
from bluemirror.variables.loaded import FOREVER, times

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.contracts import Contract, Table

SEPARATOR = chr(31)
"""Between the columns of a business key."""


@dataclass(slots=True)
class FreshRow:
    """One row of a mart table.

    Attributes
    ----------
    values
        Column -> value, as Python has it.
    event, known, valid_to
        Its times in microseconds; what has no end is valid for ever, what has no event time is before all time.
    mark
        Its business key; rows of one mark are versions of one thing. None if the table has no key.
    hit, deleted
        Whether the answer knew the subject; whether the row only says that its key is gone.
    document, rows
        All rows of its document by table: in this form, and as plain mappings.
    number
        Rows are numbered as they arrive.
    """

    values: Mapping[str, Any]
    event: int
    known: int
    valid_to: int
    mark: str | None
    hit: bool
    deleted: bool
    document: dict[str, list[FreshRow]]
    rows: dict[str, list[Mapping[str, Any]]]
    number: int

    @property
    def version(self) -> tuple[int, int]:
        """What orders the versions of one thing."""
        return self.known, self.number


class Records:
    """Rows by table, in the order in which they arrived, found by the value of a column or by their business key.

    Parameters
    ----------
    tables
        Table -> rows.
    before
        Records that arrived before these; they are looked at too, and never changed from here.
    """

    def __init__(
        self, tables: Mapping[str, Sequence[FreshRow]] | None = None, before: Records | None = None
    ) -> None:
        self._tables = {name: list(rows) for name, rows in (tables or {}).items()}
        self._before = before
        self._by: dict[tuple[str, str], dict[Any, list[FreshRow]]] = {}
        self._versions: dict[str, dict[str, list[FreshRow]]] = {}

    def after(self, before: Records) -> Records:
        """The same records, seen as what came after ``before``."""
        return Records(self._tables, before)

    def add(self, other: Records) -> None:
        """Take over the rows of ``other`` (not of what came before it)."""
        for table, rows in other._tables.items():
            self._tables.setdefault(table, []).extend(rows)
            for (indexed, column), found in self._by.items():
                if indexed == table:
                    for row in rows:
                        found.setdefault(row.values[column], []).append(row)
            if table in self._versions:
                _note_versions(self._versions[table], rows)

    def documents(self) -> Iterator[tuple[int, Mapping[str, Sequence[FreshRow]]]]:
        """Each document (``_doc``) with its rows by table; not of what came before."""
        seen: dict[int, Mapping[str, Sequence[FreshRow]]] = {}
        for rows in self._tables.values():
            for row in rows:
                seen.setdefault(row.values["_doc"], row.document)
        yield from seen.items()

    def any(self, table: str) -> bool:
        """Whether anything arrived for a table."""
        return bool(self._tables.get(table)) or (self._before is not None and self._before.any(table))

    def by(self, table: str, column: str, value: Any) -> list[FreshRow]:
        """Rows of a table whose column has a value."""
        earlier = [] if self._before is None else self._before.by(table, column, value)
        rows = self._tables.get(table)
        if not rows:
            return earlier
        return [*earlier, *self._index(table, column).get(value, ())]

    def values(self, table: str, column: str) -> set[Any]:
        """Every value of a column."""
        earlier = set() if self._before is None else self._before.values(table, column)
        return earlier | self._index(table, column).keys() if self._tables.get(table) else earlier

    def versions(self, table: str, mark: str | None) -> list[FreshRow]:
        """All rows of a business key, deletions among them; none of no key."""
        earlier = [] if self._before is None else self._before.versions(table, mark)
        rows = self._tables.get(table)
        if not rows or mark is None:
            return earlier
        if table not in self._versions:
            self._versions[table] = {}
            _note_versions(self._versions[table], rows)
        return [*earlier, *self._versions[table].get(mark, ())]

    def _index(self, table: str, column: str) -> dict[Any, list[FreshRow]]:
        key = (table, column)
        if key not in self._by:
            found: dict[Any, list[FreshRow]] = {}
            for row in self._tables.get(table, ()):
                found.setdefault(row.values[column], []).append(row)
            self._by[key] = found
        return self._by[key]


def _note_versions(versions: dict[str, list[FreshRow]], rows: Sequence[FreshRow]) -> None:
    for row in rows:
        if row.mark is not None:
            versions.setdefault(row.mark, []).append(row)


_ARRIVALS = itertools.count()


def records_of(contract: Contract, frames: Mapping[str, pl.DataFrame]) -> Records:
    """Records from mart frames of one source, as :func:`bluemirror.mart.finished.finish_tables` makes them.

    Parameters
    ----------
    frames
        Table -> frame with the columns of the mart.
    """
    documents: dict[int, dict[str, list[FreshRow]]] = {}
    plain: dict[int, dict[str, list[Mapping[str, Any]]]] = {}
    tables: dict[str, list[FreshRow]] = {}
    for table in contract.tables:
        frame = frames.get(table.name)
        if frame is None or not len(frame):
            continue
        made = tables[table.name] = []
        ends = [FOREVER] * len(frame)
        if table.valid_to is not None:
            ends = times(frame.rename({table.valid_to: "_valid_to"}), "_valid_to").tolist()
        moments = zip(
            times(frame, "event_time").tolist(), times(frame, "known_time").tolist(), ends, strict=True
        )
        for values, (event, known, end) in zip(frame.to_dicts(), moments, strict=True):
            document = documents.setdefault(values["_doc"], {})
            rows = plain.setdefault(values["_doc"], {})
            row = FreshRow(
                values,
                event,
                known,
                end,
                _mark(table, values),
                table.hit is not None and _text(values[table.hit[0]]) in table.hit[1],
                bool(values["_deleted"]),
                document,
                rows,
                next(_ARRIVALS),
            )
            document.setdefault(table.name, []).append(row)
            rows.setdefault(table.name, []).append(values)
            made.append(row)
    return Records(tables)


def mark_sql(table: Table) -> str | None:
    """The business key of a row as SQL, spelled as :func:`records_of` spells it; None if the table has none.

    A state's key is the business key and the moment from which the state holds.
    """
    from bluemirror.mart.versions import quote

    names = [f"t.{quote(name)}" for name in _key(table)]
    if not names:
        return None
    parts = [f"coalesce(CAST({name} AS VARCHAR), '')" for name in names]
    return f" || chr({ord(SEPARATOR)}) || ".join(parts)


def _key(table: Table) -> tuple[str, ...]:
    if table.kind == "state" and table.key_columns:
        return (*table.key_columns, "event_time")
    return table.key_columns


def _mark(table: Table, values: Mapping[str, Any]) -> str | None:
    names = _key(table)
    return SEPARATOR.join(_text(values[name]) for name in names) if names else None


def _text(value: Any) -> str:
    return "" if value is None else text(value)
