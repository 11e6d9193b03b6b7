"""The vehicle register with the insurers' records: what somebody drives, how, and whether it is pledged.

A vehicle is bought on a day of its own and stays what it is; claims, violations and lapsed insurance follow the driver.
"""

from __future__ import annotations

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
from simulator.timeline import START, first_day

MOST = 3
"""Vehicles a person at most."""
TIERS = ("luxury", "premium", "middle", "economy", "mini")
NEW_PRICE = np.array([420_000, 230_000, 135_000, 75_000, 36_000.0])
"""Yuan of a new vehicle of each tier [stated]."""
VALUES = ("lt3w", "3w_8w", "8w_15w", "15w_30w", "ge30w")
PREMIUMS = ("lt1k", "1k_3k", "3k_6k", "ge6k")
USES = ("private", "hailing", "cargo", "rental")


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    asked_from: float = 25_000.0
    """Yuan applied for from which on the register is asked; for a car loan it always is [stated]."""
    owned: float = -0.28
    """Log odds that an average customer has ever had a vehicle in the own name [stated: 30 to 45 of 100 have one]."""
    pledged: float = 0.5
    """Share of the vehicles that are bought on credit and pledged for up to three years [stated]."""
    violations: float = 0.8
    """Traffic violations a year of an average driver [stated]."""


class Vehicle(AskedSource):
    """Vehicles by owner."""

    name = "vehicle"
    assumes = Assume
    prefix = "VH"
    latency = (1000, 5000)
    timeout = 8000
    plant = ("hit", "2", pl.lit(True))

    def wanted(self, asking: Asking) -> np.ndarray:
        """Car loans and larger wishes."""
        return asking.screened & ((asking.product == 3) | (asking.amount >= self.assume.asked_from))

    def answer(self, asking: Asking) -> Answer:
        """What is registered on the day of asking."""
        people, streams = asking.people, asking.world.streams
        cust, which_one = asking.cust[:, None], np.arange(MOST)[None, :]
        today = asking.at.astype("datetime64[D]")[:, None]
        wealth = 0.75 * people.income_z[cust] + 0.25 * people.stability[cust] + 0.6 * asking.noise[:, None]
        chance = sigmoid(self.assume.owned + wealth) * np.array([1.0, 0.22, 0.04])
        owns = streams.lot("car", cust, which_one) < chance
        bought = START + 34 - (150 * streams.lot("car bought", cust, which_one) ** 1.2).astype(int)
        bought = first_day(bought) + (streams.lot("car day", cust, which_one) * 28).astype("timedelta64[D]")
        grown = people.birth[cust] + np.timedelta64(19 * 365, "D")
        sold = bought + (900 - 2_600 * np.log1p(-0.999 * streams.lot("car sold", cust, which_one))).astype(
            "timedelta64[D]"
        )
        there = owns & (bought > grown) & (bought <= today) & (sold > today)

        def rows(calls: Calls, which: np.ndarray) -> pl.DataFrame:
            told = which[calls.result[which] == HIT]
            row, column = np.nonzero(there[told])
            at = told[row]
            records = self._records(asking, at, column, bought[at, column])
            head = heading(calls, which).with_columns(id_hash=asking.id_md5(which))
            head = with_records(head, records, "vehicles")
            return head.select(*asking.world.rules[self.name].columns, "vehicles")

        return Answer(np.where(there.any(axis=1), HIT, NO_HIT), rows)

    def _records(self, asking: Asking, at: np.ndarray, car: np.ndarray, bought: np.ndarray) -> pl.DataFrame:
        people, streams, cust = asking.people, asking.world.streams, asking.cust[at]
        risk, noise = people.risk[cust], asking.noise[at]
        today = asking.at[at].astype("datetime64[D]")

        def lot(what: str, *more: np.ndarray) -> np.ndarray:
            return streams.lot(f"car {what}", cust, car, *more)

        tilt = np.outer(people.income_z[cust], [1.3, 0.8, 0.2, -0.4, -0.9])
        tier = pick(lot("tier"), np.array([0.06, 0.16, 0.36, 0.32, 0.10]) * np.exp(tilt))
        used = lot("used") < sigmoid(-1.0 - 0.4 * people.income_z[cust])
        before = np.where(used, 1 + (lot("age") * 8).astype(int), 0)
        held = (today - bought).astype(np.int64) / 365.25
        value = NEW_PRICE[tier] * 0.87 ** (held + before) * np.exp(0.25 * (lot("state") - 0.5))
        # the insurance year begins on the day of the purchase; who is short of money lets it lapse
        year = held.astype(int)
        lapses = sigmoid(-2.9 + 0.55 * risk + 0.45 * noise + 0.25 * people.stress[cust])
        lapsed = (lot("lapses", year) < lapses) & (year > 0)
        start = bought + ((year - lapsed) * 365.25).astype("timedelta64[D]")
        insured = lot("insured") > 0.03
        claims = _poisson(
            lot("claims", year), 0.55 * np.minimum(held, 3) / 3 * np.exp(0.25 * risk + 0.4 * noise)
        )
        paid = np.select(
            [claims == 0, lot("damage", year) < 0.6, lot("damage", year) < 0.92],
            ["zero", "lt5k", "5k_2w"],
            "ge2w",
        )
        wild = np.exp(0.3 * risk + 0.2 * people.fraud[cust] + 0.4 * noise)
        violations = _poisson(lot("violations", year), self.assume.violations * wild)
        points = (violations * np.floor(lot("points", year) * 4)).astype(int)
        premium = value * 0.012 + 900 + 350 * claims
        band = np.searchsorted([1_000, 3_000, 6_000], premium, side="right")
        frames = [
            identities.sha256(f"vehicle {who} {one}")
            for who, one in zip(cust.tolist(), car.tolist(), strict=True)
        ]
        pledged = (lot("pledged") < self.assume.pledged * np.exp(0.25 * people.debt[cust] - 0.1)) & (held < 3)
        use = pick(lot("use"), np.array([0.9, 0.05, 0.04, 0.01]) * np.exp(np.outer(risk, [0, 0.3, 0.2, 0.1])))
        return pl.DataFrame(
            {
                "at": at,
                "vin_hash": pl.Series(frames, dtype=pl.String),
                "plate_area": np.array(CITIES)[asking.world.master.city[cust]],
                "brand_tier": np.array(TIERS)[tier],
                "model_year": bought.astype("datetime64[Y]").astype(np.int64) + 1970 - before,
                "reg_date": bought,
                "value_band": np.array(VALUES)[np.searchsorted([30e3, 80e3, 150e3, 300e3], value, side="right")],
                "usage": np.array(USES)[use],
                "mortgage_flag": pledged,
                "transfer_cnt": np.where(used, 1 + (lot("hands") * 3).astype(int), 0),
                "insurance_start": only_where(insured, start),
                "premium_band": only_where(insured, np.array(PREMIUMS)[band]),
                "claim_cnt": claims,
                "claim_amt_band": paid,
                "violation_cnt": violations,
                "violation_points": points,
            }
        )  # fmt: skip


def _poisson(draw: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """Poisson counts up to 12 from even draws, by summing probabilities."""
    count = np.zeros(len(draw), np.int64)
    term = np.exp(-rate)
    total = term.copy()
    for number in range(1, 13):
        count += draw > total
        term = term * rate / number
        total += term
    return count


SOURCE = Vehicle()
