"""JSON documents: one record a file, as the tree or in one of its dialects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bluemirror.landing.documents import read_documents
from bluemirror.landing.landed import LandedFile, Read
from bluemirror.landing.objects import Objects
from bluemirror.landing.plan import Plan

if TYPE_CHECKING:
    from bluemirror.contracts import Contract

BOM = b"\xef\xbb\xbf"
REASONS = {"depth limit": "nested too deep", "UTF-8": "not UTF-8"}
"""What the parser's message has in it -> what it means; the message itself is not passed on."""


def read(plan: Plan, contract: Contract | None, files: Sequence[LandedFile]) -> Read:
    """Read JSON documents."""
    return read_documents(Objects(plan), files, parse_json, "readable_json")


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
