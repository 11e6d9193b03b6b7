"""The housing fund of a city: contributions from employment, withdrawals, loans of the fund.

Whose employer pays no contributions, who is paid in cash or works on his own account has none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator import identities
from simulator.asking import Asking
from simulator.calls import HIT, NO_HIT, Calls
from simulator.customers import CITIES
from simulator.nesting import heading, with_records
from simulator.outside import Answer, AskedSource
from simulator.payroll import Payroll
from simulator.timeline import START, first_day, month_name, month_of

TOLD = 36
"""Months of postings in an answer."""
CONNECTED = 24
"""Of the thirty cities, those whose fund centre answers [stated]."""
RATES = np.array([0.05, 0.07, 0.08, 0.10, 0.12])
"""Rates that employers choose between; employee and employer pay the same [published rule: 5 to 12 %]."""


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    asked_from: float = 20_000.0
    """Yuan applied for from which on the customer is asked for the authorisation [stated]."""
    paying_employers: float = 0.55
    """Employers who pay into the fund [stated; the hit rate ends at 30-45 %]."""


class HousingFund(AskedSource):
    """Fund accounts and their postings."""

    name = "housing_fund"
    assumes = Assume
    prefix = "HF"
    latency = (2000, 15000)
    timeout = 20000
    plant = ("status", "9", pl.col("hit") == "1")

    def wanted(self, asking: Asking) -> np.ndarray:
        """Larger wishes: the customer has to log in at the office for it."""
        return asking.screened & (asking.amount >= self.assume.asked_from)

    def answer(self, asking: Asking) -> Answer:
        """The account at the end of the month before."""
        world, people, streams = asking.world, asking.people, asking.world.streams
        cust = asking.cust[:, None]
        last = month_of(asking.at)[:, None] - 1
        months = last - np.arange(TOLD)[::-1]
        payroll = Payroll(world)
        employer, unpaid = world.jobs.at(cust, months)
        member = payroll.on_the_books(cust, months) & (
            streams.lot("fund employer", employer) < self.assume.paying_employers
        )
        paid = member & ~(unpaid & (streams.lot("fund unpaid", employer, months) < 0.75))
        city = world.master.city[asking.cust]
        known = (city * 11 % len(CITIES) < CONNECTED) & (streams.lot("fund known", asking.cust) > 0.03)
        found = known & paid.any(axis=1)

        latest = TOLD - 1 - np.argmax(paid[:, ::-1], axis=1)
        everyone = np.arange(asking.n)
        paid_to = months[everyone, latest]
        by = employer[everyone, latest]
        rate = RATES[(streams.lot("fund rate", by) ** 1.4 * len(RATES)).astype(int)]
        base = np.rint(payroll.base(cust, months) * np.exp(0.15 * asking.noise[:, None]))
        amount = np.rint(base * 2 * rate[:, None])
        now = amount[everyone, latest]
        quiet = last[:, 0] - paid_to
        closed = (quiet > 6) & (streams.lot("fund closed", asking.cust) < 0.2)
        status = np.where(closed, 3, np.where(quiet <= 3, 1, 2))
        first = months[everyone, np.argmax(paid, axis=1)]
        # who paid from the first month told has paid for longer, at most since coming of age
        grown = month_of(people.birth[asking.cust]) + 12 * 19
        older = np.maximum(first - (streams.lot("fund since", asking.cust) * 110).astype(int), grown)
        first = np.where(paid[:, 0], np.minimum(older, first), first)

        takes = (
            (streams.lot("fund takes", cust, months) < 0.02)
            & (months <= paid_to[:, None])
            & (months > first[:, None])
        )
        taken = np.rint(amount * (2 + 8 * streams.lot("fund takes how much", cust, months)))
        lent = (
            found & (world.master.housing[asking.cust] == 1) & (streams.lot("fund loan", asking.cust) < 0.4)
        )
        loan = (
            np.rint(people.income[asking.cust] * (40 + 40 * streams.lot("fund lends", asking.cust)) / 1000)
            * 1000
        )
        run = 1 + (streams.lot("fund lent", asking.cust) * 100).astype(int) + last[:, 0] - START
        left = np.rint(loan * np.clip(1 - run / 300, 0.02, 1))
        due = np.rint(loan * 0.0046)
        opening = now * (first < months[:, 0]) * (months[:, 0] - first) * 0.6
        balance = np.maximum(opening + (amount * paid).sum(axis=1) - (taken * takes).sum(axis=1), now * 0.4)
        balance = np.where(closed, 0.0, np.rint(balance))

        def rows(calls: Calls, which: np.ndarray) -> pl.DataFrame:
            told = which[calls.result[which] == HIT]
            postings = [
                _postings(told, paid[told], "pay", months, amount),
                _postings(told, takes[told], "withdraw", months, taken),
                _postings(
                    told,
                    np.repeat(lent[told, None], TOLD, axis=1),
                    "loan_repay",
                    months,
                    due[:, None] + 0 * months,
                ),
            ]
            records = pl.concat(postings).sort("at", "txn_month", "txn_type")
            payers = by[told]
            account = pl.DataFrame(
                {
                    "at": told,
                    "city": np.array(CITIES)[city[told]],
                    "employer_hash": [
                        identities.sha256(identities.employer_name(one)) for one in payers.tolist()
                    ],
                    "status": np.char.mod("%d", status[told]),
                    "open_date": first_day(first[told]) + np.timedelta64(9, "D"),
                    "first_month": [month_name(month) for month in first[told].tolist()],
                    "paid_to": [month_name(month) for month in paid_to[told].tolist()],
                    "base_amount": base[told, latest[told]],
                    "person_ratio": rate[told],
                    "employer_ratio": rate[told],
                    "month_amount": now[told],
                    "balance": balance[told],
                    "loan_balance": np.where(lent, left, 0.0)[told],
                }
            )
            head = heading(calls, which).with_columns(id_hash=asking.id_sha256(which))
            head = head.join(account, on="at", how="left", maintain_order="left")
            columns = world.rules[self.name].columns
            return with_records(head, records).select(*columns, "records")

        return Answer(np.where(found, HIT, NO_HIT), rows)


def _postings(
    told: np.ndarray, there: np.ndarray, kind: str, months: np.ndarray, amount: np.ndarray
) -> pl.DataFrame:
    row, column = np.nonzero(there)
    at = told[row]
    names = [month_name(month) for month in months[at, column].tolist()]
    return pl.DataFrame(
        {
            "at": at,
            "txn_month": pl.Series(names, dtype=pl.String),
            "txn_type": np.full(len(at), kind),
            "txn_amount": amount[at, column],
        }
    )


SOURCE = HousingFund()
