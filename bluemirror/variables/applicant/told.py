"""When each version of a thing became known, of all that the mart was ever told.

A row that arrives late may be older than a version that the mart holds: one that nobody asks for, one of another key,
or one that says that the thing is gone. None of them is among the rows that the applicant's key leads to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bluemirror.mart.versions import quote
from bluemirror.variables.applicant.records import mark_sql

if TYPE_CHECKING:
    import duckdb

    from bluemirror.contracts import Table
    from bluemirror.variables.grouped import Ints


@dataclass(frozen=True)
class Told:
    """The versions of one table.

    Attributes
    ----------
    marks
        (versions,) hashes of business keys, ascending. Two keys of one hash are as good as impossible: with ten million
        versions, once in ten billion applicants.
    known
        (versions,) when each became known, microseconds.
    """

    marks: NDArray[np.uint64]
    known: Ints

    @classmethod
    def read(cls, connection: duckdb.DuckDBPyConnection, table: Table) -> Told:
        """Read every version of ``table``, deletions among them; none if its rows have no business key."""
        mark = mark_sql(table)
        if mark is None:
            return cls(np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64))
        frame = connection.sql(
            f"SELECT {mark} AS mark, epoch_us(known_time) AS known FROM {quote(table.name)} t"
        ).pl()
        frame = frame.select(pl.col("mark").hash(), "known").sort("mark")
        return cls(frame["mark"].to_numpy(), frame["known"].to_numpy())

    def of(self, mark: str) -> list[int]:
        """When the versions of ``mark`` became known."""
        return self.of_all([mark])[0]

    def of_all(self, marks: Sequence[str]) -> list[list[int]]:
        """The same for several at once: hashing one text costs nearly as much as hashing a hundred."""
        if not len(self.marks) or not marks:
            return [[] for _ in marks]
        wanted = pl.Series(marks, dtype=pl.String).hash().to_numpy()
        first, last = (np.searchsorted(self.marks, wanted, side) for side in ("left", "right"))
        return [
            self.known[start:stop].tolist() for start, stop in zip(first.tolist(), last.tolist(), strict=True)
        ]


@dataclass(frozen=True)
class ToldTables:
    """The versions of every table, read when first asked for; blocks share them."""

    connection: duckdb.DuckDBPyConnection
    _read: dict[str, Told] = field(default_factory=dict)

    def of(self, table: Table) -> Told:
        """The versions of ``table``."""
        if table.name not in self._read:
            self._read[table.name] = Told.read(self.connection, table)
        return self._read[table.name]
