"""The relational copy: the tree as tables, in a ZIP of CSV files, declared by the contract's ``landing`` property.

One ZIP holds many records. With ``relational: {prefix: CR_, document: BATCH_ID, row: ID, parent: PARENT_ID}``:

* **Tables.** A *wrapper* is a top-level step of the tree. Each wrapper is a table, named prefix + wrapper
  (``CR_PRH``), with the columns BATCH_ID and ID and one column for each leaf in it that does not repeat, whatever
  groups stand between; the column is called by the leaf's own name. It has at most one row a record.
  A wrapper that holds nothing but one repeating unit (``PDA/PD01[]``) gives its name to that unit: ``CR_PDA`` has
  one row a unit. Each other repeating group is a table of its own, named prefix + the group's own name
  (``CR_PD01EH``, whatever stands above it), with PARENT_ID and one column a leaf, and an ID if something repeats
  within it.
* **Ties.** BATCH_ID names the record. The record numbers are those of the *root table*, the wrapper of the header
  table's primary key: record n is its n-th row. ID is unique in its table throughout the file; PARENT_ID is the ID
  of a row of the table around (the wrapper's table, or the enclosing unit's). Rows of one record, and within it of
  one parent, stand in the tree's order.
* **Members** are ``<table>.csv`` in any folder of the ZIP, UTF-8, comma, quotes where needed, with a header line.
  Every table must be there, if only as its header line, with all its columns (but those that a later version of the
  contract added); what the contract does not read
  (other members, other columns) is passed over, as it is in a document. Values are text, as in the tree; an empty
  field is no value.

The file is held back whole if it is no ZIP, larger unpacked than :data:`~bluemirror.landing.limits.UNPACKED_BYTES`,
has a table or column missing, or rows that hang under nothing. A record with two rows of one wrapper is rejected
alone.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bluemirror.errors import ContractError
from bluemirror.landing.tree import Node, Scope

if TYPE_CHECKING:
    from bluemirror.contracts.model import Contract, Relational


@dataclass(frozen=True)
class RelationalTable:
    """One table of the copy.

    Parameters
    ----------
    name
        Of the table, and of the member without its suffix.
    scope
        The scope that its rows, or (for wrappers) its values belong to.
    columns
        Column of the CSV -> slot of the scope.
    above
        The table that PARENT_ID refers to; None for a table that is tied to its record by BATCH_ID.
    numbered
        Whether others refer to its ID.
    added
        Columns that a later version of the contract added: older files come without them.
    """

    name: str
    scope: int
    columns: tuple[tuple[str, str], ...]
    above: str | None
    numbered: bool
    added: frozenset[str] = frozenset()


@dataclass(frozen=True)
class RelationalPlan:
    """All tables of the copy, each after the one above it, the root table first."""

    names: Relational
    tables: tuple[RelationalTable, ...]

    @property
    def root(self) -> RelationalTable:
        """The table whose rows are the records."""
        return self.tables[0]


def compile_relational(
    contract: Contract, scopes: tuple[Scope, ...], added: AbstractSet[tuple[int, str]] = frozenset()
) -> RelationalPlan | None:
    """Name the tables of a plan's tree; None if the contract declares no relational copy.

    Parameters
    ----------
    added
        Scope number and slot of the fields that a later version of the contract added.

    Raises
    ------
    ContractError
        If the tree has values outside of any wrapper, or two tables or two columns would have one name.
    """
    names = contract.landing.relational
    if names is None:
        return None
    tables: list[RelationalTable] = []
    top = scopes[0].node
    if top.leaves:
        raise _fault(
            contract, f"{min(top.leaves)!r} stands at the top of the tree", "a value stands in a wrapper"
        )
    for wrapper, node in top.groups.items():
        alone = _only_repeat(node)
        if alone is not None:
            _add(tables, names, alone, alone.node, wrapper, None)
        else:
            _add(tables, names, scopes[0], node, wrapper, None)
    for name, scope in top.repeats.items():
        _add(tables, names, scope, scope.node, name, None)
    _check(contract, names, tables)
    late = [
        replace(one, added=frozenset(column for column, slot in one.columns if (one.scope, slot) in added))
        for one in tables
    ]
    return RelationalPlan(names, tuple(_root_first(contract, names, late)))


def _only_repeat(node: Node) -> Scope | None:
    if node.leaves or node.groups or len(node.repeats) != 1:
        return None
    return next(iter(node.repeats.values()))


def _add(
    tables: list[RelationalTable], names: Relational, scope: Scope, node: Node, name: str, above: str | None
) -> None:
    columns: list[tuple[str, str]] = []
    below: list[tuple[str, Scope]] = []
    _gather(node, scope, columns, below)
    table = RelationalTable(f"{names.prefix}{name}", scope.number, tuple(columns), above, bool(below))
    tables.append(table)
    for inner, repeat in below:
        _add(tables, names, repeat, repeat.node, inner, table.name)


def _gather(node: Node, scope: Scope, columns: list[tuple[str, str]], below: list[tuple[str, Scope]]) -> None:
    columns += [(name, scope.slots[slot]) for name, slot in node.leaves.items()]
    below += list(node.repeats.items())
    for group in node.groups.values():
        _gather(group, scope, columns, below)


def _check(contract: Contract, names: Relational, tables: list[RelationalTable]) -> None:
    seen: set[str] = set()
    for table in tables:
        if table.name.lower() in seen:
            raise _fault(
                contract, f"two tables are called {table.name}", "repeating groups have different names"
            )
        seen.add(table.name.lower())
        columns = [name for name, _ in table.columns] + [names.document, names.row, names.parent]
        for name in columns:
            if columns.count(name) > 1:
                raise _fault(
                    contract, f"{table.name} has {name} twice", "leaves of a table have different names"
                )


def _root_first(
    contract: Contract, names: Relational, tables: list[RelationalTable]
) -> list[RelationalTable]:
    header = contract.header
    key = header.field(header.business_key[0]) if header.business_key else header.fields[0]
    wrapper = (key.physical or key.name).split("/")[0]
    roots = [table for table in tables if table.name == f"{names.prefix}{wrapper}" and table.scope == 0]
    if not roots:
        raise _fault(
            contract, f"{key.name!r} stands in no wrapper", "the header's primary key does, once a record"
        )
    return roots + [table for table in tables if table is not roots[0]]


def _fault(contract: Contract, message: str, rule: str) -> ContractError:
    return ContractError(
        f"the relational copy cannot be: {message}",
        file=contract.path,
        field="landing.relational",
        rule=rule,
        fix="change the paths, or remove relational and zip",
    )
