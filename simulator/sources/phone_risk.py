"""What a network of apps has seen of a phone: sold again, receiving codes for others, registered in bulk.

It knows numbers, not people: who gets a number inherits its past, and an honest new number looks like a bad one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator.asking import Asking
from simulator.calls import HIT, NO_HIT, Calls
from simulator.deliveries import moment, only_where
from simulator.outside import Answer, AskedSource
from simulator.streams import pick, sigmoid
from simulator.timeline import first_day

TAGS = ("none", "sales", "agent", "collection", "delivery", "fraud", "other")


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    known: float = 0.95
    """Log odds that the member apps have met an average number [stated: hit rate 70 %]."""
    recycled: float = 0.16
    """Share of the numbers that belonged to somebody before [stated]."""
    others: float = -5.5
    """Log odds that a number receives codes for others, an average customer [stated]."""


class PhoneRisk(AskedSource):
    """Risk profile of a phone number."""

    name = "phone_risk"
    assumes = Assume
    prefix = "PK"
    latency = (120, 500)
    entity = "phone"
    plant = ("harass_tag", "gossip", pl.col("hit") == "1")

    def subject(self, asking: Asking) -> np.ndarray:
        """The phone on file."""
        return asking.master.phone[asking.cust]

    def answer(self, asking: Asking) -> Answer:
        """The number's marks are for good, its counts are of the day."""
        people, cust, lot = asking.people, asking.cust, asking.world.streams.lot
        phone = asking.master.phone[cust]
        gone = phone != people.phone[cust]
        age = asking.month - people.phone_since[cust]
        fraud, noise = people.fraud[cust], asking.noise
        busy = (people.ring[cust] >= 0) & (np.abs(asking.month - people.ring_start[cust]) <= 4)
        known = lot("phone known", phone) < sigmoid(
            self.assume.known + 0.3 * people.debt[cust] + 0.2 * fraud - 0.8 * (age < 4)
        )
        today = asking.at.astype("datetime64[D]")
        since = np.minimum(first_day(people.phone_since[cust]), today)
        recycled = np.where(
            gone, lot("sold again", phone) < 0.4, lot("recycled", phone) < self.assume.recycled
        )
        d = asking.rng().random((6, asking.n))
        again = np.where(gone, 20 + d[0] * 200, (today - since).astype(np.int64) + lot("shelf", phone) * 60)
        virtual = lot("virtual", phone) < sigmoid(-3.1 + 0.35 * fraud)
        codes = lot("codes for others", phone) < sigmoid(
            self.assume.others + 0.8 * fraud + 0.4 * noise + 0.8 * busy
        )
        pool = lot("modem pool", phone) < sigmoid(-6.6 + 1.0 * fraud)
        bulk = lot("bulk", phone) < sigmoid(-4.5 + 0.7 * fraud + 0.3 * people.debt[cust] + 0.4 * noise)
        pull = (
            0.2 * people.debt[cust] + 0.1 * people.stress[cust] + 0.2 * np.minimum(fraud, 3) + 0.8 * noise
            + 0.45 * asking.drift + 0.5 * busy + 0.5 * bulk
        )  # fmt: skip
        counts = asking.rng("counts")
        recent = counts.poisson(1.3 * np.exp(pull - 0.3))
        earlier = counts.poisson(1.9 * np.exp(0.8 * pull - 0.2))
        messages = recent * 2 + counts.poisson(3.5 * np.exp(0.5 * pull))
        odds = np.array([0.78, 0.05, 0.025, 0.025, 0.06, 0.01, 0.05]) * np.exp(
            np.outer(0.5 * fraud + 0.5 * people.risk[cust], [0, 0.2, 0.6, 0.5, 0, 0.8, 0.2])
        )
        tag = pick(lot("marked", phone), odds)
        score = (
            0.6 * pull + 0.1 * people.risk[cust] + 1.2 * codes + 1.4 * pool + 0.6 * bulk + 0.6 * (tag == 5)
            + 0.35 * (age < 6) + 0.3 * virtual + 1.3 * (d[1] + d[2] - 1)
        )  # fmt: skip
        level = 1 + np.searchsorted([0.55, 1.15, 1.8, 2.6], score)
        level = np.where(codes | pool, np.maximum(level, 2), level)
        first = since + (d[3] * 40).astype("timedelta64[D]")
        first = np.where(recycled, first - (200 + lot("past", phone) * 1500).astype("timedelta64[D]"), first)
        last = today - (-np.log1p(-0.999 * d[4]) * np.where(gone, 90, 6)).astype("timedelta64[D]")
        last = np.minimum(last, today - np.timedelta64(1, "D"))
        first = np.minimum(first, last)

        def rows(calls: Calls, which: np.ndarray) -> pl.DataFrame:
            hit = calls.result[which] == HIT
            platforms = np.minimum(recent[which], 250)
            return pl.DataFrame(
                {
                    "req_id": [calls.request[at] for at in which],
                    "cell_hash": asking.hashed("phone", "md5", which),
                    "query_ts": calls.request_ts[which] + np.timedelta64(2, "ms"),
                    "report_ts": calls.response_ts[which],
                    "hit": np.where(hit, "1", "0"),
                    "risk_level": only_where(hit, level[which]),
                    "recycled_flag": only_where(hit, recycled[which]),
                    "recycled_days": only_where(hit & recycled[which], again[which].astype(int)),
                    "virtual_flag": only_where(hit, virtual[which]),
                    "sms_platform_flag": only_where(hit, codes[which]),
                    "modem_pool_flag": only_where(hit, pool[which]),
                    "bulk_reg_flag": only_where(hit, bulk[which]),
                    "harass_tag": only_where(hit, np.array(TAGS)[tag[which]]),
                    "reg_platform_cnt_30d": only_where(hit, platforms),
                    "reg_platform_cnt_90d": only_where(hit, platforms + np.minimum(earlier[which], 250)),
                    "sms_verify_cnt_30d": only_where(hit, messages[which]),
                    "first_seen": only_where(hit, first[which]),
                    "last_seen": only_where(hit, last[which]),
                }
            ).with_columns(moment("query_ts"), moment("report_ts"))

        return Answer(np.where(known, HIT, NO_HIT), rows)


SOURCE = PhoneRisk()
