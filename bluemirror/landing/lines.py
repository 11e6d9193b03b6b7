"""What the readers of line formats share: where a record stands, and whether the columns are the contract's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bluemirror.landing.landed import FileFault, Read, empty_frames
from bluemirror.landing.plan import PLACE, Plan

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
_DIGITS = re.compile(r"\d{5}")

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.contracts import Contract


def place_lines(frame: pl.DataFrame, number: int, lines: Sequence[int] | None = None) -> pl.DataFrame:
    """Put the place columns before the values: record numbers count from 1, without the header line.

    Parameters
    ----------
    lines
        The record numbers, where some are missing.
    """
    import polars as pl

    return frame.select(
        pl.lit(number, dtype=pl.Int32).alias(PLACE[0]),
        pl.int_range(1, pl.len() + 1, dtype=pl.Int32).alias(PLACE[1])
        if lines is None
        else pl.Series(PLACE[1], lines, dtype=pl.Int32),
        pl.lit(0, dtype=pl.Int32).alias(PLACE[2]),
        pl.lit(0, dtype=pl.Int32).alias(PLACE[3]),
        pl.all(),
    )


def changed_columns(contract: Contract, number: int, columns: Sequence[str], rows: int) -> FileFault | None:
    """A fault if the columns are not exactly the contract's; their order does not matter.

    Fields that a later version of the contract added may be missing: the file may be older than they are.
    """
    fields = contract.header.fields
    wanted = [field.physical or field.name for field in fields]
    added = {field.physical or field.name for field in fields if field.since}
    missing = [name for name in wanted if name not in columns and name not in added]
    extra = [name for name in columns if name not in wanted]
    if not missing and not extra:
        return None
    shown = [_shown(name) for name in extra]
    if len(missing) > len(wanted) / 2:
        # Hardly the contract's header: likely a line of data, of which nothing may be shown.
        shown = [f"<{len(name)} characters>" for name in extra]
    parts = []
    if missing:
        parts.append(f"missing: {', '.join(missing)}")
    if extra:
        parts.append(f"not in the contract: {', '.join(shown)}")
    return FileFault(
        number,
        "columns",
        f"the columns changed ({'; '.join(parts)})",
        "ask for the agreed columns, or agree a new contract version",
        rows=rows,
        field=(missing or shown)[0],
    )


def _shown(name: str) -> str:
    """A column's name, if it looks like one."""
    return name if _NAME.fullmatch(name) and not _DIGITS.search(name) else f"<{len(name)} characters>"


def gather(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """One frame of the files' frames; where files disagree on a column's type, the wider one, else text."""
    import polars as pl

    try:
        return pl.concat(frames, how="diagonal", rechunk=False)
    except pl.exceptions.PolarsError:
        pass
    try:
        return pl.concat(frames, how="diagonal_relaxed", rechunk=False)
    except pl.exceptions.PolarsError:
        text = [frame.with_columns(pl.exclude(PLACE).cast(pl.String, strict=False)) for frame in frames]
        return pl.concat(text, how="diagonal", rechunk=False)


def finish(plan: Plan, result: Read, frames: Sequence[pl.DataFrame]) -> Read:
    """Make the line frames the record scope of a read."""
    import polars as pl

    empty = empty_frames(plan)
    slots = plan.scopes[0].slots
    whole = [
        frame.with_columns(
            pl.lit(None, dtype=pl.String).alias(slot) for slot in slots if slot not in frame.columns
        ).select(slots)
        for frame in frames
    ]
    result.scopes = {**empty, 0: gather(whole) if whole else empty[0]}
    return result
