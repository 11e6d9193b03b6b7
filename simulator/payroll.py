"""What a job pays, and what of it the authorities get to see: wages, cash in hand, declared bases.

Social insurance, housing fund, tax and electronic statements tell of the same wage from different sides. They
contradict each other where wages are paid in cash, where employers declare less than they pay, and where somebody
overstates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulator.streams import sigmoid

if TYPE_CHECKING:
    from simulator.world import World

CITIES = 30
LOWEST, HIGHEST = 0.6, 3.0
"""Contribution bases lie between these multiples of the city's average wage [published rule]."""


@dataclass(frozen=True)
class Payroll:
    """Wages of ``world``; customers and months are integer arrays that fit each other."""

    world: World

    def paid_in_cash(self, cust: np.ndarray) -> np.ndarray:
        """Who gets wages in cash: rather the badly paid, and nobody whose wage the bank sees on an account."""
        people, assume = self.world.people, self.world.assume
        chance = sigmoid(
            np.log(assume.paid_in_cash / (1 - assume.paid_in_cash)) - 0.6 * people.income_z[cust]
        )
        return (self.world.streams.lot("paid in cash", cust) < chance) & ~people.deposit[cust]

    def overstates(self, cust: np.ndarray) -> np.ndarray:
        """By what factor papers that pass through the customer's own hands are inflated; 1 for honest people."""
        streams, people, assume = self.world.streams, self.world.people, self.world.assume
        level = np.log(assume.overstated / (1 - assume.overstated)) - 0.6
        does = streams.lot("overstates", cust) < sigmoid(level + 1.2 * people.fraud[cust])
        return np.where(does, 1.5 + streams.lot("overstates by", cust), 1.0)

    def wage(self, cust: np.ndarray, month: np.ndarray) -> np.ndarray:
        """Gross wage of the month in yuan: 0 without a job; an employer in distress pays half."""
        employer, unpaid = self.world.jobs.at(cust, month)
        other = np.exp(0.09 * self.world.streams.gauss("wage", cust, employer))
        pay = self.world.people.income[cust] * other * np.where(unpaid, 0.5, 1.0)
        return np.where(employer >= 0, pay, 0.0)

    def on_the_books(self, cust: np.ndarray, month: np.ndarray) -> np.ndarray:
        """Whether the authorities know of the job."""
        employer, _ = self.world.jobs.at(cust, month)
        return (employer >= 0) & ~self.paid_in_cash(cust)

    def base(self, cust: np.ndarray, month: np.ndarray) -> np.ndarray:
        """Contribution base in whole yuan: what the employer declares of the wage, within the city's bounds.

        It is set each July for a year. Some employers declare the least that is allowed.
        """
        streams, people = self.world.streams, self.world.people
        employer, _ = self.world.jobs.at(cust, month)
        average = self.city_wage(self.world.master.city[cust])
        year = (np.asarray(month) - 6) // 12
        declared = 0.55 + 0.45 * streams.lot("declared share", employer)
        told = (
            people.income[cust]
            * np.exp(0.09 * streams.gauss("wage", cust, employer) + 0.03 * streams.gauss("base", cust, year))
            * np.where(
                streams.lot("least declared", employer) < self.world.assume.least_declared, 0.0, declared
            )
        )
        return np.rint(np.clip(told, LOWEST * average, HIGHEST * average))

    def city_wage(self, city: np.ndarray) -> np.ndarray:
        """Average wage of a city in yuan a month, as its bounds for contributions are set by it."""
        return 6_500.0 + (city * 37 % CITIES) * 150.0
