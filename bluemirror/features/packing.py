"""One entity's values as one packed row: what is there as bits, then the numbers, then whatever is no number."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bluemirror.errors import StoreError

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

NUMBERS: dict[str, np.dtype[Any]] = {
    "f": np.dtype("<f4"),
    "d": np.dtype("<f8"),
    "i": np.dtype("<i4"),
    "q": np.dtype("<i8"),
    "?": np.dtype("?"),
}
"""Kind of a field -> how its values stand in a row; the letters are those of :mod:`struct`."""

OTHER = "v"
"""Kind of a field that is no number: its bytes with their length before them."""

MOMENT = struct.Struct("<q")
"""Before the values: the row's event time in microseconds since 1970, UTC."""


@dataclass(frozen=True)
class Layout:
    """Names and kinds of the fields of a packed row.

    A row is: event time (8 bytes), a bit a field that says whether it has a value, the numbers kind by kind in the
    order of :data:`NUMBERS`, the other fields. It is kept with the rows: they are read as they were written.
    """

    fields: tuple[tuple[str, str], ...]

    @cached_property
    def ordered(self) -> tuple[tuple[str, str], ...]:
        """The fields in the order in which they stand in a row."""
        rank = {kind: at for at, kind in enumerate([*NUMBERS, OTHER])}
        return tuple(sorted(self.fields, key=lambda field: rank[field[1]]))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names in the order of a row."""
        return tuple(name for name, _ in self.ordered)

    @cached_property
    def numbers(self) -> struct.Struct:
        """All numbers of a row."""
        return struct.Struct("<" + "".join(kind for _, kind in self.ordered if kind != OTHER))

    @property
    def bits(self) -> int:
        """Bytes that say which fields have a value."""
        return -(-len(self.fields) // 8)

    @property
    def text(self) -> str:
        """The layout as text, read by :meth:`read`."""
        return json.dumps([list(field) for field in self.fields])

    @classmethod
    def read(cls, text: str) -> Layout:
        """The layout that :attr:`text` wrote."""
        return cls(tuple((name, kind) for name, kind in json.loads(text)))

    def pack(self, moment: int, values: Mapping[str, Any]) -> bytes:
        """One row of numbers, and bytes for other fields; a field that is None or not in ``values`` has no value."""
        found = [(values.get(name), kind) for name, kind in self.ordered]
        there = 0
        for at, (value, _) in enumerate(found):
            there |= (value is not None) << at
        numbers = [0 if value is None else value for value, kind in found if kind != OTHER]
        others = [b"" if value is None else bytes(value) for value, kind in found if kind == OTHER]
        return b"".join(
            [
                MOMENT.pack(moment),
                there.to_bytes(self.bits, "little"),
                self.numbers.pack(*numbers),
                *(struct.pack("<I", len(each)) + each for each in others),
            ]
        )

    def unpack(self, row: bytes) -> tuple[int, list[Any]]:
        """Event time and the values in the order of :attr:`names`; None where there is none."""
        start = MOMENT.size + self.bits
        there = int.from_bytes(row[MOMENT.size : start], "little")
        values: list[Any] = list(self.numbers.unpack_from(row, start))
        place = start + self.numbers.size
        while len(values) < len(self.fields):
            (length,) = struct.unpack_from("<I", row, place)
            values.append(row[place + 4 : place + 4 + length])
            place += 4 + length
        if there != (1 << len(values)) - 1:
            values = [value if there >> at & 1 else None for at, value in enumerate(values)]
        return MOMENT.unpack_from(row)[0], values

    def pack_all(self, moments: NDArray[np.int64], frame: pl.DataFrame) -> list[bytes]:
        """Rows of a frame at once; every field is a number.

        Parameters
        ----------
        moments
            Event time of each row in microseconds, shape (rows,).
        frame
            A column a field; null is no value.
        """
        self._refuse_others()
        rows = frame.height
        there = np.empty((rows, len(self.fields)), bool)
        parts: list[NDArray[np.uint8]] = [moments.astype("<i8").reshape(-1, 1).view(np.uint8)]
        at = 0
        for kind, numbers in NUMBERS.items():
            names = [name for name, its in self.ordered if its == kind]
            if not names:
                continue
            matrix = np.empty((rows, len(names)), numbers)
            for column, name in enumerate(names):
                series = frame[name]
                there[:, at] = True if not series.null_count() else series.is_not_null().to_numpy()
                matrix[:, column] = series.fill_null(0).to_numpy()
                at += 1
            parts.append(matrix.view(np.dtype(np.uint8)).reshape(rows, -1))
        parts.insert(1, np.packbits(there, axis=1, bitorder="little"))
        packed = np.hstack(parts)
        whole, width = packed.tobytes(), packed.shape[1]
        return [whole[first : first + width] for first in range(0, len(whole), width)]

    def unpack_all(self, rows: Sequence[bytes]) -> tuple[NDArray[np.int64], pl.DataFrame]:
        """Event times, and a frame with a column a field; every field is a number."""
        import polars as pl

        self._refuse_others()
        packed = np.frombuffer(b"".join(rows), np.uint8).reshape(len(rows), -1)
        moments = packed[:, :8].copy().view("<i8")[:, 0]
        start = MOMENT.size + self.bits
        there = np.unpackbits(packed[:, MOMENT.size : start], axis=1, bitorder="little").astype(bool)
        columns, at = [], 0
        for kind, numbers in NUMBERS.items():
            names = [name for name, its in self.ordered if its == kind]
            width = len(names) * numbers.itemsize
            if names:
                matrix = np.ascontiguousarray(packed[:, start : start + width]).view(numbers)
                for column, name in enumerate(names):
                    series = pl.Series(name, np.ascontiguousarray(matrix[:, column]))
                    if not there[:, at].all():
                        series = series.zip_with(
                            pl.Series(there[:, at]), pl.Series([None], dtype=series.dtype)
                        )
                    columns.append(series)
                    at += 1
            start += width
        return moments, pl.DataFrame(columns)

    def _refuse_others(self) -> None:
        others = [name for name, kind in self.fields if kind == OTHER]
        if others:
            raise StoreError(
                f"{others[0]} is no number",
                field=others[0],
                rule="a night is published as rows of numbers",
                fix="publish variables; other fields go through Feast's own write_to_online_store",
            )
