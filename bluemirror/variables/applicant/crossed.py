"""A block across sources for one applicant: its sides are the variables that the other blocks have just got."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bluemirror.variables.combining import combined
from bluemirror.variables.plan import block_variables
from bluemirror.variables.reasons import ANSWERED

if TYPE_CHECKING:
    from bluemirror.variables.declarations import Block


class CrossedBlock:
    """Combinations of variables of other blocks.

    Parameters
    ----------
    places
        Variable of the entity -> its place among all that are computed before.
    """

    def __init__(self, block: Block, places: Mapping[str, int]) -> None:
        self.block = block
        self.variables = block_variables(block)
        # One step an operator instead of one a variable.
        self._sides: dict[str, tuple[list[int], list[int], list[int]]] = {}
        for place, one in enumerate(block.combinations):
            into, left, right = self._sides.setdefault(one.operator, ([], [], []))
            into.append(place)
            left.append(places[one.left])
            right.append(places[one.right])

    def values_of(
        self, own: NDArray[np.float32], reasons: Mapping[str, int]
    ) -> tuple[int, NDArray[np.float32]]:
        """The block's reason, that of the first source that did not answer, and its variables (variables,)."""
        reason = next(
            (reasons[part.name] for part in self.block.borrowed if reasons[part.name] != ANSWERED), ANSWERED
        )
        values = np.empty(len(self.variables), dtype=np.float32)
        for operator, (into, left, right) in self._sides.items():
            values[into] = combined(operator, own[left], own[right])
        return reason, values
