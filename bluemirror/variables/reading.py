"""What a block reads from the mart, for one or for many chunks of observations: each table once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from bluemirror.errors import FamilyError
from bluemirror.variables.checking import explained_mistakes
from bluemirror.variables.children import Children, read_children
from bluemirror.variables.declarations import Block, Family
from bluemirror.variables.grouped import Ints
from bluemirror.variables.load import Aliases, FamilyColumns, Request, request_families
from bluemirror.variables.loaded import LoadedRows
from bluemirror.variables.relations import Links, LinkTables
from bluemirror.variables.resolve import Moments
from bluemirror.variables.spill import Chunked, Spill
from bluemirror.variables.tables import Catalog, KeyedTable, Keys, read_keyed

if TYPE_CHECKING:
    import duckdb

    from bluemirror.contracts import Contract, Table

LoadKey = tuple[str, str, str, "str | None"]
"""What families that are read together have in common: header, column, key, relation."""


def load_key(catalog: Catalog, block: Block, family: Family) -> LoadKey:
    """The key of the rows of ``family``."""
    header = catalog.header(family.table, block)
    return (header.name, *family.match, repr(family.via) if family.via else None)


def times(observations: pl.DataFrame) -> Ints:
    """as_of of each observation, microseconds."""
    return observations["as_of"].cast(pl.Datetime("us")).dt.timestamp("us").to_numpy()


@dataclass(frozen=True)
class GroupRows:
    """The rows of families that find them by the same key of the same table.

    Attributes
    ----------
    keys, links
        Of each chunk; links only where the families look at neighbours.
    columns, attributes
        Where the columns of the families stand that read the keyed table itself.
    children
        What hangs under it.
    """

    contract: Contract
    table: Table
    members: tuple[Family, ...]
    keys: tuple[Keys, ...]
    links: tuple[Links, ...]
    columns: dict[str, FamilyColumns]
    attributes: dict[str, Aliases]
    rows: Chunked
    children: list[Children] = field(default_factory=list)

    def keyed(self, chunk: int) -> KeyedTable:
        """The keyed table of a chunk."""
        return KeyedTable(self.contract, self.table, self.rows.loaded(chunk), len(self.keys[chunk]))


class BlockRows:
    """The rows of a block over the mart.

    Parameters
    ----------
    connection
        Over the mart (``bluemirror.connect``).
    chunks
        Observations with their keys, each sorted by observation_id.
    spill
        Where rows of several chunks wait; not needed for one.
    links
        Links that other blocks may have read.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        block: Block,
        catalog: Catalog,
        chunks: Sequence[pl.DataFrame],
        spill: Spill | None = None,
        links: LinkTables | None = None,
    ) -> None:
        self.block = block
        self.catalog = catalog
        self.chunks = chunks
        self._spill = spill or Spill()
        self._links = links or LinkTables()
        groups: dict[LoadKey, list[Family]] = {}
        for family in block.families:
            groups.setdefault(load_key(catalog, block, family), []).append(family)
        self.groups: dict[LoadKey, GroupRows] = {}
        for key, members in groups.items():
            with explained_mistakes(block, catalog.contracts, chunks[0].columns):
                self.groups[key] = self._read(connection, tuple(members))

    def _observed(self, chunk: pl.DataFrame, key: str, family: Family) -> pl.Series:
        if key not in chunk.columns:
            raise FamilyError(
                f"the observations have no key {key!r}",
                file=f"{self.block.path}, line {family.line}",
                field="match",
                rule=f"keys of these observations are {', '.join(chunk.columns)}",
                fix="match one of them, or add it to keys_from in the spine or to the observation query",
            )
        return chunk[key]

    def _read(self, connection: duckdb.DuckDBPyConnection, members: tuple[Family, ...]) -> GroupRows:
        first = members[0]
        contract = self.catalog.contract(first.table, self.block)
        header = self.catalog.header(first.table, self.block)
        links: tuple[Links, ...] = ()
        if first.via is not None:
            own = first.via.from_[1]
            table = self._links.of(connection, self.catalog, self.block, first.via)
            links = tuple(table.near(self._observed(chunk, own, first)) for chunk in self.chunks)
            keys = tuple(one.keys for one in links)
        else:
            keys = tuple(Keys.of(self._observed(chunk, first.match[1], first)) for chunk in self.chunks)
        for family in members:
            if family.attributes and family.table != header.name:
                raise FamilyError(
                    f"family {family.name}: attributes are values of {header.name}, not of {family.table}",
                    file=f"{self.block.path}, line {family.line}",
                    field="attributes",
                    rule="attributes come from the one newest answer or state",
                    fix="aggregate the rows with last, max or count instead",
                )
        request = Request()
        own_rows = [family for family in members if family.table == header.name]
        columns, attributes = request_families(request, own_rows)
        wanted = wanted_rows(header, members)
        rows = read_keyed(connection, self._spill, contract, header, first.match[0], keys, request, wanted)
        group = GroupRows(contract, header, members, keys, links, columns, attributes, rows)
        under = [family for family in members if family.table != header.name]

        def headers(chunk: int) -> tuple[LoadedRows, Ints | None]:
            keyed = group.keyed(chunk)
            if first.via is not None:
                return keyed.loaded, None
            # Of answers and states only the newest one known counts: no other one's rows are read.
            observed = self.chunks[chunk]
            moments = Moments(keys[chunk].ids(observed[first.match[1]]), times(observed))
            newest = keyed.resolve(moments).newest(len(observed))
            return keyed.loaded, np.unique(newest[newest >= 0])

        group.children.extend(
            read_children(connection, self._spill, self.catalog, self.block, headers, under)
        )
        return group


def wanted_rows(header: Table, members: Sequence[Family]) -> str | None:
    """The rows that any of ``members`` wants, as SQL; None if one of them wants all of them."""
    filters = [family.where for family in members if family.table == header.name]
    if header.kind != "event" or len(filters) < len(members) or not all(filters):
        return None
    if any(family.age or family.attributes for family in members):
        return None
    return " OR ".join(f"({one})" for one in dict.fromkeys(filters))
