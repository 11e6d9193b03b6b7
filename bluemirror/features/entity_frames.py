"""The entity frame: who is asked about and as of when, from pandas, Polars, Arrow or SQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bluemirror.errors import StoreError
from bluemirror.features.moments import instants

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

DEFAULT_TIMESTAMP = "event_timestamp"


@dataclass(frozen=True)
class EntityFrame:
    """The questions: ``frame`` as it was given, the name of its timestamp column, the moments in microseconds."""

    frame: pl.DataFrame
    timestamp: str
    moments: NDArray[np.int64]

    @classmethod
    def read(cls, given: Any, zone: str, folder: Path | None = None) -> EntityFrame:
        """Read whatever was given.

        Parameters
        ----------
        given
            A pandas, Polars or Arrow table, or a query in DuckDB's SQL over the mart, over files, and over the stored
            observation sets as ``observations.<set>``.
        zone
            Where naive timestamps are wall time.
        folder
            The Feast repository, whose workspace a query reads.

        Raises
        ------
        StoreError
            If there is no timestamp column, or it or its values are missing or no moments.
        """
        frame = _as_polars(given, folder)
        timestamp = timestamp_column(frame)
        missing = frame[timestamp].null_count()
        if missing:
            raise StoreError(
                f"{missing} of {frame.height} rows of the entity frame have no {timestamp}",
                field=timestamp,
                rule="every question says as of when",
                fix="drop these rows, or fill in the moment",
            )
        return cls(frame, timestamp, instants(frame[timestamp], zone))

    def keys(self, names: Iterable[str]) -> pl.DataFrame:
        """The key columns ``names``; StoreError if one is absent or has nulls."""
        names = list(names)
        for name in names:
            if name not in self.frame.columns:
                raise StoreError(
                    f"the entity frame has no column {name}",
                    field=name,
                    rule="the frame holds the join keys of every view that is asked",
                    fix=f"add {name}; the frame has {', '.join(self.frame.columns)}",
                )
            missing = self.frame[name].null_count()
            if missing:
                raise StoreError(
                    f"{missing} of {self.frame.height} rows of the entity frame have no {name}",
                    field=name,
                    rule="an entity key is known",
                    fix=f"drop the rows without {name}",
                )
        return self.frame.select(names)

    @property
    def span(self) -> tuple[Any, Any]:
        """First and last moment asked as aware datetimes in UTC; (None, None) if nothing is asked."""
        import datetime as dt

        if not len(self.moments):
            return None, None
        start = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
        return tuple(  # type: ignore[return-value]
            start + dt.timedelta(microseconds=int(each)) for each in (self.moments.min(), self.moments.max())
        )


def timestamp_column(frame: pl.DataFrame) -> str:
    """``event_timestamp``, or the only column of moments, as Feast infers it; StoreError if there is not one."""
    import polars as pl

    if DEFAULT_TIMESTAMP in frame.columns:
        return DEFAULT_TIMESTAMP
    found = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Datetime)]
    if len(found) == 1:
        return found[0]
    told = f"several columns of moments: {', '.join(found)}" if found else "no column of moments"
    raise StoreError(
        f"the entity frame has {told}",
        field=DEFAULT_TIMESTAMP,
        rule="the frame says as of when in event_timestamp, or in its only column of moments",
        fix="call the column event_timestamp",
    )


def _as_polars(given: Any, folder: Path | None) -> pl.DataFrame:
    import polars as pl
    import pyarrow as pa

    if isinstance(given, str):
        return _asked_by_sql(given, folder)
    if isinstance(given, pl.LazyFrame):
        return given.collect()
    if isinstance(given, pl.DataFrame):
        return given
    if isinstance(given, pa.Table | pa.RecordBatch):
        return pl.DataFrame(pl.from_arrow(given))
    import pandas as pd

    if isinstance(given, pd.DataFrame):
        return pl.from_pandas(given, nan_to_null=True)
    raise StoreError(
        f"an entity frame of the type {type(given).__name__}",
        rule="an entity frame is a pandas, Polars or Arrow table, or a query",
        fix="convert it to one of them",
    )


def _asked_by_sql(query: str, folder: Path | None) -> pl.DataFrame:
    import duckdb

    with _connection(folder) as connection:
        try:
            return connection.sql(query).pl()
        except duckdb.Error as error:
            raise StoreError(
                "the query of the entity frame does not run",
                rule="one SELECT over the mart, files, or observations.<set>",
                fix=str(error).split("\n")[0],
            ) from None


def _connection(folder: Path | None) -> Any:
    """DuckDB with the mart's tables and the stored observation sets, if the folder is that of a workspace."""
    import duckdb

    from bluemirror.mart.connect import connect
    from bluemirror.variables import variable_files
    from bluemirror.workspace import SETTINGS, Workspace

    root = folder.resolve().parent if folder is not None else None
    if root is None or not (root / SETTINGS).is_file():
        return duckdb.connect()
    workspace = Workspace.open(root)
    connection = connect(workspace)
    connection.execute("CREATE SCHEMA IF NOT EXISTS observations")
    for place in sorted(workspace.variables.glob("*/observations")):
        files = [str(each) for each in variable_files(workspace, place.parent.name, place.name)]
        if files:
            listed = ", ".join("'" + each.replace("'", "''") + "'" for each in files)
            connection.execute(
                f'CREATE VIEW observations."{place.parent.name}" AS SELECT * FROM read_parquet([{listed}])'
            )
    return connection


def order_of(columns: Sequence[str], more: Sequence[str]) -> list[str]:
    """``columns``, then those of ``more`` that are not among them."""
    return list(dict.fromkeys([*columns, *more]))
