"""Deposit accounts: salary, spending, transfers, loan payments; a running balance that stays above zero."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator.assumptions import Assumptions
from simulator.customers import Master
from simulator.deliveries import ARRIVES, ORDER
from simulator.identities import sha256
from simulator.lookups import HOURS
from simulator.population import Population
from simulator.streams import Streams, pick, sigmoid
from simulator.timeline import clamped, days_in

CLASSES = ("salary", "transfer", "consume", "cash", "loan", "card_repay", "wealth", "utility", "fee", "other")
CHANNELS = ("app", "pos", "atm", "third", "batch", "counter")
TAGS = ("person", "employer", "merchant", "lender", "gamble", "self", "unknown")
# slot: class, direction, channel, counterparty, chance a month, share of income, spread
_SLOTS: tuple[tuple[str, str, str, str, float, float, float], ...] = (
    ("salary", "in", "batch", "employer", 0.93, 1.0, 0.08),
    ("transfer", "in", "app", "person", 0.42, 0.22, 0.9),
    ("transfer", "in", "app", "self", 0.25, 0.35, 0.7),
    ("loan", "in", "batch", "lender", 0.03, 1.2, 0.5),
    ("utility", "out", "batch", "merchant", 0.55, 0.035, 0.4),
    ("consume", "out", "third", "merchant", 0.95, 0.12, 0.7),
    ("consume", "out", "pos", "merchant", 0.55, 0.10, 0.8),
    ("consume", "out", "third", "merchant", 0.5, 0.06, 0.8),
    ("card_repay", "out", "app", "lender", 0.45, 0.28, 0.6),
    ("loan", "out", "batch", "lender", 0.3, 0.22, 0.4),
    ("transfer", "out", "app", "person", 0.5, 0.25, 0.8),
    ("cash", "out", "atm", "self", 0.22, 0.15, 0.6),
    ("wealth", "out", "app", "self", 0.10, 0.5, 0.6),
    ("transfer", "out", "third", "gamble", 0.012, 0.12, 0.8),
    ("fee", "out", "batch", "unknown", 0.08, 0.002, 0.5),
)


@dataclass
class Ledger:
    """Balances of the deposit accounts in fen (0 for customers without), and the next posting's number."""

    balance: np.ndarray
    pay_day: np.ndarray
    next_number: int = 1


def open_ledger(people: Population, streams: Streams) -> Ledger:
    """Opening balances: a few weeks of income, more for the stable."""
    rng = streams.of("ledger")
    weeks = np.exp(0.9 * rng.standard_normal(people.size) + 0.45 * people.stability - 0.5 - 0.2 * people.debt)
    return Ledger(
        (people.income * weeks * 100).astype(np.int64), rng.choice([5, 8, 10, 15, 20, 25, 28], people.size)
    )


def month_rows(
    ledger: Ledger,
    people: Population,
    master: Master,
    noise: np.ndarray,
    month: int,
    streams: Streams,
    assume: Assumptions,
) -> pl.DataFrame:
    """The month's postings of every deposit account, with reversals and deletions as later versions."""
    rng = streams.of("postings", month)
    size, slots = people.size, len(_SLOTS)
    draws = rng.random((4, size, slots))
    wild = rng.standard_normal((size, slots))
    strain = 0.55 * people.stress + 0.35 * people.risk + 0.45 * noise
    chance = np.tile([slot[4] for slot in _SLOTS], (size, 1))
    employed = (people.employer >= 0).astype(float)
    unpaid = (people.employer >= 0) & (people.employer_bad_until[people.employer] > month)
    chance[:, 0] = employed * np.where(unpaid, 0.45, np.clip(0.97 - 0.06 * np.exp(0.6 * strain), 0.2, 1))
    chance[:, 1] *= np.exp(0.25 * strain)
    chance[:, 3] *= np.exp(0.6 * strain)
    chance[:, 8] *= np.exp(0.15 * people.debt)
    chance[:, 9] *= np.exp(0.35 * people.debt)
    chance[:, 11] *= np.exp(0.25 * strain)
    chance[:, 12] *= np.exp(-0.7 * strain)
    chance[:, 13] *= np.exp(0.9 * strain)
    chance[:, 14] *= np.exp(0.4 * strain)
    known = people.deposit & ~np.isnat(master.since)
    happens = (draws[0] < np.minimum(chance, 1)) & known[:, None]
    season = 1.25 if month % 12 in (0, 10) else 1.0
    scale = np.array([slot[5] for slot in _SLOTS]) * np.exp(np.array([slot[6] for slot in _SLOTS]) * wild)
    scale[:, 5:8] *= season
    amount = np.maximum(people.income[:, None] * scale * 100, 100).astype(np.int64)
    amount[:, 0] = np.where(unpaid, amount[:, 0] // 2, amount[:, 0])
    day = 1 + (draws[1] * days_in(month)).astype(np.int64)
    day[:, 0] = np.minimum(
        ledger.pay_day + (draws[1][:, 0] < 0.1 + 0.25 * sigmoid(strain - 1)) * 2, days_in(month)
    )
    millis = pick(draws[2].ravel(), HOURS).reshape(size, slots) * 3_600_000 + (draws[3] * 3_599_000).astype(
        np.int64
    )
    order = np.argsort(np.where(happens, day * 86_400_000 + millis, np.int64(1) << 60), axis=1, kind="stable")
    balance = ledger.balance.copy()
    after = np.zeros((size, slots), np.int64)
    incoming = np.array([slot[1] == "in" for slot in _SLOTS])
    everybody = np.arange(size)
    for step in range(slots):
        slot = order[:, step]
        here = happens[everybody, slot]
        value = amount[everybody, slot]
        # nobody spends what is not there; little is left untouched by people under strain
        value = np.where(incoming[slot], value, np.minimum(value, (balance * 0.92).astype(np.int64)))
        here &= value >= 100
        happens[everybody, slot] = here
        amount[everybody, slot] = value
        balance = np.where(here, np.where(incoming[slot], balance + value, balance - value), balance)
        after[everybody, slot] = balance
    # what piles up goes to savings elsewhere at the month's end, unseen
    ledger.balance = np.minimum(
        balance, (people.income * 100 * np.exp(1.2 + 0.5 * people.stability)).astype(np.int64)
    )
    who, slot = np.nonzero(happens)
    stamp = clamped(month, day[who, slot]).astype("datetime64[ms]") + millis[who, slot].astype(
        "timedelta64[ms]"
    )
    rows = _frame(ledger, people, master, who, slot, stamp, amount[who, slot], after[who, slot], month)
    return _versions(rows, month, streams, assume)


def _frame(
    ledger: Ledger,
    people: Population,
    master: Master,
    who: np.ndarray,
    slot: np.ndarray,
    stamp: np.ndarray,
    amount: np.ndarray,
    after: np.ndarray,
    month: int,
) -> pl.DataFrame:
    n = len(who)
    order = np.lexsort((slot, who, stamp))
    who, slot, stamp, amount, after = who[order], slot[order], stamp[order], amount[order], after[order]
    number = ledger.next_number + np.arange(n)
    ledger.next_number += n
    day = stamp.astype("datetime64[D]")
    employer, friend = people.employer[who], (who * 31 + slot * 7 + month % 4) % (people.size // 2 + 1)
    tag = np.array([TAGS.index(entry[3]) for entry in _SLOTS])[slot]
    other = np.where(
        tag == 1,
        employer + 1_000_000,
        np.where(tag == 0, friend, np.where(tag == 5, who + 5_000_000, 2_000_000 + (who * 13 + slot) % 400)),
    )
    known = tag != TAGS.index("unknown")
    names, place = np.unique(other, return_inverse=True)
    hashes = pl.Series([sha256(f"account {int(name)}") for name in names], dtype=pl.String).gather(place)

    def text(column: int) -> np.ndarray:
        return np.array([entry[column] for entry in _SLOTS])[slot]

    return pl.DataFrame(
        {
            "txn_id": [f"T{value:012d}" for value in number.tolist()],
            "op": np.full(n, "c"),
            "change_date": day,
            "account_id": ("D" + pl.Series(master.person).gather(who).str.slice(1)),
            "person_id": pl.Series(master.person).gather(who),
            "txn_ts": stamp,
            "direction": text(1),
            "txn_class": text(0),
            "amount": amount / 100,
            "balance_after": after / 100,
            "channel": text(2),
            "counter_acct_hash": hashes.zip_with(pl.Series(known), pl.Series([None] * n, dtype=pl.String)),
            "counter_name_tag": np.array(TAGS)[tag],
            "summary_code": [f"ZY{value:02d}" for value in slot.tolist()],
            "currency": np.full(n, "CNY"),
            "reversal_flag": np.zeros(n, bool),
            "book_date": day,
            ARRIVES: day + np.timedelta64(1, "D"),
            ORDER: stamp.astype("datetime64[us]"),
        }
    ).with_columns(pl.col("txn_ts").cast(pl.Datetime("us")))


def _versions(rows: pl.DataFrame, month: int, streams: Streams, assume: Assumptions) -> pl.DataFrame:
    """Some postings come again: reversed within days, a few deleted as double bookings."""
    rng = streams.of("corrections", month)
    fate = rng.random(rows.height)
    days = rng.integers(1, 9, rows.height)
    again = rows.with_columns(pl.Series("fate", fate), pl.Series("days", days)).filter(
        pl.col("fate") < assume.restated_share
    )
    later = pl.col("change_date") + pl.duration(days=pl.col("days"))
    again = again.with_columns(
        op=pl.when(pl.col("fate") < assume.restated_share * 0.15).then(pl.lit("d")).otherwise(pl.lit("u")),
        reversal_flag=pl.lit(True),
        change_date=later.cast(pl.Date),
    ).with_columns((pl.col("change_date") + pl.duration(days=1)).cast(pl.Date).alias(ARRIVES))
    return pl.concat([rows, again.drop("fate", "days")], how="vertical_relaxed")
