"""Crosses of slices: to which combinations of groups a row belongs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bluemirror.variables.loaded import SliceCodes


@dataclass(frozen=True)
class Crossing:
    """Membership of combined codes in combinations of groups; groups may overlap, or leave codes out.

    Attributes
    ----------
    shape
        Number of groups of each slice.
    start, group
        ``group[start[code]:start[code + 1]]`` are the combinations that a combined code belongs to.
    """

    shape: tuple[int, ...]
    start: NDArray[np.int32]
    group: NDArray[np.int32]

    @classmethod
    def of(cls, slices: Sequence[SliceCodes]) -> Crossing:
        """Cross ``slices``; the last one varies fastest. Of none, every row belongs to the one combination."""
        holds = np.ones((1, 1), dtype=np.uint8)
        for one in slices:
            member = np.zeros((one.size, len(one.members)), dtype=np.uint8)
            for position, codes in enumerate(one.members):
                member[codes, position] = 1
            holds = np.kron(holds, member)
        start = np.append(0, np.cumsum(holds.sum(axis=1, dtype=np.int64)))
        return cls(
            tuple(len(one.members) for one in slices),
            start.astype(np.int32),
            np.nonzero(holds)[1].astype(np.int32),
        )

    @cached_property
    def holds(self) -> NDArray[np.bool_]:
        """The same as a table: (codes, combinations)."""
        table = np.zeros((len(self.start) - 1, self.groups), dtype=np.bool_)
        table[np.repeat(np.arange(len(table)), np.diff(self.start)), self.group] = True
        return table

    @property
    def groups(self) -> int:
        """Number of combinations of groups."""
        return math.prod(self.shape)


def combined(slices: Sequence[SliceCodes], rows: int) -> NDArray[np.int32]:
    """Combined code of each row over ``slices``, the last one varying fastest."""
    code = np.zeros(rows, dtype=np.int32)
    for one in slices:
        code = code * np.int32(one.size) + one.code
    return code
