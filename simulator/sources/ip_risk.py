"""What a library of network addresses knows: kind of network, place, and what has been seen from it.

Marks are of the address. A home's address says a little of the household, a carrier's exit of nobody; data centres are
marked for good reasons, and some honest people come through them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator.asking import Asking
from simulator.calls import HIT, NO_HIT, Calls
from simulator.customers import CITIES
from simulator.deliveries import moment, only_where
from simulator.networks import (
    EDU,
    ENTERPRISE,
    HOME,
    IDC,
    KINDS,
    MOBILE,
    PUBLIC,
    city_of,
    kind_of,
    network_address,
)
from simulator.outside import Answer, AskedSource
from simulator.streams import pick

OPERATORS = ("cmcc", "cucc", "ctcc", "cbn", "cloud", "edu", "other")
ABROAD = ("SG", "JP", "US")
TAGS = ("proxy", "vpn", "tor", "idc", "mass_reg", "takeover", "crawler", "many_devices")
_BASE = {HOME: 10, MOBILE: 15, ENTERPRISE: 12, IDC: 46, EDU: 12, PUBLIC: 24}
_DYNAMIC = {HOME: 0.25, MOBILE: 0.9, ENTERPRISE: 0.05, IDC: 0.1, EDU: 0.4, PUBLIC: 0.6}


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    known: float = 0.95
    """Share of the addresses that are in the library [stated: hit rate 95 %]."""
    household: float = 5.0
    """Points of the score that a unit of the fraud latent adds to a home's address [stated]."""


class IpRisk(AskedSource):
    """Profile of the application's network address."""

    name = "ip_risk"
    assumes = Assume
    prefix = "NP"
    latency = (30, 150)
    timeout = 1000
    entity = "ip"
    plant = ("ip_type", "satellite", pl.col("hit") == "1")

    def wanted(self, asking: Asking) -> np.ndarray:
        """Cheap and quick: everybody."""
        return np.ones(asking.n, bool)

    def subject(self, asking: Asking) -> np.ndarray:
        """The network."""
        return asking.network

    def answer(self, asking: Asking) -> Answer:
        """The address's marks, the same whoever comes from there, but for a home's."""
        people, cust, lot = asking.people, asking.cust, asking.world.streams.lot
        network = asking.network
        kind = kind_of(network)
        home, centre = kind == HOME, kind == IDC
        fraud = np.clip(people.fraud[cust], -2, 4)
        abroad = centre & (lot("abroad", network) < 0.12)
        city = city_of(network, cust, people)
        own = pick(lot("network operator", network), np.array([0.4, 0.24, 0.31, 0.05]))
        operator = np.select([centre, kind == EDU, (kind == ENTERPRISE) & (own == 3)], [4, 5, 6], own)
        proxy = lot("is proxy", network) < np.where(centre, 0.55, np.where(home, 0.004, 0.008))
        vpn = lot("is vpn", network) < np.where(centre, 0.4, 0.006)
        tor = lot("is tor", network) < np.where(centre, 0.03, 0.0004)
        registers = lot("mass registration", network) < np.where(
            centre, 0.3, np.where(home, 0.012 * np.exp(0.6 * fraud), 0.03)
        )
        takeover = lot("takeover", network) < np.where(centre, 0.18, 0.012)
        crawler = lot("crawler", network) < np.where(centre, 0.2, 0.004)
        many = lot("many devices", network) < np.where(
            centre | (kind == MOBILE), 0.35, np.where(home, 0.01 * np.exp(0.5 * fraud), 0.08)
        )
        tags = np.stack([proxy, vpn, tor, centre & ~proxy, registers, takeover, crawler, many], axis=1)
        d = asking.rng().random((2, asking.n))
        score = (
            np.array([_BASE[number] for number in range(len(KINDS))])[kind]
            + 7 * asking.world.streams.gauss("ip score", network)
            + 10 * proxy + 8 * vpn + 30 * tor + 14 * registers + 9 * takeover + 5 * crawler + 6 * many
            + home * (self.assume.household * fraud + 4 * asking.noise)
        )  # fmt: skip
        score = np.clip(np.rint(np.where(tor, np.maximum(score, 45), score)), 0, 100).astype(int)
        dynamic = np.clip(
            np.array([_DYNAMIC[number] for number in range(len(KINDS))])[kind] * (0.6 + 0.8 * lot("dynamic", network)),
            0, 1,
        )  # fmt: skip
        last = asking.at.astype("datetime64[D]") - (d[0] ** 4 * 30).astype("timedelta64[D]")

        def rows(calls: Calls, which: np.ndarray) -> pl.DataFrame:
            hit = calls.result[which] == HIT
            inland = hit & ~abroad[which]
            place = city[which]
            listed = [
                [{"tag": TAGS[at]} for at in np.flatnonzero(row).tolist()] if there and row.any() else []
                for row, there in zip(tags[which], hit, strict=True)
            ]
            return pl.DataFrame(
                {
                    "req_id": [calls.request[at] for at in which],
                    "ip": network_address(network[which]),
                    "query_ts": calls.request_ts[which] + np.timedelta64(2, "ms"),
                    "report_ts": calls.response_ts[which],
                    "hit": np.where(hit, "1", "0"),
                    "country": only_where(
                        hit, np.where(abroad[which], np.array(ABROAD)[network[which] % 3], "CN")
                    ),
                    "province": only_where(inland, np.array([f"99{one // 6 + 1}000" for one in range(30)])[place]),
                    "city": only_where(inland, np.array(CITIES)[place]),
                    "isp": only_where(hit, np.array(OPERATORS)[operator[which]]),
                    "ip_type": only_where(hit, np.array(KINDS)[kind[which]]),
                    "proxy_flag": only_where(hit, proxy[which]),
                    "vpn_flag": only_where(hit, vpn[which]),
                    "tor_flag": only_where(hit, tor[which]),
                    "dynamic_rate": only_where(hit, np.round(dynamic[which], 3)),
                    "risk_score": only_where(hit, score[which]),
                    "tag_count": np.where(hit, tags[which].sum(axis=1), 0),
                    "risk_tags": pl.Series(listed, dtype=pl.List(pl.Struct({"tag": pl.String}))),
                    "last_seen": only_where(hit, last[which]),
                }
            ).with_columns(moment("query_ts"), moment("report_ts"))  # fmt: skip

        return Answer(np.where(lot("ip known", network) < self.assume.known, HIT, NO_HIT), rows)


SOURCE = IpRisk()
