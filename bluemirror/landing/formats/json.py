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
        value = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ValueError(
            f"not JSON at line {error.lineno}, column {error.colno} (byte {error.pos})"
        ) from None
    if not isinstance(value, dict):
        raise ValueError(f"a JSON {type(value).__name__} where an object should be")
    return value
