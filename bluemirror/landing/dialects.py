"""Dialects: other spellings of the same tree in JSON, declared by the contract's ``landing`` property.

A document is written in a dialect if it has one of the dialect's *markers* at its top level (choose a key that
every document has, and the tree has not); else it is the tree. One source may send both, even in one delivery.

Where things stand in a dialect:

* a group that ``steps`` names (by its path in the tree, without ``[]``) stands at the dotted path given there,
  counted from the enclosing repeating element, or from the document if there is none;
* any other group stands where the group around it stands, under its own name (in lower case, if ``leaves`` is
  ``lower``);
* a leaf stands in its group, under its own name (in lower case, if ``leaves`` is ``lower``).

So with ``steps: {PDA/PD01: accounts, PDA/PD01/PD01E: last, PDA/PD01/PD01E/PD01EH: last.months}`` the leaf
``PDA/PD01[]/PD01E/PD01EH[]/PD01ED01`` is ``accounts[].last.months[].pd01ed01``, and ``POQ/PH01[]/PH010R01``,
which is not named, is ``poq.ph01[].ph010r01``. The quirks of the tree's JSON are met in a dialect as well: a
repeating group of one as an object, an empty segment as null, an empty string, ``--`` or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bluemirror.errors import ContractError
from bluemirror.landing.tree import Node, Scope

if TYPE_CHECKING:
    from bluemirror.contracts.model import Contract, Dialect


@dataclass(frozen=True)
class DialectPlan:
    """A dialect compiled: its markers, and the tree as it spells it, over the scopes and slots of the plan."""

    markers: frozenset[str]
    scopes: tuple[Scope, ...]


def compile_dialects(contract: Contract, scopes: tuple[Scope, ...]) -> tuple[DialectPlan, ...]:
    """Spell the tree of a plan in each dialect of its contract.

    Raises
    ------
    ContractError
        If a step names no group of the tree, or two places of the tree fall on one of the dialect.
    """
    plans = []
    for dialect in contract.landing.dialects:
        spelling = _Spelling(contract, dialect, scopes)
        spelling.scope(scopes[0], "")
        unknown = sorted(set(dialect.steps) - spelling.used)
        if unknown:
            raise spelling.fault(
                f"the dialect {dialect.name!r} places {unknown[0]!r}, which is no group of the tree",
                "steps are paths of groups that the contract's tables read, without []",
                "correct the path, or remove it",
            )
        plans.append(DialectPlan(frozenset(dialect.markers), tuple(spelling.scopes)))
    return tuple(plans)


class _Spelling:
    """One tree being spelt anew."""

    def __init__(self, contract: Contract, dialect: Dialect, scopes: tuple[Scope, ...]) -> None:
        self.contract = contract
        self.dialect = dialect
        self.used: set[str] = set()
        self.scopes = [Scope(scope.number, scope.up, Node(), scope.slots) for scope in scopes]

    def scope(self, scope: Scope, path: str) -> None:
        """Spell a scope and all below; ``path`` is its place in the tree."""
        self._group(scope.node, self.scopes[scope.number].node, path, ())

    def _group(self, node: Node, root: Node, path: str, place: tuple[str, ...]) -> None:
        for name, slot in node.leaves.items():
            at = self._at(root, place)
            name_here = self._spelt(name)
            if name_here in at.names:
                raise self._clash(path, name)
            at.leaves[name_here] = slot
        for name, below in node.groups.items():
            inner = f"{path}/{name}".lstrip("/")
            self._group(below, root, inner, self._place(inner, name, place))
        for name, scope in node.repeats.items():
            inner = f"{path}/{name}".lstrip("/")
            *way, last = self._place(inner, name, place)
            at = self._at(root, way)
            if last in at.names:
                raise self._clash(path, name)
            at.repeats[last] = self.scopes[scope.number]
            self.scope(scope, inner)

    def _place(self, path: str, name: str, around: tuple[str, ...]) -> tuple[str, ...]:
        declared = self.dialect.steps.get(path)
        if declared is None:
            return (*around, self._spelt(name))
        self.used.add(path)
        return tuple(declared.split("."))

    def _spelt(self, name: str) -> str:
        return name.lower() if self.dialect.lower else name

    def _at(self, root: Node, place: tuple[str, ...] | list[str]) -> Node:
        node = root
        for name in place:
            if name in node.leaves or name in node.repeats:
                raise self._clash("/".join(place), name)
            node = node.groups.setdefault(name, Node())
        return node

    def _clash(self, path: str, name: str) -> ContractError:
        return self.fault(
            f"in the dialect {self.dialect.name!r} two things stand at {name!r} (near {path or 'the top'})",
            "each leaf and each group of the tree has a place of its own in a dialect",
            "name the group in steps",
        )

    def fault(self, message: str, rule: str, fix: str) -> ContractError:
        """An error about this dialect."""
        return ContractError(message, file=self.contract.path, field="landing.dialects", rule=rule, fix=fix)
