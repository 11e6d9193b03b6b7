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

    def lot(self, purpose: str, *things: np.ndarray) -> np.ndarray:
        """Even numbers from 0 to 1 that belong to things (a customer, a customer's month) and not to a draw.

        Two answers that tell of the same month tell the same of it, whenever they are asked for.

        Parameters
        ----------
        purpose
            What is decided by the number.
        *things
            Integers that name the thing, arrays that fit each other.

        Returns
        -------
        numpy.ndarray
            Floats in [0, 1), of the common shape. Bits are mixed as in SplitMix64 (Steele, Lea, Flood 2014).
        """
        start = zlib.crc32(purpose.encode()) | (self.seed & 0xFFFFFFFF) << 32
        mixed: np.ndarray = np.array(start, np.uint64)
        with np.errstate(over="ignore"):
            for thing in things:
                mixed = mixed ^ np.asarray(thing).astype(np.int64).view(np.uint64)
                mixed = mixed + np.uint64(0x9E3779B97F4A7C15)
                mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
                mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
                mixed = mixed ^ (mixed >> np.uint64(31))
        return np.asarray((mixed >> np.uint64(11)) * 2.0**-53)

    def gauss(self, purpose: str, *things: np.ndarray) -> np.ndarray:
        """Standard normal numbers that belong to things, by the transform of Box and Muller (1958)."""
        radius = np.sqrt(-2 * np.log1p(-self.lot(purpose, *things)))
        return radius * np.cos(2 * np.pi * self.lot(f"{purpose} angle", *things))


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
