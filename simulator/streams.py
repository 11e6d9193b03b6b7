"""Random numbers by purpose and month, so that no draw depends on another one made before it.

Every use names its purpose and the month it belongs to and gets a counter-based generator of its own. What
is drawn for month D is therefore the same whether the simulation stops after D or goes on.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Streams:
    """The family of generators of one seed."""

    seed: int

    def of(self, purpose: str, month: int = -1) -> np.random.Generator:
        """Generator for ``purpose`` in month number ``month`` (-1: of no month)."""
        key = [self.seed, zlib.crc32(purpose.encode()), month + 1]
        return np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))


def pick(draws: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Category numbers for uniform ``draws``; ``weights`` are one row for all, or one row a draw.

    Returns
    -------
    numpy.ndarray
        Integers below the number of weights, shape of ``draws``.
    """
    if weights.ndim == 1:
        edges = np.cumsum(weights / weights.sum())
        return np.minimum(np.searchsorted(edges, draws, side="right"), len(weights) - 1)
    edges = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)
    return np.minimum((draws[:, None] >= edges).sum(axis=1), weights.shape[1] - 1)


def sigmoid(value: np.ndarray) -> np.ndarray:
    """Logistic function."""
    return 1.0 / (1.0 + np.exp(-value))
