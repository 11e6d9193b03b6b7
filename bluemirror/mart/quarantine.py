"""The quarantine: rejected records and files with the reason, redacted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

COLUMNS = ("source", "delivery", "file", "line", "table", "field", "rule", "value", "fix", "records")
"""``line`` is null for a file that is held back; ``records`` sums to the number of rejected records."""


def quarantine_schema() -> dict[str, Any]:
    """Names and types of a quarantine file."""
    import polars as pl

    types = {"delivery": pl.Date, "line": pl.Int32, "records": pl.Int64}
    return {name: types.get(name, pl.String) for name in COLUMNS}


def empty_quarantine() -> pl.DataFrame:
    """A quarantine without rows."""
    import polars as pl

    return pl.DataFrame(schema=quarantine_schema())


def write_quarantine(path: Path, frame: pl.DataFrame) -> None:
    """Write beside, then rename."""
    import os

    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    try:
        frame.write_parquet(draft)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def read_quarantine(files: Sequence[Path]) -> pl.DataFrame:
    """All rows of some quarantine files."""
    import polars as pl

    frames = [pl.read_parquet(path) for path in files if path.is_file()]
    return pl.concat(frames) if frames else empty_quarantine()
