"""Rows sorted by an integer group, and the way from groups to their rows without a hash table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Grouped:
    """Columns whose rows are sorted by ``group``; ``offsets[g]:offsets[g + 1]`` are the rows of group ``g``.

    ``columns`` hold arrays of equal length; times are microseconds.
    """

    columns: dict[str, Ints]
    offsets: Ints

    @classmethod
    def build(cls, columns: dict[str, Ints], group: Ints, groups: int) -> Grouped:
        """Take rows that are already sorted by ``group`` (ascending, in ``range(groups)``)."""
        offsets = np.searchsorted(group, np.arange(groups + 1))
        return cls(columns, offsets.astype(np.int64))

    def where(self, kept: NDArray[np.bool_]) -> Grouped:
        """The same groups with only the rows that are ``kept`` (rows,)."""
        before = np.concatenate(([0], np.cumsum(kept)))
        columns = {name: values[kept] for name, values in self.columns.items()}
        return Grouped(columns, before[self.offsets])

    def __len__(self) -> int:
        return int(self.offsets[-1]) if len(self.offsets) else 0

    def expand(self, groups: Ints) -> tuple[Ints, Ints]:
        """Rows of each of ``groups`` (-1: none): (position in ``groups``, row), both of the same length."""
        if len(groups) == 1:
            # One applicant: its rows stand together.
            one = int(groups[0])
            begin, end = (int(self.offsets[one]), int(self.offsets[one + 1])) if one >= 0 else (0, 0)
            return np.zeros(end - begin, dtype=np.int64), np.arange(begin, end, dtype=np.int64)
        present = np.flatnonzero(groups >= 0)
        wanted = groups[present]
        starts, counts = self.offsets[wanted], self.offsets[wanted + 1] - self.offsets[wanted]
        owner = np.repeat(present, counts)
        total = int(counts.sum())
        first = np.repeat(
            starts - np.concatenate(([0], np.cumsum(counts)[:-1])) if len(counts) else starts, counts
        )
        return owner.astype(np.int64), first + np.arange(total, dtype=np.int64)
