"""The register of higher education: the highest qualification of a person, or none.

Who claims a degree that was never earned finds no record; who dropped out has no day of graduation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator.asking import Asking
from simulator.calls import HIT, NO_HIT, Calls
from simulator.deliveries import only_where
from simulator.nesting import heading
from simulator.outside import Answer, AskedSource
from simulator.streams import pick, sigmoid

COMPLETE_SINCE = 2001
"""First year of graduation of which the register has everybody [published]."""
TIERS = ("top", "key", "public", "private", "adult")
MAJORS = ("eng", "sci", "econ", "law", "med", "edu", "art", "agri", "other")
LATE_FORMS = ("part", "adult", "self", "online")


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    claimed: float = -3.4
    """Log odds that an average customer's qualification is claimed only [stated: one in thirty]."""
    late_students: float = 0.14
    """Of those who left school without a qualification, who earned a diploma beside the job [stated]."""


class Education(AskedSource):
    """Degrees and studies."""

    name = "education"
    assumes = Assume
    prefix = "ED"
    latency = (1000, 4000)
    plant = ("level", "9", pl.col("hit") == "1")

    def answer(self, asking: Asking) -> Answer:
        """The register's facts; they do not change from one question to the next."""
        people, cust, streams = asking.people, asking.cust, asking.world.streams
        lots = {name: streams.lot(f"education {name}", cust) for name in _DECIDED}
        schooled = people.education[cust] <= 2
        late = ~schooled & (lots["late"] < self.assume.late_students)
        # 1 doctorate, 2 master, 3 bachelor, 4 diploma
        level = np.where(people.education[cust] == 0, np.where(lots["level"] < 0.08, 1, 2), 4)
        level = np.where(people.education[cust] == 1, 3, level)
        born = people.birth[cust].astype("datetime64[Y]").astype(np.int64) + 1970
        start = (
            born
            + np.select([late, level == 1, level == 2], [24, 25, 22], 18)
            + (lots["start"] * 3).astype(int)
        )
        years = np.select([level == 1, level == 3], [4, 4], 3)
        enrol = _day(start, "09-01", lots["day"], 25)
        graduation = _day(start + years, "06-10", lots["day"], 25)
        today = asking.at.astype("datetime64[D]")
        restless = 0.7 * people.risk[cust] + 0.6 * asking.noise
        dropped = lots["drops"] < sigmoid(-3.2 + restless)
        studying = ~dropped & (graduation > today)
        completed = ~dropped & ~studying & (lots["fails"] < sigmoid(-4.2 + restless))
        status = np.select([dropped, studying, completed], ["dropped", "studying", "completed"], "graduated")
        claimed = lots["claims"] < sigmoid(self.assume.claimed + 0.9 * people.fraud[cust])
        known = (start + years >= COMPLETE_SINCE) | (lots["old"] < 0.4)
        found = (schooled | late) & known & ~claimed & (enrol < today)
        tilt = np.outer(people.income_z[cust] + asking.noise, [0.7, 0.5, 0.0, -0.3, -0.6])
        tier = pick(lots["tier"], np.array([0.05, 0.08, 0.62, 0.2, 0.05]) * np.exp(tilt))
        form = np.where(
            late,
            np.array(LATE_FORMS)[(lots["form"] * 4).astype(int)],
            np.where(lots["form"] < 0.12, "part", "full"),
        )
        done = status == "graduated"
        degree = np.select([level == 1, level == 2, level == 3], ["doctor", "master", "bachelor"], "none")

        def rows(calls: Calls, which: np.ndarray) -> pl.DataFrame:
            hit = calls.result[which] == HIT

            def told(values: np.ndarray, also: np.ndarray | bool = True) -> pl.Series:
                return only_where(hit & also, values[which])

            over = done | (status == "completed")
            return (
                heading(calls, which)
                .with_columns(
                    id_hash=asking.id_md5(which),
                    level=told(np.char.mod("%d", level)),
                    degree=told(np.where(done, degree, "none")),
                    school_tier=told(np.where(late, "adult", np.array(TIERS)[tier])),
                    major_group=told(np.array(MAJORS)[(lots["major"] * len(MAJORS)).astype(int)]),
                    enrol_date=told(enrol),
                    grad_date=told(graduation, over[which]),
                    study_form=told(form),
                    status=told(status),
                    cert_verified=told(lots["verified"] < 0.93, over[which]),
                )
                .drop("at")
                .select(asking.world.rules[self.name].columns)
            )

        return Answer(np.where(found, HIT, NO_HIT), rows)


_DECIDED = (
    "late", "level", "start", "day", "drops", "fails", "claims", "old", "tier", "form", "major", "verified",
)  # fmt: skip


def _day(year: np.ndarray, from_day: str, draw: np.ndarray, span: int) -> np.ndarray:
    first = np.array([f"{number}-{from_day}" for number in year.tolist()], "datetime64[D]")
    return first + (draw * span).astype("timedelta64[D]")


SOURCE = Education()
