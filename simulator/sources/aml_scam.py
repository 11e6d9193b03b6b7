"""Lists of keys that may not be served: a daily file of entries made and lifted.

Most entries are of people nobody here knows. Of the customers, those who lend their accounts and phones to others get
listed, some weeks after; a few are listed by mistake and lifted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator import identities
from simulator.deliveries import ARRIVES, ORDER
from simulator.outside import Source
from simulator.streams import pick, sigmoid
from simulator.timeline import days_in, first_day, last_day
from simulator.world import World

LISTS = ("un_sanction", "cn_control", "aml_high", "pep", "scam_account", "scam_phone", "mule", "gambling")
BODIES = ("un", "pboc", "pboc", "exchange", "police", "police", "police", "police")
REASONS = ("sanction", "launder", "launder", "exposed", "telecom", "telecom", "account", "gamble")
KEYS = ("id", "card", "phone", "company")
NEVER = np.datetime64("NaT", "D")


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    level: float = -9.6
    """Log odds of being listed in a month, an average customer [stated: 1 to 5 of 1,000 are]."""
    strangers: int = 60
    """Entries of strangers in a month [stated; a real file has thousands]."""


class AmlScam(Source):
    """Sanctions, laundering, scam accounts."""

    name = "aml_scam"
    assumes = Assume
    plant = ("key_type", "email", pl.col("status") == "active")

    def begin(self, world: World) -> None:
        """Nothing is listed yet."""
        world.kept[self.name] = {"serial": 0, "open": None}

    def live(self, world: World, month: int) -> None:
        """New entries, and entries that are lifted."""
        self._list(world, month)
        kept = world.kept[self.name]
        held = kept["open"]
        if held is None or not held.height:
            return
        end = last_day(month).astype(object)
        lifted = held.filter(pl.col("_end") <= end)
        kept["open"] = held.filter(pl.col("_end") > end)
        if lifted.height:
            lifted = lifted.with_columns(
                expiry_date=pl.col("_end"), status=pl.lit("lifted"), batch_date=pl.col("_end")
            )
            self._send(world, lifted, month)

    def _list(self, world: World, month: int) -> None:
        people, companies = world.people, world.companies
        rng = world.streams.of(self.name, month)
        active = (people.ring >= 0) & (month - people.ring_start >= 1) & (month - people.ring_start <= 9)
        odds = self.assume.level + 0.9 * people.fraud + 0.5 * people.risk + 2.2 * active
        own = np.flatnonzero(rng.random(people.size) < sigmoid(odds))
        n = len(own) + self.assume.strangers
        d = rng.random((7, n))
        kind = pick(d[0], np.array([0.02, 0.05, 0.12, 0.04, 0.3, 0.22, 0.2, 0.05]))
        key = np.where(
            kind == 4, 1, np.where(kind == 5, 2, np.where(d[1] < 0.04, 3, np.where(d[1] < 0.6, 0, 1)))
        )
        who = np.concatenate([own, np.full(self.assume.strangers, -1)])
        key = np.where((key == 3) & (who >= 0) & (people.company[who] < 0), 0, key)
        stranger = 600_000_000 + month * 1000 + np.arange(n)
        level = np.where(kind <= 1, 5, 1 + (d[2] * 4).astype(int))
        day = first_day(month) + (d[3] * days_in(month)).astype("timedelta64[D]")
        sent = day + (d[4] * 3).astype("timedelta64[D]")
        kept = world.kept[self.name]

        def hashed(
            number: int, own_value: Callable[[int], str], other: Callable[[int], str]
        ) -> list[str | None]:
            texts: list[str | None] = [None] * n
            for at in np.flatnonzero(key == number).tolist():
                text = own_value(int(who[at])) if who[at] >= 0 else other(int(stranger[at]))
                texts[at] = identities.sha256(text)
            return texts

        frame = pl.DataFrame(
            {
                "entry_no": [f"AS{kept['serial'] + at:010d}" for at in range(n)],
                "list_type": np.array(LISTS)[kind],
                "key_type": np.array(KEYS)[key],
                "id_hash": hashed(0, lambda w: people.ids[w], lambda s: f"99{s:016d}"),
                "card_hash": hashed(1, lambda w: identities.card(w * 4), identities.card),
                "phone_hash": hashed(2, lambda w: identities.phone(int(people.phone[w])), identities.phone),
                "company_hash": hashed(
                    3, lambda w: companies.code[int(people.company[w])], identities.company_code
                ),
                "name": [
                    people.names[w] if w >= 0 and k != 3 else None
                    for w, k in zip(who.tolist(), key.tolist(), strict=True)
                ],
                "match_score": np.round(np.where(level == 5, 0.9 + 0.1 * d[5], 0.55 + 0.45 * d[5]), 3),
                "level": level,
                "issuing_body": np.array(BODIES)[kind],
                "reason": np.array(REASONS)[kind],
                "effective_date": day,
                "expiry_date": np.full(n, NEVER),
                "status": np.full(n, "active"),
                "batch_date": sent,
            },
            schema_overrides=dict.fromkeys(
                ("id_hash", "card_hash", "phone_hash", "company_hash", "name"), pl.String
            ),
        )
        kept["serial"] += n
        self._send(world, frame, month)
        ends = np.maximum(day + (30 + d[6] * 900).astype("timedelta64[D]"), sent + np.timedelta64(1, "D"))
        held = frame.with_columns(_end=pl.Series(ends)).filter(pl.Series(d[2] > 0.6))
        kept["open"] = held if kept["open"] is None else pl.concat([kept["open"], held])

    def _send(self, world: World, frame: pl.DataFrame, month: int) -> None:
        frame = frame.drop("_end", strict=False).with_columns(
            pl.col("batch_date").alias(ARRIVES), pl.col("batch_date").cast(pl.Datetime("us")).alias(ORDER)
        )
        world.deliveries.add(self.name, frame, month, may_be_late=False)


SOURCE = AmlScam()
