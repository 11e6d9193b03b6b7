"""Lineage both ways: from a model to variables, blocks, columns and sources; from a source or column to the models."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from bluemirror.errors import BluemirrorError
from bluemirror.features.services import ServicePlan, read_services, service_name
from bluemirror.workspace import Workspace

if TYPE_CHECKING:
    from bluemirror.contracts import Contract
    from bluemirror.variables.variable import Variable

MODEL, VARIABLE, BLOCK, TABLE, SOURCE, COLUMN = "model", "variable", "block", "table", "source", "column"
TIMES = ("event_time", "known_time")
"""Columns that every table has: named only with their table."""


@dataclass(frozen=True)
class UsedVariable:
    """A variable on the way, with its labels and the columns that its values can come from (table -> columns)."""

    name: str
    block: str
    label_zh: str
    label_en: str
    unit: str
    meaning: str
    columns: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class UsedSource:
    """A source on the way: its contract's version, what a hit costs in yuan, and the tables that are read of it."""

    source: str
    label_zh: str
    label_en: str
    contract_version: str
    domain: str
    cost_yuan: float
    tables: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class UsingModel:
    """A registered model version and those of its inputs that are concerned, with what it takes them to mean."""

    service: str
    model: str
    version: str
    owner: str
    inputs: tuple[str, ...]
    variables: int


@dataclass(frozen=True)
class Trace:
    """What stands before and behind something.

    Attributes
    ----------
    name, kind
        What was asked: a model, variable, block, table, source or column.
    variables
        Those of a model or block, the variable itself, or those that can come from a table, source or column.
    sources
        Where they come from; of a table, source or column, itself.
    models
        Registered versions that read any of the variables; of a model, itself.
    cost_yuan
        What one hit of each of the sources costs together.
    """

    name: str
    kind: str
    variables: tuple[UsedVariable, ...]
    sources: tuple[UsedSource, ...]
    models: tuple[UsingModel, ...]
    cost_yuan: float

    @property
    def blocks(self) -> dict[str, int]:
        """Block -> how many of the variables it has."""
        counts: dict[str, int] = {}
        for one in self.variables:
            counts[one.block] = counts.get(one.block, 0) + 1
        return counts

    def as_json(self) -> dict[str, Any]:
        """Everything as plain values."""
        return asdict(self) | {"blocks": self.blocks}

    @property
    def tags(self) -> dict[str, str]:
        """The same in a few words, for the pages of Feast and MLflow."""
        return {
            "blocks": ", ".join(self.blocks),
            "tables": ", ".join(sorted({table for one in self.sources for table in one.tables})),
            "contracts": ", ".join(f"{one.source} {one.contract_version}" for one in self.sources),
            "cost_yuan": f"{self.cost_yuan:g}",
        }


@dataclass(frozen=True)
class _Declared:
    """Variables, columns and contracts under one set of declarations."""

    variables: Mapping[str, Variable]
    columns: Mapping[str, Mapping[str, tuple[str, ...]]]
    contracts: Mapping[str, Contract]
    source_of: Mapping[str, str]

    @classmethod
    def read(cls, workspace: Workspace, names: Iterable[str] | None = None) -> _Declared:
        """All that is declared, or only the blocks that some variables may be of."""
        from bluemirror.contracts import read_contracts
        from bluemirror.variables import catalogue, load_blocks
        from bluemirror.variables.lineage import lineage
        from bluemirror.variables.spine import read_spine

        contracts, spine = read_contracts(workspace.contracts_dir), read_spine(workspace)
        asked = None if names is None else list(names)
        wanted = set()
        columns = {}
        for block in load_blocks(workspace):
            if asked is None or any(name.startswith(f"{block.name}_") for name in asked):
                wanted.add(block.name)
                for name, found in lineage(block, contracts, spine).items():
                    columns[name] = _by_table(found)
        variables = {one.name: one for one in catalogue(workspace) if one.block in wanted}
        source_of = {table.name: one.source for one in contracts.values() for table in one.tables}
        return cls(variables, columns, contracts, source_of)

    def used(self, names: Iterable[str]) -> tuple[UsedVariable, ...]:
        return tuple(
            UsedVariable(
                one.name, one.block, one.label_zh, one.label_en, one.unit, one.meaning, self.columns[one.name]
            )
            for one in (self.variables[name] for name in names)
        )

    def sources(self, variables: Iterable[UsedVariable]) -> tuple[UsedSource, ...]:
        """Sources of some variables with the columns that are read, in the order of their names."""
        read: dict[str, dict[str, set[str]]] = {}
        for one in variables:
            for table, columns in one.columns.items():
                if table in self.source_of:
                    read.setdefault(self.source_of[table], {}).setdefault(table, set()).update(columns)
        return tuple(self._source(source, tables) for source, tables in sorted(read.items()))

    def source(self, source: str, table: str | None = None, column: str | None = None) -> UsedSource:
        """A source whole, or one table or column of it."""
        tables = {
            one.name: {name for name, _ in one.columns} if column is None else {column}
            for one in self.contracts[source].tables
            if table in (None, one.name)
        }
        return self._source(source, tables)

    def _source(self, source: str, tables: Mapping[str, Iterable[str]]) -> UsedSource:
        contract = self.contracts[source]
        return UsedSource(
            source,
            contract.name_zh,
            contract.name_en,
            contract.version,
            contract.domain,
            contract.price("hit"),
            {table: tuple(sorted(columns)) for table, columns in sorted(tables.items())},
        )


def trace(workspace: Workspace, name: str) -> Trace:
    """Lineage of a model (``card`` for its newest version, ``card_v2``), variable, block, table, source or column.

    A column is written ``table.column``, or ``source.column`` where one table of the source has it. A model version is
    traced through the declarations that it was registered with.

    Raises
    ------
    BluemirrorError
        If nothing is called so.
    """
    services = read_services(workspace)
    mine = [one for one in services if name in (one.name, one.model)]
    if mine:
        return trace_service(workspace, max(mine, key=_version), name)
    declared = _Declared.read(workspace)
    blocks: dict[str, list[str]] = {}
    for one in declared.variables.values():
        blocks.setdefault(one.block, []).append(one.name)
    source: UsedSource | None = None
    if name in declared.variables:
        kind, found = VARIABLE, [name]
    elif name in declared.contracts or name in declared.source_of:
        kind = SOURCE if name in declared.contracts else TABLE
        source = declared.source(name) if kind == SOURCE else declared.source(declared.source_of[name], name)
        found = _from(declared, source.tables)
    elif name in blocks:
        kind, found = BLOCK, blocks[name]
    else:
        kind, source = COLUMN, _column(declared, name, services, blocks)
        found = _from(declared, source.tables, one_column=True)
    variables = declared.used(found)
    sources = declared.sources(variables) if source is None else (source,)
    models = []
    for service in services:
        then = _declared_for(workspace, service, declared)
        if source is None or then is declared:
            concerned = set(found)
        else:
            concerned = set(_from(then, source.tables, one_column=kind == COLUMN))
        inputs = tuple(one for one in service.inputs if one in concerned)
        if inputs:
            models.append(_using(service, inputs))
    return Trace(name, kind, variables, sources, tuple(models), _cost(sources))


def trace_service(workspace: Workspace, service: ServicePlan, name: str = "") -> Trace:
    """Lineage of one registered version, through the declarations that it was registered with."""
    from bluemirror.features.former import home_of

    declared = _Declared.read(home_of(workspace, service), service.inputs)
    variables = declared.used(one for one in service.inputs if one in declared.variables)
    sources = declared.sources(variables)
    return Trace(
        name=name or service.name,
        kind=MODEL,
        variables=variables,
        sources=sources,
        models=(_using(service, tuple(service.inputs)),),
        cost_yuan=_cost(sources),
    )


def _by_table(columns: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for table, column in sorted(columns):
        found.setdefault(table, []).append(column)
    return {table: tuple(names) for table, names in found.items()}


def _cost(sources: Iterable[UsedSource]) -> float:
    return round(sum(one.cost_yuan for one in sources), 4)


def _version(service: ServicePlan) -> tuple[int, str]:
    return (int(service.version) if service.version.isdigit() else 0, service.version)


def _from(
    declared: _Declared, tables: Mapping[str, tuple[str, ...]], *, one_column: bool = False
) -> list[str]:
    """Variables whose values can come from one of the tables, or from the column that is named of them."""
    found = []
    for name in declared.variables:
        read = declared.columns[name]
        if any(
            table in read and (not one_column or set(columns) & set(read[table]))
            for table, columns in tables.items()
        ):
            found.append(name)
    return found


def _column(
    declared: _Declared, name: str, services: Iterable[ServicePlan], blocks: Iterable[str]
) -> UsedSource:
    place, _, column = name.rpartition(".")
    source = place if place in declared.contracts else declared.source_of.get(place)
    if source is not None:
        tables = {
            one.name: {each for each, _ in one.columns} | set(TIMES)
            for one in declared.contracts[source].tables
        }
        if place in tables and column in tables[place]:
            return declared.source(source, place, column)
        holding = [table for table, columns in tables.items() if column in columns and column not in TIMES]
        if len(holding) == 1:
            return declared.source(source, holding[0], column)
        raise BluemirrorError(
            f"{len(holding)} tables of {source} have a column {column}",
            file=declared.contracts[source].path,
            field=column,
            rule="a column is named with its table: TABLE.COLUMN",
            fix=f"tables are {', '.join(holding or tables)}",
        )
    known = [*(s.name for s in services), *declared.contracts, *declared.source_of, *blocks]
    near = difflib.get_close_matches(name, known, 3) or difflib.get_close_matches(name, declared.variables, 3)
    raise BluemirrorError(
        f"nothing is called {name!r}",
        field=name,
        rule="a name is that of a registered model, a variable, block, table, source, or TABLE.COLUMN",
        fix=f"did you mean {' or '.join(near)}?" if near else "search with: bluemirror catalogue search TEXT",
    )


def _using(service: ServicePlan, inputs: tuple[str, ...]) -> UsingModel:
    return UsingModel(
        service_name(service.model, service.version),
        service.model,
        service.version,
        service.owner,
        inputs,
        len(service.inputs),
    )


def _declared_for(workspace: Workspace, service: ServicePlan, today: _Declared) -> _Declared:
    """What a version's variables are declared by: what all are today, if they mean the same."""
    from bluemirror.features.former import home_of, means_the_same

    meanings = {name: one.meaning for name, one in today.variables.items()}
    if means_the_same(service, meanings) or not service.declared:
        return today
    return _Declared.read(home_of(workspace, service, meanings), service.inputs)
