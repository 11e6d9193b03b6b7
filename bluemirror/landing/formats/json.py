"""JSON documents: one record a file, as the tree or in one of its dialects."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bluemirror.landing.documents import read_documents, walk_document
from bluemirror.landing.landed import LandedFile, Read, collecting_rows, content_of
from bluemirror.landing.lines import gather
from bluemirror.landing.objects import Objects
from bluemirror.landing.plan import PLACE, Plan

if TYPE_CHECKING:
    from bluemirror.contracts import Contract

BOM = b"\xef\xbb\xbf"
RULE = "readable_json"
SCAN_FROM_BYTES = 4 << 20
"""Documents for which the compiled loops are worth their import (half a second); a bulk's tasks are larger."""
REASONS = {"depth limit": "nested too deep", "UTF-8": "not UTF-8"}
"""What the parser's message has in it -> what it means; the message itself is not passed on."""


def read(plan: Plan, contract: Contract | None, files: Sequence[LandedFile]) -> Read:
    """Read JSON documents; many of them by compiled loops, and the odd ones among them as if they came alone."""
    imported = "numba" in sys.modules
    if not imported and sum(file.size or 0 for file in files) < SCAN_FROM_BYTES:
        return read_documents(Objects(plan), files, parse_json, RULE)
    from bluemirror.landing.plain import PlainDocuments

    read, contents = Read(), {}
    for file in files:
        content = content_of(file, read)
        if content is not None:
            contents[file.number] = content
    read.counts = dict.fromkeys(contents, 1)
    plain = PlainDocuments(plan, contents)
    read.scopes = plain.scopes
    if plain.odd:
        with collecting_rows():
            objects = Objects(plan)
            for number in plain.odd:
                walk_document(objects, contents[number], number, read, parse_json, RULE)
            walked, read.lines = objects.frames()
        for number, frame in walked.items():
            if frame.height:
                whole = gather([read.scopes[number], frame]) if read.scopes[number].height else frame
                read.scopes[number] = whole.sort(PLACE[0], maintain_order=True)
    return read


def parse_json(content: bytes) -> dict[str, Any]:
    """One JSON object.

    Raises
    ------
    ValueError
        If the text is not JSON (cut in the middle, too deep, not UTF-8) or not an object; the message quotes
        nothing of it.
    """
    import orjson

    try:
        value = orjson.loads(content.removeprefix(BOM))
    except orjson.JSONDecodeError as error:
        what = next((what for sign, what in REASONS.items() if sign in error.msg), "not JSON")
        raise ValueError(f"{what} at line {error.lineno}, column {error.colno} (byte {error.pos})") from None
    if not isinstance(value, dict):
        raise ValueError(f"a JSON {type(value).__name__} where an object should be")
    return value
