"""What the rows of a segment look like, a row of every array a variable; computed column by column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bluemirror.health.kernel import count_between, describe, quantiles
from bluemirror.scorecards.cutting import CODES, VALUE_CODES

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Ints = NDArray[np.int64]

AT = np.array([0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99])
"""Quantiles that are told."""

REASONS = CODES - VALUE_CODES
"""Reasons of missing: the variable's own, then those that a block's source can have."""


@dataclass(frozen=True)
class Profile:
    """Figures of some variables over the same rows.

    Parameters
    ----------
    rows
        Rows that were looked at.
    counts
        Shape (variables, CODES): values between the edges of the reference, then missing by reason.
    zeros
        Shape (variables,): values that are zero.
    mean, std, low, high
        Shape (variables,); NaN without a value.
    quantiles
        Shape (variables, quantiles ``AT``); NaN without a value.
    """

    rows: int
    counts: Ints
    zeros: Ints
    mean: Floats
    std: Floats
    low: Floats
    high: Floats
    quantiles: Floats

    @classmethod
    def empty(cls, variables: int, rows: int) -> Profile:
        """Room for the figures of ``variables``."""
        return cls(
            rows,
            np.zeros((variables, CODES), np.int64),
            np.zeros(variables, np.int64),
            mean=np.full(variables, np.nan),
            std=np.full(variables, np.nan),
            low=np.full(variables, np.nan),
            high=np.full(variables, np.nan),
            quantiles=np.full((variables, len(AT)), np.nan),
        )

    @property
    def present(self) -> Ints:
        """Shape (variables,): rows with a value."""
        counted: Ints = self.counts[:, :VALUE_CODES].sum(axis=1)
        return counted

    @property
    def missing(self) -> Ints:
        """Shape (variables, REASONS)."""
        return self.counts[:, VALUE_CODES:]

    def fill(self, first: int, columns: Floats32, reason: NDArray[np.int8], edges: Floats32) -> None:
        """Compute the variables ``first`` and on.

        Parameters
        ----------
        columns
            Shape (variables, rows), NaN where missing.
        reason
            Shape (rows,).
        edges
            Shape (variables, VALUE_CODES), the last an infinity.
        """
        room = np.empty(columns.shape[1], np.float32)
        for place, (column, edge) in enumerate(zip(columns, edges, strict=True), start=first):
            figures = describe(column, reason, room, self.counts[place, VALUE_CODES:])
            kept, self.zeros[place] = figures[:2]
            self.mean[place], self.std[place], self.low[place], self.high[place] = figures[2:]
            ordered = room[:kept]
            ordered.sort()
            quantiles(ordered, self.zeros[place], AT, self.quantiles[place])
            count_between(ordered, self.zeros[place], edge, self.counts[place, :VALUE_CODES])
