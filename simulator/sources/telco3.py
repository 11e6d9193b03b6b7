"""The operators' registers: whether name, identity number and phone belong together, and who serves the number.

Families register a phone to one member, rings buy numbers that somebody else registered, and a number that was given up
is sold again: three ways to a mismatch, of which one is bad.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator.asking import Asking
from simulator.calls import MATCH, MISMATCH, NO_HIT, Calls
from simulator.deliveries import moment, only_where
from simulator.outside import Answer, AskedSource
from simulator.streams import pick, sigmoid

CARRIERS = ("cmcc", "cucc", "ctcc", "cbn")
_SHARES = np.array([0.55, 0.2, 0.22, 0.03])
ITEMS = ("both", "id", "name")
RESULT = {MATCH: "1", MISMATCH: "2", NO_HIT: "3"}


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    level: float = -3.55
    """Log odds that an average customer's phone is registered to somebody else [stated: 4 to 6 of 100]."""
    ported: float = 0.07
    """Share of the numbers that were taken to another operator [stated]."""
    asked_again: int = 6
    """Months after a change of phone in which a borrower's new one is verified [stated]."""


class Telco3(AskedSource):
    """Three-element verification by the operators."""

    name = "telco3"
    assumes = Assume
    prefix = "TV"
    latency = (250, 1500)
    entity = "phone"
    monitors = True
    plant = ("carrier", "none", pl.lit(True))

    def wanted(self, asking: Asking) -> np.ndarray:
        """Applicants who passed the first screen; borrowers who changed their phone."""
        if asking.stage == "pre":
            return asking.screened
        return asking.month - asking.people.phone_since[asking.cust] < self.assume.asked_again

    def subject(self, asking: Asking) -> np.ndarray:
        """The phone on file."""
        return asking.master.phone[asking.cust]

    def answer(self, asking: Asking) -> Answer:
        """What stands in the registers: facts of the phone, the same whenever they are asked for."""
        people, cust, lot = asking.people, asking.cust, asking.world.streams.lot
        phone = asking.master.phone[cust]
        gone = phone != people.phone[cust]
        age = asking.month - people.phone_since[cust]
        bought = (people.ring[cust] >= 0) & (age < 12) & ~gone
        young = asking.at.astype("datetime64[D]") - people.birth[cust] < np.timedelta64(24 * 365, "D")
        odds = (
            self.assume.level + 0.45 * people.fraud[cust] + 0.25 * people.risk[cust] + 0.5 * asking.noise + 0.9 * young
            + 0.5 * (age < 6) + 0.8 * bought
        )  # fmt: skip
        owner = lot("telco3 owner", phone)
        fate = lot("telco3 given up", phone)
        wrong = np.where(gone, fate < 0.35, owner < sigmoid(odds))
        nothing = np.where(gone, fate > 0.75, owner > 0.994)
        result = np.where(nothing, NO_HIT, np.where(wrong, MISMATCH, MATCH))
        carrier = pick(lot("carrier", phone), _SHARES)
        ported = lot("ported", phone) < self.assume.ported
        real = np.where(ported, (carrier + 1 + (lot("ported to", phone) * 2).astype(int)) % 4, carrier)
        item = pick(lot("telco3 item", phone), np.array([0.7, 0.2, 0.1]))

        def rows(calls: Calls, which: np.ndarray) -> pl.DataFrame:
            told = calls.result[which]
            found = told != NO_HIT
            serial = asking.number[which].astype(np.int64)
            return pl.DataFrame(
                {
                    "req_id": [calls.request[at] for at in which],
                    "cell_hash": asking.hashed("phone", "sm3", which),
                    "id_no_hash": asking.hashed("id_no", "sm3", which),
                    "name_hash": asking.hashed("name", "sm3", which),
                    "result": [RESULT[int(code)] for code in told],
                    "mismatch_item": only_where(told == MISMATCH, np.array(ITEMS)[item[which]]),
                    "carrier": np.array(CARRIERS)[carrier[which]],
                    "carrier_real": only_where(found, np.array(CARRIERS)[real[which]]),
                    "is_ported": only_where(found, ported[which]),
                    "is_fee": found,
                    "seq_no": [
                        f"{'ABCD'[to]}{number * 7_368_787 % 10**15:015d}"
                        for to, number in zip(real[which].tolist(), serial.tolist(), strict=True)
                    ],
                    "query_ts": calls.request_ts[which] + np.timedelta64(2, "ms"),
                    "report_ts": calls.response_ts[which],
                }
            ).with_columns(moment("query_ts"), moment("report_ts"))

        return Answer(result, rows)


SOURCE = Telco3()
