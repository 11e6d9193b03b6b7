"""Rows of a query, kept apart by the chunk of observations that wants them.

A query runs once however many chunks there are. For one chunk its rows stay in memory; for several they wait in files,
so that memory holds the rows of one chunk at a time, and a mart is not read again for each chunk.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

import polars as pl

from bluemirror.variables.loaded import LoadedRows

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

CHUNK = "_chunk"
"""Column that tells which chunk a row is for; a row that several chunks want is there several times."""

BATCH = 2**18
"""Rows that are taken from a query and put apart at a time."""


def by_chunk(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """One frame of those of all chunks, with the column ``_chunk``."""
    return pl.concat(
        frame.with_columns(pl.lit(number, pl.Int32).alias(CHUNK)) for number, frame in enumerate(frames)
    )


class Chunked:
    """The rows of one query by chunk, each loaded in the order that the kernels want.

    Parameters
    ----------
    chunks
        A frame, or a file of rows, for each chunk.
    group, after
        As :class:`~bluemirror.variables.loaded.LoadedRows` takes them.
    """

    def __init__(self, chunks: Sequence[pl.DataFrame | Path], group: str, after: tuple[str, ...]) -> None:
        self._chunks = list(chunks)
        self._group, self._after = group, after
        self._kept: LoadedRows | None = None

    def loaded(self, chunk: int) -> LoadedRows:
        """The rows of ``chunk``; from a file they are read anew each time."""
        if self._kept is not None:
            return self._kept
        rows = self._chunks[chunk]
        if isinstance(rows, Path):
            return LoadedRows(_read(rows), self._group, self._after)
        # One chunk only: whoever asks again gets what was put in order before.
        self._kept = LoadedRows(rows, self._group, self._after)
        self._chunks.clear()
        return self._kept


class Spill:
    """Runs queries whose rows have the column ``_chunk``.

    Parameters
    ----------
    chunks
        How many chunks there are.
    folder
        Where rows of several chunks may wait; they are removed on leaving the context.
    """

    def __init__(self, chunks: int = 1, folder: Path | None = None) -> None:
        self.chunks = chunks
        self._folder = tempfile.TemporaryDirectory(prefix=".rows-", dir=folder) if chunks > 1 else None
        self._files = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Remove what is waiting."""
        if self._folder is not None:
            self._folder.cleanup()

    def read(
        self, connection: duckdb.DuckDBPyConnection, sql: str, group: str, after: tuple[str, ...]
    ) -> Chunked:
        """Run ``sql`` and keep its rows."""
        query = connection.sql(sql)
        if self._folder is None:
            return Chunked([query.pl().drop(CHUNK)], group, after)
        with query.to_arrow_reader(BATCH) as batches:
            return Chunked(self._apart(batches, Path(self._folder.name)), group, after)

    def _apart(self, batches: pa.RecordBatchReader, folder: Path) -> list[Path]:
        """Put the rows of each chunk into a file of its own."""
        import pyarrow as pa

        self._files += 1
        paths = [folder / f"{self._files}-{chunk}.arrow" for chunk in range(self.chunks)]
        schema = _arrow(cast("pl.DataFrame", pl.from_arrow(batches.schema.empty_table())).drop(CHUNK)).schema
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        writers = [pa.ipc.new_stream(str(path), schema, options=options) for path in paths]
        try:
            for batch in batches:
                frame = cast("pl.DataFrame", pl.from_arrow(batch))
                for (chunk,), rows in frame.partition_by(CHUNK, as_dict=True, include_key=False).items():
                    writers[int(chunk)].write_table(_arrow(rows))
        finally:
            for writer in writers:
                writer.close()
        return paths


def _arrow(frame: pl.DataFrame) -> pa.Table:
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())


def _read(path: Path) -> pl.DataFrame:
    import pyarrow as pa

    with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as stream:
        return cast("pl.DataFrame", pl.from_arrow(stream.read_all()))
