"""Rows that the offline store reads: Parquet files, or observations whose variables stand in folders of blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from bluemirror.errors import StoreError
from bluemirror.features.asof import NONE

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray


class Rows(Protocol):
    """A table whose rows have numbers."""

    @property
    def columns(self) -> Sequence[str]:
        """Names of all columns."""

    def read(self, columns: Sequence[str]) -> pl.DataFrame:
        """Some columns of every row, in the order of the row numbers."""

    def gather(self, columns: Sequence[str], rows: NDArray[np.int64]) -> pl.DataFrame:
        """Some columns of the numbered rows, in this order; nulls where the number is ``NONE``."""


def parquet_files(path: str) -> list[Path]:
    """Files of a Feast file source: one file, all of a folder, or what a pattern names; in the order of their names.

    Raises
    ------
    StoreError
        If there is none.
    """
    place = Path(path)
    if place.is_dir():
        found = [each for each in place.rglob("*.parquet") if not each.name.startswith((".", "_"))]
    else:
        # The folder first: when a build moves its link meanwhile, the files listed are still those of one state.
        found = [
            file
            for folder in glob(str(place.parent))  # noqa: PTH207 (a whole path is the pattern)
            for file in Path(folder).resolve().glob(place.name)
        ]
    if not found:
        raise StoreError(
            "there is no file to read",
            file=path,
            rule="a view's rows stand in Parquet files at the path of its source",
            fix="compute them (bluemirror features) or correct the path of the source",
        )
    return sorted(found)


class FileRows:
    """Rows of Parquet files of one schema, numbered through the files.

    A column that one of the files lacks is null there.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        import pyarrow.parquet as pq

        self.files = list(files)
        self._starts = [0]
        self._held: dict[Path, frozenset[str]] = {}
        self._names: dict[str, None] = {}
        for file in self.files:
            with _reading(file):
                footer = pq.read_metadata(file)
                names = footer.schema.to_arrow_schema().names
            self._starts.append(self._starts[-1] + footer.num_rows)
            self._held[file] = frozenset(names)
            self._names |= dict.fromkeys(names)

    def __len__(self) -> int:
        return self._starts[-1]

    @property
    def columns(self) -> Sequence[str]:
        """Names of all columns."""
        return list(self._names)

    def read(self, columns: Sequence[str]) -> pl.DataFrame:
        """Some columns of every row."""
        return self._read(columns, [(file, 0, None) for file in self.files])

    def gather(self, columns: Sequence[str], rows: NDArray[np.int64]) -> pl.DataFrame:
        """Some columns of the numbered rows; only files, and stretches of files, that hold one of them are read."""
        import polars as pl

        wanted = rows[rows != NONE]
        if not len(wanted):
            schema = self._read(columns, [(self.files[0], 0, 0)]).schema
            return pl.DataFrame([pl.Series(name, [None], kind) for name, kind in schema.items()])[
                np.zeros(len(rows), np.int64)
            ]
        stretches: list[tuple[Path, int, int | None]] = []
        starts = np.array(self._starts)
        shift = np.zeros(len(self.files), np.int64)
        held = 0
        number = np.searchsorted(starts, rows, side="right") - 1
        for at, file in enumerate(self.files):
            mine = rows[(number == at) & (rows != NONE)] - starts[at]
            if len(mine):
                first, last = int(mine.min()), int(mine.max())
                stretches.append((file, first, last - first + 1))
                shift[at] = held - first - starts[at]
                held += last - first + 1
        frame = self._read(columns, stretches)
        place = rows + shift[np.where(rows == NONE, 0, number)]
        if len(rows) == held and np.array_equal(place, np.arange(held)):
            return frame
        if (rows == NONE).any():
            index = pl.Series(np.where(rows == NONE, -1, place))
            return frame.select(pl.all().gather(index.replace(-1, None)))
        return frame.select(pl.all().gather(pl.Series(place)))

    def _read(
        self, columns: Sequence[str], stretches: Sequence[tuple[Path, int, int | None]]
    ) -> pl.DataFrame:
        import polars as pl

        columns = list(columns)
        absent = [name for name in columns if name not in self._names]
        if absent:
            raise StoreError(
                f"the files have no column {absent[0]}",
                file=self.files[0].parent,
                field=absent[0],
                rule="a view's columns stand in its files",
                fix="compute them anew (bluemirror features), or correct the view",
            )
        frames = []
        for file, first, count in stretches:
            here = [name for name in columns if name in self._held[file]]
            with _reading(file):
                if first or count is not None:
                    frame = pl.scan_parquet(file).slice(first, count).select(here).collect()
                else:
                    frame = pl.read_parquet(file, columns=here)
            if len(here) < len(columns):
                frame = frame.with_columns(pl.lit(None).alias(name) for name in columns if name not in here)
            frames.append(frame.select(columns))
        return pl.concat(frames, how="vertical_relaxed") if len(frames) != 1 else frames[0]


class ObservedRows:
    """Observations with their entity's keys; variables are taken from the folders of the blocks that hold them.

    One observation set of a workspace as one wide table, without a copy of any value.
    """

    def __init__(self, observations: Sequence[Path], folder: Path, blocks: Sequence[str]) -> None:
        self._observations = FileRows(observations)
        self._folder = folder
        # The longest name first: a block may begin with the name of another.
        self._blocks = sorted(blocks, key=len, reverse=True)
        self._opened: dict[str, tuple[FileRows, NDArray[np.int64]]] = {}

    @property
    def columns(self) -> Sequence[str]:
        """Names of all columns."""
        names = dict.fromkeys(self._observations.columns)
        for block in self._blocks:
            names |= dict.fromkeys(self._block(block)[0].columns)
        return list(names)

    def read(self, columns: Sequence[str]) -> pl.DataFrame:
        """Some columns of every observation."""
        return self.gather(columns, np.arange(len(self._observations), dtype=np.int64))

    def gather(self, columns: Sequence[str], rows: NDArray[np.int64]) -> pl.DataFrame:
        """Some columns of the numbered observations; null where a block does not hold an observation."""
        import polars as pl

        own = set(self._observations.columns)
        groups: dict[str | None, list[str]] = {}
        for name in columns:
            groups.setdefault(None if name in own else self._block_of(name), []).append(name)
        parts: list[pl.DataFrame] = []
        for block, names in groups.items():
            if block is None:
                parts.append(self._observations.gather(names, rows))
            else:
                stored, place = self._block(block)
                parts.append(stored.gather(names, np.where(rows == NONE, NONE, place[rows])))
        return pl.concat(parts, how="horizontal").select(list(columns))

    def _block_of(self, name: str) -> str:
        for block in self._blocks:
            if name.startswith(f"{block}_"):
                return block
        raise StoreError(
            f"no block of the view holds {name}",
            file=self._folder,
            field=name,
            rule=f"blocks here are {', '.join(self._blocks)}",
            fix="ask for a variable of the view",
        )

    def _block(self, block: str) -> tuple[FileRows, NDArray[np.int64]]:
        """A block's rows, and the number of the row of each observation among them."""
        import polars as pl

        if block not in self._opened:
            stored = FileRows(parquet_files(f"{self._folder / block}/*.parquet"))
            ids = stored.read(["observation_id"]).with_row_index("at")
            joined = self._observations.read(["observation_id"]).join(
                ids, on="observation_id", how="left", maintain_order="left"
            )
            self._opened[block] = stored, joined["at"].cast(pl.Int64).fill_null(NONE).to_numpy()
        return self._opened[block]


@contextmanager
def _reading(file: Path) -> Iterator[None]:
    """Turn what a reader says about a bad file into an error that names it."""
    import polars as pl
    import pyarrow as pa

    try:
        yield
    except (OSError, pa.ArrowException, pl.exceptions.PolarsError) as error:
        kind = "is gone" if isinstance(error, FileNotFoundError) else "cannot be read as Parquet"
        raise StoreError(
            f"a file of stored rows {kind}",
            file=file,
            rule="a partition is written whole and never changed",
            fix="remove its folder; bluemirror features computes it again, to the same values",
        ) from error
