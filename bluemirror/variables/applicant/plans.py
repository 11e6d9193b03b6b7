"""How the rows of a fresh applicant become the arrays of a block's families: planned once, by table and key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bluemirror.errors import FamilyError
from bluemirror.mart.connect import mart_columns
from bluemirror.variables.applicant.row_sql import RowFunction, row_function
from bluemirror.variables.keyed import place
from bluemirror.variables.load import (
    Aliases,
    FamilyColumns,
    Request,
    request_families,
    request_family,
    request_level,
)
from bluemirror.variables.reading import LoadKey, load_key

if TYPE_CHECKING:
    import duckdb

    from bluemirror.contracts import Contract, Table
    from bluemirror.variables.declarations import Block, Family
    from bluemirror.variables.tables import Catalog


@dataclass(frozen=True)
class Columns:
    """Aliases, and the function that computes their values for a row."""

    names: tuple[str, ...]
    compute: RowFunction


@dataclass(frozen=True)
class ChildPlan:
    """Families over the rows of one table below a header, perhaps folded over units of another (``unit``)."""

    table: str
    unit: str | None
    families: tuple[Family, ...]
    asked: Mapping[str, FamilyColumns]
    columns: Columns
    level: Columns | None
    outer: Mapping[str, tuple[str | None, Mapping[str, str]]]


@dataclass(frozen=True)
class LoadPlan:
    """All families of a block that find the rows of one header by one key.

    Attributes
    ----------
    match
        Column of the header, or ``child.column``, and key of the observation.
    own
        Families over the header's own rows; ``asked`` and ``attributes`` say under which aliases.
    """

    contract: Contract
    header: Table
    match: tuple[str, str]
    members: tuple[Family, ...]
    own: tuple[Family, ...]
    asked: Mapping[str, FamilyColumns]
    attributes: Mapping[str, Aliases]
    request: Request
    columns: Columns
    children: tuple[ChildPlan, ...]

    @property
    def place(self) -> tuple[str | None, str]:
        """The table below the header that holds the key (None: itself), and the column."""
        return place(self.contract, self.header, self.match[0])


def plan_loads(
    connection: duckdb.DuckDBPyConnection, block: Block, catalog: Catalog
) -> dict[LoadKey, LoadPlan]:
    """The plans of a block, each over one header and key.

    Raises
    ------
    FamilyError
        If a column of a family can be computed by DuckDB only, or a relation leads to documents with rows below.
    """
    groups: dict[LoadKey, list[Family]] = {}
    for family in block.families:
        groups.setdefault(load_key(catalog, block, family), []).append(family)
    return {key: _plan(connection, block, catalog, members) for key, members in groups.items()}


def _plan(
    connection: duckdb.DuckDBPyConnection, block: Block, catalog: Catalog, members: Sequence[Family]
) -> LoadPlan:
    first = members[0]
    contract = catalog.contract(first.table, block)
    header = catalog.header(first.table, block)
    request = Request()
    own = tuple(family for family in members if family.table == header.name)
    asked, attributes = request_families(request, own)
    below: dict[tuple[str, str | None], list[Family]] = {}
    for family in members:
        if family.table != header.name:
            below.setdefault((family.table, family.per.table if family.per else None), []).append(family)
    if below and first.via is not None:
        raise FamilyError(
            f"family {first.name}: neighbours are found by a header that has rows below it",
            file=f"{block.path}, line {first.line}",
            field="via",
            rule="for a fresh applicant a relation leads to rows of their own",
            fix="aggregate a table without a parent",
        )
    children = tuple(
        _child(connection, contract, header, table, unit, families)
        for (table, unit), families in below.items()
    )
    columns = _columns(connection, contract, request, header)
    return LoadPlan(
        contract, header, first.match, tuple(members), own, asked, attributes, request, columns, children
    )


def _child(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    header: Table,
    name: str,
    unit: str | None,
    families: Sequence[Family],
) -> ChildPlan:
    request, level_request = Request(), Request()
    asked = {family.name: request_family(request, family) for family in families}
    outer, level = {}, None
    if unit is not None:
        outer = {family.name: request_level(level_request, family) for family in families}
        level = _columns(connection, contract, level_request, contract.table(unit), header)
    columns = _columns(connection, contract, request, contract.table(name), header)
    return ChildPlan(name, unit, tuple(families), asked, columns, level, outer)


def _columns(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    request: Request,
    table: Table,
    header: Table | None = None,
) -> Columns:
    """The columns of a request over ``table``, which hangs under ``header`` (None: it is the header)."""
    rows = {"t": dict(mart_columns(table))}
    selected = request.select()
    if header is not None and table.parent is not None and "parent." in selected:
        rows["parent"] = dict(mart_columns(contract.table(table.parent)))
    if header is not None and "header." in selected:
        rows["header"] = dict(mart_columns(header))
    tables = {one.name: dict(mart_columns(one)) for one in contract.tables}
    compute = row_function(list(request.expressions), rows, tables, connection)
    return Columns(tuple(request.expressions.values()), compute)
