"""Card spending at all banks as the clearing house sums it up: month, merchant group, place; and payments that fail.

What is spent follows income, where it fails follows strain. Amounts drift: more and more is paid past the house.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator import identities
from simulator.asking import Asking
from simulator.calls import HIT, NO_HIT, Calls
from simulator.deliveries import only_where
from simulator.licensed import authorised
from simulator.nesting import heading, with_records
from simulator.outside import Answer, AskedSource
from simulator.payroll import Payroll
from simulator.streams import pick, sigmoid
from simulator.timeline import month_name, month_of

TOLD = 12
"""Months in an answer."""
GROUPS: tuple[tuple[str, float, float], ...] = (
    ("grocery", 0.34, 0.012), ("dining", 0.30, 0.008), ("fuel", 0.16, 0.03), ("apparel", 0.13, 0.04),
    ("digital", 0.05, 0.18), ("home", 0.05, 0.15), ("travel", 0.06, 0.12), ("hotel", 0.06, 0.05),
    ("transport", 0.20, 0.006), ("medical", 0.09, 0.05), ("education", 0.05, 0.2), ("leisure", 0.12, 0.025),
    ("jewelry", 0.02, 0.3), ("car", 0.02, 0.25), ("bills", 0.16, 0.03), ("insurance", 0.06, 0.1),
    ("finance", 0.06, 0.2), ("wholesale", 0.02, 0.2),
)  # fmt: skip
"""Merchant group, chance of a month with it, share of the income a transaction [stated]."""
INCOMING = len(GROUPS)
"""After the groups: what comes in."""
CHANCE = np.array([chance for _, chance, _ in GROUPS] + [0.8])
SHARE = np.array([share for _, _, share in GROUPS] + [0.45])
PULL = np.zeros(INCOMING + 1)
PULL[[11, 16]] = 0.3, 0.35
"""How strain pulls on entertainment and financial services."""
PLACES = ("local", "other", "overseas")
REASONS = ("insufficient", "over_limit", "password")


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    asked_from: float = 16_000.0
    """Yuan applied for from which on it is asked; during the loan it is asked about who is behind [stated]."""
    seen: float = 1.0
    """Log odds that the clearing house sees an average customer's cards [stated: 65 to 80 of 100]."""
    fails: float = -2.9
    """Log odds that a payment fails in a month and merchant group of an average customer [stated]."""
    spread: float = 0.6
    """Spread of the log of the amounts; drift is counted in it [stated]."""


class UnionpayTxn(AskedSource):
    """Monthly sums by merchant group."""

    name = "unionpay_txn"
    assumes = Assume
    prefix = "UP"
    latency = (400, 2000)
    entity = "card"
    monitors = True
    plant = ("hit", "2", pl.lit(True))

    def wanted(self, asking: Asking) -> np.ndarray:
        """Larger wishes, and borrowers who are behind."""
        if asking.stage == "mid":
            return asking.behind
        return asking.screened & (asking.amount >= self.assume.asked_from)

    def subject(self, asking: Asking) -> np.ndarray:
        """The customer's first card."""
        return asking.cust * 4

    def answer(self, asking: Asking) -> Answer:
        """The last twelve whole months."""
        lot = asking.world.streams.lot("cards seen", asking.cust)
        seen = lot < sigmoid(self.assume.seen + 0.2 * asking.people.income_z[asking.cust])

        def rows(calls: Calls, which: np.ndarray) -> pl.DataFrame:
            told = which[calls.result[which] == HIT]
            last = month_of(asking.at[told]) - 1
            head = heading(calls, which).with_columns(
                id_hash=asking.id_sha256(which),
                card_hash=pl.Series(
                    [identities.sha256(identities.card(4 * who)) for who in asking.cust[which].tolist()]
                ),
            )
            when = {"at": told, "report_month": [month_name(month) for month in last.tolist()]}
            newest = pl.DataFrame(when, schema={"at": pl.Int64, "report_month": pl.String})
            head = authorised(head, calls.request_ts[which]).join(
                newest, on="at", how="left", maintain_order="left"
            )
            head = with_records(head, self._records(asking, told, last))
            return head.select(*asking.world.rules[self.name].columns, "records")

        return Answer(np.where(seen, HIT, NO_HIT), rows)

    def _records(self, asking: Asking, told: np.ndarray, last: np.ndarray) -> pl.DataFrame:
        world, people, streams = asking.world, asking.people, asking.world.streams
        cust = asking.cust[told][:, None, None]
        months = (last[:, None] - np.arange(TOLD)[::-1])[:, :, None]
        group = np.arange(INCOMING + 1)[None, None, :]
        strain = (
            0.4 * people.risk[cust]
            + 0.5 * world.past.stress_at(cust, months)
            + 0.5 * asking.noise[told][:, None, None]
        )
        active = np.exp(0.3 * streams.gauss("cards used", cust) + 0.1 * people.income_z[cust])
        happens = streams.lot("card spending", cust, months, group) < CHANCE * active * np.exp(PULL * strain)
        # the least that a card that is seen at all shows
        happens |= (group == 0) & (months % 6 == cust % 6)
        at, back, kind = np.nonzero(happens)
        who, when, strained = asking.cust[told][at], months[at, back, 0], strain[at, back, 0]

        def lot(what: str) -> np.ndarray:
            return streams.lot(f"card {what}", who, when, kind)

        count = 1 + np.floor(
            -np.log1p(-0.999 * lot("count")) * np.where(CHANCE[kind] > 0.1, 1.6, 0.4)
        ).astype(int)
        wild = np.exp(self.assume.spread * (streams.gauss("card amount", who, when, kind) + asking.drift))
        # everybody leaves another part of the purse to cards, and wages in cash do not come in by them
        part = np.exp(0.5 * streams.gauss("card part", who, kind == INCOMING))
        part *= np.where((kind == INCOMING) & Payroll(world).paid_in_cash(who), 0.3, 1.0)
        amount = np.round(np.maximum(people.income[who] * SHARE[kind] * wild * part * count, 1.0), 2)
        largest = np.where(
            count > 1, np.round(amount * (1.2 + lot("largest") * 0.6) / (count + 0.8), 2), amount
        )
        owl = streams.lot("card owl", who) < sigmoid(-2.0 + 0.3 * people.risk[who] + 0.4 * people.fraud[who])
        nights = np.floor(count * np.where(owl, 0.3, 0.05) + lot("nights")).astype(int).clip(0, count)
        fails = (lot("fails") < sigmoid(self.assume.fails + 0.8 * strained)) & (kind != INCOMING)
        times = np.where(fails, 1 + (lot("fails how often") ** 2 * 4).astype(int), 0)
        reason = pick(lot("why"), np.array([1.0, 0.5, 0.35]) * np.exp(np.outer(strained, [0.5, 0, 0])))
        place = pick(lot("place"), np.array([0.86, 0.12, 0.02]))
        spent = kind != INCOMING
        return pl.DataFrame(
            {
                "at": told[at],
                "month": pl.Series([month_name(month) for month in when.tolist()], dtype=pl.String),
                "direction": np.where(spent, "out", "in"),
                "mcc_group": only_where(spent, np.array([*(name for name, _, _ in GROUPS), ""])[kind]),
                "city_type": np.array(PLACES)[place],
                "txn_cnt": count,
                "txn_amt": amount,
                "max_amt": np.minimum(largest, amount),
                "active_days": np.minimum(np.ceil(count * (0.6 + 0.4 * lot("days"))), 28).astype(int),
                "night_cnt": nights,
                "fail_cnt": times,
                "fail_reason": only_where(fails, np.array(REASONS)[reason]),
            }
        )


SOURCE = UnionpayTxn()
