"""CSV with a header line: everything is read as text, the contract gives the types."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bluemirror.landing.landed import FileFault, LandedFile, Read
from bluemirror.landing.lines import changed_columns, finish, place_lines
from bluemirror.landing.plan import Plan

if TYPE_CHECKING:
    from bluemirror.contracts import Contract


def read(plan: Plan, contract: Contract, files: Sequence[LandedFile]) -> Read:
    """Read CSV files; one whose columns differ from the contract is held back whole."""
    import polars as pl

    result, frames = Read(), []
    for file in files:
        content = file.path.read_bytes()
        result.hashes[file.number] = hashlib.sha256(content).hexdigest()
        try:
            frame = pl.read_csv(content, infer_schema=False)
        except pl.exceptions.NoDataError:
            fault = FileFault(
                file.number, "columns", "no header line", "ask for the file again, with its header", rows=0
            )
            result.faults.append(fault)
            continue
        except pl.exceptions.PolarsError:
            # The reader's own message quotes the line, so it is not passed on.
            rows = max(content.count(b"\n") - 1, 0)
            result.faults.append(
                FileFault(
                    file.number,
                    "readable_csv",
                    "a line has more fields than the header, an open quote, or bytes that are not UTF-8",
                    "ask the source to deliver the file again, as UTF-8 with quoted separators",
                    rows=rows,
                )
            )
            continue
        result.counts[file.number] = frame.height
        fault_or_none = changed_columns(contract, file.number, frame.columns, frame.height)
        if fault_or_none:
            result.faults.append(fault_or_none)
        else:
            frames.append(place_lines(frame, file.number))
    return finish(plan, result, frames)
