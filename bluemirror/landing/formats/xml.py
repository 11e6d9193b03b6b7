"""XML documents: one record a file, walked once.

The walker is compiled like that of JSON objects (:mod:`bluemirror.landing.objects`), but follows the elements in
their order: asking an element for a child by name costs more than passing all children by.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from bluemirror.landing.documents import read_documents
from bluemirror.landing.gathering import Gathering
from bluemirror.landing.landed import LandedFile, LineFault, Read
from bluemirror.landing.plan import Plan
from bluemirror.landing.tree import PLACE, Node, Scope

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.contracts import Contract

_PROLOG = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s|<\?.*?\?>|<!--.*?-->)*<!DOCTYPE", re.DOTALL)
DOCTYPE = (
    "a document type declaration at line {}: a report declares no entities and refers to nothing outside"
)


def read(plan: Plan, contract: Contract | None, files: Sequence[LandedFile]) -> Read:
    """Read XML documents; the name of the root element is not part of any path."""
    return read_documents(_Elements(plan), files, parse_xml, "readable_xml")


def parse_xml(content: bytes) -> Any:
    """The root element of a document without any declaration of types or entities.

    Raises
    ------
    ValueError
        If the document is not well-formed, nests too deep, or has a DOCTYPE; the message quotes nothing of it.
    """
    from lxml import etree

    # Looked for before anything is parsed: what is not declared cannot be expanded, fetched or counted up.
    declared = _PROLOG.match(content) if b"<!DOCTYPE" in content else None
    if declared:
        raise ValueError(DOCTYPE.format(content.count(b"\n", 0, declared.end()) + 1))
    try:
        root = etree.fromstring(content, _parser())
    except etree.XMLSyntaxError as error:
        line, column = error.position
        reasons = {
            etree.ErrorTypes.ERR_RESOURCE_LIMIT: "nested too deep, or a value too long,",
            etree.ErrorTypes.ERR_INVALID_ENCODING: "bytes of another encoding",
        }
        what = reasons.get(error.code, "not well-formed XML")
        raise ValueError(f"{what} at line {line}, column {column}") from None
    # In an encoding that is no superset of ASCII the first look finds nothing.
    if root.getroottree().docinfo.doctype:
        raise ValueError(DOCTYPE.format(1))
    return root


@cache
def _parser() -> Any:
    from lxml import etree

    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )


Walk = Callable[[Any, list[Any], int], None]
"""Takes an element, the row of values that it adds to, and the number of that row."""


class _Elements:
    """Documents of one plan being gathered."""

    def __init__(self, plan: Plan) -> None:
        self._gathering = Gathering(plan.scopes)
        self._width = len(plan.scopes[0].slots) - len(PLACE)
        self._rows = self._gathering.block(0, plan.scopes[0].slots[len(PLACE) :]).rows
        self._walk = _compile(plan.scopes[0].node, self._gathering)

    def add(self, root: Any, file_no: int, line: int) -> None:
        """Gather the rows of one document; one that cannot be read leaves none.

        Raises
        ------
        ValueError
            If elements stand where the contract has a value.
        """
        number = len(self._rows)
        mark = self._gathering.mark()
        self._gathering.files.append(file_no)
        self._gathering.lines.append(line)
        row: list[Any] = [None] * self._width
        self._rows.append(row)
        try:
            self._walk(root, row, number)
        except ValueError:
            self._gathering.back(mark)
            raise

    def frames(self) -> tuple[dict[int, pl.DataFrame], list[LineFault]]:
        """The frame of each scope; a value is always a single one."""
        return self._gathering.frames()


def _compile(node: Node, gathering: Gathering) -> Walk:
    leaves = {name: slot - len(PLACE) for name, slot in node.leaves.items()}
    groups = {name: _compile(below, gathering) for name, below in node.groups.items()}
    groups |= {name: _compile_repeat(scope, gathering) for name, scope in node.repeats.items()}

    def walk(element: Any, row: list[Any], number: int) -> None:
        for child in element:
            tag = child.tag
            slot = leaves.get(tag)
            if slot is not None:
                row[slot] = child.text if row[slot] is None and not len(child) else _odd(child, row[slot])
                continue
            walk_group = groups.get(tag)
            # An empty element stands for "none" in converters that always write the segment.
            if walk_group is not None and len(child):
                walk_group(child, row, number)

    return walk


def _odd(leaf: Any, before: str | None) -> str:
    """A leaf that repeats is written as JSON's converters write it: joined with commas."""
    if len(leaf):
        raise ValueError(f"{leaf.tag}: elements where a value should be")
    return f"{before},{leaf.text or ''}"


def _compile_repeat(scope: Scope, gathering: Gathering) -> Walk:
    above, width = gathering.above[scope.number], len(scope.slots) - len(PLACE)
    rows = gathering.block(scope.number, scope.slots[len(PLACE) :]).rows
    nothing: list[Any] = [None] * width
    walk = _compile(scope.node, gathering)
    leaves = {name: slot - len(PLACE) for name, slot in scope.node.leaves.items()}

    def walk_repeat(element: Any, _row: list[Any], number: int) -> None:
        fresh = nothing.copy()
        above.append(number)
        rows.append(fresh)
        walk(element, fresh, len(rows) - 1)

    def walk_flat(element: Any, _row: list[Any], number: int) -> None:
        fresh = nothing.copy()
        above.append(number)
        rows.append(fresh)
        for child in element:
            slot = leaves.get(child.tag)
            if slot is not None:
                fresh[slot] = (
                    child.text if fresh[slot] is None and not len(child) else _odd(child, fresh[slot])
                )

    return walk_flat if scope.node.flat else walk_repeat
