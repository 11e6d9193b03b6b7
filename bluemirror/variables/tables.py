"""Tables whose rows are found by a key, and the contracts that declare them."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bluemirror.errors import FamilyError
from bluemirror.mart.versions import quote, versions_sql
from bluemirror.variables.declarations import Block
from bluemirror.variables.grouped import Grouped, Ints
from bluemirror.variables.keyed import joined
from bluemirror.variables.load import Request
from bluemirror.variables.loaded import LoadedRows
from bluemirror.variables.resolve import Moments, Resolved, current_states, known_rows, newest_answers
from bluemirror.variables.spill import CHUNK, Chunked, Spill, by_chunk

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
        self.contracts = contracts
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


class KeyedTable:
    """A table whose rows are found by a key: events, states, and the headers of answers."""

    def __init__(self, contract: Contract, table: Table, loaded: LoadedRows, keys: int) -> None:
        self.table = table
        self.valid_days = contract.answer_valid_days
        self.loaded = loaded
        self.rows = loaded.grouped(keys)
        self.hit = loaded.flag("_hit") if table.hit is not None else None

    @classmethod
    def read(
        cls,
        connection: duckdb.DuckDBPyConnection,
        contract: Contract,
        table: Table,
        column: str,
        keys: Keys,
        request: Request,
        where: str | None = None,
    ) -> KeyedTable:
        """The rows of ``table`` whose ``column`` is one of ``keys``."""
        rows = read_keyed(connection, Spill(), contract, table, column, [keys], request, where)
        return cls(contract, table, rows.loaded(0), len(keys))

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


def read_keyed(
    connection: duckdb.DuckDBPyConnection,
    spill: Spill,
    contract: Contract,
    table: Table,
    column: str,
    keys: Sequence[Keys],
    request: Request,
    where: str | None = None,
) -> Chunked:
    """Rows of a keyed table for the ``keys`` of each chunk.

    ``where`` leaves out rows that nobody asks for; only of events, because it would change which state is newest.
    """
    valid_to = f", CAST(t.{quote(table.valid_to)} AS TIMESTAMP) AS _valid_to" if table.valid_to else ""
    hit = ""
    if table.hit is not None:
        yes = ", ".join("'" + value.replace("'", "''") + "'" for value in table.hit[1])
        hit = f", coalesce(CAST(t.{quote(table.hit[0])} AS VARCHAR) IN ({yes}), false) AS _hit"
    sql = (
        f"SELECT k.{CHUNK}, k._id, t.event_time, t.known_time, t._superseded, t._delivery, t._file, t._line, t._doc, "
        f"t._seq{valid_to}{hit}{request.select()} "
        f"FROM ({versions_sql(table)}) t {joined(contract, table, column)} "
        f"WHERE NOT coalesce(t._deleted, false){f' AND ({where})' if where else ''}"
    )
    connection.register("_keys", by_chunk(one.frame for one in keys))
    try:
        return spill.read(
            connection, sql, "_id", ("event_time", "known_time", "_delivery", "_file", "_line", "_seq")
        )
    finally:
        connection.unregister("_keys")
