"""CSV with a header line: everything is read as text, the contract gives the types.

Compiled code reads whole files; it passes lines with too few fields in silence, and gives up at one with too many. So
the separators are counted, and a file in which they do not add up is read line by line: its odd lines are rejected,
the others stand.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bluemirror.landing.landed import FileFault, LandedFile, LineFault, Read, content_of
from bluemirror.landing.limits import FILE_BYTES
from bluemirror.landing.lines import changed_columns, finish, place_lines
from bluemirror.landing.plan import Plan

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.contracts import Contract

_QUOTED = re.compile(rb'"[^"]*"')


def read(plan: Plan, contract: Contract, files: Sequence[LandedFile]) -> Read:
    """Read CSV files; one whose columns differ from the contract is held back whole."""
    import polars as pl

    result, frames = Read(), []
    for file in files:
        content = content_of(file, result)
        if content is None:
            continue
        frame: pl.DataFrame | None = None
        try:
            frame = pl.read_csv(content, infer_schema=False)
        except pl.exceptions.NoDataError:
            fault = FileFault(
                file.number, "columns", "no header line", "ask for the file again, with its header", rows=0
            )
            result.faults.append(fault)
            continue
        except pl.exceptions.PolarsError:
            pass  # The reader's own message quotes the line, so it is not passed on.
        if frame is not None and _adds_up(content, frame):
            result.counts[file.number] = frame.height
            placed = place_lines(frame, file.number)
        else:
            by_line = _by_line(content, file.number, result)
            if by_line is None:
                result.faults.append(_unreadable(file.number, content))
                continue
            frame, placed = by_line
        changed = changed_columns(contract, file.number, frame.columns, result.counts[file.number])
        if changed:
            result.faults.append(changed)
        else:
            frames.append(placed)
    return finish(plan, result, frames)


def _unreadable(number: int, content: bytes) -> FileFault:
    return FileFault(
        number,
        "readable_csv",
        "an open quote, or bytes that are not UTF-8",
        "ask the source to deliver the file again, as UTF-8 with quoted separators",
        rows=max(content.count(b"\n") - 1, 0),
    )


def _adds_up(content: bytes, frame: pl.DataFrame) -> bool:
    """Whether every line has as many fields as the header: none has more, or the reader had given up."""
    plain = _QUOTED.sub(b"", content) if b'"' in content else content
    return frame.width == 1 or plain.count(b",") == (frame.width - 1) * (frame.height + 1)


def _by_line(content: bytes, number: int, result: Read) -> tuple[pl.DataFrame, pl.DataFrame] | None:
    """The lines that have all fields, also with their places; None if this is no CSV. Empty lines do not count."""
    import polars as pl

    csv.field_size_limit(FILE_BYTES)
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        return None
    header, *records = [row for row in rows if row]
    result.counts[number] = len(records)
    good, lines = [], []
    for line, record in enumerate(records, 1):
        if len(record) == len(header):
            good.append([value or None for value in record])
            lines.append(line)
        else:
            detail = f"{len(record)} fields, the header has {len(header)}"
            result.lines.append(LineFault(number, line, "fields", detail))
    # Names that repeat are told apart, as the compiled reader does, so that they are found not to be the contract's.
    names = [name if name not in header[:at] else f"{name}_again_{at}" for at, name in enumerate(header)]
    frame = pl.DataFrame(good, schema=dict.fromkeys(names, pl.String), orient="row")
    return frame, place_lines(frame, number, lines)
