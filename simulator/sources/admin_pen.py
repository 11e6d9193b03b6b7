"""The companies' register of penalties and of abnormal operation: a weekly file; a lifted entry comes again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator import identities
from simulator.deliveries import ARRIVES, ORDER
from simulator.outside import Source
from simulator.streams import pick, sigmoid
from simulator.timeline import START, days_in, first_day, last_day
from simulator.world import World

ACTS = (
    "quality",
    "ad",
    "price",
    "licence",
    "safety",
    "environment",
    "tax",
    "labour",
    "report",
    "address",
    "other",
)
PENALTIES = ("warning", "fine", "confiscate", "suspend", "revoke")
BEFORE = 36
"""Months of history in the first file."""


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    level: float = -6.4
    """Log odds of a new entry in a month, an average company [stated: 5 to 9 of 100 companies have one]."""
    strangers: int = 3
    """Entries of companies that the bank does not know, for each of a customer's: the file is of all [stated]."""
    lifted: float = 0.6
    """Share of the listings that are lifted after months [stated]."""


class AdminPen(Source):
    """Penalties and abnormal operation."""

    name = "admin_pen"
    assumes = Assume
    plant = ("ILLEGACTTYPE", "fashion", pl.col("record_type") == "penalty")

    def begin(self, world: World) -> None:
        """Entries of the years before are in the first file."""
        world.kept[self.name] = {"serial": 0, "moves": []}
        for month in range(START - BEFORE, START):
            self._entries(world, month, first_day(START))

    def live(self, world: World, month: int) -> None:
        """The month's entries, and the lifting of earlier ones."""
        self._entries(world, month, first_day(month))
        kept = world.kept[self.name]
        end = last_day(month)
        due = [frame.filter(pl.col("DATEOUT") <= end.astype(object)) for frame in kept["moves"]]
        kept["moves"] = [frame.filter(pl.col("DATEOUT") > end.astype(object)) for frame in kept["moves"]]
        kept["moves"] = [frame for frame in kept["moves"] if frame.height]
        lifted = pl.concat(due) if due else None
        if lifted is not None and lifted.height:
            out = lifted.with_columns(
                ISMOVE=pl.lit(value=True), batch_date=pl.col("DATEOUT") + pl.duration(days=3)
            )
            self._send(world, out, month)

    def _entries(self, world: World, month: int, sent_from: np.datetime64) -> None:
        companies = world.companies
        rng = world.streams.of(self.name, month)
        draws = rng.random(companies.size)
        own = np.flatnonzero(
            (draws < sigmoid(self.assume.level - 0.6 * companies.health)) & (companies.founded < month)
        )
        n = len(own) * (1 + self.assume.strangers)
        d = rng.random((8, n))
        unknown = 500_000_000 + month * 10_000 + np.arange(n - len(own))
        kept = world.kept[self.name]
        kind = pick(d[0], np.array([0.55, 0.4, 0.05]))
        day = first_day(month) + (d[1] * days_in(month)).astype("timedelta64[D]")
        act = np.where(kind == 0, (d[2] * 8).astype(int), np.where(d[2] < 0.5, 8, 9))
        fine = pick(d[3], np.array([0.25, 0.6, 0.08, 0.05, 0.02]))
        listed = kind > 0
        publish = day + (1 + d[4] * 7).astype("timedelta64[D]")
        batch = np.maximum(publish + (d[5] * 4).astype("timedelta64[D]"), sent_from)
        out = day + (60 + d[6] * 500).astype("timedelta64[D]")
        lifts = listed & (d[7] < self.assume.lifted)
        texts = np.datetime_as_string(day, unit="D")
        frame = pl.DataFrame(
            {
                "PENDECNO": [
                    f"样例罚决{text[:4]}第{kept['serial'] + at:07d}号"
                    for at, text in enumerate(texts.tolist())
                ],
                "ENTNAME": [
                    world.people.spelt.name_of(companies.names[number], number, self.name, at)
                    for at, number in enumerate(own.tolist())
                ]
                + [identities.company_name(int(number)) for number in unknown],
                "SHXYDM": [companies.code[number] for number in own.tolist()]
                + [identities.company_code(int(number)) for number in unknown],
                "ILLEGACTTYPE": np.array(ACTS)[act],
                "PENRESULT": pl.Series(np.array(PENALTIES)[fine]).zip_with(
                    pl.Series(~listed), pl.Series([None] * n, dtype=pl.String)
                ),
                "penalty_amount": pl.Series(np.rint(np.exp(7.5 + 3 * d[6]))).zip_with(
                    pl.Series(~listed & (fine == 1)), pl.Series([None] * n, dtype=pl.Float64)
                ),
                "CASEDEP": [
                    f"样例{'市场监管' if at % 3 else '生态环境'}局{at % 17 + 1}分局" for at in range(n)
                ],
                "PENDECISSDATE": np.where(listed, np.datetime64("NaT", "D"), day),
                "PUBDATE": publish,
                "record_type": np.array(["penalty", "abnormal", "serious"])[kind],
                "REASONIN": pl.Series(np.where(act == 8, "report", "address")).zip_with(
                    pl.Series(listed), pl.Series([None] * n, dtype=pl.String)
                ),
                "DATEIN": np.where(listed, day, np.datetime64("NaT", "D")),
                "REASONOUT": pl.Series([None] * n, dtype=pl.String),
                "DATEOUT": pl.Series([None] * n, dtype=pl.Date),
                "ISMOVE": np.zeros(n, bool),
                "event_date": day,
                "batch_date": batch,
            }
        )
        kept["serial"] += n
        self._send(world, frame, month)
        moves = frame.with_columns(
            DATEOUT=pl.Series(np.maximum(out, batch)),
            REASONOUT=pl.Series(np.where(act == 8, "report", "address")),
        ).filter(pl.Series(lifts))
        if moves.height:
            kept["moves"].append(moves)

    def _send(self, world: World, frame: pl.DataFrame, month: int) -> None:
        frame = frame.with_columns(
            pl.col("batch_date").alias(ARRIVES), pl.col("batch_date").cast(pl.Datetime("us")).alias(ORDER)
        )
        world.deliveries.add(self.name, frame, month, may_be_late=False)


SOURCE = AdminPen()
