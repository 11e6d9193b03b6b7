"""Who worked where in each month, and which employers could not pay: what income sources look back on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.population import Population
from simulator.timeline import START

LOOKED_BACK = 36
"""Months before the start that are remembered: the longest history that a source tells."""
FIRST = START - LOOKED_BACK


@dataclass
class Jobs:
    """A row a month from ``FIRST`` on, a column a customer; filled month by month.

    ``employer`` is -1 without one; ``unpaid`` where the employer is in distress.
    """

    employer: np.ndarray
    unpaid: np.ndarray

    def record(self, people: Population, month: int) -> None:
        """Remember ``month``; months before ``FIRST`` are forgotten at once."""
        if month < FIRST:
            return
        employed = people.employer >= 0
        self.employer[month - FIRST] = people.employer
        self.unpaid[month - FIRST] = employed & (people.employer_bad_until[people.employer] > month)

    def at(self, cust: np.ndarray, month: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Employer, and whether it was in distress, of each customer in each month (arrays that fit each other)."""
        row = np.asarray(month) - FIRST
        return self.employer[row, cust].astype(np.int64), self.unpaid[row, cust]


def open_jobs(size: int, until: int) -> Jobs:
    """Nothing remembered yet; room up to month ``until``."""
    months = until - FIRST + 1
    return Jobs(np.full((months, size), -1, np.int32), np.zeros((months, size), bool))
