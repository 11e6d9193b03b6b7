"""How long the lamp of a phone was lit: the one file of the simulator that a made-up source takes."""

from __future__ import annotations

import numpy as np
import polars as pl

from simulator.asking import Asking
from simulator.calls import HIT, NO_HIT, Calls
from simulator.deliveries import moment
from simulator.outside import Answer, AskedSource


class LampHours(AskedSource):
    """Lamp hours of the asked phone."""

    name = "lamp_hours"
    prefix = "LH"
    latency = (100, 400)
    entity = "phone"
    plant = ("hit", "7", pl.lit(True))

    def wanted(self, asking: Asking) -> np.ndarray:
        """Everybody."""
        return np.ones(asking.n, bool)

    def answer(self, asking: Asking) -> Answer:
        """Four of five phones have a lamp."""
        d = asking.rng().random((2, asking.n))
        result = np.where(d[0] < 0.8, HIT, NO_HIT)

        def rows(calls: Calls, which: np.ndarray) -> pl.DataFrame:
            there = calls.result[which] == HIT
            hours = [round(720 * d[1][at], 2) if hit else None for at, hit in zip(which, there, strict=True)]
            return pl.DataFrame(
                {
                    "req_id": [calls.request[at] for at in which],
                    "cell_hash": asking.phone_sha256(which),
                    "report_ts": calls.response_ts[which],
                    "hit": np.where(there, "1", "0"),
                    "hours_30d": pl.Series(hours, dtype=pl.Float64),
                }
            ).with_columns(moment("report_ts"))

        return Answer(result, rows)


SOURCE = LampHours()
