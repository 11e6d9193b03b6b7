"""The real estate register: who owns what, alone or together, what is mortgaged, what a court has seized.

Members of a household own together what shows with each of them. What stands in the name of parents does not show, so
some who say that they live in their own home are not found.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator import identities
from simulator.asking import Asking
from simulator.calls import HIT, NO_HIT, Calls
from simulator.customers import CITIES, HOUSING
from simulator.deliveries import only_where
from simulator.nesting import heading, with_records
from simulator.outside import Answer, AskedSource
from simulator.streams import pick, sigmoid
from simulator.timeline import START, first_day

MOST = 4
"""Units a person at most."""
CONNECTED = 24
"""Of the thirty cities, those whose register answers [stated]."""
USES = ("home", "shop", "office", "parking", "plant")
SIZE = np.array([92, 60, 110, 13, 400.0])
"""Usual floor area of each use in square metres [stated]."""


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    asked_from: float = 40_000.0
    """Yuan applied for from which on the register is asked; for business loans it always is [stated]."""
    in_own_name: float = 0.7
    """Of those who say that they live in their own home, who is registered as an owner [stated]."""
    elsewhere: float = 0.07
    """Of those who rent or live with others, who owns something [stated]."""
    seized: float = -4.3
    """Log odds that a unit of an average owner is seized [stated]."""


class Property(AskedSource):
    """Units by owner."""

    name = "property"
    assumes = Assume
    prefix = "PT"
    latency = (3000, 20000)
    timeout = 30000
    plant = ("hit", "2", pl.lit(True))

    def wanted(self, asking: Asking) -> np.ndarray:
        """Business loans and large wishes: the dearest source of all."""
        return asking.screened & ((asking.product == 4) | (asking.amount >= self.assume.asked_from))

    def answer(self, asking: Asking) -> Answer:
        """What is registered on the day of asking."""
        world, people, streams = asking.world, asking.people, asking.world.streams
        cust, number = asking.cust[:, None], np.arange(MOST)[None, :]
        today = asking.at.astype("datetime64[D]")[:, None]
        at_home = np.isin(world.master.housing[cust], [HOUSING.index("own"), HOUSING.index("mortgage")])
        tilt = np.exp(0.3 * people.income_z[cust] + 0.3 * asking.noise[:, None])
        first = np.where(at_home, self.assume.in_own_name, self.assume.elsewhere) * np.minimum(tilt, 1.25)
        more = np.array([1.0, 0.22, 0.10, 0.03]) * np.where(number > 0, tilt, 1.0)
        owns = streams.lot("unit", cust, number) < first * more
        home = people.household[cust]
        together = streams.lot("unit together", home, number) < 0.5
        whose = np.where(together, home, -1 - cust)
        bought = START + 30 - (230 * streams.lot("unit bought", whose, number)).astype(int)
        bought = first_day(bought) + (streams.lot("unit day", whose, number) * 28).astype("timedelta64[D]")
        there = owns & owns[:, :1] & (bought <= today)
        city = world.master.city[asking.cust]
        known = city * 13 % len(CITIES) < CONNECTED

        def rows(calls: Calls, which: np.ndarray) -> pl.DataFrame:
            told = which[calls.result[which] == HIT]
            row, column = np.nonzero(there[told])
            at = told[row]
            records = self._records(asking, at, column, whose[at, column], bought[at, column])
            head = heading(calls, which).with_columns(id_hash=asking.id_sm3(which))
            head = with_records(head, records, "units")
            return head.select(*world.rules[self.name].columns, "units")

        return Answer(np.where(known & there.any(axis=1), HIT, NO_HIT), rows)

    def _records(
        self, asking: Asking, at: np.ndarray, number: np.ndarray, whose: np.ndarray, bought: np.ndarray
    ) -> pl.DataFrame:
        people, streams, cust = asking.people, asking.world.streams, asking.cust[at]
        city = asking.world.master.city[cust]

        def lot(what: str) -> np.ndarray:
            return streams.lot(f"unit {what}", whose, number)

        extra = (number > 0).astype(float)
        use = pick(
            lot("use"),
            np.outer(1 - extra, [0.97, 0.02, 0.01, 0, 0]) + np.outer(extra, [0.4, 0.16, 0.08, 0.34, 0.02]),
        )
        area = np.round(SIZE[use] * np.exp(0.35 * streams.gauss("unit area", whose, number)), 1)
        level = 5_500 + (city * 37 % len(CITIES)) ** 2 * 32
        price = np.rint(level * np.exp(0.25 * streams.gauss("unit price", whose, number)) / 10) * 10
        held = (asking.at[at].astype("datetime64[D]") - bought).astype(np.int64) / 365.25
        lent = asking.world.master.housing[cust] == HOUSING.index("mortgage")
        mortgaged = (lot("mortgaged") < np.where(lent & (number == 0), 0.93, 0.14)) & (held < 22)
        mortgaged |= lot("pledged again") < sigmoid(-3.6 + 0.7 * people.debt[cust] + 0.4 * asking.noise[at])
        secured = np.maximum(np.rint(area * price * (0.35 + 0.4 * lot("lent")) / 1_000) * 1_000, 10_000)
        seized = streams.lot("unit seized", cust, number) < sigmoid(
            self.assume.seized + 0.9 * people.risk[cust] + 0.35 * people.stress[cust] + 0.4 * asking.noise[at]
        )
        joint = whose >= 0
        kind = np.where(joint, "joint", np.where(lot("in shares") < 0.06, "shares", "sole"))
        owner = np.where(joint, whose, cust)
        names = [
            identities.sha256(f"unit {kind[at]} {one} {two}")
            for at, (one, two) in enumerate(zip(owner.tolist(), number.tolist(), strict=True))
        ]
        cities = np.array(CITIES)[city]
        district = np.char.mod("%02d", 1 + (lot("district") * 9).astype(int))
        county = np.char.add(np.array([name[:4] for name in CITIES])[city], district)
        return pl.DataFrame(
            {
                "at": at,
                "unit_no_hash": pl.Series(names, dtype=pl.String),
                "city": cities,
                "adcode": county,
                "area_sqm": area,
                "usage": np.array(USES)[use],
                "right_type": kind,
                "share_ratio": np.select([kind == "joint", kind == "shares"], [0.5, 0.3], 1.0),
                "reg_date": bought,
                "mortgage_flag": mortgaged,
                "mortgage_amount": only_where(mortgaged, secured),
                "seizure_flag": seized,
                "est_price_sqm": price,
                "transfer_cnt": (3 * lot("hands") ** 2).astype(int),
            }
        )  # fmt: skip


SOURCE = Property()
