"""What a reader of files hands on: rows per scope as text columns, and what could not be read."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluemirror.landing.formats import UNPACKED
from bluemirror.landing.plan import PLACE, Plan

if TYPE_CHECKING:
    import polars as pl

WIDEST = 1 << 63
"""Beyond it an integer does not fit a column of integers; it is kept as text, for the caster to judge."""


@dataclass(frozen=True)
class LandedFile:
    """One file to read.

    Parameters
    ----------
    number
        Its number in the batch.
    path, name
        Where it is, and its path relative to landing.
    rows
        Records that the completing file declares; None if it does not name the file.
    size
        Bytes; None if the file is not there.
    """

    number: int
    path: Path
    name: str
    rows: int | None
    size: int | None = None

    @property
    def suffix(self) -> str:
        """What its name ends in, in lower case, with the dot."""
        # pathlib takes ten times as long, and there is one file a document.
        stem, dot, last = self.name.rpartition("/")[2].rpartition(".")
        return dot + last.lower() if stem else ""

    @property
    def weight(self) -> int:
        """Bytes of text in it, roughly."""
        return (self.size or 0) * UNPACKED.get(self.suffix, 1)


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


def content_of(file: LandedFile, read: Read) -> bytes | None:
    """The bytes of a file, whose hash is noted; None, and a fault, if it cannot be opened."""
    try:
        content = file.path.read_bytes()
    except OSError as error:
        read.faults.append(
            FileFault(
                file.number,
                "readable_file",
                f"the file cannot be opened ({type(error).__name__})",
                "let the platform's user read it; it is asked for again in a later delivery",
                rows=file.rows,
            )
        )
        return None
    read.hashes[file.number] = hashlib.sha256(content).hexdigest()
    return content


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


def empty_frames(plan: Plan) -> dict[int, pl.DataFrame]:
    """A frame without rows for each scope."""
    import polars as pl

    frames = {}
    for scope in plan.scopes:
        types: dict[str, Any] = {name: pl.Int32 if name in PLACE else pl.String for name in scope.slots}
        frames[scope.number] = pl.DataFrame(schema=types)
    return frames


def text_series(name: str, values: Any) -> pl.Series:
    """A column of text; whole columns of JSON numbers or booleans keep their type.

    A :func:`structured` value is none: whoever gathers the values names it.
    """
    import polars as pl

    try:
        # Polars takes minutes to say that nine hundred lists within each other are no text; this says it first.
        "".join(filter(None, values))
        return pl.Series(name, values, dtype=pl.String)
    except (TypeError, pl.exceptions.PolarsError):
        kinds = {type(value) for value in values} - {type(None)}
    if kinds <= {bool}:
        return pl.Series(name, values, dtype=pl.Boolean)
    if kinds <= {int} and all(value is None or abs(value) < WIDEST for value in values):
        return pl.Series(name, values, dtype=pl.Int64)
    if kinds <= {int, float}:
        return pl.Series(name, values, dtype=pl.Float64, strict=False)
    return pl.Series(name, [_as_text(value) for value in values], dtype=pl.String)


def structured(value: Any) -> bool:
    """Whether a JSON value is no single value: an object, or a list of more than plain values."""
    if isinstance(value, list):
        return any(isinstance(item, list | dict) for item in value)
    return isinstance(value, dict)


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if structured(value):
        return None
    if isinstance(value, list):
        # Some converters write a leaf that repeats as a list.
        return ",".join(_as_text(item) or "" for item in value)
    return str(value)
