"""What companies borrow at banks: accounts opened over the years, and how each stands at the end of a month.

A company whose business has been ill for some months falls overdue, and cures when it recovers: the enterprise report
sees from the banks' side what invoices, taxes and merchants' flow see from theirs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.companies import Companies
from simulator.streams import Streams, pick

KINDS = ("D1", "R4", "R1", "D2")
_SHARES = np.array([0.55, 0.22, 0.15, 0.08])
ILL = -1.35
"""Health of the business below which a month's instalment is not paid [stated]."""


@dataclass(frozen=True)
class EnterpriseAccounts:
    """Arrays over accounts. Amounts are whole yuan; months are numbers of ``simulator.timeline``."""

    company: np.ndarray
    kind: np.ndarray
    opened: np.ndarray
    term: np.ndarray
    amount: np.ndarray
    used: np.ndarray
    org: np.ndarray
    guarantee: np.ndarray
    day: np.ndarray

    def balance(self, which: np.ndarray, month: int) -> np.ndarray:
        """What is owed at the end of a month: loans run off in even parts, lines are used as they ever are."""
        age = np.clip(month - self.opened[which], 0, self.term[which])
        left = 1 - age / self.term[which]
        loan = np.rint(self.amount[which] * left)
        line = np.where(age >= self.term[which], 0, np.rint(self.amount[which] * self.used[which]))
        return np.where(self.kind[which] == 2, line, loan).astype(np.int64)

    def overdue_months(self, which: np.ndarray, month: int, companies: Companies) -> np.ndarray:
        """Months in a row, up to ``month``, in which the business was too ill to pay; 0 if the last was paid."""
        run = np.zeros(len(which), np.int64)
        going = np.ones(len(which), bool)
        for back in range(12):
            ill = companies.past[month - back, self.company[which]] < ILL
            going &= ill & (month - back > self.opened[which])
            run += going
        return run


def draw_accounts(companies: Companies, streams: Streams, last: int) -> EnterpriseAccounts:
    """All accounts that companies ever open up to month ``last``; an account shows from its opening on."""
    rng = streams.of("enterprise accounts")
    banked = rng.random(companies.size) < np.where(companies.shell >= 0, 0.3, 0.78)
    count = np.where(banked, 1 + rng.poisson(2.2, companies.size), 0)
    company = np.repeat(np.arange(companies.size), count)
    n = len(company)
    d = rng.random((7, n))
    begins = np.maximum(companies.founded[company] + 3, 12)
    opened = begins + (d[0] * np.maximum(last - begins, 1)).astype(int)
    kind = pick(d[1], _SHARES)
    term = np.array([24, 12, 36, 6])[kind] + (d[2] * np.array([36, 12, 24, 6])[kind]).astype(int)
    amount = (
        companies.scale[company] * np.exp(1.2 + 1.1 * (d[3] - 0.5)) * np.array([1.2, 0.8, 0.6, 0.4])[kind]
    )
    return EnterpriseAccounts(
        company=company, kind=kind, opened=opened, term=term, amount=np.maximum(np.rint(amount / 1000) * 1000, 5000),
        used=d[4], org=(d[5] * 26 * 26).astype(int), guarantee=pick(d[6], np.array([0.1, 0.3, 0.25, 0.35])),
        day=1 + (d[2] * 27).astype(int),
    )  # fmt: skip
