"""What the mart knows, loaded once and found by key: the past of every applicant there may be.

The tables are read by the batch's own code, with one difference: not the keys of some observations are wanted but all
keys that the mart holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bluemirror.mart.versions import quote
from bluemirror.variables.applicant.records import mark_sql
from bluemirror.variables.applicant.told import Told, ToldTables
from bluemirror.variables.children import FamilyTable, read_children
from bluemirror.variables.engine import attribute_arrays
from bluemirror.variables.grouped import Grouped
from bluemirror.variables.load import Request, column_sql, family_arrays
from bluemirror.variables.plan import attribute_variables
from bluemirror.variables.reading import wanted_rows
from bluemirror.variables.spill import Spill
from bluemirror.variables.tables import KeyedTable, Keys

if TYPE_CHECKING:
    import duckdb

    from bluemirror.contracts import Contract, Table
    from bluemirror.variables.applicant.plans import LoadPlan
    from bluemirror.variables.declarations import Block
    from bluemirror.variables.grouped import Ints
    from bluemirror.variables.tables import Catalog

Attributes = dict[tuple[str, bool, "str | None"], NDArray[np.float32]]


class Texts:
    """A column of texts of which a few are looked up at a time."""

    def __init__(self, column: pl.Series) -> None:
        self._column = column.cast(pl.String).to_arrow()

    def of(self, rows: Ints) -> list[str | None]:
        """The texts of some rows."""
        if not len(rows):
            return []
        found: list[str | None] = self._column.take(rows).to_pylist()
        return found


class KeyNumbers:
    """Numbers of the values of a key, looked up one at a time; ``keys`` is what the batch's loader takes."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self._sorted = np.array([value.encode() for value in keys.frame["_value"].to_list()] or [b""])
        self._size = len(keys)

    def __len__(self) -> int:
        return self._size

    def of(self, value: str | None) -> int:
        """The number of a value, -1 for null and for what the mart does not know."""
        if value is None or not self._size:
            return -1
        # Values of the key are sorted as UTF-8 is.
        wanted = value.encode()
        if len(wanted) > self._sorted.itemsize:
            return -1
        found = int(np.searchsorted(self._sorted, np.bytes_(wanted)))
        return found if found < self._size and self._sorted[found] == wanted else -1

    def text(self, number: int) -> str:
        """The value that has a number."""
        return bytes(self._sorted[number]).decode()


@dataclass
class Past:
    """The rows of one header that a block reads by one key.

    Attributes
    ----------
    numbers
        Of the key's values: the groups of ``keyed``, which has one more, without rows.
    marks
        Business key of each row.
    told
        All versions of the table.
    texts
        By family: what tells the values of its columns of identities apart, and of its units (``@unit``).
    """

    plan: LoadPlan
    numbers: KeyNumbers
    keyed: KeyedTable
    marks: Texts | None
    told: Told
    tables: dict[str, FamilyTable] = field(default_factory=dict)
    attributes: dict[str, Attributes] = field(default_factory=dict)
    texts: dict[str, dict[str, Texts]] = field(default_factory=dict)


def load_past(
    connection: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    block: Block,
    plan: LoadPlan,
    excluded: pl.DataFrame,
    told: ToldTables,
) -> Past:
    """Load all rows of a plan.

    Parameters
    ----------
    excluded
        ``observation_id`` and ``index``: numbers of the ids that rows are excluded by.
    """
    child, column = plan.place
    numbers = KeyNumbers(Keys.of(all_values(connection, child or plan.header.name, column)))
    request = Request(dict(plan.request.expressions))
    mark = mark_sql(plan.header)
    mark_alias = None if mark is None else request.alias(mark)
    where = wanted_rows(plan.header, plan.members)
    keyed = KeyedTable.read(
        connection, plan.contract, plan.header, plan.match[0], numbers.keys, request, where
    )
    loaded = keyed.loaded
    offsets = keyed.rows.offsets
    # One group more, without rows, for keys that the mart does not know.
    keyed.rows = Grouped(keyed.rows.columns, np.append(offsets, offsets[-1:]))
    marks = None if mark_alias is None else Texts(loaded.column(mark_alias))
    past = Past(plan, numbers, keyed, marks, told.of(plan.header))
    for family in plan.own:
        asked = plan.asked[family.name]
        past.tables[family.name] = FamilyTable(
            keyed.rows, family_arrays(loaded, family, asked, excluded), None
        )
        past.attributes[family.name] = attribute_arrays(
            loaded, plan.attributes[family.name], attribute_variables(block, family)
        )
        past.texts[family.name] = {
            name: Texts(loaded.column(alias))
            for name, alias in (*asked.values.items(), *([("@unit", asked.unit)] if asked.unit else []))
        }
    if plan.children:
        below = [family for child in plan.children for family in child.families]
        for rows in read_children(connection, Spill(), catalog, block, lambda _: (loaded, None), below):
            past.tables |= rows.tables(0, len(loaded), excluded)
    loaded.forget()
    return past


def all_values(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> pl.Series:
    """Every value of a key column."""
    sql = f"SELECT DISTINCT CAST({quote(column)} AS VARCHAR) AS v FROM {quote(table)}"
    return connection.sql(sql).pl()["v"]


def excluded_ids(connection: duckdb.DuckDBPyConnection, blocks: Iterable[Block]) -> pl.DataFrame:
    """Numbers of all ids by which some family leaves out the observation itself: observation_id, index; by id."""
    found: set[str] = set()
    asked = {
        (family.table, column_sql(family.columns, family.exclude_self))
        for block in blocks
        for family in block.families
        if family.exclude_self
    }
    for table, expression in sorted(asked):
        sql = f"SELECT DISTINCT CAST({expression} AS VARCHAR) AS v FROM {quote(table)} t"
        found |= {value for (value,) in connection.sql(sql).fetchall() if value is not None}
    return pl.DataFrame(
        {"observation_id": sorted(found)}, schema={"observation_id": pl.String}
    ).with_row_index("index")


class KeyedColumns:
    """Some columns of a table by key, as they are: an entity's other keys, or what the call ledger says."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        contract: Contract,
        table: Table,
        key: str,
        columns: Sequence[str],
        told: ToldTables,
    ) -> None:
        self.table = table
        self.key = key
        self.numbers = KeyNumbers(Keys.of(all_values(connection, table.name, key)))
        request = Request()
        aliases = {name: request.alias(f"CAST(t.{quote(name)} AS VARCHAR)") for name in columns}
        mark = mark_sql(table)
        mark_alias = None if mark is None else request.alias(mark)
        self.keyed = KeyedTable.read(connection, contract, table, key, self.numbers.keys, request)
        self.columns = {name: Texts(self.keyed.loaded.column(alias)) for name, alias in aliases.items()}
        self.marks = None if mark_alias is None else Texts(self.keyed.loaded.column(mark_alias))
        self.told = told.of(table)
        self.keyed.loaded.forget()


def rows_between(offsets: Ints, row: int, groups: int, place: int) -> Ints:
    """Offsets of ``groups`` groups of which only ``place`` has rows: those of the group ``row`` of ``offsets``."""
    made = np.full(groups + 1, offsets[row], dtype=np.int64)
    made[place + 1 :] = offsets[row + 1]
    return made
