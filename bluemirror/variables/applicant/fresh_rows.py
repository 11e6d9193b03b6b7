"""Columns of a few rows, computed one row at a time, in the form that families take from a loaded table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bluemirror.variables.applicant.row_functions import EPOCH, MICROSECOND, moment, text
from bluemirror.variables.loaded import FOREVER, SliceCodes

if TYPE_CHECKING:
    from bluemirror.variables.declarations import Attribute, Slice
    from bluemirror.variables.grouped import Ints

NAN = float("nan")


class FreshRows:
    """The counterpart of :class:`bluemirror.variables.loaded.LoadedRows`: rows stand in the order given.

    Parameters
    ----------
    names
        Aliases of the columns.
    rows
        Their values, row by row.
    observation_id, place
        The observation, and its number among all observations.
    """

    def __init__(
        self, names: Sequence[str], rows: Sequence[tuple[Any, ...]], observation_id: str = "", place: int = -1
    ) -> None:
        columns = zip(*rows, strict=True) if rows else ((),) * len(names)
        self._columns: Mapping[str, tuple[Any, ...]] = dict(zip(names, columns, strict=True))
        self._size = len(rows)
        self._observation = observation_id
        self._place = place

    def __len__(self) -> int:
        return self._size

    def values(self, name: str) -> tuple[Any, ...]:
        """A column as it is."""
        return self._columns[name]

    def flag(self, name: str) -> NDArray[np.bool_]:
        """A column of truths without null."""
        return np.array(self._columns[name], dtype=bool)

    def number(self, name: str) -> NDArray[np.float64]:
        """A column of numbers; null is nan."""
        return np.array([NAN if one is None else one for one in self._columns[name]], dtype=np.float64)

    def moments(self, name: str) -> Ints:
        """A column of times in microseconds; null is before all time."""
        return np.array(
            [
                -FOREVER if one is None else (moment(one) - EPOCH) // MICROSECOND
                for one in self._columns[name]
            ],
            dtype=np.int64,
        )

    def places(self, name: str, index: pl.DataFrame) -> Ints:  # noqa: ARG002 - there is one observation
        """The number of the observation where a column of ids names it, else -1."""
        return np.array(
            [self._place if one == self._observation else -1 for one in self._columns[name]], dtype=np.int64
        )

    def identity(self, name: str) -> NDArray[np.int32]:
        """Whole numbers that are equal where the values are; -1 for null."""
        known: dict[Any, int] = {}
        return np.array(
            [-1 if one is None else known.setdefault(one, len(known)) for one in self._columns[name]],
            dtype=np.int32,
        )

    def codes(self, one: Slice, name: str) -> SliceCodes:
        """Code of each row on a slice, as a loaded table gives it."""
        drawn = _Drawn.of(one)
        if drawn.edges is not None:
            values = self.number(name)
            code = np.searchsorted(drawn.edges, values, side="right").astype(np.int16)
            code[np.isnan(values)] = drawn.size - 1
        else:
            index, other = drawn.index, drawn.size - 1
            code = np.array([index.get(value, other) for value in self._columns[name]], dtype=np.int16)
        return SliceCodes(code, drawn.size, drawn.members)


class _Drawn:
    """The codes of a slice, worked out once: by the loaded table's own code, over no rows."""

    _known: ClassVar[dict[int, _Drawn]] = {}

    def __init__(self, one: Slice) -> None:
        from bluemirror.variables.loaded import LoadedRows

        kind = pl.Float64 if one.banded else pl.String
        empty = pl.DataFrame(schema={"g": pl.Int64, "event_time": pl.Datetime("us"), "c": kind})
        codes = LoadedRows(empty, "g", ("event_time",)).codes(one, "c")
        self.slice = one
        self.size, self.members = codes.size, codes.members
        self.edges: NDArray[np.float64] | None = None
        self.index: dict[Any, int] = {}
        if one.banded:
            self.edges = np.array(
                sorted(
                    {edge for group in one.groups if group.band for edge in group.band if edge is not None}
                ),
                dtype=np.float64,
            )
        else:
            names = sorted({code for group in one.groups for code in group.codes or ()})
            self.index = {code: place for place, code in enumerate(names)}

    @classmethod
    def of(cls, one: Slice) -> _Drawn:
        """What was drawn for this very slice; it is kept with it, so that its identity stays its own."""
        if id(one) not in cls._known:
            cls._known[id(one)] = cls(one)
        return cls._known[id(one)]


def attribute_values(column: Sequence[Any], one: Attribute, code: str | None) -> NDArray[np.float32]:
    """An attribute of each row as the number that is stored: a flag, a place in an order, a scaled value."""
    if code is not None:
        numbers = [NAN if value is None else float(value == code) for value in column]
    elif one.ordinal is not None:
        numbers = [NAN if value is None else one.ordinal.get(value, NAN) for value in column]
        numbers = [value * one.scale for value in numbers]
    else:
        numbers = [NAN if value is None else value * one.scale for value in column]
    return np.array(numbers, dtype=np.float64).astype(np.float32)


def spelled(value: Any) -> str | None:
    """One value of a column of identities as text, as a cast of its whole column spells it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float | dt.datetime):
        return pl.Series([value]).cast(pl.String)[0]
    return text(value)
