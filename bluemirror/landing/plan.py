"""What to take out of a landed record, compiled once from the contract's table and field paths.

A record (a document, or a line) is a tree. The steps marked ``[]`` in the table paths open *scopes*: places
that repeat. Every scope yields rows of slots; a table is a scope's rows, its fields are slots of them. Tables
that stand at the same scope share its rows, so a tree is walked once whatever the number of tables.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bluemirror.errors import ContractError

if TYPE_CHECKING:
    from bluemirror.contracts import Contract

PLACE = ("_file_no", "_line", "_seq", "_up")
"""First slots of each row: file, record in the file, row in the record, row of the enclosing scope."""


@dataclass
class Node:
    """One place of the tree: what to do with each child name.

    ``leaves`` maps a name to its slot, ``groups`` to the node below in the same row, ``repeats`` to the scope
    that it opens. ``present`` is the slot that notes that the group was there, or -1.
    """

    leaves: dict[str, int] = field(default_factory=dict)
    groups: dict[str, Node] = field(default_factory=dict)
    repeats: dict[str, Scope] = field(default_factory=dict)
    present: int = -1

    @property
    def flat(self) -> bool:
        """Whether only leaves stand here."""
        return not self.groups and not self.repeats


@dataclass
class Scope:
    """A place that repeats; number 0 is the record itself."""

    number: int
    up: int
    node: Node = field(default_factory=Node)
    slots: list[str] = field(default_factory=lambda: list(PLACE))


@dataclass(frozen=True)
class TablePlan:
    """Where one table's rows and fields are: scope, slot name of each field, presence slot or None."""

    name: str
    scope: int
    fields: tuple[tuple[str, str], ...]
    present: str | None
    parent_scope: int | None


@dataclass(frozen=True)
class Plan:
    """The compiled extraction of a contract: plain values, so that it can go to another process."""

    source: str
    scopes: tuple[Scope, ...]
    tables: tuple[TablePlan, ...]
    first_steps: frozenset[str]

    @property
    def flat(self) -> bool:
        """Whether a record is one row of plain values (no nesting at all)."""
        return len(self.scopes) == 1 and self.scopes[0].node.flat


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
        If a path is used both for a value and for a group.
    """
    root = Scope(number=0, up=0)
    scopes = [root]
    tables = []
    scope_of: dict[str, int] = {}
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
        present = None
        if prefix and table.name != header:
            present = "/".join(prefix) + "/"
            if node.present < 0:
                node.present = _slot(scope, present)
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
        scope_of[table.name] = scope.number
        parent = table.parent or (header if table.name != header else None)
        tables.append(
            TablePlan(
                table.name, scope.number, tuple(fields), present, scope_of.get(parent) if parent else None
            )
        )
    for scope in scopes:
        _check(scope.node, contract)
    top = root.node
    return Plan(
        contract.source, tuple(scopes), tuple(tables), frozenset({*top.leaves, *top.groups, *top.repeats})
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
