"""Walking JSON objects: a plan is compiled into functions, one a place of the tree, that append to plain lists.

The quirks of XML-to-JSON converters are met everywhere: a repeating group with one element may come as an object
instead of a list; an empty segment as null, an empty string, ``--`` or not at all; the root element may or may not
be there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any

from bluemirror.landing.gathering import Gathering
from bluemirror.landing.tree import PLACE, Node, Scope

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.landing.landed import LineFault
    from bluemirror.landing.plan import Plan

Walk = Callable[[dict[str, Any], int], None]
"""Takes what stands at a place, and the row of its scope that the values belong to."""
Absent = list[tuple[Callable[[Any], None], tuple[None, ...]]]
"""What to append where a group is missing: nothing, to each block below."""
NOTHING = "--"


class Objects:
    """Objects of one plan, whichever dialect each is written in, being gathered.

    Parameters
    ----------
    plan
        The compiled extraction.
    """

    def __init__(self, plan: Plan) -> None:
        self._first = plan.first_steps | plan.markers
        spellings = [
            (frozenset[str](), plan.scopes),
            *((each.markers, each.scopes) for each in plan.dialects),
        ]
        self._spellings = [_Spelling(markers, scopes) for markers, scopes in spellings]

    def add(self, root: dict[str, Any], file_no: int, line: int) -> None:
        """Gather the rows of one object; one that cannot be read leaves none.

        Raises
        ------
        ValueError
            If a value stands where the contract has a group, or the other way round.
        """
        if len(root) == 1:
            (only, below), *_ = root.items()
            if isinstance(below, dict) and only not in self._first:
                root = below
        spelling = self._spellings[0]
        for other in self._spellings[1:]:
            if not other.markers.isdisjoint(root):
                spelling = other
                break
        spelling.add(root, file_no, line)

    def frames(self) -> tuple[dict[int, pl.DataFrame], list[LineFault]]:
        """The frame of each scope, rows in the order of the records, and the records with odd values."""
        from bluemirror.landing.lines import gather

        parts, faults = [], []
        for position, spelling in enumerate(self._spellings):
            if spelling.gathering.files or position == 0:
                found, odd = spelling.gathering.frames()
                parts.append(found)
                faults += odd
        if len(parts) == 1:
            return parts[0], faults
        whole = {}
        for number in parts[0]:
            rows = gather([part[number] for part in parts])
            whole[number] = rows.sort(PLACE[:2], maintain_order=True)
        return whole, faults


class _Spelling:
    """The objects that are written in one dialect."""

    def __init__(self, markers: frozenset[str], scopes: Sequence[Scope]) -> None:
        self.markers = markers
        self.gathering = Gathering(scopes)
        self._walk, _ = _compile(scopes[0].node, scopes[0], self.gathering)

    def add(self, root: dict[str, Any], file_no: int, line: int) -> None:
        gathering = self.gathering
        mark = gathering.mark()
        gathering.files.append(file_no)
        gathering.lines.append(line)
        try:
            self._walk(root, mark[0])
        except ValueError:
            gathering.back(mark)
            raise


def _compile(node: Node, scope: Scope, gathering: Gathering) -> tuple[Walk, Absent]:
    """The function that walks a place, and what to append if it is not there."""
    names = tuple(node.leaves)
    block = (
        gathering.block(scope.number, [scope.slots[slot] for slot in node.leaves.values()]) if names else None
    )
    append = block.rows.append if block else None
    absent: Absent = [(append, (None,) * len(names))] if append else []
    groups = []
    for name, below in node.groups.items():
        walk_group, missing = _compile(below, scope, gathering)
        groups.append((name, walk_group, missing))
        absent += missing
    repeats = [(name, _compile_repeat(name, inner, gathering)) for name, inner in node.repeats.items()]

    def walk(value: dict[str, Any], row: int) -> None:
        get = value.get
        if append is not None:
            append(tuple(map(get, names)))
        for name, walk_group, missing in groups:
            inner = get(name)
            if inner.__class__ is list and len(inner) == 1:
                inner = inner[0]
            if inner.__class__ is dict:
                walk_group(inner, row)
            elif inner and inner != NOTHING:
                raise ValueError(_misplaced(name, inner))
            else:
                for append_nothing, nothing in missing:
                    append_nothing(nothing)
        for name, walk_repeat in repeats:
            items = get(name)
            if items:
                walk_repeat(items, row)

    return walk, absent


def _compile_repeat(name: str, scope: Scope, gathering: Gathering) -> Callable[[Any, int], None]:
    if scope.node.flat and scope.node.leaves:
        return _compile_flat(name, scope, gathering)
    above = gathering.above[scope.number]
    walk, _ = _compile(scope.node, scope, gathering)

    def walk_repeat(items: Any, row: int) -> None:
        for item in _items(name, items):
            number = len(above)
            above.append(row)
            walk(item, number)

    return walk_repeat


def _compile_flat(name: str, scope: Scope, gathering: Gathering) -> Callable[[Any, int], None]:
    """A repeating group with leaves only, where most values of a report stand: gathered column by column."""
    above = gathering.above[scope.number]
    leaves = scope.node.leaves
    block = gathering.block(scope.number, [scope.slots[slot] for slot in leaves.values()], ready=True)
    columns = [(leaf, column.extend) for leaf, column in zip(leaves, block.columns, strict=True)]

    def walk_flat(items: Any, row: int) -> None:
        items = _items(name, items)
        above.extend(repeat(row, len(items)))
        for leaf, extend in columns:
            extend([item.get(leaf) for item in items])

    return walk_flat


def _items(name: str, items: Any) -> Sequence[dict[str, Any]]:
    """The elements of a repeating group, none of them empty."""
    if items.__class__ is dict:
        return (items,)
    if items.__class__ is not list:
        if items == NOTHING:
            return ()
        raise ValueError(_misplaced(name, items))
    if {*map(type, items)} == {dict} and all(items):
        return items
    kept = [item for item in items if item and item != NOTHING]
    for item in kept:
        if item.__class__ is not dict:
            raise ValueError(_misplaced(name, item))
    return kept


def _misplaced(name: str, value: Any) -> str:
    return f"{name}: a {type(value).__name__} where a group should be"
