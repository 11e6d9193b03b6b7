"""Parquet: typed columns, whose physical types must be those of the contract."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bluemirror.landing.landed import FileFault, LandedFile, Read, content_of
from bluemirror.landing.limits import PARQUET_CELLS
from bluemirror.landing.lines import changed_columns, finish, place_lines
from bluemirror.landing.plan import Plan

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.contracts import Contract

FITTING = {
    "string": ("text",),
    "int": ("integer",),
    "float": ("float", "integer", "decimal"),
    "amount": ("decimal", "integer", "float"),
    "bool": ("boolean",),
    "date": ("date",),
    "month": ("date", "text"),
    "timestamp": ("timestamp",),
}
"""Contract type -> kinds of Parquet column that may carry it."""


def read(plan: Plan, contract: Contract, files: Sequence[LandedFile]) -> Read:
    """Read Parquet files; one with changed columns or types is held back whole."""
    import polars as pl

    result, frames = Read(), []
    for file in files:
        content = content_of(file, result)
        if content is None:
            continue
        try:
            cells = _cells(content)
            frame = pl.read_parquet(io.BytesIO(content)) if cells <= PARQUET_CELLS else None
        except (pl.exceptions.PolarsError, OSError, ValueError):
            result.faults.append(
                FileFault(
                    file.number,
                    "readable_parquet",
                    f"not a whole Parquet file ({len(content)} bytes)",
                    "ask the source to deliver the file again",
                )
            )
            continue
        if frame is None:
            result.faults.append(
                FileFault(
                    file.number,
                    "unpacked_size",
                    f"{cells} values, at most {PARQUET_CELLS} are read",
                    "ask the source to split the file",
                )
            )
            continue
        result.counts[file.number] = frame.height
        fault = changed_columns(contract, file.number, frame.columns, frame.height)
        fault = fault or _changed_type(contract, file.number, frame)
        if fault:
            result.faults.append(fault)
        else:
            frames.append(place_lines(_plain(frame), file.number))
    return finish(plan, result, frames)


def _cells(content: bytes) -> int:
    """Rows times columns, as the file's own last lines say; a few bytes may stand for any number of values."""
    import pyarrow.parquet as pq

    about = pq.read_metadata(io.BytesIO(content))
    return int(about.num_rows * about.num_columns)


def kind_of(dtype: pl.DataType) -> str:
    """Kind of a Parquet column: text, integer, float, decimal, boolean, date, timestamp, null or other."""
    import polars as pl

    if dtype in (pl.String, pl.Categorical, pl.Enum):
        return "text"
    if dtype.is_integer():
        return "integer"
    if dtype.is_float():
        return "float"
    if isinstance(dtype, pl.Decimal):
        return "decimal"
    simple = {pl.Boolean: "boolean", pl.Date: "date", pl.Datetime: "timestamp", pl.Null: "null"}
    return simple.get(dtype.base_type(), "other")


def _changed_type(contract: Contract, number: int, frame: pl.DataFrame) -> FileFault | None:
    for field in contract.header.fields:
        dtype = frame.schema.get(field.physical or field.name)
        if dtype is None:
            continue  # Added by a later version of the contract than the file's.
        kind = kind_of(dtype)
        # A column without any value has no type of its own.
        if kind != "null" and kind not in FITTING[field.type]:
            return FileFault(
                number,
                "types",
                f"column {field.name!r} is {dtype}, the contract says {field.type}",
                f"ask for {field.name!r} as {' or '.join(FITTING[field.type])},"
                " or agree a new contract version",
                rows=frame.height,
                field=field.name,
            )
    return None


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Types the caster knows: text, Int64, Float64, Boolean, Date, naive Datetime, Decimal."""
    import polars as pl

    changes = []
    for name, dtype in frame.schema.items():
        kind = kind_of(dtype)
        if kind == "integer" and dtype != pl.Int64:
            changes.append(pl.col(name).cast(pl.Int64))
        elif kind == "float" and dtype != pl.Float64:
            changes.append(pl.col(name).cast(pl.Float64))
        elif kind in ("text", "null") and dtype != pl.String:
            changes.append(pl.col(name).cast(pl.String))
        elif isinstance(dtype, pl.Datetime):
            column = pl.col(name)
            if dtype.time_zone is not None:
                # The mart keeps Shanghai wall time.
                column = column.dt.convert_time_zone("Asia/Shanghai").dt.replace_time_zone(None)
            changes.append(column.cast(pl.Datetime("us")))
    return frame.with_columns(changes) if changes else frame
