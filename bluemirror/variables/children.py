"""Rows that hang under the rows of another table: under an answer, or under the accounts of an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from bluemirror.errors import FamilyError
from bluemirror.mart.versions import quote
from bluemirror.variables.declarations import Block, Family
from bluemirror.variables.grouped import Grouped, Ints
from bluemirror.variables.load import (
    FamilyArrays,
    FamilyColumns,
    Request,
    family_arrays,
    outer_arrays,
    request_family,
    request_level,
)
from bluemirror.variables.loaded import LoadedRows
from bluemirror.variables.spill import CHUNK, Chunked, Spill, by_chunk
from bluemirror.variables.tables import Catalog

if TYPE_CHECKING:
    import duckdb

    from bluemirror.contracts import Table

Level = tuple["str | None", dict[str, str]]


@dataclass(frozen=True)
class Units:
    """Units of the middle level: parent rows grouped by their header, and the outer slices over them."""

    rows: Grouped
    arrays: FamilyArrays


@dataclass(frozen=True)
class FamilyTable:
    """One family's rows: grouped by key, by header (children) or by unit (two levels)."""

    rows: Grouped
    arrays: FamilyArrays
    level: Units | None


@dataclass(frozen=True)
class Children:
    """The rows of one child table, or of one under its units, for the families that read it.

    Attributes
    ----------
    columns
        Where the columns of each family stand.
    rows
        The rows, grouped by the position of their header, or of their unit.
    units, levels
        The units and where the columns of the middle level stand, if there is one.
    """

    members: tuple[Family, ...]
    columns: dict[str, FamilyColumns]
    rows: Chunked
    units: Chunked | None
    levels: dict[str, Level]

    def tables(self, chunk: int, headers: int, observation_index: pl.DataFrame) -> dict[str, FamilyTable]:
        """Each family's rows in ``chunk``, whose observations see ``headers`` headers."""
        loaded = self.rows.loaded(chunk)
        if self.units is None:
            rows, units, under = loaded.grouped(headers), None, None
        else:
            units = self.units.loaded(chunk)
            rows, under = loaded.grouped(len(units)), units.grouped(headers)
        result = {}
        for family in self.members:
            level = None
            if units is not None and under is not None:
                level = Units(under, outer_arrays(units, family, *self.levels[family.name]))
            arrays = family_arrays(loaded, family, self.columns[family.name], observation_index)
            result[family.name] = FamilyTable(rows, arrays, level)
        return result


def read_children(
    connection: duckdb.DuckDBPyConnection,
    spill: Spill,
    catalog: Catalog,
    block: Block,
    headers: Callable[[int], tuple[LoadedRows, Ints | None]],
    families: Iterable[Family],
) -> list[Children]:
    """Read the child tables of one header for ``families`` (which do not read the header itself).

    ``headers`` gives the headers of a chunk and the positions of those that are wanted (None: all):
    only their rows are read.
    """
    by_table: dict[tuple[str, str | None], list[Family]] = {}
    for family in families:
        by_table.setdefault((family.table, family.per.table if family.per else None), []).append(family)
    if not by_table:
        return []
    connection.register("_headers", _positions(spill, headers))
    result = []
    for (name, unit_table), members in by_table.items():
        table = catalog.contract(name, block).table(name)
        request = Request()
        columns = {family.name: request_family(request, family) for family in members}
        if unit_table is None:
            rows = _read(connection, spill, _sql(catalog, block, table, request, "_headers"))
            result.append(Children(tuple(members), columns, rows, None, {}))
            continue
        if table.parent != unit_table:
            raise FamilyError(
                f"the rows of {name} do not hang under {unit_table}",
                file=block.path,
                field="per",
                rule=f"the parent of {name} is {table.parent}",
                fix=f"write per: {{table: {table.parent}}}",
            )
        outer = Request()
        levels = {family.name: request_level(outer, family) for family in members}
        parent = catalog.contract(unit_table, block).table(unit_table)
        units = _read(connection, spill, _sql(catalog, block, parent, outer, "_headers"))
        connection.register("_units", _positions(spill, partial(_whole, units)))
        rows = _read(connection, spill, _sql(catalog, block, table, request, "_units"))
        connection.unregister("_units")
        result.append(Children(tuple(members), columns, rows, units, levels))
    connection.unregister("_headers")
    return result


def _whole(units: Chunked, chunk: int) -> tuple[LoadedRows, None]:
    return units.loaded(chunk), None


def _positions(spill: Spill, parents: Callable[[int], tuple[LoadedRows, Ints | None]]) -> pl.DataFrame:
    """What children are joined to: ``_doc``, ``_seq`` and ``_row``, the position of each wanted parent, by chunk."""

    def wanted(chunk: int) -> pl.DataFrame:
        loaded, positions = parents(chunk)
        rows = pl.DataFrame([loaded.column("_doc"), loaded.column("_seq")]).with_row_index("_row")
        return rows if positions is None else rows[positions]

    return by_chunk(wanted(chunk) for chunk in range(spill.chunks))


def _sql(catalog: Catalog, block: Block, table: Table, request: Request, link: str) -> str:
    header = catalog.header(table.name, block)
    selected = request.select()
    joins = ""
    if "parent." in selected and table.parent is not None:
        joins += f" JOIN {quote(table.parent)} parent ON parent._doc = t._doc AND parent._seq = t._parent"
    if "header." in selected:
        joins += f" JOIN {quote(header.name)} header ON header._doc = t._doc"
    on = "l._doc = t._doc" if link == "_headers" else "l._doc = t._doc AND l._seq = t._parent"
    return (
        f"SELECT l.{CHUNK}, l._row AS _group, t.event_time, t._doc, t._seq{selected} "
        f"FROM {quote(table.name)} t JOIN {link} l ON {on}{joins}"
    )


def _read(connection: duckdb.DuckDBPyConnection, spill: Spill, sql: str) -> Chunked:
    return spill.read(connection, sql, "_group", ("event_time", "_seq"))
