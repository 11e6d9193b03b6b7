"""The land register: each household's parcels as they stood at the start, and what changes in a quarter.

Who does badly lets land and pledges it; who does well rents more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator import identities
from simulator.deliveries import ARRIVES, ORDER
from simulator.farmers import Farmers, farmers
from simulator.outside import Source
from simulator.streams import pick, sigmoid
from simulator.timeline import START, first_day, last_day
from simulator.world import World

LANDS = ("arable", "forest", "homestead", "construction")
RIGHTS = ("contract", "management", "use")


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    let: float = 0.03
    """Chance that an arable parcel is let in a quarter, an average household [stated]."""
    pledged: float = 0.012
    """Chance that a parcel is pledged in a quarter, an average household [stated]."""
    disputed: float = 0.02
    """Share of the parcels that are disputed [stated]."""


class LandRight(Source):
    """Land contract rights and transfers."""

    name = "land_right"
    assumes = Assume
    plant = ("right_type", "dream", pl.col("land_type") == "forest")

    def begin(self, world: World) -> None:
        """Every household has a homestead and one to four other parcels."""
        known = farmers(world)
        rng = world.streams.of(self.name)
        count = 2 + rng.integers(0, 4, known.size)
        house = np.repeat(np.arange(known.size), count)
        n = len(house)
        d = rng.random((6, n))
        first = np.arange(n) == np.repeat(np.cumsum(count) - count, count)
        land = np.where(first, 2, pick(d[0], np.array([0.72, 0.22, 0.0, 0.06])))
        begun = first_day(START - 24 - (d[1] * 140).astype(int))
        world.kept[self.name] = {
            "house": house, "land": land, "serial": rng.permutation(n) + 1,
            "area": np.round(np.where(land == 2, 0.3, known.land[house] * (0.2 + 0.8 * d[2])), 2),
            "from": begun, "to": begun + np.where(land == 1, 70, 30) * np.timedelta64(365, "D"),
            "since": begun, "dir": np.zeros(n, int), "moved": np.full(n, np.datetime64("NaT", "D")),
            "rent": np.round(200 + 900 * d[3]), "pledged": d[4] < 0.04, "disputed": d[5] < self.assume.disputed,
        }  # fmt: skip
        self._send(world, known, np.arange(n), None, last_day(START + 2), START)

    def live(self, world: World, month: int) -> None:
        """At a quarter's end, what changed in it."""
        if month % 3 != 2 or month == START + 2:
            return
        known, kept = farmers(world), world.kept[self.name]
        rng = world.streams.of(self.name, month)
        n = len(kept["house"])
        d = rng.random((4, n))
        skill = known.skill[kept["house"]]
        moving = (kept["land"] == 0) & (d[0] < self.assume.let * np.exp(0.3 * np.abs(skill)))
        pledging = (
            ~kept["pledged"] & (kept["land"] != 2) & (d[1] < self.assume.pledged * np.exp(-0.5 * skill))
        )
        which = np.flatnonzero(moving | pledging)
        day = first_day(month - 2) + (d[2] * 80).astype("timedelta64[D]")
        self._send(world, known, which, day[which], last_day(month), month)
        goes = np.where(kept["dir"] > 0, 0, np.where(d[3] < sigmoid(-0.9 * skill), 1, 2))
        kept["dir"] = np.where(moving, goes, kept["dir"])
        kept["moved"] = np.where(moving, np.where(goes > 0, day, np.datetime64("NaT", "D")), kept["moved"])
        kept["pledged"] = kept["pledged"] | pledging
        kept["since"] = np.where(moving | pledging, day, kept["since"])
        self._send(world, known, which, None, last_day(month), month)

    def _send(
        self,
        world: World,
        known: Farmers,
        which: np.ndarray,
        ended: np.ndarray | None,
        sent: np.datetime64,
        month: int,
    ) -> None:
        if not len(which):
            return
        kept = world.kept[self.name]
        house, land, way = kept["house"][which], kept["land"][which], kept["dir"][which]
        let = pl.Series(way > 0)
        n = len(which)
        right = np.where(land == 2, 2, np.where(way == 2, 1, 0))
        place = known.place[house]
        frame = pl.DataFrame(
            {
                "parcel_id": np.char.mod("LP%012d", kept["serial"][which]),
                "valid_from": kept["since"][which],
                "valid_to": np.full(n, np.datetime64("NaT", "D")) if ended is None else ended,
                "household_id": np.char.mod("H%09d", known.number[house]),
                "id_hash": pl.Series(known.id_sha256).gather(house),
                "land_type": np.array(LANDS)[land],
                "area_mu": kept["area"][which],
                "right_type": np.array(RIGHTS)[right],
                "cert_no_hash": [
                    identities.sha256(f"certificate {serial}") for serial in kept["serial"][which].tolist()
                ],
                "contract_from": kept["from"][which],
                "contract_to": kept["to"][which],
                "transfer_dir": np.array(["none", "out", "in"])[way],
                "transfer_date": kept["moved"][which],
                "rent_per_mu": pl.Series(kept["rent"][which]).zip_with(
                    let, pl.Series([None] * n, dtype=pl.Float64)
                ),
                "mortgage_flag": kept["pledged"][which],
                "dispute_flag": kept["disputed"][which],
                "grid_id": np.char.mod("G%08d", place * 4001 % 6_000_000),
                "batch_date": np.full(n, sent),
                ARRIVES: np.full(n, sent),
                ORDER: np.full(n, sent).astype("datetime64[us]"),
            }
        )
        world.deliveries.add(self.name, frame, month, may_be_late=False)


SOURCE = LandRight()
