"""What a retrieval reads: which stored row of each view answers which question; then whole columns, or batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bluemirror.features.asof import NONE, key_codes, match
from bluemirror.features.moments import instants

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from bluemirror.features.entity_frames import EntityFrame
    from bluemirror.features.rows import Rows

BATCH = 8192
"""Rows of a batch, unless asked otherwise: four shards, as they were written."""

NUMBER = "__row"
"""Column of an index: the row's number among all rows."""

EARLIEST, LATEST = (int(limit) for limit in (np.iinfo(np.int64).min, np.iinfo(np.int64).max))


@dataclass(frozen=True)
class ViewRows:
    """A view as the offline store reads it.

    Parameters
    ----------
    rows
        Where its rows stand.
    keys
        Stored key column -> column of the entity frame.
    happened, created
        Stored columns of the two times; ``created`` may be None.
    columns
        Stored column -> name in the result.
    ttl
        Microseconds for which a row holds; forever if None.
    """

    rows: Rows
    keys: Mapping[str, str]
    happened: str
    created: str | None
    columns: Mapping[str, str]
    ttl: int | None = None

    def answers(self, questions: EntityFrame, zone: str, *, known: bool = False) -> NDArray[np.int64]:
        """Row number for each question, ``NONE`` where no row counts (see :func:`~bluemirror.features.asof.match`)."""
        asked = questions.keys(self.keys.values()).rename(
            {theirs: mine for mine, theirs in self.keys.items() if theirs != mine}
        )
        index = self.index()
        stored, wanted = key_codes(index, asked, list(self.keys))
        happened, created = self.times(index, zone, unknown=LATEST if known else EARLIEST)
        found = match(stored, happened, created, wanted, questions.moments, ttl=self.ttl, known=known)
        return np.where(found == NONE, NONE, index[NUMBER].to_numpy()[np.where(found == NONE, 0, found)])

    def index(self) -> pl.DataFrame:
        """Number, keys and times of every row that has a key and an event time."""
        import polars as pl

        times = [self.happened, *([self.created] if self.created else [])]
        index = self.rows.read([*self.keys, *times])
        number = pl.int_range(pl.len(), dtype=pl.Int64).alias(NUMBER)
        return index.with_columns(number).drop_nulls([*self.keys, self.happened])

    def times(
        self, index: pl.DataFrame, zone: str, unknown: int = EARLIEST
    ) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
        """Event and creation time of the rows of an index in microseconds; ``unknown`` where no creation is told."""
        happened = instants(index[self.happened], zone, up=True)
        if self.created is None:
            return happened, None
        known = index[self.created].is_not_null().to_numpy()
        created = np.full(len(index), unknown)
        created[known] = instants(index[self.created].drop_nulls(), zone, up=True)
        return happened, created


@dataclass(frozen=True)
class Part:
    """Columns of one view, and the row that each line of the result takes them from."""

    rows: Rows
    columns: Mapping[str, str]
    numbers: NDArray[np.int64]

    def take(self, lines: NDArray[np.int64] | None = None) -> pl.DataFrame:
        """The columns, under their names in the result; of some lines only if ``lines`` says so."""
        numbers = self.numbers if lines is None else self.numbers[lines]
        return self.rows.gather(list(self.columns), numbers).rename(dict(self.columns))


@dataclass(frozen=True)
class RetrievalPlan:
    """A result that has not been read yet: ``lines`` are the entity frame's columns, ``parts`` those of the views.

    ``order`` names the columns of the result in the order wanted.
    """

    lines: pl.DataFrame | None
    parts: Sequence[Part]
    order: Sequence[str]

    def __len__(self) -> int:
        if self.lines is not None:
            return self.lines.height
        return len(self.parts[0].numbers)

    def frame(self) -> pl.DataFrame:
        """The whole result, in the order of the entity frame."""
        return self._joined([part.take() for part in self.parts], self.lines)

    def column(self, name: str) -> pl.Series:
        """One stored column of the first view, for every line."""
        part = self.parts[0]
        return part.rows.gather([name], part.numbers)[name]

    def batches(self, rows: int = BATCH, *, ordered: bool = False) -> Iterator[pl.DataFrame]:
        """The result in pieces of at most ``rows`` rows.

        As rows are stored, so that each stretch of a file is read once and memory holds one piece; with ``ordered``
        as the entity frame has them, which reads a stretch again for every piece that needs it.
        """
        order = np.arange(len(self))
        if not ordered and self.parts:
            order = np.argsort(self.parts[0].numbers, kind="stable")
        for start in range(0, len(self), rows):
            lines = order[start : start + rows]
            yield self._joined(
                [part.take(lines) for part in self.parts],
                None if self.lines is None else self.lines[lines],
            )

    def _joined(self, parts: list[pl.DataFrame], lines: pl.DataFrame | None) -> pl.DataFrame:
        import polars as pl

        found = [*([lines] if lines is not None else []), *parts]
        return pl.concat(found, how="horizontal").select(self.order)


def newest(
    view: ViewRows, zone: str, first: int | None, last: int | None, *, every: bool = False
) -> NDArray[np.int64]:
    """Numbers of the rows between two moments (microseconds, both included): the newest of each key, or every one."""
    index = view.index()
    happened, created = view.times(index, zone)
    numbers = index[NUMBER].to_numpy()
    within = np.ones(len(happened), bool)
    if first is not None:
        within &= happened >= first
    if last is not None:
        within &= happened <= last
    if every:
        return numbers[within]
    stored = key_codes(index, index, list(view.keys))[0] if view.keys else np.zeros(len(index), np.int64)
    order = np.lexsort((happened if created is None else created, happened, stored))
    order = order[within[order]]
    last_of_key = np.ones(len(order), bool)
    last_of_key[:-1] = stored[order[1:]] != stored[order[:-1]]
    return np.sort(numbers[order[last_of_key]])
