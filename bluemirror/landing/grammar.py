"""A plan's tree as flat arrays, in every spelling of it: what the compiled scanner walks along.

Each place of the tree is a node with a number, each of its child names a child with a number. A child is found by its
node and the bytes of its name in a hash table with open addressing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from bluemirror.landing.plan import Plan
from bluemirror.landing.tree import PLACE, Node, Scope

LEAF, GROUP, REPEAT, MARKER = range(4)
"""Kinds of children; a marker that the tree does not read tells the spelling and nothing else."""
FNV_OFFSET, FNV_PRIME = 2166136261, 16777619
"""Fowler, Noll and Vo's hash of 32 bits (FNV-1a)."""


class Grammar(NamedTuple):
    """The arrays; C children, N nodes, S slots over all scopes.

    Parameters
    ----------
    table
        (power of two,) child number, or -1 where there is none.
    names, name_ends
        Bytes of all names, and where each child's ends; it starts where the one before ends.
    child_node, child_kind, child_to, child_scope, child_marks
        (C,) the node that a child stands at; its kind; its slot, or the node below; the scope that a repeat opens;
        whether it is one of its spelling's markers.
    roots
        (spellings,) node of the record; a record of any spelling but the first has one of its markers.
    slot_scope
        (S,) scope of each slot.
    """

    table: np.ndarray
    names: np.ndarray
    name_ends: np.ndarray
    child_node: np.ndarray
    child_kind: np.ndarray
    child_to: np.ndarray
    child_scope: np.ndarray
    child_marks: np.ndarray
    roots: np.ndarray
    slot_scope: np.ndarray


def compile_grammar(plan: Plan) -> Grammar:
    """The grammar of a plan and its dialects, the plan's own spelling first."""
    slots = [len(scope.slots) - len(PLACE) for scope in plan.scopes]
    bases = np.concatenate([[0], np.cumsum(slots)])[:-1]
    build = _Build([int(base) - len(PLACE) for base in bases])
    spellings: list[tuple[frozenset[str], Sequence[Scope]]] = [
        (frozenset(), plan.scopes),
        *((each.markers, each.scopes) for each in plan.dialects),
    ]
    roots = []
    for markers, scopes in spellings:
        roots.append(build.node(scopes[0].node, scopes[0], markers))
    ends = np.cumsum([len(name) for _, name, *_ in build.children], dtype=np.int32)
    node, kind, to, scope, marks = (
        np.array([child[at] for child in build.children], dtype=np.int32) for at in (0, 2, 3, 4, 5)
    )
    return Grammar(
        _table(build.children),
        np.frombuffer(b"".join(name for _, name, *_ in build.children), dtype=np.uint8),
        ends,
        node,
        kind,
        to,
        scope,
        marks,
        np.array(roots, dtype=np.int32),
        np.repeat(np.arange(len(slots), dtype=np.int32), slots),
    )


@dataclass
class _Build:
    """The children so far: node, name, kind, where to, scope, whether it marks the spelling."""

    bases: list[int]
    nodes: int = 0
    children: list[tuple[int, bytes, int, int, int, int]] = field(default_factory=list)

    def node(self, node: Node, scope: Scope, markers: frozenset[str] = frozenset()) -> int:
        """Number a node and all below; ``markers`` are told apart at the root of a record only."""
        number = self.nodes
        self.nodes += 1
        for name, slot in node.leaves.items():
            self._child(number, name, LEAF, self.bases[scope.number] + slot, -1, name in markers)
        for name, below in node.groups.items():
            self._child(number, name, GROUP, self.node(below, scope), -1, name in markers)
        for name, inner in node.repeats.items():
            self._child(number, name, REPEAT, self.node(inner.node, inner), inner.number, name in markers)
        for name in sorted(markers - node.names):
            self._child(number, name, MARKER, -1, -1, True)
        return number

    def _child(self, node: int, name: str, kind: int, to: int, scope: int, marks: bool) -> None:
        self.children.append((node, name.encode(), kind, to, scope, int(marks)))


def _table(children: Sequence[tuple[int, bytes, int, int, int, int]]) -> np.ndarray:
    size = 1 << (4 * len(children)).bit_length()
    table = np.full(size, -1, dtype=np.int32)
    for number, (node, name, *_) in enumerate(children):
        at = name_hash(node, name) & (size - 1)
        while table[at] >= 0:
            at = (at + 1) & (size - 1)
        table[at] = number
    return table


def name_hash(node: int, name: bytes) -> int:
    """Hash of a name at a node; the scanner computes the same while it reads the name."""
    value = FNV_OFFSET ^ node
    for byte in name:
        value = ((value ^ byte) * FNV_PRIME) & 0xFFFFFFFF
    return value
