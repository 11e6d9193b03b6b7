"""Collections: contacts about unpaid instalments, more and sterner the longer they are unpaid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator.deliveries import ARRIVES, ORDER
from simulator.lookups import HOURS
from simulator.outside import Source
from simulator.streams import pick, sigmoid
from simulator.timeline import days_in, first_day
from simulator.world import World

CHANNELS = ("ivr", "ai", "agent", "sms", "push", "letter", "visit", "legal")
_BY_STAGE = np.array(
    [
        [0.1, 0.1, 0, 0.45, 0.35, 0, 0, 0], [0.12, 0.3, 0.28, 0.2, 0.1, 0, 0, 0],
        [0.05, 0.15, 0.55, 0.17, 0.03, 0.04, 0.01, 0], [0.02, 0.08, 0.58, 0.12, 0, 0.1, 0.05, 0.05],
    ]
)  # fmt: skip
STAGES = ("M0", "M1", "M2", "M3+")
OUTCOMES = ("no_answer", "ptp", "refused", "dispute", "paid", "hardship", "third_party", "sent")
DAY_HOURS = np.where((np.arange(24) >= 8) & (np.arange(24) < 22), HOURS, 0)


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    reminded: float = 0.25
    """Share of the running loans that get a reminder before they fall due [stated]."""
    per_month: float = 5.5
    """Contacts a month about an unpaid loan [stated]."""
    corrected: float = 0.2
    """Share of the claims to have paid that quality control corrects to a refusal days later [stated]."""


class CollCall(Source):
    """Collections work and calls."""

    name = "coll_call"
    assumes = Assume
    plant = ("outcome", "moved", pl.col("outcome") == "third_party")

    def begin(self, world: World) -> None:
        """Contacts are numbered through."""
        world.kept[self.name] = 0

    def live(self, world: World, month: int) -> None:
        """The month's contacts about loans that are unpaid at its end, and reminders."""
        rng = world.streams.of(self.name, month)
        book, people, master = world.loans, world.people, world.master
        if not book.count:
            return
        oldest = np.full(book.count, np.datetime64("2200-01-01", "D"))
        term = np.full(book.count, 10_000)
        np.minimum.at(oldest, book.open["loan"], book.open["due_date"])
        np.minimum.at(term, book.open["loan"], book.open["term_no"])
        owed = np.zeros(book.count, np.int64)
        np.add.at(
            owed, book.open["loan"], book.open["due_pri"] + book.open["due_int"] - book.open["paid_int"]
        )
        unpaid = term < 10_000
        live = (book.loan["closed"] == 0) & (book.loan["gone"] == 0) & (book.loan["open_month"] < month)
        # draws go by customer, so that a loan's contacts do not hang on how many loans there are
        reminded = live & ~unpaid & (rng.random(people.size)[book.loan["cust"]] < self.assume.reminded)
        rate = rng.poisson(self.assume.per_month, people.size)[book.loan["cust"]]
        count = np.where(unpaid, np.maximum(rate, 1), reminded.astype(int))
        loan = np.repeat(np.arange(book.count), count)
        n = len(loan)
        d = rng.random((11, n))
        cust = book.loan["cust"][loan]
        day = first_day(month) + (d[0] * days_in(month)).astype("timedelta64[D]")
        dpd = np.where(unpaid[loan], np.maximum((day - oldest[loan]).astype(np.int64), 0), 0)
        stage = np.select([dpd == 0, dpd <= 30, dpd <= 60], [0, 1, 2], 3)
        channel = pick(d[1], _BY_STAGE[stage])
        call = channel <= 2
        lost = master.phone[cust] != people.phone[cust]
        party = np.where((stage >= 2) & (channel == 2) & (d[2] < 0.3), 1 + (d[3] < 0.25), 0)
        party = np.where((party == 2) & (people.employer[cust] < 0), 1, party)
        dodge = 0.5 * people.risk[cust] + 0.5 * people.fraud[cust] + 0.4 * people.discipline[cust]
        connected = call & (d[4] < sigmoid(0.5 - 0.45 * dodge - 2.2 * (lost & (party == 0)) - 0.2 * stage))
        right = connected & (party == 0) & (d[5] < sigmoid(1.5 - 0.35 * dodge - 2.0 * lost))
        tilt = np.exp(np.outer(dodge, [0, -0.45, 0.5, 0.25, -0.1, 0, 0, 0]) + np.outer(
            people.stress[cust], [0, -0.1, 0.1, 0, -0.1, 0.6, 0, 0]
        ))  # fmt: skip
        said = pick(d[6], np.array([0, 0.5, 0.17, 0.06, 0.1, 0.17, 0, 0]) * tilt)
        outcome = np.where(~call, 7, np.where(right, said, np.where(connected, 6, 0)))
        promise = outcome == 1
        hour = pick(d[7], DAY_HOURS)
        millis = hour * 3_600_000 + (d[8] * 3_590_000).astype(np.int64)
        start = day.astype("datetime64[ms]") + millis.astype("timedelta64[ms]")
        known = (day + np.timedelta64(1, "D")).astype("datetime64[ms]") + np.timedelta64(
            2 * 3600 * 1000, "ms"
        )
        mood = pick(d[9], np.array([0.5, 0.3, 0.16, 0.04]) * np.exp(np.outer(dodge, [0, -0.3, 0.3, 0.5])))
        vendor = np.where(stage <= 1, 0, 1 + (book.loan["cust"][loan] % 3))
        nothing = pl.Series([None] * n, dtype=pl.String)
        number = world.kept[self.name] + np.arange(n)
        world.kept[self.name] += n
        texts = pl.DataFrame({"n": number, "loan": loan + 1, "term": np.where(unpaid[loan], term[loan], 0)})
        frame = pl.DataFrame(
            {
                "call_id": texts.select("L" + pl.col("n").cast(pl.String).str.zfill(14)).to_series(),
                "case_id": texts.select(
                    pl.format("K{}-{}", pl.col("loan").cast(pl.String).str.zfill(9), "term")
                ).to_series(),
                "person_id": pl.Series(master.person).gather(cust),
                "stage": np.array(STAGES)[stage],
                "dpd": dpd,
                "channel": np.array(CHANNELS)[channel],
                "party": np.array(["self", "contact", "employer"])[party],
                "start_ts": start,
                "ring_s": pl.Series(np.where(connected, 3 + d[10] * 25, 30 + d[10] * 25).astype(int)).set(
                    pl.Series(~call), None
                ),
                "talk_s": pl.Series(np.where(connected, 15 + d[8] * 400 * (1 + right), 0).astype(int)).set(
                    pl.Series(~call), None
                ),
                "connected": connected,
                "right_party": right,
                "outcome": np.array(OUTCOMES)[outcome],
                "ptp_date": np.where(promise, day + (1 + d[9] * 9).astype("timedelta64[D]"), np.datetime64("NaT", "D")),
                "ptp_amt": pl.Series(np.rint(owed[loan] * (0.3 + 0.7 * (d[3] < 0.7))) / 100).set(
                    pl.Series(~promise), None
                ),
                "sentiment": pl.Series(np.array(["calm", "cooperative", "upset", "abusive"])[mood]).zip_with(
                    pl.Series(connected & call), nothing
                ),
                "complaint_flag": right & (mood >= 2) & (d[10] < 0.06),
                "agent_id": pl.Series(np.char.mod("AG%04d", (cust * 13 + stage) % 180)).zip_with(
                    pl.Series(np.isin(channel, (2, 6))), nothing
                ),
                "vendor": np.array(["inhouse", "agency_a", "agency_b", "agency_c"])[vendor],
                "updated_ts": known,
            }
        )  # fmt: skip
        wrong = (outcome == 4) & (rng.random(n) < self.assume.corrected)
        late = known + (1 + d[6] * 6).astype("timedelta64[D]")
        mended = frame.with_columns(
            outcome=pl.lit("refused"), updated_ts=pl.Series(late.astype("datetime64[ms]"))
        ).filter(pl.Series(wrong))
        both = pl.concat([frame, mended]).with_columns(
            pl.col("updated_ts").dt.date().alias(ARRIVES),
            pl.col("updated_ts").cast(pl.Datetime("us")).alias(ORDER),
        )
        world.deliveries.add(self.name, both, month)


SOURCE = CollCall()
