"""The tree of a source's records, straight from the paths of its contract, and records as values in that tree.

It shares no code with the readers: a path is split here once more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bluemirror.contracts import Contract, Field, Table

Path = tuple[str, ...]


@dataclass
class Scope:
    """A place that repeats (the record itself is ``()``): where it hangs, and what stands in it.

    ``way`` leads from the scope around to it; ``leaves`` are places of values, each with the fields that read it.
    """

    path: Path
    up: Path | None
    way: Path
    leaves: dict[Path, list[tuple[Table, Field]]] = field(default_factory=dict)
    tables: list[tuple[Table, Path]] = field(default_factory=list)


@dataclass
class Node:
    """One scope of one record: raw values by place, and the nodes below by scope."""

    scope: Path
    leaves: dict[Path, Any] = field(default_factory=dict)
    below: dict[Path, list[Node]] = field(default_factory=dict)

    def copy(self) -> Node:
        """A copy that shares nothing but the raw values."""
        return Node(
            self.scope,
            dict(self.leaves),
            {path: [node.copy() for node in nodes] for path, nodes in self.below.items()},
        )

    def all(self) -> Iterator[Node]:
        """This node and all below, in the order of the document."""
        yield self
        for nodes in self.below.values():
            for node in nodes:
                yield from node.all()


class Shape:
    """All scopes of a contract's records by path, parents first."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.scopes: dict[Path, Scope] = {(): Scope((), None, ())}
        self.place: dict[str, tuple[Path, Path]] = {}
        for table in contract.tables:
            path, rest = self._open(table.path)
            scope = self.scopes[path]
            scope.tables.append((table, rest))
            self.place[table.name] = path, rest
            for item in table.fields:
                if not item.drop:
                    at = (*rest, *(item.physical or item.name).split("/"))
                    scope.leaves.setdefault(at, []).append((table, item))

    def _open(self, path: str) -> tuple[Path, Path]:
        """The innermost scope of a table's path, and the steps from there on."""
        at: Path = ()
        way: Path = ()
        for step in filter(None, path.split("/")):
            way = (*way, step.removesuffix("[]"))
            if step.endswith("[]"):
                here = (*at, *way[:-1], f"{way[-1]}[]")
                self.scopes.setdefault(here, Scope(here, at, way))
                at, way = here, ()
        return at, way

    def leaf(self, table: str, name: str) -> tuple[Path, Path]:
        """Scope and place of a field's value."""
        scope, rest = self.place[table]
        item = self.contract.table(table).field(name)
        return scope, (*rest, *(item.physical or item.name).split("/"))

    def below(self, scope: Path) -> list[Scope]:
        """Scopes that hang right under one."""
        return [one for one in self.scopes.values() if one.up == scope and one.path]
