"""The applicant's face before the camera: one to three attempts an application; attacks come with bought identities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator.asking import Asking
from simulator.calls import HIT, Calls
from simulator.deliveries import ARRIVES, ORDER, moment
from simulator.outside import Answer, AskedSource
from simulator.streams import pick, sigmoid

ATTACKS = ("none", "photo", "replay", "mask", "inject", "deepfake")
ACTIONS = ("blink", "mouth,nod", "blink,shake", "nod,blink,mouth")
MOST = 4


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    attack: float = -6.2
    """Log odds that an attempt is an attack, an average applicant [stated]."""
    fails: float = -2.6
    """Log odds that an honest attempt fails: light, glasses, movement [stated: 93 to 97 of 100 pass]."""


class FaceLive(AskedSource):
    """Face comparison and liveness."""

    name = "face_live"
    prefix = "FL"
    latency = (600, 2500)
    timeout = 6000
    assumes = Assume
    plant = ("attack_type", "magic", pl.col("retry_no") > 1)

    def wanted(self, asking: Asking) -> np.ndarray:
        """Everybody who applies in the app."""
        return np.ones(asking.n, bool)

    def subject(self, asking: Asking) -> np.ndarray:
        """Each application has a face of its own."""
        return asking.number

    def answer(self, asking: Asking) -> Answer:
        """Attempts until one passes, four at most."""
        people, cust = asking.people, asking.cust
        n = asking.n
        d = asking.rng().random((8, MOST, n))
        attack = d[0] < sigmoid(self.assume.attack + 1.0 * people.fraud[cust] + 0.25 * people.risk[cust])
        kind = np.where(attack, pick(d[1], np.array([0, 0.34, 0.28, 0.04, 0.22, 0.12])), 0)
        honest = d[2] < sigmoid(self.assume.fails + 0.25 * asking.noise)
        lucky = attack & (d[3] < 0.12)
        fails = np.where(attack, ~lucky, honest)
        kind = np.where(lucky, 0, kind)
        before = np.concatenate([np.zeros((1, n), bool), np.cumsum(~fails, axis=0)[:-1] > 0])
        made = ~before & (np.arange(MOST)[:, None] <= np.where(people.fraud[cust] > 1, 3, 2))
        device = np.where(attack & (d[7] < 0.3), people.device[cust] + 90_000_000, asking.device)

        def rows(calls: Calls, which: np.ndarray) -> pl.DataFrame:
            attempt, at = np.nonzero(made[:, which])
            entry = which[at]
            order = np.lexsort((attempt, entry))
            attempt, entry = attempt[order], entry[order]
            e = d[:, attempt, entry]
            ok = ~fails[attempt, entry]
            seen = kind[attempt, entry]
            took = 2500 + (e[4] * 9000).astype(int)
            left = made[:, entry].sum(axis=0) - attempt
            start = calls.request_ts[entry] - (left * 15_000).astype("timedelta64[ms]")
            told = start + calls.latency_ms[entry].astype("timedelta64[ms]")
            last = left == 1
            start = np.where(last, calls.request_ts[entry], start)
            told = np.where(last, calls.response_ts[entry], told)
            quality = np.where(ok, 0.7 + 0.3 * e[5], 0.25 + 0.5 * e[5])
            similar = np.where(
                ok, 0.72 + 0.27 * e[6] ** 0.5, np.where(seen > 0, 0.45 + 0.5 * e[6], 0.3 + 0.45 * e[6])
            )
            alive = np.where(ok, 0.75 + 0.25 * e[5], np.where(seen > 0, 0.05 + 0.4 * e[5], 0.3 + 0.5 * e[5]))
            return pl.DataFrame(
                {
                    "req_id": [
                        f"{calls.request[k]}-{a + 1}"
                        for k, a in zip(entry.tolist(), attempt.tolist(), strict=True)
                    ],
                    "id_no_hash": asking.id_sha256(entry),
                    "scene": np.full(len(entry), "apply"),
                    "similarity": np.round(similar, 4),
                    "pass": ok,
                    "liveness_score": np.round(alive, 4),
                    "attack_type": np.array(ATTACKS)[seen],
                    "action_seq": np.array(ACTIONS)[(e[7] * len(ACTIONS)).astype(int)],
                    "retry_no": attempt + 1,
                    "quality_score": np.round(quality, 4),
                    "occlusion": np.round(np.where(ok, 0.08, 0.35) * e[4], 4),
                    "blur": np.round(np.where(ok, 0.2, 0.6) * e[7], 4),
                    "light": np.round(0.25 + 0.6 * e[2], 4),
                    "device_id": [
                        people.device_id(int(number)) for number in device[attempt, entry].tolist()
                    ],
                    "duration_ms": took,
                    "query_ts": start,
                    "report_ts": told,
                    ARRIVES: told.astype("datetime64[D]"),
                    ORDER: start.astype("datetime64[us]"),
                }
            ).with_columns(moment("query_ts"), moment("report_ts"))

        return Answer(np.full(n, HIT), rows)


SOURCE = FaceLive()
