"""Rows being gathered while trees are walked: plain lists, as few operations a row as can be.

A walker appends to a scope's lists in document order. Each row notes only which row it hangs under; its file, its
record, its number in the record and that of the row above are computed for all rows at once at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bluemirror.landing.landed import LineFault, structured, text_series
from bluemirror.landing.tree import PLACE, Scope

if TYPE_CHECKING:
    import polars as pl


@dataclass
class Block:
    """Some slots of a scope whose values come together: rows of them, or ready columns."""

    slots: tuple[str, ...]
    rows: list[Sequence[Any]] = field(default_factory=list)
    columns: tuple[list[Any], ...] = ()


class Gathering:
    """The lists of all scopes of a tree.

    Parameters
    ----------
    scopes
        The scopes of the tree, in the order of their numbers.

    Attributes
    ----------
    files, lines
        File and record number of each record, that is of each row of scope 0.
    above
        For each scope, the row (in the scope around) that each of its rows hangs under.
    blocks
        For each scope, its blocks; together they hold all slots that are read.
    """

    def __init__(self, scopes: Sequence[Scope]) -> None:
        self.scopes = scopes
        self.files: list[int] = []
        self.lines: list[int] = []
        self.above: list[list[int]] = [[] for _ in scopes]
        self.blocks: list[list[Block]] = [[] for _ in scopes]
        self._lists: list[list[Any]] = []

    def block(self, scope: int, slots: Sequence[str], ready: bool = False) -> Block:
        """A new block of a scope; ``ready`` gathers columns instead of rows."""
        block = Block(tuple(slots))
        if ready:
            block.columns = tuple([] for _ in slots)
        self.blocks[scope].append(block)
        return block

    def mark(self) -> list[int]:
        """How much there is now; :meth:`back` returns to it."""
        if not self._lists:
            self._lists = [self.files, self.lines, *self.above]
            for block in (block for blocks in self.blocks for block in blocks):
                self._lists += [block.rows, *block.columns]
        return list(map(len, self._lists))

    def back(self, mark: Sequence[int]) -> None:
        """Forget what was gathered after a mark."""
        for values, length in zip(self._lists, mark, strict=True):
            del values[length:]

    def frames(self) -> tuple[dict[int, pl.DataFrame], list[LineFault]]:
        """Scope -> frame of the place columns and the slots, and the records in which a value is no single value.

        Rows stand in the order in which they were gathered.
        """
        import polars as pl

        frames, faults = {}, []
        above = [np.array(rows, dtype=np.int64) for rows in self.above]
        files, lines = np.array(self.files, dtype=np.int32), np.array(self.lines, dtype=np.int32)
        for scope, (record, places) in zip(
            self.scopes, placed(self.scopes, above, files, lines), strict=True
        ):
            columns = {each.name: each for each in places}
            for block in self.blocks[scope.number]:
                ready = block.columns or list(zip(*block.rows, strict=True)) or [()] * len(block.slots)
                for name, values in zip(block.slots, ready, strict=True):
                    columns[name] = text_series(name, values)
                    if columns[name].null_count() > values.count(None):
                        odd = [record[at] for at, value in enumerate(values) if structured(value)]
                        faults += [_odd(name, int(files[at]), int(lines[at])) for at in odd]
            frames[scope.number] = pl.DataFrame([columns[name] for name in scope.slots])
        return frames, faults


def placed(
    scopes: Sequence[Scope], above: Sequence[np.ndarray], files: np.ndarray, lines: np.ndarray
) -> Iterator[tuple[np.ndarray, list[pl.Series]]]:
    """The place columns of each scope, and the record that each of its rows belongs to.

    Parameters
    ----------
    scopes
        The scopes, in the order of their numbers.
    above
        For each scope, the row (in the scope around) that each of its rows hangs under.
    files, lines
        (records,) file and record number of each record.
    """
    import polars as pl

    records: list[np.ndarray] = []
    numbers: list[np.ndarray] = []
    for scope in scopes:
        if scope.number == 0:
            record = np.arange(len(files))
            number = up = np.zeros(len(files), dtype=np.int32)
        else:
            record = records[scope.up][above[scope.number]]
            # The rows of one record stand together, so its first row is found by its number.
            number = (np.arange(len(record)) - np.searchsorted(record, record)).astype(np.int32)
            up = numbers[scope.up][above[scope.number]]
        records.append(record)
        numbers.append(number)
        values = (files[record], lines[record], number, up)
        yield (
            record,
            [pl.Series(name, each, dtype=pl.Int32) for name, each in zip(PLACE, values, strict=True)],
        )


def _odd(name: str, number: int, line: int) -> LineFault:
    return LineFault(
        number, line, "readable_json", f"{name}: an object or a list of them where a value should be"
    )
