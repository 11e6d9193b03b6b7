"""The tree of a landed record: what stands at each place, and which places repeat."""

from __future__ import annotations

from dataclasses import dataclass, field

PLACE = ("_file_no", "_line", "_seq", "_up")
"""First slots of each row: file, record in the file, row in the record, row of the enclosing scope."""


@dataclass
class Node:
    """One place of the tree: what to do with each child name.

    ``leaves`` maps a name to its slot, ``groups`` to the node below in the same row, ``repeats`` to the scope
    that it opens.
    """

    leaves: dict[str, int] = field(default_factory=dict)
    groups: dict[str, Node] = field(default_factory=dict)
    repeats: dict[str, Scope] = field(default_factory=dict)

    @property
    def flat(self) -> bool:
        """Whether only leaves stand here."""
        return not self.groups and not self.repeats

    @property
    def names(self) -> frozenset[str]:
        """Names of all children."""
        return frozenset({*self.leaves, *self.groups, *self.repeats})


@dataclass
class Scope:
    """A place that repeats; number 0 is the record itself."""

    number: int
    up: int
    node: Node = field(default_factory=Node)
    slots: list[str] = field(default_factory=lambda: list(PLACE))
