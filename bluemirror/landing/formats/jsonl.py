"""JSON lines: one record a line, flat or with nested repeating groups."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bluemirror.landing.formats.json import BOM, parse_json
from bluemirror.landing.landed import LandedFile, LineFault, Read, collecting_rows, content_of
from bluemirror.landing.lines import gather, place_lines
from bluemirror.landing.objects import Objects
from bluemirror.landing.plan import PLACE, Plan

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.contracts import Contract

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def read(plan: Plan, contract: Contract | None, files: Sequence[LandedFile]) -> Read:
    """Read JSON lines. Empty lines do not count; a line that is not an object is a :class:`LineFault`."""
    result = Read()
    objects = Objects(plan)
    frames: list[pl.DataFrame] = []
    with collecting_rows():
        for file in files:
            content = content_of(file, result)
            if content is None:
                continue
            frame = _flat(plan, content) if plan.flat else None
            if frame is not None:
                result.counts[file.number] = frame.height
                frames.append(place_lines(frame, file.number))
            else:
                result.counts[file.number] = _walk_lines(objects, content, file.number, result)
        result.scopes, faults = objects.frames()
    result.lines += faults
    if frames:
        result.scopes[0] = gather([*frames, result.scopes[0]] if result.scopes[0].height else frames)
    return result


def _flat(plan: Plan, content: bytes) -> pl.DataFrame | None:
    """All lines at once, or None if one of them needs to be looked at alone."""
    import polars as pl

    names = plan.scopes[0].slots[len(PLACE) :]
    if not content.strip():
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    if _SURROGATE.search(content):
        return None  # Half a character is let pass as another one.
    try:
        frame = pl.read_ndjson(content, schema=dict.fromkeys(names, pl.String))
    except pl.exceptions.PolarsError:
        return None
    if content.count(b"{") == frame.height and b"[" not in content:
        return frame
    # An object where a value should be is given as its text.
    nested = pl.any_horizontal(pl.all().str.contains(r"^[\[{]")).any()
    return None if frame.select(nested).item() else frame


def _walk_lines(objects: Objects, content: bytes, number: int, result: Read) -> int:
    line = 0
    for text in content.removeprefix(BOM).split(b"\n"):
        if not text or text.isspace():
            continue
        line += 1
        try:
            objects.add(parse_json(text), number, line)
        except ValueError as error:
            result.lines.append(LineFault(number, line, "readable_json", str(error)))
    return line
