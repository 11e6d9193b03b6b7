"""Positions of those who consent: nights at home, days at work, other places, journeys; some positions are made up."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator.customers import CITIES
from simulator.deliveries import ARRIVES, ORDER
from simulator.outside import Source
from simulator.places import WORK, position
from simulator.streams import pick, sigmoid
from simulator.timeline import days_in, first_day
from simulator.world import World

POIS = (
    "residence",
    "office",
    "factory",
    "shop",
    "hospital",
    "school",
    "station",
    "leisure",
    "gaming",
    "pawn",
)
_ELSEWHERE = np.array([0.16, 0.06, 0.03, 0.3, 0.06, 0.06, 0.13, 0.14, 0.05, 0.01])
_TEMPTED = np.array([0, 0, 0, 0, 0, -0.1, 0.1, 0.2, 0.75, 0.9])
SOURCES = ("gps", "wifi", "cell", "ip")
PLACES = ("home", "work", "other")


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    consent: float = 0.52
    """Share of the customers who let the app see where they are [stated: 40 to 60 of 100]."""
    stays: float = 1.75
    """Stays a month and consenting customer [stated: one for each few openings of the app]."""
    mock: float = -5.0
    """Log odds that a position is made up [stated]."""


class Lbs(Source):
    """Positions and stays."""

    name = "lbs"
    assumes = Assume
    plant = ("poi_type", "moon", pl.col("place_type") == "other")

    def begin(self, world: World) -> None:
        """Who consents, for good."""
        d = world.streams.of("lbs consent").random(world.people.size)
        world.kept[self.name] = {"consents": d < self.assume.consent, "wifi": {}}

    def live(self, world: World, month: int) -> None:
        """The month's stays."""
        people, master = world.people, world.master
        rng = world.streams.of(self.name, month)
        talk = world.drift(self.name, month)
        rate = self.assume.stays * np.exp(0.3 * world.noise(self.name) + 0.35 * talk)
        present = world.kept[self.name]["consents"] & (
            master.since < first_day(month).astype("datetime64[s]")
        )
        count = rng.poisson(np.where(present, rate, 0))
        who = np.repeat(np.arange(people.size), count)
        n = len(who)
        d = rng.random((9, n))
        working = people.employer[who] >= 0
        pull = 0.35 * people.debt[who] + 0.3 * people.risk[who] + 0.2 * people.stress[who]
        odds = np.stack(
            [
                np.full(n, 0.55),
                np.where(working, 0.25, 0.0),
                0.2 * np.exp(0.2 * pull - 0.2 * people.stability[who]),
            ],
            1,
        )
        place = pick(d[0], odds)
        travels = (place == 2) & (
            d[1] < sigmoid(-1.9 - 0.3 * people.stability[who] + 0.3 * people.fraud[who])
        )
        home, work = people.address[who], people.employer[who] + WORK
        spot = np.where(
            place == 0, home, np.where(place == 1, work, home * 31 + (d[2] * 12).astype(int) + 5_000_000)
        )
        city = np.where(travels, (d[2] * 30).astype(int), master.city[who])
        lng, lat = position(spot, city)
        mock = d[3] < sigmoid(self.assume.mock + 0.75 * people.fraud[who])
        lng = np.where(mock, np.round(lng + 0.5 + d[4], 2), lng)
        poi = np.where(
            place == 0, 0, np.where(place == 1, 1 + (people.employer[who] % 3 == 0), pick(
                d[5], _ELSEWHERE * np.exp(np.outer(pull, _TEMPTED))
            ))
        )  # fmt: skip
        hour = np.where(
            place == 0, (19 + (d[6] * 12)) % 24, np.where(place == 1, 8 + d[6] * 10, 9 + d[6] * 13)
        )
        day = first_day(month) + (d[7] * days_in(month)).astype("timedelta64[D]")
        # the customer's number in the seconds keeps two stays of one person apart
        seconds = (hour * 3600).astype(np.int64)
        ts = day.astype("datetime64[ms]") + (seconds * 1000).astype("timedelta64[ms]")
        how = pick(d[8], np.array([0.42, 0.33, 0.2, 0.05]))
        received = ts + (60_000 + (d[4] * 3_500_000).astype(np.int64)).astype("timedelta64[ms]")
        wifi = world.kept[self.name]["wifi"]
        network = [
            _wifi(wifi, spot_) if there else None
            for spot_, there in zip(spot.tolist(), ((how == 1) | (d[6] < 0.3)).tolist(), strict=True)
        ]
        frame = pl.DataFrame(
            {
                "device_id": [people.device_id(int(number)) for number in people.device[who].tolist()],
                "user_id": pl.Series(master.person).gather(who),
                "ts": ts,
                "lng": lng,
                "lat": lat,
                "accuracy_m": np.array([12, 40, 600, 5000])[how] + (d[2] * 30).astype(int),
                "grid_id": pl.Series(np.char.add(
                    np.char.add("G", np.char.zfill(np.rint(lng * 100).astype(int).astype(str), 4)),
                    np.char.zfill(np.rint(lat * 100).astype(int).astype(str), 4),
                ) if n else [], dtype=pl.String),
                "adcode": np.array(CITIES)[city],
                "place_type": np.array(PLACES)[place],
                "poi_type": np.array(POIS)[poi],
                "wifi_hash": pl.Series(network, dtype=pl.String),
                "cell_id": pl.Series(np.char.add("C", np.char.zfill((spot % 1_000_000).astype(str), 6)) if n else [],
                    dtype=pl.String),
                "is_mock": mock,
                "stay_min": np.minimum(5 + np.where(place == 2, 90, 400) * d[4], 1440).astype(int),
                "source": np.array(SOURCES)[how],
                "received_ts": received,
                ARRIVES: received.astype("datetime64[D]"),
                ORDER: ts.astype("datetime64[us]"),
            }
        ).unique(["user_id", "ts"], keep="first", maintain_order=True)  # fmt: skip
        world.deliveries.add(self.name, frame, month)


def _wifi(known: dict[int, str], spot: int) -> str:
    text = known.get(spot)
    if text is None:
        text = known[spot] = hashlib.md5(f"sample-{spot}".encode(), usedforsecurity=False).hexdigest()
    return text


SOURCE = Lbs()
