"""XML documents: one record a file, walked once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bluemirror.landing.documents import read_documents
from bluemirror.landing.landed import LandedFile, Read
from bluemirror.landing.plan import Node, Plan, Scope

if TYPE_CHECKING:
    from bluemirror.contracts import Contract


def read(plan: Plan, contract: Contract | None, files: Sequence[LandedFile]) -> Read:
    """Read XML documents; the name of the root element is not part of any path."""
    from lxml import etree

    # Nothing of a report may make the reader fetch or expand anything.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)

    def parse(content: bytes) -> Any:
        try:
            return etree.fromstring(content, parser)
        except etree.XMLSyntaxError as error:
            line, column = error.position
            raise ValueError(f"not well-formed XML at line {line}, column {column}") from None

    return read_documents(plan, files, parse, walk_element, "readable_xml")


def walk_element(plan: Plan, root: Any, rows: list[list[list[Any]]], file_no: int, line: int) -> None:
    """Append the rows of one document to ``rows`` (one list of rows a scope)."""
    counts = [0] * len(plan.scopes)
    row = _new_row(plan.scopes[0], file_no, line, 0, 0)
    rows[0].append(row)
    _walk(root, plan.scopes[0].node, row, rows, counts)


def _new_row(scope: Scope, file_no: int, line: int, seq: int, up: int) -> list[Any]:
    row: list[Any] = [None] * len(scope.slots)
    row[0], row[1], row[2], row[3] = file_no, line, seq, up
    return row


def _walk(element: Any, node: Node, row: list[Any], rows: list[list[list[Any]]], counts: list[int]) -> None:
    leaves, groups, repeats = node.leaves, node.groups, node.repeats
    for child in element:
        tag = child.tag
        slot = leaves.get(tag)
        if slot is not None:
            row[slot] = child.text
            continue
        below = groups.get(tag)
        if below is not None:
            _walk(child, below, row, rows, counts)
            continue
        scope = repeats.get(tag)
        # An empty element stands for "none" in converters that always write the segment.
        if scope is not None and len(child):
            number = scope.number
            fresh = _new_row(scope, row[0], row[1], counts[number], row[2])
            counts[number] += 1
            rows[number].append(fresh)
            if scope.node.flat:
                fields = scope.node.leaves
                for leaf in child:
                    slot = fields.get(leaf.tag)
                    if slot is not None:
                        fresh[slot] = leaf.text
            else:
                _walk(child, scope.node, fresh, rows, counts)
