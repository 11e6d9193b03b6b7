"""Bills of a household: electricity, water, gas, broadband, television; and whether they are paid in time.

The account stands in one person's name, at the dwelling of that month. Small bills are forgotten by everybody now and
then, and left lying by people under strain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator import identities
from simulator.asking import Asking
from simulator.calls import HIT, NO_HIT, Calls
from simulator.customers import CITIES
from simulator.deliveries import only_where
from simulator.nesting import heading, with_records
from simulator.outside import Answer, AskedSource
from simulator.streams import pick, sigmoid
from simulator.timeline import first_day, month_name, month_of

TOLD = 24
"""Months in an answer."""
CONNECTED = 20
"""Of the thirty cities, those whose payment platform answers [stated]."""
TYPES = ("electric", "water", "gas", "broadband", "tv")
EVERY = np.array([1, 2, 2, 1, 3])
"""Months between two bills [stated]."""
SHARE = np.array([1.0, 1.0, 0.7, 0.6, 0.25])
"""Share of the households that have it [stated]."""
USED = np.array([190, 16, 24, 180, 60.0])
"""Usual amount between two bills: kWh, cubic metres, cubic metres, GB, hours [stated]."""
PRICE = np.array([0.58, 3.6, 3.1, 0.38, 1.2])
"""Yuan for each [stated: order of magnitude of household tariffs]."""
CLASSES = ("resident", "business", "agri")


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    asked_from: float = 22_000.0
    """Yuan applied for from which the customer is asked for the authorisation [stated]."""
    holder: tuple[float, ...] = (0.6, 0.6, 0.36, 0.25, 0.25)
    """Share of the people who hold the accounts of their home, by how they live: own, mortgage, rent, family, other
    [stated: with the cities 20 to 35 of 100 are found]."""
    late: float = -2.7
    """Log odds that an average customer pays a bill late [stated]."""


class Utility(AskedSource):
    """Bills by account."""

    name = "utility"
    assumes = Assume
    prefix = "UT"
    latency = (1000, 6000)
    timeout = 10000
    plant = ("hit", "2", pl.lit(True))

    def wanted(self, asking: Asking) -> np.ndarray:
        """Larger wishes: the customer has to log in for it."""
        return asking.screened & (asking.amount >= self.assume.asked_from)

    def answer(self, asking: Asking) -> Answer:
        """The bills of the last 24 whole months."""
        master = asking.master
        chance = np.array(self.assume.holder)[master.housing[asking.cust]]
        holds = asking.world.streams.lot("holds the accounts", asking.cust) < chance
        known = master.city[asking.cust] * 17 % len(CITIES) < CONNECTED

        def rows(calls: Calls, which: np.ndarray) -> pl.DataFrame:
            told = which[calls.result[which] == HIT]
            head = heading(calls, which).with_columns(id_hash=asking.id_md5(which))
            response = np.full(asking.n, np.datetime64("NaT"), "datetime64[D]")
            response[which] = calls.response_ts[which].astype("datetime64[D]")
            head = with_records(head, self._bills(asking, told, response), "bills")
            return head.select(*asking.world.rules[self.name].columns, "bills")

        return Answer(np.where(holds & known, HIT, NO_HIT), rows)

    def _bills(self, asking: Asking, told: np.ndarray, response: np.ndarray) -> pl.DataFrame:
        world, people, streams = asking.world, asking.people, asking.world.streams
        cust = asking.cust[told][:, None, None]
        months = (month_of(response[told])[:, None] - 1 - np.arange(TOLD)[::-1])[:, :, None]
        kind = np.arange(len(TYPES))[None, None, :]
        home = world.past.address_at(cust, months)
        # electricity is there in each month, so nobody is found without a bill
        there = (streams.lot("utility has", home, kind) < SHARE) & ((months + home) % EVERY == 0)
        at, back, bill = np.nonzero(there)
        who, when, dwelling = asking.cust[told][at], months[at, back, 0], home[at, back, 0]

        def lot(what: str) -> np.ndarray:
            return streams.lot(f"utility {what}", dwelling, when, bill)

        strain = 0.4 * people.risk[who] + 0.5 * world.past.stress_at(who, when) + 0.5 * asking.noise[told][at]
        swing = np.where(bill == 0, 1 + 0.35 * np.cos(4 * np.pi * (when % 12 - 0.5) / 12), 1.0)
        size = np.exp(0.35 * streams.gauss("utility size", dwelling, bill) + 0.12 * people.income_z[who])
        used = np.round(
            USED[bill] * swing * size * np.exp(0.15 * streams.gauss("utility used", dwelling, when, bill)), 1
        )
        shop = (people.company[who] >= 0) & (streams.lot("utility shop", dwelling) < 0.3)
        amount = np.round(used * PRICE[bill] * np.where(shop, 1.5, 1.0), 2)
        due = first_day(when + 1) + np.timedelta64(19, "D")
        late = lot("late") < sigmoid(self.assume.late + 0.55 * strain)
        days = np.where(
            late, 1 - 14 * np.log1p(-0.999 * lot("days")) * np.exp(0.3 * strain), -1 - lot("days") * 17
        )
        paid = due + np.floor(days).astype("timedelta64[D]")
        today = response[told][at]
        open_ = paid > today
        behind = np.maximum((np.where(open_, today, paid) - due).astype(np.int64), 0)
        user = np.where(shop, 1, 2 * (pick(streams.lot("utility class", dwelling), np.array([0.97, 0.03]))))
        meters, account = _hashed(dwelling * len(TYPES) + bill, lambda number: f"account {number}")
        homes, place = _hashed(dwelling, identities.address)
        return pl.DataFrame(
            {
                "at": told[at],
                "account_hash": meters.gather(account),
                "type": np.array(TYPES)[bill],
                "bill_month": pl.Series([month_name(month) for month in when.tolist()], dtype=pl.String),
                "usage": used,
                "amount": amount,
                "due_date": due,
                "pay_date": only_where(~open_, paid),
                "late_days": behind,
                "arrears": np.where(open_ & (behind > 0), amount, 0.0),
                "user_class": np.array(CLASSES)[user],
                "addr_hash": homes.gather(place),
            }
        )


def _hashed(numbers: np.ndarray, text: Callable[[int], str]) -> tuple[pl.Series, np.ndarray]:
    """SHA-256 of the text of each number once, and where each stands."""
    known, place = np.unique(numbers, return_inverse=True)
    return pl.Series([identities.sha256(text(int(one))) for one in known], dtype=pl.String), place


SOURCE = Utility()
