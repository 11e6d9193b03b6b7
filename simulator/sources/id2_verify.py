"""The population register: whether name and identity number belong together, and what it says of the person.

Who took over somebody's identity fails more often; a changed name is a mismatch for some weeks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator.asking import Asking
from simulator.calls import MATCH, MISMATCH, NO_HIT, Calls, price_of
from simulator.deliveries import moment, only_where
from simulator.outside import Answer, AskedSource
from simulator.streams import sigmoid

RESULT = {MATCH: "1", MISMATCH: "2", NO_HIT: "3"}


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    wrong: float = -5.4
    """Log odds that name and number do not belong together, an average applicant [stated]."""
    unknown: float = 0.004
    """Share of the applicants whom the register does not have [stated: 99.5 of 100 are hits]."""
    run_out: float = 0.01
    """Share of the applicants whose card has run out [stated]."""


class Id2Verify(AskedSource):
    """Two-element identity verification."""

    name = "id2_verify"
    assumes = Assume
    prefix = "IV"
    latency = (150, 800)
    plant = ("result", "7", pl.col("result") == "1")

    def wanted(self, asking: Asking) -> np.ndarray:
        """The cheapest source is asked about everybody."""
        return np.ones(asking.n, bool)

    def answer(self, asking: Asking) -> Answer:
        """The register's facts."""
        people, cust = asking.people, asking.cust
        d = asking.rng().random((5, asking.n))
        wrong = d[0] < sigmoid(self.assume.wrong + 0.9 * people.fraud[cust])
        result = np.where(d[1] < self.assume.unknown, NO_HIT, np.where(wrong, MISMATCH, MATCH))
        issued = people.birth[cust] + ((16 + d[2] * 4) * 365.25).astype("timedelta64[D]")
        spans = np.where(d[3] < 0.75, 3653, 7305)
        ahead = (asking.at.astype("datetime64[D]") - issued).astype(np.int64) // spans + 1
        # a few apply with a card that has run out
        expiry = issued + ((ahead - (d[4] < self.assume.run_out)) * spans).astype("timedelta64[D]")

        def rows(calls: Calls, which: np.ndarray) -> pl.DataFrame:
            who, told = cust[which], calls.result[which]
            same = told == MATCH
            price = price_of(told, asking.world.rules[self.name])
            return pl.DataFrame(
                {
                    "req_id": [calls.request[at] for at in which],
                    "id_no_hash": asking.id_sha256(which),
                    "name_hash": asking.name_sha256(which),
                    "result": [RESULT[int(code)] for code in told],
                    "photo_returned": only_where(same, d[2][which] < 0.9),
                    "gender": only_where(same, np.where(people.male[who], "1", "2")),
                    "birth_date": only_where(same, people.birth[who]),
                    "region6": only_where(
                        same, np.array([people.ids[w][:6] for w in who.tolist()], dtype=str)
                    ),
                    "expiry_date": only_where(same, expiry[which]),
                    "is_fee": told != NO_HIT,
                    "query_ts": calls.request_ts[which] + np.timedelta64(2, "ms"),
                    "report_ts": calls.response_ts[which],
                    "cost": price,
                }
            ).with_columns(moment("query_ts"), moment("report_ts"))

        return Answer(result, rows)


SOURCE = Id2Verify()
