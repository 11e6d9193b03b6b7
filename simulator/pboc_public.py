"""Public records about a person (PF01 to PF04): tax arrears, civil judgments, their enforcement, penalties.

Courts are those of the sources ``court_case`` and ``court_enforce``: the bureau hears of a part of their cases, later.
Tax arrears are those of the customers' companies; penalties happen here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np

from simulator.lookups import Log
from simulator.pboc_notes import Notes
from simulator.pboc_tree import Segment, Unit, Value
from simulator.timeline import days_in, first_day, month_of

if TYPE_CHECKING:
    from simulator.world import World

KEPT = 61
"""Months of records that a report can show: five years, and the month begun."""
COURTS = ("court_case", "court_enforce")
AMOUNT_AT = {"PF01": 1, "PF02": 7, "PF03": 7, "PF04": 2}
"""Where the amount stands among a unit's values."""
CAUSES = (
    "金融借款合同纠纷", "民间借贷纠纷", "信用卡纠纷", "保证合同纠纷", "买卖合同纠纷", "劳动争议", "房屋租赁合同纠纷",
    "机动车交通事故责任纠纷", "物业服务合同纠纷", "其他民事纠纷",
)  # fmt: skip
"""Causes by the number that the court's source uses."""
OFFENCES = ("样例交通违法", "样例经营违规", "样例环保违规", "样例税务违规")
Row = dict[str, Any]


@dataclass
class PublicRecords:
    """Logs by month of what only the bureau knows."""

    penalties: Log = field(default_factory=Log)
    taxes: Log = field(default_factory=Log)


@dataclass
class Seen:
    """The public records of one person by unit: the units, and the values of their segments A."""

    notes: Notes
    units: dict[str, list[Unit]] = field(default_factory=dict)
    values: dict[str, list[Sequence[Value]]] = field(default_factory=dict)

    def add(self, unit: str, values: Sequence[Value], luck: float, began: dt.date) -> None:
        """One record; ``began`` is when it could first be annotated."""
        note = self.notes.on(unit, luck, int(month_of(np.datetime64(began))))
        self.units.setdefault(unit, []).append([Segment(f"{unit}A", values), note])
        self.values.setdefault(unit, []).append(values)


def live(world: World, records: PublicRecords, month: int) -> None:
    """What authorities and the tax office do in ``month``."""
    people, companies, assume = world.people, world.companies, world.assume
    rng = world.streams.of("public records", month)
    fined = np.flatnonzero(rng.random(people.size) < assume.penalties * np.exp(0.3 * people.risk - 0.05))
    draws = rng.random((5, len(fined)))
    records.penalties.add(month, {
        "cust": fined, "day": _day(month, draws[0]), "fine": (200 * np.exp(3.6 * draws[1] ** 2)).astype(int) // 10 * 10,
        "days": np.where(draws[2] < 0.5, 0, (draws[2] * 360).astype(int)), "what": (draws[3] * 4).astype(int),
        "luck": np.round(draws[4], 6),
    })  # fmt: skip
    owing = (companies.founded < month) & ((companies.closed < 0) | (companies.closed > month))
    owing &= rng.random(companies.size) < assume.tax_arrears * np.exp(-0.8 * companies.health)
    at = np.flatnonzero(owing)
    draws = rng.random((4, len(at)))
    owed = companies.scale[at] * (0.05 + 0.4 * draws[0])
    records.taxes.add(month, {
        "cust": companies.owner[at], "day": _day(month, draws[1]),
        "owed": np.maximum(owed.astype(int) // 100 * 100, 500),
        "lasting": (3 + draws[2] * 30).astype(int), "luck": np.round(draws[3], 6),
    })  # fmt: skip


Teller = Callable[[Seen, Row, dt.date], None]
"""Adds a record to what is seen, if a report of the day shows it."""


def _day(month: int, draw: np.ndarray) -> np.ndarray:
    return first_day(month) + (draw * days_in(month)).astype("timedelta64[D]")


def look(world: World, records: PublicRecords, cust: np.ndarray, day: np.ndarray, notes: Notes) -> list[Seen]:
    """What reports of ``day`` about ``cust`` show, an entry each."""
    share = world.assume.courts_report
    tellers: list[tuple[Log, Teller]] = [
        (records.taxes, _tax),
        (world.kept.get(COURTS[0]) or Log(), partial(_judgment, share)),
        (world.kept.get(COURTS[1]) or Log(), partial(_enforcement, share)),
        (records.penalties, _penalty),
    ]
    found = [Seen(notes) for _ in cust]
    days = day.tolist()
    for log, tell in tellers:
        if not log.chunks:
            continue
        events = log.last(notes.month, KEPT)
        mine = np.isin(events["cust"], cust)
        columns = {name: column[mine].tolist() for name, column in events.items()}
        by_person: dict[int, list[Row]] = {}
        for values in zip(*columns.values(), strict=True):
            row = dict(zip(columns, values, strict=True))
            by_person.setdefault(row["cust"], []).append(row)
        if by_person:
            for seen, who, when in zip(found, cust.tolist(), days, strict=True):
                for row in by_person.get(who, ()):
                    tell(seen, row, when)
    return found


def _draw(serial: int, salt: int) -> float:
    """An even number that stays with a case."""
    return crc32(f"{salt} {serial}".encode()) % 100_000 / 100_000


def _recent(when: dt.date, day: dt.date) -> bool:
    """Whether something of ``day`` is shown on ``when``: it has happened, and not five years ago."""
    return day <= when and (when - day).days < 5 * 365


def _tax(seen: Seen, row: Row, when: dt.date) -> None:
    gone = int(month_of(np.datetime64(row["day"]))) + row["lasting"]
    if _recent(when, row["day"]) and seen.notes.month <= gone:
        values = (f"虚构市样例{row['cust'] % 9 + 1}区税务局", row["owed"], row["day"].isoformat())
        seen.add("PF01", values, row["luck"], row["day"])


def _judgment(share: float, seen: Seen, row: Row, when: dt.date) -> None:
    """Persons who were sued and lost or settled; the bureau hears of ``share`` of them, two months later."""
    heard = _draw(row["serial"], 37)
    effective = row["judge"] + dt.timedelta(days=60)
    defendant = row["role_no"] == 1 and row["company"] < 0 and row["result_no"] > 0
    if not defendant or heard >= share or not _recent(when, effective):
        return
    closing = "2" if row["result_no"] == 3 else "1" if row["ends"] >= 0.2 else "3"
    values = (
        f"样例第{row['court_no'] + 1}人民法院", CAUSES[row["cause_no"]], row["file"].isoformat(), closing,
        "样例判决结果", effective.isoformat(), "样例诉讼标的", int(row["amount"]),
    )  # fmt: skip
    seen.add("PF02", values, heard / share, effective)


def _enforcement(share: float, seen: Seen, row: Row, when: dt.date) -> None:
    """Cases of enforcement against persons; what is paid leaves the courts' list but stays in the report."""
    heard = _draw(row["serial"], 53)
    if row["company"] >= 0 or heard >= share or row["publish"] > when or not _recent(when, row["reg"]):
        return
    ended = row["closed"] <= when
    paid = row["paid"] < 0.55
    money = int(row["money"])
    values = (
        f"样例第{row['court'] + 1}人民法院", CAUSES[row["way"]], row["reg"].isoformat(),
        (("004", "003", "002")[row["way"] % 3] if paid else "005") if ended else None,
        "已结案" if ended else "执行中", row["closed"].isoformat() if ended else None, "样例申请执行标的", money,
        "样例已执行标的" if ended and paid else None,
        (money if paid else int(money * (1 - row["paid"]))) if ended else None,
    )  # fmt: skip
    seen.add("PF03", values, heard / share, row["publish"])


def _penalty(seen: Seen, row: Row, when: dt.date) -> None:
    if _recent(when, row["day"]):
        end = row["day"] + dt.timedelta(days=row["days"]) if row["days"] else None
        values = (
            f"样例{row['cust'] % 6 + 1}执法支队", OFFENCES[row["what"]], row["fine"], row["day"].isoformat(),
            end.isoformat() if end else None, "样例维持" if row["luck"] < 0.03 else None,
        )  # fmt: skip
        seen.add("PF04", values, row["luck"], row["day"])
