"""Social insurance: which employer paid how much for whom, month by month and insurance by insurance.

Employers in distress leave gaps and pay some of them later. Who is paid in cash is missing, or insures himself.
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
from simulator.payroll import HIGHEST, LOWEST, Payroll
from simulator.timeline import month_name, month_of

TOLD = 24
"""Months in an answer."""
CONNECTED = 17
"""Of the thirty cities, those whose insurance office answers [stated; the hit rate ends at 40-55 %]."""
INSURANCES = ("pension", "medical", "unemployment", "injury", "maternity")
BY_PERSON = np.array([0.08, 0.02, 0.005, 0.0, 0.0])
BY_EMPLOYER = np.array([0.16, 0.08, 0.005, 0.004, 0.007])
BY_ONESELF = np.array([0.20, 0.10, 0.0, 0.0, 0.0])
"""Rates of employee, employer, and those who insure themselves [published: order of magnitude]."""
NONE, PAID, GAP, BACKPAY, STOPPED = range(5)
STATES = ("", "paid", "gap", "backpay", "stopped")
ALONE, OWN = -1, -2
"""Who pays: an employer's number, the insured alone, or (``OWN`` and below) the own company."""


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    asked_from: float = 35_000.0
    """Yuan applied for from which on the customer is asked for the authorisation [stated]."""
    self_insured: float = 0.3
    """Of those without a job on the books, who insure themselves [stated]."""


class SocialSec(AskedSource):
    """Contribution months."""

    name = "social_sec"
    assumes = Assume
    prefix = "SS"
    latency = (2000, 15000)
    timeout = 20000
    plant = ("insured_state", "unknown", pl.col("hit") == "1")

    def wanted(self, asking: Asking) -> np.ndarray:
        """Larger wishes: the customer has to log in at the office for it."""
        return asking.screened & (asking.amount >= self.assume.asked_from)

    def answer(self, asking: Asking) -> Answer:
        """The months up to the last one before the question."""
        world, people, streams = asking.world, asking.people, asking.world.streams
        cust = asking.cust[:, None]
        last = month_of(asking.at)[:, None] - 1
        # one month more than is told, to see who stopped in the first
        months = last - np.arange(TOLD + 1)[::-1]
        payroll = Payroll(world)
        employer, unpaid = world.jobs.at(cust, months)
        employed = payroll.on_the_books(cust, months)
        owner = ~employed & (people.company[cust] >= 0)
        alone = ~employed & ~owner & (streams.lot("self-insured", cust) < self.assume.self_insured)
        behind = employed & unpaid & (streams.lot("insurance unpaid", employer, months) < 0.7)
        # people who insure themselves skip months when money is short
        short = 0.05 * np.exp(0.6 * people.risk[cust] + 0.5 * asking.noise[:, None])
        behind |= alone & (streams.lot("skips insurance", cust, months) < short)
        later = (months <= last - 5) & (streams.lot("insurance paid later", employer, months) < 0.5)
        state = np.where(behind & later, BACKPAY, np.where(behind, GAP, PAID))
        state = np.where(employed | owner | alone, state, NONE)
        payer = np.where(employed, employer, np.where(owner, OWN - people.company[cust], ALONE))
        ends = (state[:, 1:] == NONE) & (state[:, :-1] != NONE)
        payer = np.where(ends, payer[:, :-1], payer[:, 1:])
        state = np.where(ends, STOPPED, state[:, 1:])
        months = months[:, 1:]

        counted = (state == PAID) | (state == BACKPAY)
        city = world.master.city[asking.cust]
        known = (city * 7 % len(CITIES) < CONNECTED) & (streams.lot("insurance known", asking.cust) > 0.03)
        found = known & counted.any(axis=1)
        least = LOWEST * payroll.city_wage(city)[:, None]
        base = payroll.base(cust, months) * np.exp(0.12 * asking.noise[:, None])
        step = np.where(streams.lot("insurance step", cust) < 0.7, 1.0, 1.4)
        base = np.where(payer == ALONE, least * step, np.clip(base, least, HIGHEST / LOWEST * least))
        base = np.where(state == STOPPED, 0.0, np.rint(base))
        start = months[np.arange(asking.n), np.argmax(state != NONE, axis=1)]
        grown = month_of(people.birth[asking.cust]) + 12 * 18
        older = np.maximum(start - (streams.lot("insured since", asking.cust) * 140).astype(int), grown)
        first = np.where(state[:, 0] != NONE, np.minimum(older, start), start)
        share = 0.6 + 0.4 * streams.lot("insured how long", asking.cust)
        total = ((start - first) * share).astype(int)[:, None] + np.cumsum(counted, axis=1)
        quiet = np.argmax(counted[:, ::-1], axis=1)
        now = np.select([quiet < 3, quiet < 7], ["active", "paused"], "ended")
        merged = streams.lot("maternity merged", city) < 0.7

        def rows(calls: Calls, which: np.ndarray) -> pl.DataFrame:
            told = which[calls.result[which] == HIT]
            row, column, kind = np.nonzero(
                (state[told] != NONE)[:, :, None] & _insured(payer[told], merged[told])
            )
            at = told[row]
            payers = payer[at, column]
            names, place = np.unique(payers, return_inverse=True)
            hashes = pl.Series([_payer_hash(asking, int(name)) for name in names], dtype=pl.String)
            pays = counted[at, column] * base[at, column]
            lonely = payers == ALONE
            records = pl.DataFrame(
                {
                    "at": at,
                    "insurance": np.array(INSURANCES)[kind],
                    "pay_month": [month_name(month) for month in months[at, column].tolist()],
                    "base_amount": base[at, column],
                    "person_amount": np.round(pays * np.where(lonely, BY_ONESELF[kind], BY_PERSON[kind]), 2),
                    "employer_amount": np.round(pays * np.where(lonely, 0.0, BY_EMPLOYER[kind]), 2),
                    "employer_hash": hashes.gather(place),
                    "status": np.array(STATES)[state[at, column]],
                    "pay_type": np.where(lonely, "flexible", "employee"),
                    "first_month": [month_name(month) for month in first[at].tolist()],
                    "total_months": total[at, column],
                },
                schema_overrides={"pay_month": pl.String, "first_month": pl.String},
            )
            head = heading(calls, which).with_columns(id_hash=asking.id_sm3(which))
            seen = pl.DataFrame(
                {"at": told, "city": np.array(CITIES)[city[told]], "insured_state": now[told]}
            )
            head = head.join(seen, on="at", how="left", maintain_order="left")
            return with_records(head, records).select(*world.rules[self.name].columns, "records")

        return Answer(np.where(found, HIT, NO_HIT), rows)


def _insured(payer: np.ndarray, merged: np.ndarray) -> np.ndarray:
    """Which of the five insurances a month has: people on their own have two, many cities merged maternity."""
    there = np.ones((*payer.shape, len(INSURANCES)), bool)
    there[:, :, 2:] = (payer != ALONE)[:, :, None]
    there[:, :, 4] &= ~merged[:, None]
    return there


def _payer_hash(asking: Asking, payer: int) -> str | None:
    if payer == ALONE:
        return None
    if payer >= 0:
        return identities.sha256(identities.employer_name(payer))
    return identities.sha256(asking.companies.names[OWN - payer])


SOURCE = SocialSec()
