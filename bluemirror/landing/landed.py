"""What a reader of files hands on: rows per scope as text columns, and what could not be read."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluemirror.landing.plan import PLACE, Plan

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class LandedFile:
    """One file to read: its number in the batch, where it is, and its path relative to landing."""

    number: int
    path: Path
    name: str
    rows: int | None


@dataclass(frozen=True)
class FileFault:
    """A file rule that is broken: the file is held back whole.

    ``rows`` is the number of records that could still be counted, or None. ``detail`` says where the reader
    stopped; it never quotes the file.
    """

    number: int
    rule: str
    detail: str
    fix: str
    rows: int | None = None
    field: str = ""


@dataclass(frozen=True)
class LineFault:
    """A record of a file that could not be read; the other records stand."""

    number: int
    line: int
    rule: str
    detail: str


@dataclass
class Read:
    """Outcome of reading some files.

    Parameters
    ----------
    scopes
        Scope number -> frame of :data:`~bluemirror.landing.plan.PLACE` columns (Int32) and slot columns
        (text, or the file's own type where it has one).
    counts, hashes
        File number -> records in the file; file number -> sha256 of its bytes.
    """

    scopes: dict[int, pl.DataFrame] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)
    hashes: dict[int, str] = field(default_factory=dict)
    faults: list[FileFault] = field(default_factory=list)
    lines: list[LineFault] = field(default_factory=list)


@contextmanager
def collecting_rows() -> Iterator[None]:
    """Hold the garbage collector while rows pile up.

    It would walk all of them again and again and find nothing, because rows hold no cycles: without it XML
    reads 1.4 times and JSON 1.9 times as fast.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def rows_to_frames(plan: Plan, rows: list[list[list[Any]]]) -> dict[int, pl.DataFrame]:
    """Turn each scope's rows into a frame, column by column."""
    import polars as pl

    frames = {}
    for scope in plan.scopes:
        columns = list(zip(*rows[scope.number], strict=True)) or [()] * len(scope.slots)
        series = []
        for position, (name, values) in enumerate(zip(scope.slots, columns, strict=True)):
            if position < len(PLACE):
                series.append(pl.Series(name, values, dtype=pl.Int32))
            else:
                series.append(text_series(name, values))
        frames[scope.number] = pl.DataFrame(series)
    return frames


def text_series(name: str, values: Any) -> pl.Series:
    """A column of text; whole columns of JSON numbers or booleans keep their type."""
    import polars as pl

    try:
        return pl.Series(name, values, dtype=pl.String)
    except (TypeError, pl.exceptions.PolarsError):
        kinds = {type(value) for value in values} - {type(None)}
    if kinds <= {bool}:
        return pl.Series(name, values, dtype=pl.Boolean)
    if kinds <= {int}:
        return pl.Series(name, values, dtype=pl.Int64, strict=False)
    if kinds <= {int, float}:
        return pl.Series(name, values, dtype=pl.Float64, strict=False)
    return pl.Series(name, [_as_text(value) for value in values], dtype=pl.String)


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(str(item) for item in value)
    return str(value)
