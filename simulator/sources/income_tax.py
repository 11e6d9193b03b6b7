"""Statements of income and tax that customers fetch and hand over: by interface, or as a PDF.

Tax is withheld as the law says, cumulatively over the year. A PDF passes through the hands of the customer: who
overstates has other wages in it than the authorities know.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator import identities
from simulator.asking import Asking
from simulator.calls import HIT, NO_HIT, Calls
from simulator.nesting import heading, with_records
from simulator.outside import Answer, AskedSource
from simulator.payroll import Payroll
from simulator.timeline import first_day, month_name, month_of

TOLD = 24
"""Months of a statement."""
LIVED = TOLD + 12
"""Months reckoned: tax is cumulative, so the year of the first month told counts whole."""
ALLOWANCE = 5_000.0
"""Yuan a month that are free of tax [published]."""
RATES = np.array([0.03, 0.10, 0.20, 0.25, 0.30, 0.35, 0.45])
QUICK = np.array([0, 2_520, 16_920, 31_920, 52_920, 85_920, 181_920.0])
"""Rates of comprehensive income and their quick deductions, yuan a year [published]."""
CONTRIBUTED = 0.185
"""Share of the base that the employee pays to social insurance and the housing fund [published: order of magnitude]."""
SPECIAL = np.array([0, 0, 1_000, 1_500, 2_000, 3_000, 3_500.0])
"""Special deductions a month: children, parents, rent or mortgage [published amounts]."""


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    asked_from: float = 20_000.0
    """Yuan applied for from which on the customer is asked for a statement [stated]."""
    hands_over: float = 0.29
    """Share of the customers who fetch one [stated; with those who have no income on record 15 to 30 of 100 do]."""
    as_pdf: float = 0.45
    """Share of the statements that come as a PDF [stated]."""
    side_jobs: float = 0.16
    """Share of the customers who have side jobs now and then [stated]."""
    own_business: float = 0.35
    """Of those without a job, who declare the income of a small business each quarter [stated]."""


class IncomeTax(AskedSource):
    """Income and tax by month."""

    name = "income_tax"
    assumes = Assume
    prefix = "IT"
    latency = (5000, 30000)
    timeout = 45000
    plant = ("source", "fax", pl.col("hit") == "1")

    def wanted(self, asking: Asking) -> np.ndarray:
        """Larger wishes: the customer has to fetch the statement."""
        return asking.screened & (asking.amount >= self.assume.asked_from)

    def answer(self, asking: Asking) -> Answer:
        """Everything declared before the day of asking."""
        world, streams = asking.world, asking.world.streams
        month = month_of(asking.at)[:, None]
        months = month - np.arange(1, LIVED + 1)[::-1]
        by_pdf = streams.lot("tax pdf", asking.cust) < self.assume.as_pdf
        inflated = np.where(by_pdf, Payroll(world).overstates(asking.cust), 1.0)
        # who has something to show for it is glad to show it
        ready = self.assume.hands_over * np.where(inflated > 1, 1.8, 1.0)
        willing = streams.lot("tax handed over", asking.cust) < ready
        parts = [
            self._wages(asking, months, inflated),
            self._side_jobs(asking, months),
            self._business(asking, months),
        ]
        for part in parts:
            declared = part["declared"] < asking.at.astype("datetime64[D]")[:, None]
            part["there"] = part["there"] & declared & (months >= month - TOLD)
        found = willing & np.any([part["there"].any(axis=1) for part in parts], axis=0)

        def rows(calls: Calls, which: np.ndarray) -> pl.DataFrame:
            told = which[calls.result[which] == HIT]
            records = pl.concat([_records(told, part, months) for part in parts])
            records = records.sort("at", "tax_month", "income_type")
            span = records.group_by("at").agg(
                period_from=pl.col("tax_month").min(), period_to=pl.col("tax_month").max()
            )
            came = pl.DataFrame({"at": told, "source": np.where(by_pdf[told], "pdf", "api")})
            head = heading(calls, which).with_columns(id_hash=asking.id_sha256(which))
            for more in (came, span):
                head = head.join(more, on="at", how="left", maintain_order="left")
            return with_records(head, records).select(*world.rules[self.name].columns, "records")

        return Answer(np.where(found, HIT, NO_HIT), rows)

    def _wages(self, asking: Asking, months: np.ndarray, inflated: np.ndarray) -> dict[str, np.ndarray]:
        world, streams, cust = asking.world, asking.world.streams, asking.cust[:, None]
        payroll = Payroll(world)
        employer, _ = world.jobs.at(cust, months)
        there = payroll.on_the_books(cust, months)
        # some employers pay a part of the wage as expenses, others declare what they pay late
        told = np.exp(0.35 * asking.noise[:, None] + 0.05 * streams.gauss("tax month", cust, months))
        income = payroll.wage(cust, months) * told
        # the bonus comes with the wage of January
        bonus = np.where(months % 12 == 0, 2 * streams.lot("bonus", employer, months // 12), 0.0)
        income = np.round(np.where(there, income * (1 + bonus) * inflated[:, None], 0.0), 2)
        special = SPECIAL[(streams.lot("tax special", cust, months // 12) * len(SPECIAL)).astype(int)]
        deduction = np.round(ALLOWANCE + special + CONTRIBUTED * payroll.base(cust, months), 2)
        return {
            "there": there, "kind": np.full(months.shape, "wage"), "income": income, "deduction": deduction,
            "tax": _withheld(np.where(there, income - deduction, 0.0), months), "payer": employer,
        } | _declared(streams.lot("tax declared", employer, months), months)  # fmt: skip

    def _side_jobs(self, asking: Asking, months: np.ndarray) -> dict[str, np.ndarray]:
        streams, cust = asking.world.streams, asking.cust[:, None]
        has = streams.lot("side jobs", cust) < self.assume.side_jobs
        there = has & (streams.lot("side job", cust, months) < 0.3)
        amount = asking.people.income[cust] * (0.05 + 0.45 * streams.lot("side job pays", cust, months))
        income = np.round(amount, 2)
        deduction = np.round(np.where(income <= 4_000, np.minimum(800, income), 0.2 * income), 2)
        payer = (
            streams.lot("side job of", cust, months // 4) * len(asking.people.employer_bad_until)
        ).astype(int)
        return {
            "there": there, "kind": np.full(months.shape, "labour"), "income": income, "deduction": deduction,
            "tax": np.round(0.2 * (income - deduction), 2), "payer": payer,
        } | _declared(streams.lot("side job declared", cust, months), months)  # fmt: skip

    def _business(self, asking: Asking, months: np.ndarray) -> dict[str, np.ndarray]:
        world, streams, cust = asking.world, asking.world.streams, asking.cust[:, None]
        employer, _ = world.jobs.at(cust, months)
        runs = (streams.lot("own business", cust) < self.assume.own_business) | (
            asking.people.company[cust] >= 0
        )
        there = runs & (employer < 0) & (months % 3 == 2)
        swing = np.exp(0.25 * streams.gauss("own business", cust, months) - 0.1 * asking.people.risk[cust])
        income = np.round(3 * asking.people.income[cust] * swing, 2)
        deduction = np.round(income * (0.45 + 0.3 * streams.lot("own business costs", cust, months)), 2)
        return {
            "there": there, "kind": np.full(months.shape, "business"), "income": income, "deduction": deduction,
            "tax": np.round(0.05 * (income - deduction), 2), "payer": np.full(months.shape, -1),
        } | _declared(streams.lot("own business declared", cust, months), months)  # fmt: skip


def _withheld(taxable: np.ndarray, months: np.ndarray) -> np.ndarray:
    """Tax of each month by the cumulative method: of all the year's income so far, less what was withheld before.

    ``taxable`` is income less deductions of each month, which may be negative; the years begin in January.
    """
    tax = np.zeros(taxable.shape)
    so_far = np.zeros(len(taxable))
    paid = np.zeros(len(taxable))
    for column in range(taxable.shape[1]):
        january = months[:, column] % 12 == 0
        so_far = np.where(january, 0.0, so_far) + taxable[:, column]
        paid = np.where(january, 0.0, paid)
        due = np.max(np.maximum(so_far, 0.0)[:, None] * RATES - QUICK, axis=1)
        tax[:, column] = np.round(np.maximum(due - paid, 0.0), 2)
        paid = paid + tax[:, column]
    return tax


def _declared(draw: np.ndarray, months: np.ndarray) -> dict[str, np.ndarray]:
    """Day and state of the declaration: by the 15th of the next month, seldom late or corrected."""
    late, corrected = draw > 0.985, draw < 0.01
    days = np.where(late, 16 + draw * 40, 1 + draw * 13).astype(int)
    return {
        "declared": first_day(months + 1) + days.astype("timedelta64[D]"),
        "status": np.select([late, corrected], ["late", "corrected"], "declared"),
    }


def _records(told: np.ndarray, part: dict[str, np.ndarray], months: np.ndarray) -> pl.DataFrame:
    row, column = np.nonzero(part["there"][told])
    at = told[row]
    payers, place = np.unique(part["payer"][at, column], return_inverse=True)
    names = [identities.sha256(identities.employer_name(int(one))) if one >= 0 else None for one in payers]
    income, deduction = part["income"][at, column], part["deduction"][at, column]
    return pl.DataFrame(
        {
            "at": at,
            "tax_month": pl.Series([month_name(one) for one in months[at, column].tolist()], dtype=pl.String),
            "income_type": part["kind"][at, column],
            "income": income,
            "deduction": deduction,
            "taxable": np.round(np.maximum(income - deduction, 0.0), 2),
            "tax_paid": part["tax"][at, column],
            "employer_hash": pl.Series(names, dtype=pl.String).gather(place),
            "declare_date": part["declared"][at, column],
            "status": part["status"][at, column],
        }
    )


SOURCE = IncomeTax()
