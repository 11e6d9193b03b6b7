"""What to take out of a landed record, compiled once from the contract's table and field paths.

A record (a document, or a line) is a tree. The steps marked ``[]`` in the table paths open *scopes*: places
that repeat. Every scope yields rows of slots; a table is a scope's rows, its fields are slots of them. Tables
that stand at the same scope share its rows, so a tree is walked once whatever the number of tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bluemirror.errors import ContractError
from bluemirror.landing.dialects import DialectPlan, compile_dialects
from bluemirror.landing.relational import RelationalPlan, compile_relational
from bluemirror.landing.tree import PLACE, Node, Scope

if TYPE_CHECKING:
    from bluemirror.contracts import Contract

__all__ = ["PLACE", "Node", "Plan", "Scope", "TablePlan", "compile_plan", "split_path"]


@dataclass(frozen=True)
class TablePlan:
    """Where one table's rows and fields are: its scope, and the slot name of each field.

    ``optional`` is a table whose path ends in a group that does not repeat: it has a row where one of its fields
    has a value. An empty segment, an empty element and none at all are the same, whatever the format.
    """

    name: str
    scope: int
    fields: tuple[tuple[str, str], ...]
    optional: bool
    parent_scope: int | None


@dataclass(frozen=True)
class Plan:
    """The compiled extraction of a contract: plain values, so that it can go to another process."""

    source: str
    scopes: tuple[Scope, ...]
    tables: tuple[TablePlan, ...]
    first_steps: frozenset[str]
    dialects: tuple[DialectPlan, ...] = ()
    relational: RelationalPlan | None = None

    @property
    def markers(self) -> frozenset[str]:
        """Top-level keys that tell a dialect."""
        return frozenset().union(*(dialect.markers for dialect in self.dialects))

    @property
    def flat(self) -> bool:
        """Whether a record is one row of plain values (no nesting at all)."""
        return len(self.scopes) == 1 and self.scopes[0].node.flat and not self.dialects


def split_path(path: str) -> tuple[tuple[str, bool], ...]:
    """Steps of a path, each with whether it repeats: ``"A/B[]"`` is ``(("A", False), ("B", True))``."""
    steps = []
    for step in (part for part in path.split("/") if part):
        repeats = step.endswith("[]")
        steps.append((step[:-2] if repeats else step, repeats))
    return tuple(steps)


def compile_plan(contract: Contract) -> Plan:
    """Compile the tables of a contract.

    Raises
    ------
    ContractError
        If a path is used both for a value and for a group, or the contract's dialects or relational copy do not
        fit its tree.
    """
    root = Scope(number=0, up=0)
    scopes = [root]
    tables = []
    scope_of: dict[str, int] = {}
    added: set[tuple[int, str]] = set()
    header = contract.header.name
    for table in contract.tables:
        scope, node = root, root.node
        prefix: list[str] = []
        for name, repeats in split_path(table.path):
            if repeats:
                scope = node.repeats.setdefault(name, Scope(number=len(scopes), up=scope.number))
                if scope.number == len(scopes):
                    scopes.append(scope)
                node, prefix = scope.node, []
            else:
                node = node.groups.setdefault(name, Node())
                prefix.append(name)
        optional = bool(prefix) and table.name != header
        fields = []
        for item in table.fields:
            if item.drop:
                continue
            steps = [name for name, _ in split_path(item.physical or item.name)]
            at = node
            for name in steps[:-1]:
                at = at.groups.setdefault(name, Node())
            label = "/".join([*prefix, *steps])
            if steps[-1] not in at.leaves:
                at.leaves[steps[-1]] = _slot(scope, label)
            fields.append((item.name, label))
            if item.since:
                added.add((scope.number, label))
        scope_of[table.name] = scope.number
        parent = table.parent or (header if table.name != header else None)
        tables.append(
            TablePlan(
                table.name, scope.number, tuple(fields), optional, scope_of.get(parent) if parent else None
            )
        )
    for scope in scopes:
        _check(scope.node, contract)
    whole = tuple(scopes)
    return Plan(
        contract.source,
        whole,
        tuple(tables),
        root.node.names,
        compile_dialects(contract, whole),
        compile_relational(contract, whole, added),
    )


def _slot(scope: Scope, label: str) -> int:
    scope.slots.append(label)
    return len(scope.slots) - 1


def _check(node: Node, contract: Contract) -> None:
    both = (node.leaves.keys() & node.groups.keys()) | (node.leaves.keys() & node.repeats.keys())
    both |= node.groups.keys() & node.repeats.keys()
    if both:
        raise ContractError(
            f"{min(both)!r} is used in two ways",
            file=contract.path,
            rule="a path step is a value, a group or a repeating group, always the same",
            fix="mark the step [] in every path or in none",
        )
    for below in node.groups.values():
        _check(below, contract)
