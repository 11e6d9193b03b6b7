"""JSON documents: one record a file, with the quirks of XML-to-JSON converters.

A repeating group with one element may come as an object instead of a list; an empty segment as null, an empty
string, ``--`` or not at all; the root element may or may not be there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from bluemirror.landing.documents import read_documents
from bluemirror.landing.landed import LandedFile, Read
from bluemirror.landing.plan import Node, Plan, Scope

if TYPE_CHECKING:
    from bluemirror.contracts import Contract


def read(plan: Plan, contract: Contract | None, files: Sequence[LandedFile]) -> Read:
    """Read JSON documents."""
    return read_documents(plan, files, parse_json, walk_object, "readable_json")


def parse_json(content: bytes) -> dict[str, Any]:
    """One JSON object.

    Raises
    ------
    ValueError
        If the text is not JSON (cut in the middle, say) or not an object; the message quotes nothing of it.
    """
    import orjson

    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ValueError(
            f"not JSON at line {error.lineno}, column {error.colno} (byte {error.pos})"
        ) from None
    if not isinstance(value, dict):
        raise ValueError(f"a JSON {type(value).__name__} where an object should be")
    return value


def walk_object(plan: Plan, root: Any, rows: list[list[list[Any]]], file_no: int, line: int) -> None:
    """Append the rows of one document to ``rows`` (one list of rows a scope).

    Raises
    ------
    ValueError
        If a value stands where the contract has a group, or the other way round.
    """
    root, scope = _spelt(plan, root)
    row: list[Any] = [None] * len(scope.slots)
    row[0], row[1], row[2], row[3] = file_no, line, 0, 0
    rows[0].append(row)
    _walk(root, scope.node, row, rows, [0] * len(plan.scopes))


def _spelt(plan: Plan, root: dict[str, Any]) -> tuple[dict[str, Any], Scope]:
    """The object below the root element, if there is one, and the record's scope as its dialect spells it."""
    if len(root) == 1:
        (only, below), *_ = root.items()
        if isinstance(below, dict) and only not in plan.first_steps and only not in plan.markers:
            root = below
    for dialect in plan.dialects:
        if not dialect.markers.isdisjoint(root):
            return root, dialect.scopes[0]
    return root, plan.scopes[0]


def _walk(
    value: dict[str, Any], node: Node, row: list[Any], rows: list[list[list[Any]]], counts: list[int]
) -> None:
    for name, slot in node.leaves.items():
        row[slot] = value.get(name)
    for name, below in node.groups.items():
        inner = value.get(name)
        if isinstance(inner, list) and len(inner) == 1:
            inner = inner[0]
        if isinstance(inner, dict):
            _walk(inner, below, row, rows, counts)
        elif inner and inner != "--":
            raise ValueError(_misplaced(name, inner))
    for name, scope in node.repeats.items():
        items = value.get(name)
        if not items or items == "--":
            continue
        if isinstance(items, dict):
            items = (items,)
        if scope.node.flat:
            counts[scope.number] = _flat_rows(
                name, items, scope, row, rows[scope.number], counts[scope.number]
            )
            continue
        width, target = len(scope.slots), rows[scope.number]
        for item in items:
            if not item or item == "--":
                continue
            if not isinstance(item, dict):
                raise ValueError(_misplaced(name, item))
            fresh: list[Any] = [None] * width
            fresh[:4] = row[0], row[1], counts[scope.number], row[2]
            counts[scope.number] += 1
            target.append(fresh)
            _walk(item, scope.node, fresh, rows, counts)


def _flat_rows(
    name: str, items: Iterable[Any], scope: Scope, row: list[Any], target: list[list[Any]], seq: int
) -> int:
    """Rows of a scope with leaves only, whose slots stand in the order of the leaves."""
    leaves = tuple(scope.node.leaves)
    file_no, line, up = row[0], row[1], row[2]
    for item in items:
        if not item or item == "--":
            continue
        if not isinstance(item, dict):
            raise ValueError(_misplaced(name, item))
        target.append([file_no, line, seq, up, *map(item.get, leaves)])
        seq += 1
    return seq


def _misplaced(name: str, value: Any) -> str:
    return f"{name}: a {type(value).__name__} where a group should be"
