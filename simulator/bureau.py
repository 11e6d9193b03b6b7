"""The accounts customers hold anywhere, month by month, as the central-bank bureau records them.

One row an account, in order of opening; a month's step changes the current columns and writes one column of
the history matrices (repayment status character, overdue amount). Bureau month 0 is January 2018.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.assumptions import Assumptions
from simulator.population import Population
from simulator.products import (
    BAD,
    C1,
    D1,
    ORG_CHOICE,
    ORG_FIRST,
    ORG_SIZE,
    ORG_TYPES,
    OWN,
    PRODUCTS,
    R1,
    R2,
    R3,
    R4,
    SHARES,
    draw_terms,
)
from simulator.streams import Streams, pick, sigmoid
from simulator.timeline import clamped, first_day, last_day

_INT = ("cust", "kind", "product", "org_type", "org", "open_month", "amount", "term", "due_day")
_STATE = (
    "level", "months_bad", "paid", "used", "due", "paid_now", "overdue", "closed_month", "final", "last_paid",
    "highest",
)  # fmt: skip


@dataclass
class Bureau:
    """Accounts as columns of equal length ``count``; matrices have a row an account and a column a month."""

    columns: dict[str, np.ndarray]
    opened: np.ndarray
    closed: np.ndarray
    last_pay: np.ndarray
    noise: np.ndarray
    merged: np.ndarray
    usd: np.ndarray
    use_rate: np.ndarray
    own: np.ndarray
    recent_used: np.ndarray
    recent_due: np.ndarray
    status: np.ndarray
    amounts: np.ndarray
    count: int = 0

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name][: self.count]


def empty_bureau(size: int, months: int) -> Bureau:
    """Room for the accounts of ``size`` customers over ``months`` bureau months."""
    room = size * 12 + 200
    return Bureau(
        columns={name: np.zeros(room, np.int64) for name in (*_INT, *_STATE)},
        opened=np.zeros(room, "datetime64[D]"),
        closed=np.zeros(room, "datetime64[D]"),
        last_pay=np.full(room, np.datetime64("NaT"), "datetime64[D]"),
        noise=np.zeros(room),
        merged=np.zeros(room, bool),
        usd=np.zeros(room, bool),
        use_rate=np.zeros(room),
        own=np.full(room, -1),
        recent_used=np.zeros((room, 6), np.int32),
        recent_due=np.zeros((room, 6), np.int32),
        status=np.zeros((room, months), np.uint8),
        amounts=np.zeros((room, months), np.int32),
    )


def _grow(book: Bureau, extra: int) -> np.ndarray:
    """Row numbers of ``extra`` new accounts."""
    room = len(book.opened)
    while book.count + extra > room:
        for name, column in book.columns.items():
            book.columns[name] = np.concatenate([column, np.zeros(room, column.dtype)])
        for name in ("opened", "closed", "last_pay", "noise", "merged", "usd", "use_rate", "own"):
            column = getattr(book, name)
            setattr(book, name, np.concatenate([column, np.resize(column[-1:], room)]))
        for name in ("recent_used", "recent_due", "status", "amounts"):
            matrix = getattr(book, name)
            setattr(book, name, np.concatenate([matrix, np.zeros_like(matrix)]))
        room *= 2
    rows = np.arange(book.count, book.count + extra)
    book.count += extra
    return rows


def hunger(people: Population) -> np.ndarray:
    """How eagerly each customer looks for credit this month."""
    return 0.45 * people.debt + 0.55 * people.stress + 0.2 * people.risk


def open_accounts(
    book: Bureau, people: Population, month: int, streams: Streams, assume: Assumptions
) -> np.ndarray:
    """New accounts elsewhere in ``month``; in month 0 also those opened up to ten years before.

    Returns
    -------
    numpy.ndarray
        Row numbers of the new accounts.
    """
    rng = streams.of("accounts", month)
    rate = (
        assume.accounts_per_month
        * np.exp(0.42 * hunger(people) + 0.12 * people.income_z - 0.16)
        * ~people.thin
    )
    counts = rng.poisson(rate * (22 if month == 0 else 1))
    age = (first_day(month) - people.birth).astype(np.int64) / 365.25
    counts[age < 19] = 0
    who = np.repeat(np.arange(people.size), counts)
    n = len(who)
    tilt = np.array([product[3] for product in PRODUCTS])
    product = pick(rng.random(n), SHARES * np.exp(np.outer(people.risk[who], tilt)))
    if month == 0:  # what is still alive after years: cards and mortgages
        back = rng.integers(1, 120, n)
        lasting = np.isin(product, (0, 3, 5, 8)) | (back < 20)
        who, product, back = who[lasting], product[lasting], back[lasting]
        n = len(who)
        opened_month = -back
    else:
        opened_month = np.full(n, month)
    rows = _grow(book, n)
    kind = np.array([entry[0] for entry in PRODUCTS])[product]
    choice = pick(rng.random(n), np.array([entry[2] for entry in PRODUCTS])[product])
    org_type = ORG_CHOICE[choice]
    org = np.array(ORG_FIRST)[org_type] + (rng.random(n) ** 2 * ORG_SIZE[choice]).astype(int)
    amount, term = draw_terms(product, people.income[who], rng)
    day = clamped(opened_month, rng.integers(1, 32, n))
    for name, values in (
        ("cust", who), ("kind", kind), ("product", product), ("org_type", org_type), ("org", org),
        ("open_month", opened_month), ("amount", amount), ("term", term),
        ("due_day", rng.integers(1, 29, n)), ("closed_month", np.full(n, -1)),
    ):  # fmt: skip
        book.columns[name][rows] = values
    book.opened[rows] = day
    book.noise[rows] = 0.5 * rng.standard_normal(n)
    book.merged[rows] = (kind == R4) & (rng.random(n) < 0.4)
    book.own[rows] = -1
    book.use_rate[rows] = sigmoid(-0.9 + 0.8 * people.debt[who] + rng.standard_normal(n))
    paid = np.where(np.isin(kind, (D1, R4)), np.maximum(-opened_month, 0), 0)
    book.columns["paid"][rows] = np.minimum(paid, np.maximum(term - 2, 0))
    twins = rows[(kind == R2) & (rng.random(n) < 0.035)]
    if len(twins):  # a dual-currency card is two accounts
        second = _grow(book, len(twins))
        for name in book.columns:
            book.columns[name][second] = book.columns[name][twins]
        book.opened[second] = book.opened[twins]
        book.usd[second] = True
        book.own[second] = -1
        book.use_rate[second] = 0.02
        book.noise[second] = -2.0
        rows = np.concatenate([rows, second])
    return rows


def add_own(
    book: Bureau, cust: np.ndarray, day: np.ndarray, month: int, terms: dict[str, np.ndarray]
) -> np.ndarray:
    """Rows for the bank's own new loans; ``terms`` holds amount, term, due_day and loan."""
    rows = _grow(book, len(cust))
    for name, values in (
        ("cust", cust), ("kind", np.full(len(cust), D1)), ("product", np.full(len(cust), 2)),
        ("org_type", np.zeros(len(cust), int)), ("org", np.full(len(cust), OWN)),
        ("open_month", np.full(len(cust), month)), ("closed_month", np.full(len(cust), -1)),
        ("amount", terms["amount"]), ("term", terms["term"]), ("due_day", terms["due_day"]),
    ):  # fmt: skip
        book.columns[name][rows] = values
    book.opened[rows] = day
    book.own[rows] = terms["loan"]
    return rows


def step(
    book: Bureau, people: Population, noise: np.ndarray, month: int, streams: Streams, assume: Assumptions
) -> None:
    """Live through ``month`` for every account elsewhere: pay or miss, cure, close, write off.

    ``noise`` is the accident part of what the bureau sees, a value a customer.
    """
    n = book.count
    rng = streams.of("repayment", month)
    miss, cure, late, leave, odd = (rng.random(n) for _ in range(5))
    spend = rng.standard_normal(n)
    who, kind, level = book["cust"], book["kind"], book["level"]
    alive = (book["closed_month"] < 0) & (book.own[:n] < 0) & (kind != C1)
    loan = (kind == D1) | (kind == R4)
    first = book["open_month"] == month
    _use(book, people, spend, alive & ~loan)
    used = book["used"]
    idle = ~loan & (used == 0)
    pressure = 1.0 * people.risk + 0.6 * people.stress + 0.5 * people.discipline + 0.4 * noise
    chance = sigmoid(
        assume.external_miss
        + pressure[who]
        + book.noise[:n]
        + 0.35 * (kind == R4)
        - 0.9 * (book["product"] == 5)
    )
    falls = alive & (level == 0) & ~first & ~idle & (miss < chance)
    cures_at = np.array([0, 0.66, 0.45, 0.3, 0.22, 0.17, 0.14, 0.08, 0.025])
    cured = alive & (level > 0) & (cure < cures_at[level] * np.exp(-0.18 * pressure[who]))
    deeper = alive & (level > 0) & (level < BAD) & ~cured
    months_bad = book["months_bad"]
    written = deeper & (level == 7) & (months_bad >= 4) & (odd < 0.12)
    before = level.copy()
    level[falls] = 1
    level[cured] = 0
    level[deeper] = np.minimum(level[deeper] + 1, 7)
    level[written] = BAD
    months_bad[alive] = np.where(level[alive] >= 7, months_bad[alive] + 1, 0)
    _pay(book, month, alive, before, first)
    ends = alive & loan & (level == 0) & ~first & (book["paid"] >= book["term"])
    ends |= alive & loan & (level == 0) & ~first & (leave < 0.009)
    ends |= alive & ~loan & (level == 0) & ~first & (leave < np.where(kind == R1, 0.012, 0.005))
    ends |= cured & (before == BAD)
    transferred = written & (kind == D1) & (late < assume.claims_sold)
    marks = _marks(kind, level, idle, first, late, odd)
    marks[ends] = ord("C")
    marks[transferred] = ord("G")
    amounts = np.where((level > 0), book["overdue"], 0)
    closing = ends | transferred
    amounts[ends] = 0
    rows = np.flatnonzero(alive)
    book.status[rows, month] = marks[rows]
    book.amounts[rows, month] = amounts[rows]
    _close(book, month, ends, transferred)
    book.recent_used[:n] = np.roll(book.recent_used[:n], 1, axis=1)
    book.recent_used[:n, 0] = np.where(closing, 0, used)
    book.recent_due[:n] = np.roll(book.recent_due[:n], 1, axis=1)
    book.recent_due[:n, 0] = np.where(closing, 0, book["due"])
    _claims(book, np.flatnonzero(transferred), month)


def _marks(
    kind: np.ndarray,
    level: np.ndarray,
    idle: np.ndarray,
    first: np.ndarray,
    late: np.ndarray,
    odd: np.ndarray,
) -> np.ndarray:
    """Status character of the month, as its code."""
    marks = np.where(level > 0, 48 + level, ord("N"))
    marks = np.where(level == BAD, ord("B"), marks)
    good = level == 0
    marks[good & (late < 0.03)] = ord("M")
    marks[good & (idle | first)] = ord("*")
    marks[good & (odd < 0.002)] = ord("#")
    marks[good & (kind == R2) & (odd > 0.9985)] = ord("A")
    return marks.astype(np.uint8)


def _use(book: Bureau, people: Population, spend: np.ndarray, lines: np.ndarray) -> None:
    """Used part of cards and revolving lines; delinquent accounts cannot draw."""
    n = book.count
    who, level, used, limit = book["cust"], book["level"], book["used"], book["amount"]
    rate = book.use_rate[:n]
    goal = sigmoid(-0.75 + 0.6 * people.debt[who] + 0.6 * people.stress[who] + 0.35 * people.risk[who])
    free = lines & (level == 0) & ~book.usd[:n]
    rate[free] = np.clip(0.82 * rate[free] + 0.18 * goal[free] + 0.10 * spend[free], 0, 1)
    rate[rate < 0.03] = np.where(spend[rate < 0.03] < 0.5, 0.0, rate[rate < 0.03])
    used[free] = (rate[free] * limit[free]).astype(int) // 10 * 10
    dollars = lines & book.usd[:n] & (level == 0)
    used[dollars] = np.where(spend[dollars] > 1.2, (0.05 * limit[dollars]).astype(int), 0)
    highest = book["highest"]
    np.maximum(highest, used, out=highest)


def _pay(book: Bureau, month: int, alive: np.ndarray, before: np.ndarray, first: np.ndarray) -> None:
    """Due, paid and overdue amounts of the month, and the instalments paid so far."""
    level, kind, amount = book["level"], book["kind"], book["amount"]
    term, paid, used = book["term"], book["paid"], book["used"]
    loan = (kind == D1) | (kind == R4)
    size = np.maximum(term, 1)
    instalment = amount // size + (amount * np.where(book["product"] == 5, 0.0021, 0.0075)).astype(int)
    minimum = np.maximum(used // 10, np.minimum(used, 50))
    due = np.where(loan, instalment, minimum)
    due[first & loan] = 0
    owed = np.minimum(level, 7) * due
    overdue = np.where(
        level > 0, np.where(loan, np.maximum(owed, 1), np.clip(owed, 1, np.maximum(used, 1))), 0
    )
    lost = np.flatnonzero(level == BAD)
    overdue[lost] = balances(book, lost)
    overdue[(level > 0)] = np.maximum(overdue[level > 0], 1)
    paying = alive & ~first & (level == 0) & (due > 0)
    back = np.where(before > 0, np.minimum(before, 7), 0)
    paid_now = np.where(paying, due * (1 + back), 0)
    target = np.minimum(paid + 1 + back, np.maximum(term, 0))
    paid[paying & loan] = target[paying & loan]
    book["due"][alive] = due[alive]
    book["overdue"][alive] = overdue[alive]
    book["paid_now"][alive] = paid_now[alive]
    book["last_paid"][paying] = paid_now[paying]
    book.last_pay[: book.count][paying] = clamped(month, book["due_day"][paying])


def balances(book: Bureau, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
    """Outstanding balance in yuan: principal of unpaid instalments, or what is used of a line."""
    amount, term, kind = book["amount"][rows], np.maximum(book["term"][rows], 1), book["kind"][rows]
    left = amount - amount * np.minimum(book["paid"][rows], term) // term
    lines = np.where(kind == C1, amount, book["used"][rows])
    return np.where((kind == D1) | (kind == R4), left, lines)


def _close(book: Bureau, month: int, ends: np.ndarray, transferred: np.ndarray) -> None:
    kind = book["kind"]
    closing = ends | transferred
    book["closed_month"][closing] = month
    cards = np.isin(kind, (R2, R3))
    book["final"][ends] = np.where(cards, 4, 3)[ends]
    book["final"][transferred] = 5
    day = clamped(month, book["due_day"])
    book.closed[: book.count][closing] = day[closing]
    book["used"][closing] = 0
    book["overdue"][closing] = 0


def _claims(book: Bureau, sold: np.ndarray, month: int) -> None:
    """A transferred loan comes back as a recovery account of the asset manager that bought it, or of its guarantor."""
    if not len(sold):
        return
    worth = np.maximum(balances(book, sold), 100)
    # a quarter was guaranteed by a company that paid, and is now owed to it
    paid = sold % 4 == 0
    book["final"][sold[paid]] = 3
    rows = _grow(book, len(sold))
    for name in book.columns:
        book.columns[name][rows] = book.columns[name][sold]
    book.columns["kind"][rows] = C1
    holder = np.where(paid, ORG_TYPES.index("53"), ORG_TYPES.index("26"))
    book.columns["org_type"][rows] = holder
    book.columns["org"][rows] = np.array(ORG_FIRST)[holder] + sold % 12
    book.columns["amount"][rows] = worth
    book.columns["open_month"][rows] = month
    book.columns["closed_month"][rows] = -1
    book.columns["level"][rows] = 0
    book.columns["final"][rows] = 1
    book.columns["used"][rows] = 0
    book.opened[rows] = last_day(month)
    book.own[rows] = -1
    book.usd[rows] = False
