"""The tables of a block, loaded once: which rows belong to which key, answer or account."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bluemirror.errors import FamilyError
from bluemirror.mart.versions import quote, versions_sql
from bluemirror.variables.declarations import Block, Family
from bluemirror.variables.grouped import Grouped, Ints
from bluemirror.variables.keyed import joined
from bluemirror.variables.load import (
    FamilyArrays,
    Request,
    family_arrays,
    request_family,
    request_level,
)
from bluemirror.variables.loaded import LoadedRows
from bluemirror.variables.resolve import Moments, Resolved, current_states, known_rows, newest_answers

if TYPE_CHECKING:
    import duckdb

    from bluemirror.contracts import Contract, Table


@dataclass(frozen=True)
class Keys:
    """Numbers for the values of one key: a frame (``_value``, ``_id``) and how many there are."""

    frame: pl.DataFrame

    @classmethod
    def of(cls, values: pl.Series) -> Keys:
        """Number the distinct values; null has no number."""
        distinct = values.drop_nulls().unique().sort()
        return cls(pl.DataFrame({"_value": distinct, "_id": np.arange(len(distinct), dtype=np.int64)}))

    def __len__(self) -> int:
        return len(self.frame)

    def ids(self, values: pl.Series) -> Ints:
        """The number of each value, -1 for null and for what is not numbered."""
        frame = pl.DataFrame({"_value": values}).join(
            self.frame, on="_value", how="left", maintain_order="left"
        )
        return frame["_id"].fill_null(-1).to_numpy()


class Catalog:
    """Finds the contract of a table, its kind and its header."""

    def __init__(self, contracts: Mapping[str, Contract]) -> None:
        self._owner = {table.name: contract for contract in contracts.values() for table in contract.tables}

    def contract(self, table: str, at: Block | Path) -> Contract:
        """The contract that declares ``table``; FamilyError names the file ``at`` if none does."""
        if table not in self._owner:
            import difflib

            near = difflib.get_close_matches(table, self._owner, 1)
            raise FamilyError(
                f"no contract declares the table {table!r}",
                file=at if isinstance(at, Path) else at.path,
                field="table",
                rule="a family reads a contracted table of the mart",
                fix=f"write {near[0]}" if near else "declare it in data_contracts/",
            )
        return self._owner[table]

    def header(self, table: str, block: Block) -> Table:
        """The table at the top of ``table``'s document; the table itself if it hangs under none."""
        contract = self.contract(table, block)
        found = contract.table(table)
        while found.parent is not None:
            found = contract.table(found.parent)
        return found


@dataclass(frozen=True)
class Level:
    """Units of the middle level: parent rows grouped by their header, and the outer slices over them."""

    rows: Grouped
    arrays: FamilyArrays


@dataclass(frozen=True)
class FamilyTable:
    """One family's rows: grouped by key, by header (children) or by unit (two levels)."""

    rows: Grouped
    arrays: FamilyArrays
    level: Level | None


class KeyedTable:
    """A table whose rows are found by a key: events, states, and the headers of answers.

    ``where`` leaves out rows that nobody asks for; only of events, because it would change which state is newest.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        contract: Contract,
        table: Table,
        column: str,
        keys: Keys,
        request: Request,
        where: str | None = None,
    ) -> None:
        self.table = table
        self.valid_days = contract.answer_valid_days
        connection.register("_keys", keys.frame)
        valid_to = f", CAST(t.{quote(table.valid_to)} AS TIMESTAMP) AS _valid_to" if table.valid_to else ""
        hit = ""
        if table.hit is not None:
            yes = ", ".join("'" + value.replace("'", "''") + "'" for value in table.hit[1])
            hit = f", coalesce(CAST(t.{quote(table.hit[0])} AS VARCHAR) IN ({yes}), false) AS _hit"
        sql = (
            "SELECT k._id, t.event_time, t.known_time, t._superseded, t._delivery, t._file, t._line, t._doc, t._seq"
            f"{valid_to}{hit}{request.select()} "
            f"FROM ({versions_sql(table)}) t {joined(contract, table, column)} "
            f"WHERE NOT coalesce(t._deleted, false){f' AND ({where})' if where else ''}"
        )
        self.loaded = LoadedRows(
            connection.sql(sql).pl(),
            "_id",
            ("event_time", "known_time", "_delivery", "_file", "_line", "_seq"),
        )
        connection.unregister("_keys")
        self.rows = self.loaded.grouped(len(keys))
        self.hit = self.loaded.flag("_hit") if table.hit is not None else None

    def over(self, rows: Grouped, hit: NDArray[np.bool_] | None = None) -> KeyedTable:
        """The same kind of table with other rows."""
        made = copy.copy(self)
        made.rows, made.hit = rows, hit
        return made

    def resolve(self, moments: Moments) -> Resolved:
        """The rows that count, by the kind of the table."""
        if self.table.kind == "state":
            return current_states(self.rows, moments)
        if self.table.kind == "answer":
            return newest_answers(self.rows, moments, self.valid_days)
        return known_rows(self.rows, moments)


def _child_sql(catalog: Catalog, block: Block, table: Table, request: Request, link: str) -> str:
    header = catalog.header(table.name, block)
    selected = request.select()
    joins = ""
    if "parent." in selected and table.parent is not None:
        joins += f" JOIN {quote(table.parent)} parent ON parent._doc = t._doc AND parent._seq = t._parent"
    if "header." in selected:
        joins += f" JOIN {quote(header.name)} header ON header._doc = t._doc"
    on = "l._doc = t._doc" if link == "_headers" else "l._doc = t._doc AND l._seq = t._parent"
    return (
        f"SELECT l._row AS _group, t.event_time, t._doc, t._seq{selected} "
        f"FROM {quote(table.name)} t JOIN {link} l ON {on}{joins}"
    )


def _children(connection: duckdb.DuckDBPyConnection, sql: str) -> LoadedRows:
    return LoadedRows(connection.sql(sql).pl(), "_group", ("event_time", "_seq"))


def register_rows(connection: duckdb.DuckDBPyConnection, name: str, loaded: LoadedRows) -> None:
    """Make loaded rows known to SQL: ``_doc``, ``_seq`` and ``_row``, their position."""
    rows = pl.DataFrame([loaded.column("_doc"), loaded.column("_seq")])
    connection.register(name, rows.with_row_index("_row"))


def load_children(
    connection: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    block: Block,
    header: KeyedTable,
    families: Iterable[Family],
    observation_index: pl.DataFrame,
) -> dict[str, FamilyTable]:
    """Load the child tables of one header for ``families`` (which do not read the header itself)."""
    register_rows(connection, "_headers", header.loaded)
    groups = len(header.loaded)
    result: dict[str, FamilyTable] = {}
    by_table: dict[tuple[str, str | None], list[Family]] = {}
    for family in families:
        by_table.setdefault((family.table, family.per.table if family.per else None), []).append(family)
    for (name, unit_table), members in by_table.items():
        table = catalog.contract(name, block).table(name)
        request = Request()
        columns = {family.name: request_family(request, family) for family in members}
        if unit_table is None:
            loaded = _children(connection, _child_sql(catalog, block, table, request, "_headers"))
            rows = loaded.grouped(groups)
            for family in members:
                arrays = family_arrays(loaded, family, columns[family.name], observation_index)
                result[family.name] = FamilyTable(rows, arrays, None)
            continue
        if table.parent != unit_table:
            raise FamilyError(
                f"the rows of {name} do not hang under {unit_table}",
                file=block.path,
                field="per",
                rule=f"the parent of {name} is {table.parent}",
                fix=f"write per: {{table: {table.parent}}}",
            )
        level_request = Request()
        asked = {family.name: request_level(level_request, family) for family in members}
        parent = catalog.contract(unit_table, block).table(unit_table)
        units = _children(connection, _child_sql(catalog, block, parent, level_request, "_headers"))
        register_rows(connection, "_units", units)
        loaded = _children(connection, _child_sql(catalog, block, table, request, "_units"))
        connection.unregister("_units")
        rows = loaded.grouped(len(units))
        unit_rows = units.grouped(groups)
        for family in members:
            assert family.per is not None
            where, slices = asked[family.name]
            outer = FamilyArrays(
                where=None if where is None else units.flag(where),
                exclude=None,
                slices={one.name: units.codes(one, slices[one.name]) for one in family.per.slices},
                numbers={},
                values={},
                unit=None,
                outer_where=None,
            )
            arrays = family_arrays(loaded, family, columns[family.name], observation_index)
            result[family.name] = FamilyTable(rows, arrays, Level(unit_rows, outer))
    connection.unregister("_headers")
    return result
