"""Rows as SQL gave them, and the order in which the kernels want them.

Columns are turned into numbers first and put in order afterwards: a sort moves a few bytes a row instead of its texts,
and a column that several families ask for is turned once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bluemirror.variables.declarations import Slice
from bluemirror.variables.grouped import Grouped, Ints

FOREVER = np.iinfo(np.int64).max
SECOND = 1_000_000
SPAN = 2**32
"""Seconds that are told apart in the first sort: 136 years."""


class SliceCodes:
    """A slice over rows: ``code`` (rows,), how many codes there are, and the codes of each group."""

    __slots__ = ("code", "members", "size")

    def __init__(self, code: NDArray[Any], size: int, members: tuple[Ints, ...]) -> None:
        self.code = code
        self.size = size
        self.members = members

    def __getitem__(self, rows: NDArray[Any]) -> SliceCodes:
        """The same slice over some of the rows."""
        return SliceCodes(self.code[rows], self.size, self.members)


class LoadedRows:
    """A loaded table whose rows stand in ``order``: by group, then as ``after`` says.

    Parameters
    ----------
    frame
        Rows as they came.
    group
        Name of the column of groups, whole numbers from 0.
    after
        Names of columns that order the rows of a group; the first one is the event time.
    """

    def __init__(self, frame: pl.DataFrame, group: str, after: tuple[str, ...]) -> None:
        self.frame = frame
        self.order = _order(frame, group, after)
        self._group = group
        self._made: dict[tuple[str, str], Any] = {}

    def __len__(self) -> int:
        return len(self.frame)

    def column(self, name: str) -> pl.Series:
        """A column as it came, in order."""
        return self.frame[name].gather(self.order)

    def flag(self, name: str) -> NDArray[np.bool_]:
        """A column of truths without null."""
        return self._once("flag", name, lambda column: column.to_numpy().astype(bool))

    def number(self, name: str) -> NDArray[np.float64]:
        """A column of numbers; null is nan."""
        return self._once("number", name, lambda column: column.fill_null(float("nan")).to_numpy())

    def moments(self, name: str) -> Ints:
        """A column of times in microseconds; null is before all time."""
        return times(self.frame, name)[self.order]

    def identity(self, name: str) -> NDArray[np.int32]:
        """Whole numbers that are equal where the values are; -1 for null."""
        return self._once("identity", name, _identities)

    def places(self, name: str, index: pl.DataFrame) -> Ints:
        """The ``index`` of the observation that a column of ids names; -1 if it names none of them."""
        ids = self.column(name).to_frame("observation_id")
        found = ids.join(index, on="observation_id", how="left", maintain_order="left")["index"]
        return found.fill_null(-1).cast(pl.Int64).to_numpy()

    def codes(self, one: Slice, name: str) -> SliceCodes:
        """Code of each row on a slice, the number of codes, and the codes that each group holds.

        Groups may overlap; a row whose value no group names has a code of its own, which only the group of all
        rows holds. Bands are cut at the union of their edges; a null is in no band.
        """
        if one.banded:
            return _banded(one, self.number(name))
        texts, position = self._once("text", name, _texts)
        names = sorted({code for group in one.groups for code in group.codes or ()})
        index = {text: place for place, text in enumerate(names)}
        # A code for each distinct text, then one look-up a row; the last text stands for null.
        known = np.array([index.get(text, len(names)) for text in texts], dtype=np.int16)
        return SliceCodes(
            known[position],
            len(names) + 1,
            tuple(
                np.arange(len(names) + 1)
                if group.codes is None
                else np.array([index[text] for text in group.codes])
                for group in one.groups
            ),
        )

    def grouped(self, groups: int) -> Grouped:
        """The time columns as grouped rows."""
        present: list[str] = [
            name
            for name in ("event_time", "known_time", "_superseded", "_valid_to")
            if name in self.frame.columns
        ]
        columns = {name: times(self.frame, name)[self.order] for name in present}
        # What no row has is not asked of each row.
        if "_superseded" in columns and (columns["_superseded"] == FOREVER).all():
            del columns["_superseded"]
        return Grouped.build(columns, self.frame[self._group].cast(pl.Int64).to_numpy()[self.order], groups)

    def forget(self) -> None:
        """Let go of all that was loaded but the order: what families need of it, they hold."""
        self.frame = self.frame.select("_doc", "_seq")
        self._made.clear()

    def _once(self, what: str, name: str, make: Any) -> Any:
        if (what, name) not in self._made:
            made = make(self.frame[name])
            self._made[what, name] = (
                (made[0], made[1][self.order]) if isinstance(made, tuple) else made[self.order]
            )
        return self._made[what, name]


def times(frame: pl.DataFrame, name: str) -> Ints:
    """A time column in microseconds; what never ends is the end of time."""
    empty = FOREVER if name in ("_superseded", "_valid_to") else -FOREVER
    return frame[name].cast(pl.Datetime("us")).dt.timestamp("us").fill_null(empty).to_numpy()


def _identities(column: pl.Series) -> NDArray[np.int32]:
    if column.dtype == pl.Date:
        # Days since 1970 are numbers already; counted from the first, none is below 0.
        days = column.to_physical()
        column = days - days.min() if days.null_count() < len(days) else days
    else:
        # The numbers of a categorical are given in order of appearance: no sort, unlike a rank.
        column = column.cast(pl.String).cast(pl.Categorical).to_physical()
    return column.cast(pl.Int32).fill_null(-1).to_numpy()


def _texts(column: pl.Series) -> tuple[list[str | None], NDArray[np.int64]]:
    """The distinct texts of a column, null last, and which of them each row has."""
    texts = column.unique().drop_nulls().sort()
    kinds = column.cast(pl.Enum(texts)).to_physical().cast(pl.Int64)
    return [*texts.to_list(), None], kinds.fill_null(len(texts)).to_numpy()


def _banded(one: Slice, values: NDArray[np.float64]) -> SliceCodes:
    edges = sorted({edge for group in one.groups if group.band for edge in group.band if edge is not None})
    other = len(edges) + 1
    code = np.searchsorted(np.asarray(edges), values, side="right").astype(np.int16)
    code[np.isnan(values)] = other
    members = []
    for group in one.groups:
        low, high = group.band or (None, None)
        first = 0 if low is None else edges.index(low) + 1
        last = len(edges) if high is None else edges.index(high)
        members.append(np.arange(other + 1) if group.band is None else np.arange(first, last + 1))
    return SliceCodes(code, other + 1, tuple(members))


def _order(frame: pl.DataFrame, group: str, after: tuple[str, ...]) -> Ints:
    """Positions of the rows by group and time; only rows of one group and second are compared further."""
    if not len(frame):
        return np.zeros(0, dtype=np.int64)
    event = times(frame, after[0])
    second = event // SECOND
    first = second[event > -FOREVER].min(initial=0)
    packed = frame[group].cast(pl.Int64).to_numpy() * SPAN + np.clip(second - first, 0, SPAN - 1)
    order = np.argsort(packed)
    ranked = packed[order]
    same = ranked[1:] == ranked[:-1]
    tied = np.zeros(len(order), dtype=bool)
    tied[1:] |= same
    tied[:-1] |= same
    among = order[tied]
    if len(among):
        keys = [_ranks(frame[name].gather(among)) for name in reversed(after[1:])]
        order[tied] = among[np.lexsort((*keys, event[among], packed[among]))]
    return order


def _ranks(column: pl.Series) -> NDArray[Any]:
    """Numbers in the order of the values; null is lowest."""
    if column.dtype == pl.String:
        column = column.cast(pl.Enum(column.unique().drop_nulls().sort()))
    return column.to_physical().cast(pl.Int64).fill_null(-FOREVER).to_numpy()
