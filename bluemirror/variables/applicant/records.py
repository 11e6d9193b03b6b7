"""The records of an applicant that the mart does not hold yet: typed, checked, keys hashed, rows by table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class Records:
    """Rows by table, in the order in which they arrived; what came first is the older version."""

    tables: Mapping[str, Sequence[FreshRow]] = field(default_factory=dict)

    def of(self, table: str) -> Sequence[FreshRow]:
        """Rows of a table, none if nothing arrived for it."""
        return self.tables.get(table, ())

    def __or__(self, other: Records) -> Records:
        """These records, and then others."""
        return Records({
            name: [*self.of(name), *other.of(name)] for name in {**self.tables, **other.tables}
        })


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
        moments = zip(times(frame, "event_time").tolist(), times(frame, "known_time").tolist(), ends, strict=True)
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
