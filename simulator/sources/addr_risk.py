"""The addresses of an application, put into standard spelling, located, and with who else applies from there.

A dwelling's facts are its own; how well it is found depends on the dwelling, and on whether somebody made it up.
Families apply from one door as rings do, only not in the same quarter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator import identities
from simulator.asking import Asking
from simulator.calls import HIT, NO_HIT, Calls
from simulator.customers import CITIES
from simulator.deliveries import moment, only_where
from simulator.outside import Answer, AskedSource
from simulator.places import CITY_COUNT, WORK, home_city, position, registered_dwelling
from simulator.streams import pick, sigmoid
from simulator.world import World

HOME, AT_WORK, REGISTER, DEVICE = range(4)
TYPES = ("home", "work", "id", "device")
LEVELS = ("room", "building", "road", "district", "none")
PLACES = (
    "residence", "village", "dormitory", "office", "factory", "shop", "hotel", "pickup", "virtual", "other",
)  # fmt: skip
_HOMES = np.array([78, 9, 5, 0.6, 0.3, 1.2, 0.8, 0.8, 0.3, 4])
_HIDEOUTS = np.array([38, 4, 16, 6, 2, 6, 12, 8, 5, 3.0])
_WORKS = np.array([4, 1, 0, 42, 25, 20, 1, 0, 3, 4.0])
_ANYWHERE = np.array([45, 5, 2, 16, 6, 14, 4, 1, 0, 7.0])
TAGS = ("intermediary", "many_applicants", "listed", "vacant", "demolished", "temporary", "not_found")
SOMEWHERE = 6_000_000
"""Dwellings from this number on are places where a device was, and nobody lives who is a customer."""


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    lost: float = -1.95
    """Log odds that an average home is not found on the map [stated: hit rate 85 %]."""
    elsewhere: float = 0.35
    """Applications at others in 90 days from an average address that this source alone sees [stated]."""


class AddrRisk(AskedSource):
    """Standard spelling, location and risk of addresses."""

    name = "addr_risk"
    assumes = Assume
    prefix = "DZ"
    latency = (200, 900)
    entity = "address"
    plant = ("hit", "yes", pl.lit(value=True))

    def begin(self, world: World) -> None:
        """No address was sent yet."""
        world.kept[self.name] = set()

    def subject(self, asking: Asking) -> np.ndarray:
        """The home on file."""
        return asking.master.address[asking.cust]

    def answer(self, asking: Asking) -> Answer:
        """Facts of up to four addresses an applicant, one below the other."""
        people, cust, lot = asking.people, asking.cust, asking.world.streams.lot
        n = asking.n
        home, work = asking.master.address[cust], people.employer[cust]
        d = asking.rng().random((6, 4, n))
        register = registered_dwelling(people, asking.world.streams)[cust]
        away = d[0, DEVICE] < sigmoid(-1.6 + 0.4 * people.fraud[cust] - 0.3 * people.stability[cust])
        where = np.where(away, SOMEWHERE + (d[1, DEVICE] * 1_000_000).astype(int), home)
        number = np.stack([home, WORK + np.maximum(work, 0), register, where])
        given = np.stack(
            [np.ones(n, bool), (work >= 0) & (d[0, AT_WORK] < 0.9), d[0, REGISTER] < 0.8, d[2, DEVICE] < 0.3]
        )
        live_in = home_city(people)[cust]
        far = (lot("family far away", people.household[cust]) * CITY_COUNT).astype(int)
        city = np.stack([
            live_in, live_in, np.where(register == people.household[cust], live_in, far),
            np.where(away & (d[3, DEVICE] < 0.5), (d[4, DEVICE] * CITY_COUNT).astype(int), live_in),
        ])  # fmt: skip
        fraud = np.clip(people.fraud[cust], -2, 4)
        odds = self.assume.lost + 0.3 * fraud - 0.2 * people.stability[cust] + 0.35 * asking.noise
        lost = lot("not on the map", number) < sigmoid(odds + np.array([0.0, -0.9, 0.2, -3.0])[:, None])
        level = np.where(
            lost, 4, pick(lot("found to", number).ravel(), np.array([0.5, 0.28, 0.17, 0.05])).reshape(4, n)
        )
        crowd = (people.ring[cust] >= 0)[None, :] & (np.arange(4) == HOME)[:, None]
        weights = np.stack([_HOMES, _WORKS, _HOMES, _ANYWHERE])[np.repeat(np.arange(4), n)]
        tilt = np.exp(np.outer(np.tile(fraud, 4), [0, 0, 0.25, 0.2, 0, 0.1, 0.35, 0.3, 0.5, 0]))
        weights = np.where(crowd.ravel()[:, None], _HIDEOUTS, weights * np.where(weights > 0, tilt, 1))
        place = pick(lot("what stands there", number).ravel(), weights).reshape(4, n)
        living, asked = self._counts(asking, number)
        pull = 0.3 * fraud + 0.25 * people.debt[cust] + 0.45 * asking.noise
        rng = asking.rng("counts")
        more = rng.poisson(self.assume.elsewhere * np.exp(pull) * np.array([1.0, 4.0, 0.6, 1.0])[:, None])
        applied, residents = asked + more, living + rng.poisson(0.25 + 0.3 * more)
        tags = np.stack([
            lot("agents", number) < sigmoid(-5.0 + 0.6 * fraud + 1.2 * crowd),
            (applied >= 3) & (d[5] < 0.75),
            lot("listed", number) < sigmoid(-6.2 + 0.7 * fraud + 0.5 * people.risk[cust]),
            lot("vacant", number) < sigmoid(-4.6 + 0.35 * fraud),
            lot("demolished", number) < 0.004,
            (place == PLACES.index("hotel")) & (d[4] < 0.7),
            lost & (d[3] < 0.3),
        ])  # fmt: skip
        found = ~lost
        wealth = asking.world.streams.gauss("estate", number // 36)
        band = 1 + np.clip(np.rint(2.3 + 0.7 * people.income_z[cust] + 0.9 * wealth), 0, 5).astype(int)
        sure = np.array([0.93, 0.84, 0.68, 0.55, 0.22])[level] + 0.12 * (d[2] - 0.5)

        def rows(calls: Calls, which: np.ndarray) -> pl.DataFrame:
            # an entry's addresses follow each other
            entry, kind = np.nonzero(given[:, which].T)
            at = (kind, which[entry])
            hit = calls.result[which] == HIT
            there = (found[at] & ((kind != HOME) | hit[entry])) if len(entry) else np.zeros(0, bool)
            fine = there & (level[at] < 2)
            spelt = there & (level[at] < 3)
            lng, lat = position(number[at], city[at])
            texts = [identities.address(one) for one in number[at].tolist()]
            asking.world.kept[self.name].update(texts)
            marks = tags[:, at[0], at[1]] & there
            marks[TAGS.index("not_found")] = tags[TAGS.index("not_found")][at] & ~there
            marks[TAGS.index("many_applicants")] &= there
            listed = [
                [{"tag": TAGS[mark]} for mark in np.flatnonzero(row).tolist()] if row.any() else []
                for row in marks.T
            ]
            lived_in = np.isin(place[at], [0, 1, 2])
            addresses = pl.DataFrame(
                {
                    "entry": entry,
                    "addr_raw": self._wrote(asking, kind, at, texts),
                    "addr_type": np.array(TYPES)[kind],
                    "std_addr": only_where(spelt, np.array(texts, dtype=str)),
                    "adcode": only_where(there, np.array(CITIES)[city[at]]),
                    "lng": only_where(there, lng),
                    "lat": only_where(there, lat),
                    "geo_level": only_where(there, np.array(LEVELS)[level[at]]),
                    "poi_type": only_where(there, np.array(PLACES)[place[at]]),
                    "conf": np.round(np.where(there, np.clip(sure[at], 0.02, 0.99), np.minimum(sure[at], 0.38)), 3),
                    "aoi_id": only_where(fine, np.char.add("A", np.char.zfill((number[at] // 36).astype(str), 8))),
                    "aoi_price_band": only_where(fine & lived_in, band[at].astype(str)),
                    "apply_cnt_90d": only_where(there, applied[at]),
                    "resident_cnt": only_where(there, residents[at]),
                    "risk_tags": pl.Series(listed, dtype=pl.List(pl.Struct({"tag": pl.String}))),
                }
            )  # fmt: skip
            nested = addresses.group_by("entry", maintain_order=True).agg(
                pl.struct(pl.exclude("entry")).alias("addresses"),
                pl.len().cast(pl.Int64).alias("address_count"),
            )
            head = pl.DataFrame(
                {
                    "req_id": [calls.request[one] for one in which],
                    "person_id": pl.Series(asking.master.person).gather(cust[which]),
                    "query_ts": calls.request_ts[which] + np.timedelta64(2, "ms"),
                    "report_ts": calls.response_ts[which],
                    "hit": np.where(hit, "1", "0"),
                }
            ).with_columns(moment("query_ts"), moment("report_ts"))
            return pl.concat([head, nested.drop("entry")], how="horizontal")

        return Answer(np.where(found[HOME], HIT, NO_HIT), rows)

    def _counts(self, asking: Asking, number: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Customers who live at each address, and their applications elsewhere in three months."""
        people = asking.people
        dwellings, place, living = np.unique(people.address, return_inverse=True, return_counts=True)
        there = asking.world.elsewhere.last(asking.month, 3)
        asked = np.bincount(place[there["cust"]], minlength=len(dwellings))
        at = np.minimum(np.searchsorted(dwellings, number), len(dwellings) - 1)
        known = dwellings[at] == number
        return np.where(known, living[at], 0), np.where(known, asked[at] // 2, 0)

    def _wrote(
        self, asking: Asking, kind: np.ndarray, at: tuple[np.ndarray, np.ndarray], texts: list[str]
    ) -> list[str]:
        """Home and work as the applicant writes them; the register's and the map's spelling are plain."""
        spelt, cust = asking.people.spelt, asking.cust
        since = asking.master.valid_from
        wrote = []
        for one, entry, text in zip(kind.tolist(), at[1].tolist(), texts, strict=True):
            who = int(cust[entry])
            if one == HOME:
                # as it stands in the customer master
                home = int(asking.master.address[who])
                wrote.append(spelt.address(home, "own_customer", who, str(since[who])))
            elif one == AT_WORK:
                wrote.append(spelt.address(int(asking.people.employer[who]) + WORK, self.name, who))
            else:
                wrote.append(text)
        return wrote

    def truth(self, world: World) -> dict[str, pl.DataFrame]:
        """Every address that was sent in its plain spelling."""
        texts = sorted(world.kept.get(self.name, ()))
        return {"identifiers_addr_risk": pl.DataFrame({"entity": ["address"] * len(texts), "value": texts},
            schema={"entity": pl.String, "value": pl.String})}  # fmt: skip


SOURCE = AddrRisk()
