"""What other lenders do about the customers: bureau queries, applications elsewhere, overdue lists.

Each is a log of events by month; the bureau and the vendors answer from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from simulator.assumptions import Assumptions
from simulator.bureau import Bureau, hunger
from simulator.population import Population
from simulator.products import C1, ORG_CHOICE, ORG_FIRST, ORG_SIZE, ORG_TYPES
from simulator.streams import Streams, pick, sigmoid
from simulator.timeline import days_in, first_day

REASONS = ("01", "02", "03", "08", "16", "19", "25", "26")
LENDERS = (
    "bank",
    "consumer_fin",
    "licensed_micro",
    "net_micro",
    "auto_fin",
    "leasing",
    "guarantee",
    "other_nb",
)
PRODUCTS = ("cash", "instalment", "card", "auto", "mortgage", "business", "revolving", "other")
AMOUNTS = ("lt1k", "1k_5k", "5k_10k", "10k_50k", "50k_200k", "ge200k")
TERMS = ("le1m", "1m_3m", "3m_6m", "6m_12m", "gt12m")
CHANNELS = ("online", "offline", "partner")
DECISIONS = ("unknown", "approve", "reject")
HOURS = np.array(
    [
        0.8,
        0.5,
        0.3,
        0.2,
        0.2,
        0.3,
        0.8,
        1.6,
        3,
        4.5,
        5.5,
        5,
        4,
        4,
        4.8,
        5,
        4.8,
        4.4,
        4.2,
        4.6,
        5,
        4.6,
        3.4,
        1.8,
    ]
)
"""How often things happen in each hour of the day, by day people."""
NIGHT_HOURS = np.where((np.arange(24) >= 22) | (np.arange(24) < 6), 4.0, 0.8) * HOURS
"""The same of people who are up at night."""


@dataclass
class Log:
    """Events in months; each chunk is a dict of equally long arrays."""

    chunks: dict[int, dict[str, np.ndarray]] = field(default_factory=dict)

    def add(self, month: int, rows: dict[str, np.ndarray]) -> None:
        """Append rows to a month."""
        old = self.chunks.get(month)
        if old is not None:
            rows = {name: np.concatenate([old[name], rows[name]]) for name in old}
        self.chunks[month] = rows

    def last(self, month: int, months: int) -> dict[str, np.ndarray]:
        """All rows of the ``months`` months up to ``month``."""
        parts = [self.chunks[m] for m in range(month - months + 1, month + 1) if m in self.chunks]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def draw_queries(
    book: Bureau, people: Population, noise: np.ndarray, month: int, streams: Streams, assume: Assumptions
) -> dict[str, np.ndarray]:
    """Bureau queries by others in ``month``: customer, day, institution, its type, reason."""
    rng = streams.of("queries", month)
    size = people.size
    rate = (
        assume.hard_queries
        * np.exp(0.75 * hunger(people) + 0.15 * people.risk + 0.3 * noise - 0.45)
        * ~people.thin
    )
    hard = np.repeat(np.arange(size), rng.poisson(rate))
    rare = np.repeat(np.arange(size), rng.poisson(0.018, size))
    n = book.count
    live = (book["closed_month"] < 0) & (book.own[:n] < 0) & (book["kind"] != C1)
    watched = np.flatnonzero(live & (rng.random(n) < 0.055))
    count = len(hard) + len(rare)
    draws = rng.random((3, count))
    risky = people.risk[np.concatenate([hard, rare])]
    tilt = np.exp(np.outer(risky, [-0.2, 0, 0, 0, 0.35, 0.5]))
    choice = pick(draws[0], np.array([0.58, 0.04, 0.01, 0.06, 0.19, 0.12]) * tilt)
    org_type, span = ORG_CHOICE[choice], ORG_SIZE[choice]
    org = np.array(ORG_FIRST)[org_type] + (draws[1] ** 2 * span).astype(int)
    card = (org_type == 0) & (draws[2] < 0.38)
    reason = np.where(card, REASONS.index("03"), REASONS.index("02"))
    reason[len(hard) :] = pick(draws[2][len(hard) :], np.array([0, 0, 0, 0.4, 0.15, 0.15, 0.2, 0.1]))
    odd = reason == REASONS.index("19")
    org_type[odd], org[odd] = ORG_TYPES.index("41"), ORG_FIRST[ORG_TYPES.index("41")] + 3
    day = rng.integers(0, 1 << 30, count + len(watched)) % days_in(month)
    return {
        "cust": np.concatenate([hard, rare, book["cust"][watched]]),
        "day": first_day(month) + day.astype("timedelta64[D]"),
        "org_type": np.concatenate([org_type, book["org_type"][watched]]),
        "org": np.concatenate([org, book["org"][watched]]),
        "reason": np.concatenate([reason, np.zeros(len(watched), int)]),
    }


def draw_applications_elsewhere(
    people: Population,
    covered: np.ndarray,
    noise: np.ndarray,
    month: int,
    streams: Streams,
    assume: Assumptions,
) -> dict[str, np.ndarray]:
    """Applications at other lenders that the multi-lender vendor sees, with the device used."""
    rng = streams.of("elsewhere", month)
    ring_now = (people.ring >= 0) & (np.abs(people.ring_start + 1 - month) <= 2)
    rate = assume.lender_applications * np.exp(0.75 * hunger(people) + 0.45 * noise - 0.55) + 2.0 * ring_now
    who = np.repeat(np.arange(people.size), rng.poisson(rate * covered))
    n = len(who)
    draws = rng.random((11, n))
    risk = people.risk[who]
    tilt = np.exp(np.outer(risk + 0.4 * noise[who], [-0.35, 0.05, 0.2, 0.5, -0.1, 0, 0.1, 0.3]))
    lender = pick(draws[0], np.array([0.3, 0.24, 0.11, 0.17, 0.06, 0.03, 0.03, 0.06]) * tilt)
    product = pick(draws[1], _PRODUCT_BY_LENDER[lender])
    amount = pick(
        draws[2],
        _AMOUNT_BY_PRODUCT[product] * np.exp(np.outer(0.4 * people.income_z[who], [-2, -1, 0, 1, 1.5, 2])),
    )
    term = pick(draws[3], _TERM_BY_PRODUCT[product])
    owl = draws[4] < sigmoid(-2.3 + 0.45 * risk + 0.5 * people.fraud[who])
    hour = np.where(owl, pick(draws[5], NIGHT_HOURS), pick(draws[5], HOURS))
    day = first_day(month) + (draws[6] * days_in(month)).astype("timedelta64[D]")
    seconds = hour * 3600 + (draws[7] * 3600).astype(int)
    approve = sigmoid(-0.4 - 0.6 * risk)
    decision = np.where(draws[8] < 0.45, 0, np.where(draws[9] < approve, 1, 2))
    return {
        "cust": who,
        "ts": day.astype("datetime64[ms]") + (seconds * 1000).astype("timedelta64[ms]"),
        "lender": lender,
        "org": lender * 1000
        + (draws[10] ** 2 * np.array([60, 25, 60, 90, 15, 12, 12, 40])[lender]).astype(int),
        "product": product,
        "amount": amount,
        "term": term,
        "channel": np.where(
            lender == 0,
            pick(draws[9], np.array([0.6, 0.3, 0.1])),
            pick(draws[9], np.array([0.8, 0.02, 0.18])),
        ),
        "decision": decision,
        "device": people.device[who],
        "phone": people.phone[who],
    }


_PRODUCT_BY_LENDER = np.array(
    [
        [25, 8, 40, 3, 6, 6, 12, 2], [45, 40, 0, 2, 0, 1, 10, 2], [70, 12, 0, 1, 0, 10, 5, 2],
        [80, 12, 0, 0, 0, 1, 6, 1], [2, 3, 0, 94, 0, 0, 0, 1], [2, 20, 0, 60, 0, 15, 0, 3],
        [40, 10, 0, 10, 5, 30, 0, 5], [55, 20, 0, 4, 0, 6, 5, 10],
    ],
    float,
)  # fmt: skip
_AMOUNT_BY_PRODUCT = np.array(
    [
        [12, 35, 28, 22, 3, 0.1], [15, 40, 25, 18, 2, 0.1], [1, 12, 25, 50, 12, 0.2], [0.1, 0.2, 1, 20, 70, 9],
        [0.01, 0.01, 0.01, 1, 9, 90], [0.1, 1, 4, 35, 45, 15], [4, 25, 30, 36, 5, 0.1], [10, 30, 25, 30, 5, 1],
    ]
)  # fmt: skip
_TERM_BY_PRODUCT = np.array(
    [
        [15, 20, 22, 35, 8], [2, 12, 26, 48, 12], [5, 5, 5, 5, 80], [0.1, 0.1, 0.1, 10, 90],
        [0.01, 0.01, 0.01, 0.1, 99],
        [2, 6, 12, 50, 30], [5, 10, 15, 50, 20], [10, 15, 20, 40, 15],
    ]
)  # fmt: skip


def draw_overdue(
    people: Population, noise: np.ndarray, month: int, streams: Streams, assume: Assumptions
) -> dict[str, np.ndarray]:
    """New overdue spells at other lenders: first day, days until settled, lender, amount band."""
    rng = streams.of("overdue list", month)
    draws = rng.random((7, people.size))
    pull = 0.75 * people.risk + 0.45 * people.stress + 0.45 * people.discipline + 0.6 * noise
    who = np.flatnonzero(draws[0] < sigmoid(assume.overdue_level + pull))
    d = draws[:, who]
    lender = pick(d[1], np.array([0.16, 0.3, 0.14, 0.28, 0.04, 0, 0, 0.08]))
    lasting = np.ceil(-np.log1p(-d[2] * 0.9999) * 38 * np.exp(0.35 * pull[who])).astype(int)
    return {
        "cust": who,
        "day": first_day(month) + (d[3] * days_in(month)).astype("timedelta64[D]"),
        "lasting": np.maximum(lasting, 1),
        "lender": lender,
        "org": lender * 1000 + (d[4] ** 2 * np.array([60, 25, 60, 90, 15, 12, 12, 40])[lender]).astype(int),
        "amount": pick(d[5], np.array([0.3, 0.42, 0.16, 0.1, 0.018, 0.002])),
        "phone": people.phone[who],
    }


def masked_lender(org: int) -> str:
    """Two letters and four digits, as the vendor masks a lender."""
    prefix = ("BK", "CF", "LM", "NM", "AF", "FL", "GU", "ON")[org // 1000]
    return f"{prefix}{(org % 1000) * 37 % 9000 + 1000}"
