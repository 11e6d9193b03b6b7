"""Loans of the customers' companies: drawn, repaid and missed month by month; owners answer for most of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from simulator.companies import Companies
from simulator.products import ORG_CHOICE, ORG_FIRST, ORG_SIZE
from simulator.streams import Streams, pick, sigmoid
from simulator.timeline import clamped

KINDS = ("11", "12", "13", "14", "16")
"""Business kinds of organisations: loan, trade finance, factoring, leasing, overdraft."""
_SHARES = np.array([0.72, 0.08, 0.08, 0.06, 0.06])
_COLUMNS = (
    "company", "org_type", "org", "kind", "open_month", "amount", "term", "paid", "level", "closed", "usd",
)  # fmt: skip


@dataclass
class CompanyLoans:
    """One row a loan; ``level`` is the number of months overdue, ``closed`` the month of the last payment or -1.

    ``luck`` is an even draw that stays with the loan.
    """

    columns: dict[str, np.ndarray] = field(
        default_factory=lambda: {name: np.zeros(0, np.int64) for name in _COLUMNS}
    )
    opened: np.ndarray = field(default_factory=lambda: np.zeros(0, "datetime64[D]"))
    luck: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]

    @property
    def balance(self) -> np.ndarray:
        """Outstanding principal in yuan (of a loan in dollars: in dollars)."""
        c = self.columns
        return c["amount"] - c["amount"] * np.minimum(c["paid"], c["term"]) // np.maximum(c["term"], 1)


def live(
    book: CompanyLoans, companies: Companies, month: int, streams: Streams, rate: float, level: float
) -> None:
    """New loans of ``month``, and what is paid or missed of the old ones.

    Parameters
    ----------
    rate
        Loans that an average company takes in a month.
    level
        Log odds that an average company falls behind in a month.
    """
    rng = streams.of("company loans", month)
    c = book.columns
    draws = rng.random((2, len(c["company"])))
    health = companies.health[c["company"]]
    alive = c["closed"] < 0
    behind = alive & (c["level"] > 0)
    falls = alive & ~behind & (draws[0] < sigmoid(level - 0.9 * health))
    cures = behind & (draws[1] < 0.4 * np.exp(0.25 * health))
    c["level"][behind] = np.minimum(c["level"][behind] + 1, 36)
    c["level"][falls] = 1
    paying = alive & ~falls & (~behind | cures)
    c["paid"][paying] += 1 + np.where(cures, c["level"], 0)[paying]
    c["level"][cures] = 0
    c["closed"][paying & (c["paid"] >= c["term"])] = month
    taking = (companies.founded < month - 3) & ((companies.closed < 0) | (companies.closed > month))
    asked = rng.random(companies.size) < rate * taking
    who = np.flatnonzero(asked)
    n = len(who)
    d = rng.random((7, n))
    choice = pick(d[0], np.array([0.7, 0.12, 0.02, 0.0, 0.0, 0.16]))
    org_type = ORG_CHOICE[choice]
    fresh = {
        "company": who, "org_type": org_type,
        "org": np.array(ORG_FIRST)[org_type] + (d[1] ** 2 * ORG_SIZE[choice]).astype(int), "kind": pick(d[2], _SHARES),
        "open_month": np.full(n, month),
        "amount": np.maximum((companies.scale[who] * (2 + 8 * d[3])).astype(int) // 10_000 * 10_000, 50_000),
        "term": np.array([6, 12, 12, 24, 36])[(d[4] * 5).astype(int)], "paid": np.zeros(n, np.int64),
        "level": np.zeros(n, np.int64), "closed": np.full(n, -1), "usd": (d[5] < 0.03).astype(np.int64),
    }  # fmt: skip
    book.columns = {name: np.concatenate([column, fresh[name]]) for name, column in c.items()}
    book.opened = np.concatenate([book.opened, clamped(np.full(n, month), rng.integers(1, 29, n))])
    book.luck = np.concatenate([book.luck, np.round(d[6], 6)])
