"""One view over deliveries that were read under several versions of a contract.

The view has the columns of today's contract, in its types, then the system columns, then what earlier versions had and
today's has not. A column that a delivery has not is null in its rows. A column whose type grew wider is cast; one whose
type became another keeps its old values apart, as ``<column>_v<major>``, because they were written to mean something
else. Comments on the columns say what changed, and when (``SELECT column_name, comment FROM duckdb_columns()``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from bluemirror.contracts.change import WORDING
from bluemirror.contracts.changes import compare
from bluemirror.contracts.field_changes import WIDER
from bluemirror.contracts.model import DUCKDB_TYPES

if TYPE_CHECKING:
    from bluemirror.contracts import Contract, Table

WIDER_SQL = {(DUCKDB_TYPES[narrow], DUCKDB_TYPES[wide]) for narrow, wide in WIDER}


@dataclass(frozen=True)
class Part:
    """Files of one table that were read under one version of its contract, and the columns that they have."""

    version: str
    files: Sequence[Path]
    columns: Mapping[str, str]


@dataclass
class View:
    """A view to be made.

    Parameters
    ----------
    name
        Of the table.
    columns
        Column -> DuckDB type, in order.
    selects
        For each part, column of the view -> column of the files.
    parts
        What it reads.
    notes
        Column -> what happened to it between the versions; under "" what happened to the table.
    """

    name: str
    columns: dict[str, str]
    parts: Sequence[Part] = ()
    selects: list[dict[str, str]] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)

    def statements(self) -> Iterator[str]:
        """SQL that makes the view and its comments."""
        yield f'CREATE OR REPLACE VIEW "{self.name}" AS {self._query()}'
        for column, note in self.notes.items():
            of = f'COLUMN "{self.name}"."{column}"' if column else f'VIEW "{self.name}"'
            yield f"COMMENT ON {of} IS {_text(note)}"

    def _query(self) -> str:
        if not self.parts:
            nothing = ", ".join(f'CAST(NULL AS {kind}) AS "{name}"' for name, kind in self.columns.items())
            return f"SELECT {nothing} WHERE false"
        queries = []
        for part, select in zip(self.parts, self.selects, strict=True):
            listed = ", ".join(_text(str(path)) for path in part.files)
            rows = f"read_parquet([{listed}], hive_partitioning = false)"
            whole = len(self.parts) == 1 and dict(part.columns) == self.columns
            chosen = "*" if whole else ", ".join(self._column(part, select, name) for name in self.columns)
            queries.append(f"SELECT {chosen} FROM {rows}")
        return " UNION ALL ".join(queries)

    def _column(self, part: Part, select: Mapping[str, str], name: str) -> str:
        kind = self.columns[name]
        if name not in select:
            return f'CAST(NULL AS {kind}) AS "{name}"'
        own = select[name]
        return f'"{own}" AS "{name}"' if part.columns[own] == kind else f'CAST("{own}" AS {kind}) AS "{name}"'


def make_view(name: str, today: Mapping[str, str], parts: Sequence[Part]) -> View:
    """The view of one table.

    Parameters
    ----------
    today
        Columns of today's contract with their types, system columns with them; empty if it has no such table.
    parts
        The files by version, the oldest first.
    """
    view = View(name, dict(today), parts)
    for part in reversed(parts):
        view.selects.insert(0, _select(view.columns, part))
    return view


def _select(columns: dict[str, str], part: Part) -> dict[str, str]:
    """Column of the view -> column of the part; columns that the view does not have yet are added to it."""
    select = {}
    for name, kind in part.columns.items():
        there = columns.get(name)
        if there is None or there == kind or (kind, there) in WIDER_SQL:
            target = name
        else:
            target = f"{name}_v{part.version.split('.', maxsplit=1)[0]}"
            while columns.get(target, kind) != kind:
                target += "_"
        columns.setdefault(target, kind)
        select[target] = name
    return select


def notes(versions: Sequence[Contract]) -> dict[str, dict[str, str]]:
    """What happened to tables and columns between versions: table -> column -> text, the oldest change first.

    Parameters
    ----------
    versions
        Contracts of one source, the oldest first.
    """
    said: dict[str, dict[str, list[str]]] = {}
    for old, new in pairwise(versions):
        for change in compare(old, new).changes:
            if change.verdict == WORDING:
                continue
            table, _, name = change.where.partition(".")
            told = f"{change.what} in {new.version}"
            if change.before or change.after:
                told += f" ({change.before or 'nothing'} -> {change.after or 'nothing'})"
            for column in _columns((old, new), table, name):
                said.setdefault(table, {}).setdefault(column, []).append(told)
            if change.what == "field renamed":
                for column in _columns((new,), table, change.after):
                    said[table].setdefault(column, []).append(told)
    return {t: {c: "; ".join(texts) for c, texts in columns.items()} for t, columns in said.items()}


def _columns(contracts: Sequence[Contract], table: str, name: str) -> list[str]:
    """Mart columns of a field, as any of the contracts has them; "" for a change of the table itself."""
    found: dict[str, None] = {}
    for contract in contracts:
        for one in contract.tables:
            if one.name != table:
                continue
            found |= dict.fromkeys(_of(one, name))
    return list(found)


def _of(table: Table, name: str) -> list[str]:
    if not name:
        return [""]
    return [
        column
        for item in table.fields
        if item.name == name
        for column, _ in (*item.columns, *item.part_columns)
    ]


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
