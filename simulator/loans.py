"""The bank's own loans: instalments falling due, paid, missed, cured; the versions `own_repay` delivers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.assumptions import Assumptions
from simulator.bureau import Bureau
from simulator.population import Population
from simulator.products import BAD
from simulator.streams import Streams, pick, sigmoid
from simulator.timeline import START, clamped, day_of_month, first_day, last_day, month_of

VERSION_DAYS = (1, 31, 61, 91, 121, 151, 181)
"""An unpaid instalment is delivered again when it is so many days past due."""
CHANNELS = ("autopay", "app", "third", "transfer")
_NAT = np.datetime64("NaT", "D")
_COLUMNS = (
    "loan", "term_no", "due_date", "due_pri", "due_int", "repay_date", "repay_pri", "repay_int", "channel",
    "autopay_fail_cnt", "dpd", "settled", "snapshot_date", "balance",
)  # fmt: skip


@dataclass
class LoanBook:
    """Own loans, one row a loan, and the instalments that are unpaid at the end of the month.

    Amounts are fen. ``oldest`` is the first unpaid instalment number (0: none), ``left`` the unpaid principal.
    """

    loan: dict[str, np.ndarray]
    open: dict[str, np.ndarray]
    bureau_row: np.ndarray

    @property
    def count(self) -> int:
        """Number of loans ever made."""
        return len(self.bureau_row)


def empty_loans() -> LoanBook:
    """A book without loans."""
    names = (
        "cust",
        "apply",
        "amount",
        "term",
        "due_day",
        "open_month",
        "oldest",
        "left",
        "closed",
        "gone",
        "product",
        "late",
    )
    loan: dict[str, np.ndarray] = {name: np.zeros(0, np.int64) for name in names}
    loan["rate"] = np.zeros(0)
    loan["date"] = np.zeros(0, "datetime64[D]")
    unpaid = {
        "loan": np.zeros(0, np.int64), "term_no": np.zeros(0, np.int64), "due_date": np.zeros(0, "datetime64[D]"),
        "due_pri": np.zeros(0, np.int64), "due_int": np.zeros(0, np.int64), "paid_int": np.zeros(0, np.int64),
        "fails": np.zeros(0, np.int64), "pay_on": np.zeros(0, "datetime64[D]"),
    }  # fmt: skip
    return LoanBook(loan, unpaid, np.zeros(0, np.int64))


def book_loans(book: LoanBook, rows: dict[str, np.ndarray]) -> np.ndarray:
    """Disburse: ``rows`` holds cust, apply, amount (fen), term, rate, date, product.

    Returns
    -------
    numpy.ndarray
        Numbers of the new loans.
    """
    n = len(rows["cust"])
    loan = book.loan
    fresh = {name: np.zeros(n, column.dtype) for name, column in loan.items()}
    fresh.update(
        {name: rows[name] for name in ("cust", "apply", "amount", "term", "rate", "date", "product")}
    )
    fresh["due_day"] = np.minimum(day_of_month(rows["date"]), 28)
    fresh["open_month"] = month_of(rows["date"])
    fresh["left"] = rows["amount"].copy()
    book.loan = {name: np.concatenate([column, fresh[name]]) for name, column in loan.items()}
    numbers = np.arange(book.count, book.count + n)
    book.bureau_row = np.concatenate([book.bureau_row, np.full(n, -1)])
    return numbers


def principal(amount: np.ndarray, term: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Principal of an instalment in fen; the last takes what rounding left."""
    each = amount // term
    return np.where(number == term, amount - each * (term - 1), each)


def live_month(
    book: LoanBook, people: Population, month: int, streams: Streams, assume: Assumptions
) -> dict[str, np.ndarray]:
    """Instalments of ``month``: who pays, who does not, who cures; changes the book in place.

    Returns
    -------
    dict
        Columns of the instalment versions that the month's snapshots hold (amounts in fen).
    """
    loan = book.loan
    size = people.size
    rng = streams.of("instalments", month)
    # two loans of one customer share the month's fortune but not its accidents: draws are by customer and slot
    draws = rng.random((8, size, 4))
    slot = _slots(loan["cust"])
    fate = draws[:, loan["cust"], slot]
    number = month - loan["open_month"]
    active = (loan["closed"] == 0) & (loan["gone"] == 0) & (number >= 1)
    falls_due = active & (number <= loan["term"])
    due_date = clamped(month, loan["due_day"])
    due_pri = principal(loan["amount"], loan["term"], np.clip(number, 1, loan["term"]))
    due_int = np.rint(loan["left"] * loan["rate"] / 12).astype(np.int64)
    broke = loan["oldest"] > 0
    pressure = pressure_of(people, assume)[loan["cust"]]
    ring_now = people.never_pays[loan["cust"]]
    climate = assume.climate * (month - START - 12)
    chance = sigmoid(
        assume.default_level + climate + pressure + 0.10 * (loan["term"] > 12) - 0.05 * np.minimum(number, 12)
    )
    breaks = falls_due & ~broke & ((fate[0] < chance) | ring_now)
    cure_chance = np.array([0, 0.20, 0.16, 0.12, 0.08, 0.05, 0.03, 0.02])
    behind = np.where(broke, number - loan["oldest"], 0)
    cures = (
        active & broke & ~ring_now & (fate[1] < cure_chance[np.clip(behind, 0, 7)] * np.exp(-0.2 * pressure))
    )
    settles = falls_due & ~broke & ~breaks & (number < loan["term"]) & (fate[2] < assume.early_settlement)
    late = falls_due & ~broke & ~breaks & ~settles & (fate[3] < assume.short_late * np.exp(0.5 * pressure))
    pays = falls_due & ~broke & ~breaks & ~settles
    early = pays & ~late & (fate[4] < 0.16)
    lag = np.where(late, 1 + np.minimum(fate[5] * fate[5] * 26, 25).astype(int), 0)
    lag = np.where(early, -1 - (fate[5] * 3).astype(int), lag)
    pay_day = due_date + lag.astype("timedelta64[D]")
    pay_day = np.where(early, np.maximum(pay_day, loan["date"] + np.timedelta64(1, "D")), pay_day)
    room = (last_day(month) - due_date).astype(int)
    cure_day = due_date + (fate[6] * (room + 1)).astype("timedelta64[D]")
    channel = np.where(
        early,
        1,
        np.where(
            late | cures,
            1 + pick(fate[7], np.array([0.5, 0.2, 0.3])),
            pick(fate[7], np.array([0.78, 0.15, 0.03, 0.04])),
        ),
    )
    out: list[dict[str, np.ndarray]] = []

    # unpaid instalments of earlier months: cured, paid late over the month's end, or still unpaid
    old = book.open
    owner = old["loan"]
    cured_on = np.where(cures[owner], cure_day[owner], old["pay_on"])
    paid_old = ~np.isnat(cured_on) & (cured_on <= last_day(month))
    out.append(_reminders(book, old, cured_on, month))
    out.append(_paid(book, _take(old, paid_old), cured_on[paid_old], channel[owner[paid_old]]))
    book.open = _take(old, ~paid_old)
    np.subtract.at(loan["left"], owner[paid_old], old["due_pri"][paid_old])

    # this month's instalments
    fresh = np.flatnonzero(falls_due & (breaks | broke | late))
    now = {
        "loan": fresh, "term_no": number[fresh], "due_date": due_date[fresh], "due_pri": due_pri[fresh],
        "due_int": due_int[fresh],
        "paid_int": np.where(breaks & (fate[4] < 0.15) & (due_int > 0), due_int, 0)[fresh],
        "fails": np.ones(len(fresh), np.int64),
        "pay_on": np.where(late, pay_day, np.where(cures, cure_day, _NAT))[fresh],
    }  # fmt: skip
    opened = _take(now, now["pay_on"] != now["due_date"])  # paid the same day: one version, the paid one
    out.append(_unpaid(book, opened, opened["due_date"], np.zeros(len(opened["loan"]), np.int64)))
    out.append(_reminders(book, now, now["pay_on"], month))
    paid_now = ~np.isnat(now["pay_on"]) & (now["pay_on"] <= last_day(month))
    np.subtract.at(loan["left"], now["loan"][paid_now], now["due_pri"][paid_now])
    out.append(_paid(book, _take(now, paid_now), now["pay_on"][paid_now], channel[now["loan"][paid_now]]))
    still = _take(now, ~paid_now)
    book.open = {name: np.concatenate([book.open[name], still[name]]) for name in still}
    prompt = np.flatnonzero((pays & ~late) | settles)
    np.subtract.at(loan["left"], prompt, due_pri[prompt])
    done = {
        "loan": prompt, "term_no": number[prompt], "due_date": due_date[prompt], "due_pri": due_pri[prompt],
        "due_int": due_int[prompt], "paid_int": np.zeros(len(prompt), np.int64),
        "fails": np.zeros(len(prompt), np.int64), "pay_on": np.where(settles, due_date, pay_day)[prompt],
    }  # fmt: skip
    out.append(_paid(book, done, done["pay_on"], channel[prompt]))
    out.append(_settle(book, np.flatnonzero(settles), number, due_date))
    _end_month(book, month, breaks, cures, settles, number)
    loan["late"] = late.astype(np.int64)
    return {name: np.concatenate([part[name] for part in out]) for name in _COLUMNS}


def pressure_of(people: Population, assume: Assumptions) -> np.ndarray:
    """What pushes each customer towards missing an instalment this month, in log odds."""
    return (
        assume.default_risk * people.risk
        + assume.default_stress * people.stress
        + assume.default_discipline * people.discipline
        + 0.25 * np.maximum(people.fraud, 0)
    )


def _slots(cust: np.ndarray) -> np.ndarray:
    """0, 1, 2, 3 for the first, second ... loan of a customer (modulo 4)."""
    order = np.argsort(cust, kind="stable")
    ordered = cust[order]
    start = np.r_[True, ordered[1:] != ordered[:-1]] if len(cust) else np.zeros(0, bool)
    group = np.flatnonzero(start)
    rank = np.arange(len(cust)) - np.repeat(group, np.diff(np.r_[group, len(cust)]))
    slot = np.empty(len(cust), np.int64)
    slot[order] = rank % 4
    return slot


def _take(rows: dict[str, np.ndarray], which: np.ndarray) -> dict[str, np.ndarray]:
    return {name: column[which] for name, column in rows.items()}


def _versions(
    book: LoanBook, rows: dict[str, np.ndarray], snapshot: np.ndarray, **more: np.ndarray
) -> dict[str, np.ndarray]:
    n = len(rows["loan"])
    out = {
        "loan": rows["loan"], "term_no": rows["term_no"], "due_date": rows["due_date"],
        "due_pri": rows["due_pri"], "due_int": rows["due_int"],
        "repay_date": np.full(n, _NAT), "repay_pri": np.zeros(n, np.int64), "repay_int": np.zeros(n, np.int64),
        "channel": np.full(n, -1), "autopay_fail_cnt": rows["fails"], "dpd": np.zeros(n, np.int64),
        "settled": np.zeros(n, bool), "snapshot_date": snapshot, "balance": book.loan["left"][rows["loan"]],
    }  # fmt: skip
    out.update(more)
    return out


def _unpaid(
    book: LoanBook, rows: dict[str, np.ndarray], snapshot: np.ndarray, dpd: np.ndarray
) -> dict[str, np.ndarray]:
    part = rows["paid_int"] > 0
    return _versions(
        book, rows, snapshot, dpd=dpd, repay_int=rows["paid_int"],
        repay_date=np.where(part, rows["due_date"], _NAT), channel=np.where(part, 3, -1),
        autopay_fail_cnt=rows["fails"] + dpd // 10,
    )  # fmt: skip


def _paid(
    book: LoanBook, rows: dict[str, np.ndarray], day: np.ndarray, channel: np.ndarray
) -> dict[str, np.ndarray]:
    dpd = np.maximum((day - rows["due_date"]).astype(np.int64), 0)
    return _versions(
        book, rows, day, dpd=dpd, repay_date=day, repay_pri=rows["due_pri"], repay_int=rows["due_int"],
        settled=np.ones(len(day), bool), channel=channel, autopay_fail_cnt=rows["fails"] + dpd // 10,
    )  # fmt: skip


def _reminders(
    book: LoanBook, rows: dict[str, np.ndarray], paid_on: np.ndarray, month: int
) -> dict[str, np.ndarray]:
    """Versions of unpaid instalments that pass a mark of ``VERSION_DAYS`` in the month."""
    parts, first, last = [], first_day(month), last_day(month)
    for days in VERSION_DAYS:
        mark = rows["due_date"] + np.timedelta64(days, "D")
        hit = (mark >= first) & (mark <= last) & (np.isnat(paid_on) | (mark < paid_on))
        chosen = _take(rows, hit)
        parts.append(_unpaid(book, chosen, mark[hit], np.full(int(hit.sum()), days, np.int64)))
    return {name: np.concatenate([part[name] for part in parts]) for name in _COLUMNS}


def _settle(book: LoanBook, which: np.ndarray, number: np.ndarray, day: np.ndarray) -> dict[str, np.ndarray]:
    """The remaining instalments of loans paid back at once: principal only, paid before they fall due."""
    loan = book.loan
    rest = (loan["term"] - number)[which]
    owner = np.repeat(which, rest)
    offset = np.arange(len(owner)) - np.repeat(np.cumsum(rest) - rest, rest) + 1
    term_no = number[owner] + offset
    rows = {
        "loan": owner, "term_no": term_no,
        "due_date": clamped(loan["open_month"][owner] + term_no, loan["due_day"][owner]),
        "due_pri": principal(loan["amount"][owner], loan["term"][owner], term_no),
        "due_int": np.zeros(len(owner), np.int64), "paid_int": np.zeros(len(owner), np.int64),
        "fails": np.zeros(len(owner), np.int64),
    }  # fmt: skip
    loan["left"][which] = 0
    return _paid(book, rows, day[owner], np.full(len(owner), 1))


def _end_month(
    book: LoanBook, month: int, breaks: np.ndarray, cures: np.ndarray, settles: np.ndarray, number: np.ndarray
) -> None:
    loan = book.loan
    loan["oldest"][breaks] = number[breaks]
    loan["oldest"][cures] = 0
    loan["closed"][settles] = month
    done = (loan["closed"] == 0) & (loan["left"] == 0) & (number >= 1)
    loan["closed"][done] = month
    lost = (loan["oldest"] > 0) & (number - loan["oldest"] >= 7)
    loan["gone"][lost & (loan["gone"] == 0)] = month
    keep = loan["gone"][book.open["loan"]] == 0
    book.open = _take(book.open, keep)


def report_to_bureau(book: LoanBook, bureau: Bureau, month: int) -> None:
    """Write the own loans' month into the bureau's columns."""
    loan = book.loan
    which = np.flatnonzero((book.bureau_row >= 0) & (loan["open_month"] <= month))
    row = book.bureau_row[which]
    before = bureau["closed_month"][row] >= 0
    which, row = which[~before], row[~before]
    number = month - loan["open_month"][which]
    due_now = book.open["loan"]
    unpaid = np.zeros(book.count, np.int64)
    owed = np.zeros(book.count, np.int64)
    np.add.at(unpaid, due_now, 1)
    np.add.at(owed, due_now, book.open["due_pri"] + book.open["due_int"] - book.open["paid_int"])
    oldest = np.full(book.count, 10_000)
    np.minimum.at(oldest, due_now, book.open["term_no"])
    gone = loan["gone"][which] > 0
    level = np.where(unpaid[which] > 0, np.minimum(number - oldest[which] + 1, 7), 0)
    level = np.where(gone, BAD, level)
    closed = loan["closed"][which] == month
    marks = np.where(level > 0, 48 + level, ord("N"))
    marks = np.where(level == BAD, ord("B"), marks)
    marks = np.where((level == 0) & (loan["late"][which] > 0), ord("M"), marks)
    marks = np.where(number == 0, ord("*"), marks)
    marks = np.where(closed, ord("C"), marks)
    left = loan["left"][which] // 100
    overdue = np.where(gone, np.maximum(left, 1), np.where(level > 0, np.maximum(owed[which] // 100, 1), 0))
    bureau.status[row, month] = marks
    bureau.amounts[row, month] = np.where(closed, 0, overdue)
    term = loan["term"][which]
    due = np.where((number >= 1) & (number <= term), loan["amount"][which] // term // 100 + left // 100, 0)
    paid = np.clip(number - unpaid[which], 0, term)
    bureau["level"][row] = np.where(closed, 0, level)
    bureau["overdue"][row] = np.where(closed, 0, overdue)
    bureau["due"][row] = np.where(closed, 0, due)
    bureau["used"][row] = np.where(closed, 0, left)
    on_time = (number >= 1) & (unpaid[which] == 0) & (number <= term)
    bureau["paid_now"][row] = np.where(on_time, due, 0)
    bureau["paid"][row] = np.where(closed, term, paid)
    bureau["last_paid"][row] = np.where(on_time, due, bureau["last_paid"][row])
    bureau.last_pay[row[on_time]] = clamped(month, loan["due_day"][which])[on_time]
    bureau["closed_month"][row[closed]] = month
    bureau["final"][row[closed]] = 3
    bureau.closed[row[closed]] = last_day(month)
    bureau.recent_due[row, 0] = bureau["due"][row]
