"""Who applies when and for what, and the naive policy that decides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.assumptions import Assumptions
from simulator.bureau import hunger
from simulator.lookups import HOURS, NIGHT_HOURS
from simulator.population import Population
from simulator.streams import Streams, pick, sigmoid
from simulator.timeline import START, days_in, first_day

PRODUCTS = ("cash", "instalment", "revolving", "auto", "business")
CHANNELS = ("app", "web", "partner", "branch")
CATEGORIES = ("identity", "fraud", "bureau", "multi", "afford", "policy")
CODES = ("R101", "R201", "R301", "R401", "R501", "R601")
_MULTIPLE = np.array([1.6, 0.9, 2.2, 9.0, 7.0])
_LIMIT = np.array([60_000, 20_000, 80_000, 250_000, 300_000])
_TERMS = np.array([[6, 12, 12, 24], [3, 6, 12, 12], [12, 12, 24, 24], [24, 36, 36, 48], [12, 12, 24, 36]])


@dataclass
class Applications:
    """A batch of applications, in order of time; ``number`` counts all applications from 1."""

    cust: np.ndarray
    apply_ts: np.ndarray
    product: np.ndarray
    channel: np.ndarray
    amount: np.ndarray
    term: np.ndarray
    device: np.ndarray
    number: np.ndarray

    @property
    def ids(self) -> list[str]:
        """Application ids."""
        days = np.datetime_as_string(self.apply_ts, unit="D").tolist()
        return [f"A{day.replace('-', '')}{int(n):08d}" for day, n in zip(days, self.number, strict=True)]


def wish(
    people: Population,
    indebted: np.ndarray,
    rejected: np.ndarray,
    month: int,
    streams: Streams,
    assume: Assumptions,
) -> tuple[np.ndarray, np.ndarray]:
    """Customers who apply this month, and when.

    ``indebted``: has a loan of the bank; ``rejected``: was turned down in the last two months.
    """
    rng = streams.of("applications", month)
    draws = rng.random((5, people.size))
    grown = 1 + (assume.growth - 1) * min(month - START, 30) / 30
    grown *= assume.cooling if month - START >= 30 else 1.0
    level = assume.monthly_applications * grown * assume.season[month % 12]
    rate = (
        level
        * np.exp(0.40 * hunger(people) - 0.075)
        * np.where(indebted, 0.32, 1)
        * np.where(rejected, 0.45, 1)
    )
    rate = np.where(people.never_applies, 0, rate * 1.12)
    attack = (people.ring >= 0) & (month - people.ring_start >= 0) & (month - people.ring_start <= 2)
    rate = np.where(attack, 0.45, rate)
    who = np.flatnonzero(draws[0] < rate)
    d = draws[:, who]
    owl = d[1] < sigmoid(-2.4 + 0.4 * people.risk[who] + 0.5 * people.fraud[who])
    hour = np.where(owl, pick(d[2], NIGHT_HOURS), pick(d[2], HOURS))
    day = first_day(month) + (d[3] * days_in(month)).astype("timedelta64[D]")
    millis = hour * 3_600_000 + (d[4] * 3_590_000).astype(np.int64)
    return who, day.astype("datetime64[ms]") + millis.astype("timedelta64[ms]")


def fill_in(
    who: np.ndarray,
    at: np.ndarray,
    people: Population,
    first_number: int,
    month: int,
    wave: int,
    streams: Streams,
    assume: Assumptions,
) -> Applications:
    """What each applicant asks for; applications are numbered in order of time."""
    order = np.lexsort((who, at))
    who, at = who[order], at[order]
    rng = streams.of(f"wishes {wave}", month)
    d = rng.random((5, len(who)))
    business = np.where(people.company[who] >= 0, assume.owner_business, 0.015)
    product = pick(
        d[0], np.column_stack([np.outer(1 - business, np.array([0.56, 0.25, 0.13, 0.06])), business])
    )
    spread = np.exp(0.55 * rng.standard_normal(len(who)) + 0.12 * people.debt[who])
    amount = np.minimum(people.income[who] * _MULTIPLE[product] * spread, _LIMIT[product])
    amount = np.maximum((amount / 500).astype(int) * 500, 1000)
    return Applications(
        cust=who,
        apply_ts=at,
        product=product,
        channel=pick(d[1], np.array([0.66, 0.08, 0.22, 0.04])),
        amount=amount,
        term=_TERMS[product, (d[2] * 4).astype(int)],
        device=people.device[who],
        number=first_number + np.arange(len(who)),
    )


@dataclass
class Facts:
    """What the policy looks at, an entry an application; bureau entries are 0 without a report."""

    has_report: np.ndarray
    overdue_now: np.ndarray
    bad_debt: np.ndarray
    hard_queries: np.ndarray
    lender_applications: np.ndarray
    list_open_level: np.ndarray
    dead_phone: np.ndarray
    own_overdue: np.ndarray
    own_loans: np.ndarray
    age: np.ndarray
    stated_income: np.ndarray


def decide(
    apps: Applications, facts: Facts, month: int, wave: int, streams: Streams, assume: Assumptions
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The naive policy: hard rules, then a rough score with much noise.

    Returns
    -------
    tuple
        Approved, the number of the reject category (-1: approved), the policy's score.
    """
    rng = streams.of(f"policy {wave}", month)
    n = len(apps.cust)
    log_income = np.log(np.maximum(facts.stated_income, 1000) / 7000)
    score = (
        0.35 * log_income
        - 0.30 * np.log1p(facts.hard_queries)
        - 0.26 * np.log1p(facts.lender_applications)
        - 0.35 * np.minimum(facts.overdue_now, 2)
        - 0.40 * (facts.list_open_level > 0)
        + 0.012 * np.minimum(facts.age - 30, 15)
        + 0.10 * (~facts.has_report)
        + 0.75 * rng.standard_normal(n)
    )
    reason = np.full(n, -1)
    reason[score < assume.policy_cut] = CATEGORIES.index("afford")
    busy = (score < assume.policy_cut) & (facts.lender_applications >= 4)
    reason[busy] = CATEGORIES.index("multi")
    reason[facts.list_open_level >= 3] = CATEGORIES.index("multi")
    reason[(facts.overdue_now >= 3) | facts.bad_debt] = CATEGORIES.index("bureau")
    reason[(facts.own_loans >= 2) | (facts.own_overdue > 0) | (facts.age < 20) | (facts.age > 57)] = (
        CATEGORIES.index("policy")
    )
    reason[facts.dead_phone] = CATEGORIES.index("identity")
    return reason < 0, reason, 600 + 60 * score


def price(score: np.ndarray) -> np.ndarray:
    """Yearly rate granted for a policy score."""
    return np.round(np.clip(0.30 - (score - 540) * 0.0009, 0.072, 0.2399), 4)
