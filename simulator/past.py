"""How people stood and where they lived in each month: what sources look back on that tell of months gone by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.jobs import FIRST
from simulator.population import Population


@dataclass
class Past:
    """A row a month from :data:`simulator.jobs.FIRST` on, a column a customer; filled month by month."""

    stress: np.ndarray
    address: np.ndarray

    def record(self, people: Population, month: int) -> None:
        """Remember ``month``; months before the first are forgotten at once."""
        if month >= FIRST:
            self.stress[month - FIRST] = people.stress
            self.address[month - FIRST] = people.address

    def stress_at(self, cust: np.ndarray, month: np.ndarray) -> np.ndarray:
        """Financial stress of customers in months (arrays that fit each other)."""
        return self.stress[np.asarray(month) - FIRST, cust]

    def address_at(self, cust: np.ndarray, month: np.ndarray) -> np.ndarray:
        """Number of the dwelling of customers in months."""
        return self.address[np.asarray(month) - FIRST, cust].astype(np.int64)


def open_past(size: int, until: int) -> Past:
    """Nothing remembered yet; room up to month ``until``."""
    months = until - FIRST + 1
    return Past(np.zeros((months, size), np.float32), np.zeros((months, size), np.int32))
