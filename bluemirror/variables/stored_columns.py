"""A block's stored columns, some at a time, laid out by column: memory does not grow with rows or variables.

Row groups that hold none of the wanted rows are not opened.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bluemirror.errors import FamilyError

if TYPE_CHECKING:
    import pyarrow.parquet as pq

BATCH_BYTES = 96 * 2**20
"""Room for the values of the columns that are in memory at a time (a thread)."""

MOST_COLUMNS = 512
"""Columns at a time, even if few rows are wanted."""

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class _Group:
    """The wanted rows of one row group: where they stand in it, and where their values go."""

    file: pq.ParquetFile
    number: int
    rows: Ints
    places: Ints

    @property
    def whole(self) -> bool:
        """Whether its rows follow each other here and there: then a column is one copy."""
        return bool((np.diff(self.rows) == 1).all() and (np.diff(self.places) == 1).all())


class StoredBlock:
    """The wanted rows of a block.

    Parameters
    ----------
    files
        Parts of the block.
    block
        Its name.
    rows
        observation_id and ``place`` (0 to the number of rows - 1) of what is wanted.

    Raises
    ------
    FamilyError
        If the block does not hold one of the wanted observations.
    """

    def __init__(self, files: Sequence[Path], block: str, rows: pl.DataFrame) -> None:
        import pyarrow.parquet as pq

        self.count = len(rows)
        self.reason = np.zeros(self.count, np.int8)
        self._groups: list[_Group] = []
        found = 0
        for path in files:
            file = pq.ParquetFile(path, memory_map=True)
            ids = pl.read_parquet(path, columns=["observation_id"])
            placed = ids.join(rows, on="observation_id", how="left", maintain_order="left")["place"]
            place = placed.fill_null(-1).to_numpy()
            reasons: NDArray[np.int8] | None = None
            first = 0
            for number in range(file.metadata.num_row_groups):
                last = first + file.metadata.row_group(number).num_rows
                wanted = np.flatnonzero(place[first:last] >= 0)
                if len(wanted):
                    if reasons is None:
                        column = f"{block}__reason"
                        reasons = pl.read_parquet(path, columns=[column])[column].to_numpy()
                    group = _Group(file, number, wanted, place[first:last][wanted])
                    self.reason[group.places] = reasons[first:last][wanted]
                    self._groups.append(group)
                    found += len(wanted)
                first = last
        if found != self.count:
            raise FamilyError(
                f"the block {block} does not hold {self.count - found} of the {self.count} observations asked for",
                file=files[0].parent if files else None,
                field=block,
                rule="variables are computed for every observation of the set",
                fix="bluemirror features computes them",
            )

    def batches(
        self, names: Sequence[str], *, apart: bool = False
    ) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """Some columns at a time: which of ``names``, and their values (columns, rows), NaN where null.

        The array is filled anew for each batch, and what is to be kept must be copied; unless ``apart``: then each
        batch has an array of its own, for others to work on while the next one is read.
        """
        width = min(max(BATCH_BYTES // (4 * max(self.count, 1)), 1), MOST_COLUMNS, max(len(names), 1))
        room = np.empty((0 if apart else width, self.count), np.float32)
        for first in range(0, len(names), width):
            asked = list(names[first : first + width])
            values = np.empty((len(asked), self.count), np.float32) if apart else room[: len(asked)]
            for group in self._groups:
                _fill(values, group, asked)
            yield slice(first, first + len(asked)), values


def _fill(values: NDArray[np.float32], group: _Group, names: list[str]) -> None:
    table = group.file.read_row_group(group.number, columns=names, use_threads=False)
    if group.whole:
        first, start, length = int(group.rows[0]), int(group.places[0]), len(group.rows)
        for into, name in zip(values, names, strict=True):
            into[start : start + length] = _numbers(table, name)[first : first + length]
    else:
        for into, name in zip(values, names, strict=True):
            into[group.places] = _numbers(table, name)[group.rows]


def _numbers(table: object, name: str) -> NDArray[np.float32]:
    """A column of a table as floats; null becomes NaN."""
    found: NDArray[np.float32] = table.column(name).to_numpy()  # type: ignore[attr-defined]
    return found
