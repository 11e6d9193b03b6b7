"""Subsidies of farming households: every household's every year, some weeks after the season; a few are corrected."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator.deliveries import ARRIVES, ORDER, only_where
from simulator.farmers import farmers
from simulator.outside import Source
from simulator.streams import sigmoid
from simulator.timeline import START, first_day, last_day
from simulator.world import World

TYPES = ("fertility", "grain", "seed", "machine", "livestock", "forest", "insurance", "relief")
CROPS = ("wheat", "rice", "maize", "soy", "cotton", "fruit", "vegetable", "tea")
_PER_MU = np.array([95.0, 120.0, 22.0, 0, 0, 160.0, 0, 70.0])
_PAID_IN = np.array([5, 7, 4, 9, 10, 11, 6, 8])
"""Month of the year in which each kind is paid."""


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    insured: float = 0.3
    """Log odds that a household is insured in a year, an average one [stated]."""
    disaster: float = 0.16
    """Chance of a bad harvest in a village and year [stated]."""
    history: int = 3
    """Years before the start that the first file brings [stated]."""


class AgriSubsidy(Source):
    """Subsidies, crops, livestock."""

    name = "agri_subsidy"
    assumes = Assume
    plant = ("crop_type", "moss", pl.col("subsidy_type") == "seed")

    def begin(self, world: World) -> None:
        """The years before are in the first file."""
        for year in range(-self.assume.history, 0):
            for kind in range(len(TYPES)):
                self._pay(world, START + 12 * year + int(_PAID_IN[kind]), kind, START + 2)

    def live(self, world: World, month: int) -> None:
        """What is paid this month goes into the quarter's file."""
        for kind in np.flatnonzero(month % 12 == _PAID_IN).tolist():
            self._pay(world, month, kind, month + (2 - month % 3))

    def _pay(self, world: World, month: int, kind: int, sent_in: int) -> None:
        known = farmers(world)
        year = 2018 + month // 12
        yearly = world.streams.of(f"{self.name} year", year)
        bad = yearly.random(240)[known.place] < self.assume.disaster
        insured = yearly.random(known.size) < sigmoid(self.assume.insured + 0.45 * known.skill)
        rng = world.streams.of(f"{self.name} {kind}", month)
        d = rng.random((5, known.size))
        gets = {
            0: d[0] < 0.96, 1: (known.crop <= 3) & (d[0] < 0.9), 2: (known.crop <= 4) & (d[0] < 0.5),
            3: d[0] < sigmoid(-2.4 + 0.5 * known.skill), 4: (known.animals > 8) & (d[0] < 0.7),
            5: (known.crop == 5) & (d[0] < 0.4), 6: insured & (d[0] < 0.85), 7: bad & (d[0] < 0.75),
        }[kind]  # fmt: skip
        who = np.flatnonzero(gets)
        n = len(who)
        if not n:
            return
        base = _PER_MU[kind] * known.land[who]
        base = np.where(
            kind == 3, 2500 + 9000 * d[1][who], np.where(kind == 4, 40.0 * known.animals[who], base)
        )
        base = np.where(kind == 6, 12.0 * known.land[who], base)
        pay = first_day(month) + (d[2][who] * 27).astype("timedelta64[D]")
        batch = np.full(n, last_day(sent_in)) - np.timedelta64(2, "D")
        premium = np.round(16 * known.land[who] + 2)
        claims = np.where(bad[who] & insured[who], np.round(210 * known.land[who] * d[3][who]), 0.0)
        there = insured[who]
        frame = pl.DataFrame(
            {
                "household_id": np.char.mod("H%09d", known.number[who]),
                "id_hash": pl.Series(known.id_sha256).gather(who),
                "year": np.full(n, year),
                "subsidy_type": np.full(n, TYPES[kind]),
                "amount": np.round(np.minimum(base * (0.9 + 0.2 * d[4][who]), 900_000), 2),
                "pay_date": pay,
                "village_code": np.char.mod("9900%08d", known.place[who] * 37),
                "crop_type": np.array(CROPS)[known.crop[who]],
                "area_mu": known.land[who],
                "livestock_head": known.animals[who],
                "insured_flag": there,
                "premium": only_where(there, premium),
                "claim_amt": only_where(there, claims),
                "coop_id": only_where(known.place[who] % 3 == 0, np.char.mod("CO%06d", known.place[who])),
                "machinery_cnt": np.maximum(np.rint(known.skill[who] + 0.4), 0).astype(int),
                "batch_date": batch,
            }
        )
        corrected = frame.with_columns(
            amount=(pl.col("amount") * 0.8).round(2), batch_date=pl.col("batch_date").dt.offset_by("3mo")
        ).filter(pl.Series(rng.random(n) < world.assume.restated_share * 5))
        both = pl.concat([frame, corrected]).with_columns(
            pl.col("batch_date").alias(ARRIVES), pl.col("batch_date").cast(pl.Datetime("us")).alias(ORDER)
        )
        world.deliveries.add(self.name, both, month, may_be_late=False)


SOURCE = AgriSubsidy()
