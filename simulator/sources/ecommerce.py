"""Online shopping: monthly tags by category, and where the parcels go.

Parcels go home, to work or to relatives; old homes stay in the list of addresses as long as the answer reaches back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator.asking import Asking
from simulator.calls import HIT, NO_HIT, Calls
from simulator.licensed import authorised
from simulator.nesting import heading, with_records
from simulator.outside import Answer, AskedSource
from simulator.parcels import delivered_to
from simulator.streams import sigmoid
from simulator.timeline import month_name, month_of

TOLD = 24
"""Months in an answer."""
CATEGORIES: tuple[tuple[str, float, float], ...] = (
    ("food", 0.12, 0.012), ("apparel", 0.11, 0.025), ("beauty", 0.06, 0.02), ("baby", 0.03, 0.03),
    ("digital", 0.04, 0.12), ("appliance", 0.025, 0.15), ("home", 0.06, 0.03), ("books", 0.04, 0.008),
    ("sports", 0.03, 0.03), ("auto", 0.02, 0.03), ("virtual", 0.05, 0.012), ("luxury", 0.008, 0.4),
)  # fmt: skip
"""Category, chance of a month with it, share of the income an order [stated]."""
CHANCE = np.array([chance for _, chance, _ in CATEGORIES])
SHARE = np.array([share for _, _, share in CATEGORIES])
VIRTUAL = 10


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    asked_from: float = 16_000.0
    """Yuan applied for from which on it is asked [stated]."""
    known: float = 0.58
    """Share of the customers who order on the platforms behind the bureau [stated: 50 to 65 of 100]."""
    later: float = -2.2
    """Log odds that an average customer pays an order later or by instalments [stated]."""
    spread: float = 0.6
    """Spread of the log of the amounts; drift is counted in it [stated]."""


class Ecommerce(AskedSource):
    """Orders by month and category, and delivery addresses."""

    name = "ecommerce"
    assumes = Assume
    prefix = "EC"
    latency = (400, 2000)
    plant = ("hit", "2", pl.lit(True))

    def wanted(self, asking: Asking) -> np.ndarray:
        """Larger wishes."""
        return asking.screened & (asking.amount >= self.assume.asked_from)

    def answer(self, asking: Asking) -> Answer:
        """The last 24 whole months."""
        known = asking.world.streams.lot("shops online", asking.cust) < self.assume.known

        def rows(calls: Calls, which: np.ndarray) -> pl.DataFrame:
            told = which[calls.result[which] == HIT]
            last = month_of(asking.at[told]) - 1
            records = self._records(asking, told, last)
            addresses = self._addresses(asking, records)
            when = {"at": told, "report_month": [month_name(month) for month in last.tolist()]}
            newest = pl.DataFrame(when, schema={"at": pl.Int64, "report_month": pl.String})
            head = authorised(
                heading(calls, which).with_columns(id_hash=asking.id_md5(which)), calls.request_ts[which]
            )
            head = head.join(newest, on="at", how="left", maintain_order="left")
            names = [month_name(month) for month in records["month"].to_list()]
            head = with_records(head, records.with_columns(pl.Series("month", names, dtype=pl.String)))
            head = with_records(head, addresses, "addresses", "address_count")
            return head.select(*asking.world.rules[self.name].columns, "records", "addresses")

        return Answer(np.where(known, HIT, NO_HIT), rows)

    def _records(self, asking: Asking, told: np.ndarray, last: np.ndarray) -> pl.DataFrame:
        """Tags by month (its number) and category."""
        world, people, streams = asking.world, asking.people, asking.world.streams
        cust = asking.cust[told][:, None, None]
        months = (last[:, None] - np.arange(TOLD)[::-1])[:, :, None]
        category = np.arange(len(CATEGORIES))[None, None, :]
        season = np.where(np.isin(months % 12, [5, 10]), 1.6, 1.0)
        active = np.exp(0.45 * streams.gauss("shops how much", cust)) * season
        happens = streams.lot("orders", cust, months, category) < CHANCE * active
        happens |= (category == 0) & (months % 6 == cust % 6)
        at, back, kind = np.nonzero(happens)
        who, when = asking.cust[told][at], months[at, back, 0]
        strain = 0.4 * people.risk[who] + 0.5 * world.past.stress_at(who, when) + 0.5 * asking.noise[told][at]

        def lot(what: str) -> np.ndarray:
            return streams.lot(f"orders {what}", who, when, kind)

        count = 1 + np.floor(-np.log1p(-0.999 * lot("count")) * 1.3).astype(int)
        wild = np.exp(self.assume.spread * (streams.gauss("orders amount", who, when, kind) + asking.drift))
        amount = np.round(np.maximum(people.income[who] * SHARE[kind] * wild * count, 1.0), 2)
        largest = np.where(
            count > 1, np.round(amount * (1.2 + 0.6 * lot("largest")) / (count + 0.8), 2), amount
        )

        def own(habit: int) -> np.ndarray:
            """How much of a habit somebody has for no reason that concerns a lender."""
            return streams.gauss("shopping habit", who, np.full(len(who), habit))

        def part(what: str, share: np.ndarray) -> np.ndarray:
            """Of the orders of a row those of a kind whose share is ``share``."""
            return np.floor(count * share + lot(what)).astype(int).clip(0, count)

        two = (count > 1) & (lot("addresses") < 0.12)
        return pl.DataFrame(
            {
                "at": told[at],
                "month": when,
                "category": np.array([name for name, _, _ in CATEGORIES])[kind],
                "order_cnt": count,
                "order_amt": amount,
                "max_amt": np.minimum(largest, amount),
                "refund_cnt": part(
                    "returned", sigmoid(-2.8 + 0.25 * people.fraud[who] + 0.15 * strain + 0.6 * own(0))
                ),
                "night_cnt": part("at night", sigmoid(-2.3 + 0.15 * people.risk[who] + 0.8 * own(1))),
                "cod_cnt": part("on delivery", np.where(kind == VIRTUAL, 0.0, 0.03)) * (kind != VIRTUAL),
                "coupon_amt": np.round(amount * 0.15 * lot("coupons") ** 2, 2),
                "addr_cnt": 1 + two,
                "receiver_cnt": 1 + (lot("receivers") < 0.1),
                "bnpl_cnt": part(
                    "later",
                    sigmoid(self.assume.later + 0.15 * people.debt[who] + 0.25 * strain + 0.8 * own(2)),
                ),
                "login_days": np.clip(np.rint(4 + 20 * lot("visits") ** 2), 1, 28).astype(int),
            }
        )

    def _addresses(self, asking: Asking, records: pl.DataFrame) -> pl.DataFrame:
        """Delivery addresses of the answers, those of most orders first."""
        months = records.group_by("at", "month").agg(pl.col("order_cnt").sum()).sort("at", "month")
        who, when = asking.cust[months["at"].to_numpy()], months["month"].to_numpy()
        used = (
            months.with_columns(cust=who, dwelling=delivered_to(asking.world, who, when))
            .group_by("at", "cust", "dwelling", maintain_order=True)
            .agg(pl.col("order_cnt").sum(), first=pl.col("month").min(), last=pl.col("month").max())
            .sort("at", "order_cnt", "last", "dwelling", descending=[False, True, True, False])
            .with_columns(rank=pl.int_range(1, pl.len() + 1).over("at"))
        )
        spelt = asking.people.spelt
        texts = [
            spelt.address(dwelling, self.name, who)
            for who, dwelling in used.select("cust", "dwelling").iter_rows()
        ]
        return used.select(
            "at", "rank", pl.Series("address", texts, dtype=pl.String), (pl.col("rank") == 1).alias("is_default"),
            "order_cnt",
            pl.Series("first_month", [month_name(month) for month in used["first"].to_list()], dtype=pl.String),
            pl.Series("last_month", [month_name(month) for month in used["last"].to_list()], dtype=pl.String),
        )  # fmt: skip


SOURCE = Ecommerce()
