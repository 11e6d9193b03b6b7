"""Orders of large buyers to customers' companies: placed, delivered, confirmed, paid; each step comes the next day.

Companies that fare badly deliver late and short; core enterprises with poor ratings pay late.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator.deliveries import ARRIVES, ORDER, only_where
from simulator.outside import Source
from simulator.streams import sigmoid
from simulator.timeline import START, days_in, first_day
from simulator.world import World

RATINGS = ("AAA", "AA+", "AA", "AA-", "A")
CORES = 40
"""Core enterprises in all."""


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    suppliers: float = 0.16
    """Share of the companies that supply a core enterprise [stated: 10 to 20 of 100]."""
    orders: float = 5.0
    """Orders a month and supplier [stated]."""
    history: int = 12
    """Months before the start that the first file brings [stated]."""
    share: float = 0.45
    """Part of a supplier's turnover that goes to its core enterprises [stated]."""


class SupplyChain(Source):
    """Supply chain and core enterprises."""

    name = "supply_chain"
    assumes = Assume
    plant = ("core_rating", "Z", pl.col("confirm_flag"))

    def begin(self, world: World) -> None:
        """Who supplies whom, and the orders of the last year."""
        companies = world.companies
        d = world.streams.of(self.name).random((2, companies.size))
        supplies = d[0] < self.assume.suppliers
        supplies[np.argsort(d[0])[:3]] = True
        world.kept[self.name] = {"supplies": supplies, "core": (d[1] * CORES).astype(int), "serial": 0}
        for month in range(START - self.assume.history, START):
            self._order(world, month)

    def live(self, world: World, month: int) -> None:
        """The month's orders, with everything that will come of them; each version waits for its day."""
        self._order(world, month)

    def _order(self, world: World, month: int) -> None:
        companies, kept = world.companies, world.kept[self.name]
        rng = world.streams.of(f"{self.name} orders", month)
        count = rng.poisson(self.assume.orders, companies.size)
        turnover = companies.turnover(max(month, START)) if month >= START else companies.scale
        alive = kept["supplies"] & (companies.founded < month) & (turnover > 0)
        who = np.repeat(np.arange(companies.size), np.where(alive, count, 0))
        n = len(who)
        if not n:
            return
        d = rng.random((10, n))
        health = companies.health[who]
        second = d[0] < 0.25
        core = (kept["core"][who] + second * 7) % CORES
        rating = core % 5
        ordered = first_day(month) + (d[1] * days_in(month)).astype("timedelta64[D]")
        spread = np.exp(0.6 * np.log((d[2] + 1e-9) / (1 - d[2] + 1e-9)) / 1.702)
        amount = np.maximum(np.rint(turnover[who] * self.assume.share / self.assume.orders * spread), 200.0)
        late = d[3] < sigmoid(-1.6 - 0.6 * health)
        delivered = ordered + (6 + d[4] * 18 + late * 15).astype("timedelta64[D]")
        given = np.rint(amount * np.where(d[5] < sigmoid(-2.2 - 0.5 * health), 0.6 + 0.35 * d[6], 1.0))
        back = np.where(d[7] < 0.06, np.rint(given * 0.1), 0.0)
        due = delivered + np.timedelta64(60, "D")
        paid = due + (-8 + d[8] * 12 + 14 * (rating >= 3) * d[9] + 30 * (d[9] > 0.95)).astype(
            "timedelta64[D]"
        )
        dispute = d[7] < sigmoid(-3.6 - 0.4 * health)
        pays = ~dispute | (d[9] < 0.5)
        never = np.datetime64("NaT", "D")
        order_no = kept["serial"] + np.arange(n)
        kept["serial"] += n
        code = pl.Series(companies.code).gather(who)

        def version(step: int, day: np.ndarray, which: np.ndarray) -> pl.DataFrame:
            came, settled = np.full(n, step >= 1), np.full(n, step >= 2)
            owed = np.where(settled, 0.0, np.where(came, given - back, 0.0))
            batch = day + np.timedelta64(1, "D")
            return pl.DataFrame(
                {
                    "order_no": np.char.mod("SO%012d", order_no),
                    "supplier_id": code,
                    "core_id": np.char.mod("CE%04d", core),
                    "order_date": ordered,
                    "order_amt": amount,
                    "deliver_date": np.where(came, delivered, never),
                    "deliver_amt": only_where(came, given),
                    "invoice_amt": only_where(came, given),
                    "return_amt": only_where(came, back),
                    "due_date": np.where(came, due, never),
                    "paid_date": np.where(settled, paid, never),
                    "paid_amt": only_where(settled, given - back),
                    "confirm_flag": came & (d[0] < 0.8) & ~dispute,
                    "dispute_flag": came & dispute,
                    "receivable_bal": owed,
                    "core_rating": np.array(RATINGS)[rating],
                    "batch_date": batch,
                    ARRIVES: batch,
                    ORDER: batch.astype("datetime64[us]"),
                }
            ).filter(pl.Series(which))

        everyone = np.ones(n, bool)
        paid = np.maximum(paid, delivered)
        steps = [version(0, ordered, everyone), version(1, delivered, everyone), version(2, paid, pays)]
        world.deliveries.add(self.name, pl.concat(steps), month)


SOURCE = SupplyChain()
