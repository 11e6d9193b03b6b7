"""Does a variable tell the same in every month, and of rows that came late as of rows that came in time.

The weights of evidence of all rows are a variable's one view of risk. Within a part of the rows that view has a
slope (1 if it holds there as it does overall, 0 if it tells nothing, below 0 if it is turned round), estimated by one
step of the logistic score test; slopes of different parts are independent, so their spread is tested by chi-square
(Cochran's test of homogeneity, *Biometrics* 10, 1954).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

MIN_CASES = 10
"""Goods, and bads, that a part must hold to be judged."""


@dataclass(frozen=True)
class Slopes:
    """Slope and information (1 / variance) of each variable in each part; both (columns, parts), 0 if unjudged."""

    slope: Any
    information: Any

    @property
    def least(self) -> Any:
        """Shape (columns,): the least slope of a judged part; 1 without one."""
        return np.where(self.information > 0, self.slope, np.inf).min(1, initial=np.inf, where=True)

    def homogeneity(self) -> Any:
        """Shape (columns,): the chance of so much spread between parts if there is none in truth; 1 if untested."""
        weight = self.information.sum(1, keepdims=True)
        mean = (self.information * self.slope).sum(1, keepdims=True) / np.maximum(weight, 1e-300)
        spread = (self.information * (self.slope - mean) ** 2).sum(1)
        freedom = (self.information > 0).sum(1) - 1
        return np.where(freedom > 0, chi_square_tail(spread, np.maximum(freedom, 1)), 1.0)


def chi_square_tail(value: Any, freedom: Any) -> Any:
    """The chance that a chi-square of so many degrees of freedom is above ``value``; shape (columns,).

    The finite sums for whole degrees (Abramowitz and Stegun 1964, 26.4.4 and 26.4.5): screening also runs where SciPy
    is not installed.
    """
    half = np.asarray(value, float) / 2
    freedom = np.broadcast_to(freedom, half.shape)
    odd = freedom % 2 == 1
    total = np.where(odd, np.vectorize(math.erfc, otypes=[float])(np.sqrt(half)), 0.0)
    # e^-h h^k / Gamma(k + 1), k from 0 in steps of 1 for even degrees, from 1/2 for odd ones
    power = np.where(odd, 0.5, 0.0)
    term = np.exp(-half) * np.where(odd, np.sqrt(half) / math.gamma(1.5), 1.0)
    for _ in range(int(freedom.max(initial=0)) // 2 + 1):
        total = total + np.where(power < freedom / 2 - 0.25, term, 0.0)
        power = power + 1
        term = term * half / power
    return total


def slopes(good: Any, bad: Any, weights: Any) -> Slopes:
    """Slopes of the view that ``weights`` give.

    Parameters
    ----------
    good, bad
        Counts, shape (columns, parts, codes).
    weights
        Weights of evidence over all rows, shape (columns, codes); positive is better.
    """
    rows, view = good + bad, -weights[:, None, :]
    count, bads = rows.sum(2), bad.sum(2)
    enough = (bads >= MIN_CASES) & (count - bads >= MIN_CASES)
    size = np.maximum(count, 1)
    mean = (rows * view).sum(2) / size
    score = (bad * view).sum(2) - bads * mean
    rate = bads / size
    information = rate * (1 - rate) * ((rows * view**2).sum(2) - size * mean**2)
    judged = enough & (information > 1e-9)
    return Slopes(
        np.where(judged, score / np.where(judged, information, 1), 0.0), np.where(judged, information, 0.0)
    )


def tells_late_only(late: Slopes) -> Any:
    """Shape (columns,): a variable tells of rows that came late, plainly, and next to nothing of the others.

    ``late`` holds the slopes of two parts: rows that came in time, and rows that came late. Plainly: five standard
    errors, of the late slope and of the difference; at one false alarm in some millions, twenty thousand variables
    raise none.
    """
    slope, information = late.slope, late.information
    judged = (information > 0).all(1)
    variance = 1 / np.where(information > 0, information, 1)
    alone = slope[:, 1] > 5 * np.sqrt(variance[:, 1])
    apart = slope[:, 1] - slope[:, 0] > 5 * np.sqrt(variance.sum(1))
    return judged & alone & apart & (slope[:, 0] < 0.3 * slope[:, 1])
