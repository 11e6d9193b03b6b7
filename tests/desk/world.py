"""A small bank that asks its sources for four months, with a fault planted in a source where one is wanted.

The files are written as a bank's would be and go through the real gate. A day brings :data:`APPLICATIONS` applications,
each of which asks every asked source once; sources differ by chance and by their fault alone.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from bluemirror.workspace import Workspace
from tests.desk.declarations import APPLY, BILL, LEDGER, PRICES, VERDICTS, asked, declare, feed

FIRST, AS_OF = dt.date(2025, 3, 1), dt.date(2025, 6, 30)
DAYS = [FIRST + dt.timedelta(days=n) for n in range((AS_OF - FIRST).days + 1)]
BULK = (dt.date(2025, 3, 31), dt.date(2025, 4, 30), dt.date(2025, 5, 31), dt.date(2025, 6, 20))
"""Days on which what had happened was delivered at once; from the last of them on every day is a delivery."""
DELIVERED = [*BULK, *(day for day in DAYS if day > BULK[-1])]
APPLICATIONS = 60
PEOPLE = 3000
HIT, MATCH, LOW = 0.6, 0.9, 0.05
FEE = 50.0
WEEK = AS_OF - dt.timedelta(days=6)

# Source -> the one alert that its fault must raise (None: no fault).
ASKED: dict[str, tuple[str | None, dict[str, Any]]] = {
    "a_clean": (None, {"band": (0.5, 0.7), "fee": FEE}),
    "a_low": (None, {"band": (0.02, 0.1)}),
    "a_verdict": (None, {"verifies": True, "band": (0.95, 1.0)}),
    "a_outage": ("outage", {}),
    "a_errors": ("error_rate", {}),
    "a_miss": ("all_miss", {"band": (0.5, 0.7)}),
    "a_band": ("hit_rate", {"band": (0.75, 0.9)}),
    "a_moved": ("hit_rate", {}),
    "a_match": ("match_rate", {"verifies": True}),
    "a_slow": ("slow", {}),
    "a_slower": ("slower", {"promises": False}),
    "a_price": ("mispriced", {}),
    "a_same": ("same_answer", {}),
    "a_request": ("same_request", {}),
    "a_shift": ("shifted", {}),
    "a_empty": ("emptied", {}),
    "a_code": ("new_code", {}),
    "b_cached": ("bill", {}),
    "b_twice": ("bill", {}),
    "b_price": ("bill", {"fee": FEE}),
    "b_none": ("no_bill", {}),
}
FEEDS: dict[str, str | None] = {
    "f_clean": None,
    "f_late": "late",
    "f_due": "late",
    "f_missing": "missing",
    "f_waiting": "waiting",
    "f_columns": "schema",
    "f_again": "held",
    "f_rules": "quarantine",
    "f_never": "never",
}


def stream(*words: object) -> np.random.Generator:
    """Random numbers of their own for what the words say."""
    return np.random.default_rng(zlib.crc32(repr(words).encode()))


@dataclass
class World:
    """The files of the bank, by source and delivery day, and what is written of them."""

    root: Path
    sources: tuple[str, ...]
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def workspace(self) -> Workspace:
        """The bank as a workspace."""
        return Workspace.open(self.root)

    @property
    def asked(self) -> list[str]:
        """Its asked sources."""
        return [name for name in self.sources if name in ASKED]

    @property
    def planted(self) -> set[tuple[str, str]]:
        """Source and kind of every alert that must be raised."""
        kinds = {name: ASKED[name][0] if name in ASKED else FEEDS[name] for name in self.sources}
        return {(name, kind) for name, kind in kinds.items() if kind is not None}


def build(root: Path, sources: tuple[str, ...]) -> World:
    """Declare and land the bank with these sources, and read it into the mart."""
    from bluemirror.mart import ingest_source

    world = World(root, sources)
    contracts = [asked(name, **ASKED[name][1]) for name in world.asked]
    contracts += [feed(name) for name in sources if name in FEEDS]
    contracts += [LEDGER, APPLY, *([BILL] if any(name.startswith("b_") for name in sources) else [])]
    declare(root, contracts)
    _live(world)
    for name in sorted({*world.rows, *sources}):
        _land(world, name)
    for one in contracts:
        ingest_source(world.workspace, one["id"])
    return world


def _live(world: World) -> None:
    rng = stream("applications")
    calls: list[dict[str, Any]] = []
    answers: dict[str, list[dict[str, Any]]] = {name: [] for name in world.asked}
    applications: list[dict[str, Any]] = []
    number = 0
    for day in DAYS:
        people = rng.integers(0, PEOPLE, APPLICATIONS)
        seconds = np.sort(rng.integers(8 * 3600, 20 * 3600, APPLICATIONS))
        yes = rng.random(APPLICATIONS) < 0.6
        chance = {source: _chance(source, day) for source in world.asked}
        for k in range(APPLICATIONS):
            number += 1
            at = dt.datetime.combine(day, dt.time()) + dt.timedelta(seconds=int(seconds[k]))
            name = f"L{number:06d}"
            applications.append({"application": name, "at": at, "written": at, "status": "sent"})
            decided = at + dt.timedelta(hours=1)
            status = "yes" if yes[k] else "no"
            applications.append({"application": name, "at": at, "written": decided, "status": status})
            for source in world.asked:
                call, answer = _call(
                    source, day, at, name, f"P{int(people[k]):05d}", number, chance[source][k]
                )
                calls.append(call)
                if answer is not None:
                    answers[source].append(answer)
    world.rows["ledger"] = calls
    world.rows["apply"] = applications
    world.rows |= answers
    if any(name.startswith("b_") for name in world.sources):
        world.rows["bill"] = _bills(world, calls)
    for source in world.sources:
        if source in FEEDS:
            world.rows[source] = _feed(source)


def _chance(source: str, day: dt.date) -> list[list[float]]:
    """What chance does to each of the day's calls: six shares, two normals, one waiting time."""
    rng = stream(source, day)
    parts = (
        rng.random((APPLICATIONS, 6)),
        rng.standard_normal((APPLICATIONS, 2)),
        rng.exponential(1.0, (APPLICATIONS, 1)),
    )
    return np.hstack(parts).tolist()


def _call(
    source: str, day: dt.date, at: dt.datetime, application: str, person: str, number: int, draw: list[float]
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """One call and, if the source itself answered, its answer."""
    verifies = ASKED[source][1].get("verifies", False)
    today, week, month = day == AS_OF, day >= WEEK, day > AS_OF - dt.timedelta(days=28)
    hit = {"a_low": LOW, "a_verdict": 0.98, "a_match": 0.98}.get(source, HIT)
    hit = 0.0 if source == "a_miss" and today else 0.42 if source == "a_moved" and week else hit
    match = 0.6 if source == "a_match" and week else MATCH
    failing = 0.8 if source == "a_outage" and today else 0.05 if source == "a_errors" and month else 0.008
    slow = 4.0 if source == "a_slow" and today else 2.5 if source == "a_slower" and today else 1.0
    cached = draw[0] < 0.1
    result = "no_hit"
    if draw[1] < hit:
        result = ("match" if draw[2] < match else "mismatch") if verifies else "hit"
    if draw[3] < failing and not cached:
        result = "timeout" if draw[4] < 0.4 else "error"
    milliseconds = int(200 * math.exp(0.6 * draw[6]) * slow)
    if cached:
        milliseconds = 3
    elif result == "timeout":
        milliseconds = 3000
    price = 0.0 if cached else (VERDICTS if verifies else PRICES).get(result, 0.0)
    if source == "a_price" and month and result == "hit" and not cached:
        price = 1.2
    request = f"{source}-{number}"
    if source == "a_request" and today and number % 10 == 0:
        request = f"{source}-{number - 1}"
    response = at + dt.timedelta(milliseconds=milliseconds)
    call = {
        "call_id": f"C-{source}-{number}",
        "source": source,
        "person": person,
        "application": application,
        "at": response,
        "result": result,
        "cached": cached,
        "paid": round(price, 2),
        "ms": milliseconds,
        "req_id": None if result in {"error", "timeout"} else request,
        "written": response,
    }
    if cached or result in {"error", "timeout"}:
        return call, None
    answer: dict[str, Any] = {
        "req_id": f"{source}-{number}",
        "id_hash": f"{zlib.crc32(person.encode()):064x}",
        "at": response,
        "result": result,
        "grade": None,
        "score": None,
        "owed": None,
    }
    if result == "hit":
        answer |= {
            "grade": "ABCD"[int(draw[5] * 4)],
            "score": int(min(max((640 if source == "a_shift" and week else 500) + 120 * draw[7], 0), 1000)),
            "owed": round(3000 * draw[8], 2),
        }
        if source == "a_same" and today:
            answer |= {"grade": "B", "score": 512, "owed": 99.0}
        if source == "a_empty" and week and draw[4] < 0.3:
            answer["grade"] = None
        if source == "a_code" and week and number % 30 == 0:
            answer["grade"] = "Z"
    return call, answer


def _bills(world: World, calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Invoices of the closed months; a fault is in that of May."""
    counts = Counter((c["source"], c["at"].month, c["result"], c["cached"]) for c in calls)
    lines = []
    for source in world.asked:
        faults = {name for name in ("b_cached", "b_twice", "b_price", "b_none") if name == source}
        for month in (3, 4, 5):
            fault = faults if month == 5 else set()
            if "b_none" in fault:
                continue
            invoice = {"invoice": f"{source}-{month}", "source": source, "month": f"2025-{month:02d}"}
            invoice["received"] = dt.date(2025, month + 1, 9)
            for what, listed in (VERDICTS if ASKED[source][1].get("verifies") else PRICES).items():
                count = counts[source, month, what, False]
                if not listed or not count:
                    continue
                if "b_cached" in fault and what == "hit":
                    count += counts[source, month, what, True]
                price = round(listed * 1.1, 4) if "b_price" in fault else listed
                line = invoice | {
                    "what": what,
                    "calls": count,
                    "price": price,
                    "amount": round(count * price, 2),
                }
                lines.append(line)
                if "b_twice" in fault and what == "hit":
                    lines.append(line | {"invoice": f"{source}-{month}-again"})
            if ASKED[source][1].get("fee"):
                lines.append(invoice | {"what": "fee", "calls": 1, "price": FEE, "amount": FEE})
    return lines


def _feed(source: str) -> list[dict[str, Any]]:
    rows = []
    for day in DAYS:
        rng = stream(source, day)
        for k in range(80):
            size = float(np.round(rng.gamma(2.0, 50.0), 1))
            if source == "f_rules" and day > AS_OF - dt.timedelta(days=3) and k % 12 == 0:
                size = -1.0
            rows.append(
                {"id": f"{source}-{day}-{k}", "day": day, "form": "xyz"[int(rng.integers(3))], "size": size}
            )
    return rows


def _land(world: World, name: str) -> None:
    """Write the deliveries of one source; a source that never came has none."""
    if name == "f_never":
        return
    rows = world.rows[name]
    known = {"ledger": "at", "apply": "written", "bill": "received"}.get(
        name, "day" if name in FEEDS else "at"
    )
    frame = pl.DataFrame(rows, infer_schema_length=None)
    days = frame[known].cast(pl.Date).to_list()
    before = dt.date.min
    waiting = frame.clear()
    for delivery in DELIVERED:
        part = pl.concat([waiting, frame.filter(pl.Series([before < day <= delivery for day in days]))])
        waiting = frame.clear()
        before = delivery
        if name == "ledger" and delivery > BULK[-1]:
            part, waiting = _late_and_restated(part)
        if name == "f_late" and delivery > AS_OF - dt.timedelta(days=4):
            continue
        if name == "f_due" and delivery > AS_OF - dt.timedelta(days=2):
            continue
        if name == "f_missing" and delivery == AS_OF - dt.timedelta(days=3):
            continue
        if name == "f_columns" and delivery == AS_OF:
            part = part.with_columns(colour=pl.lit("red"))
        deliver(world.root, name, delivery, part, done=not (name == "f_waiting" and delivery == AS_OF))
        if name == "f_again" and delivery == AS_OF:
            folder = world.root / "landing" / name
            old = folder / str(AS_OF - dt.timedelta(days=1)) / f"{name}.csv"
            (folder / str(AS_OF) / "again.csv").write_bytes(old.read_bytes())
            _done(folder / str(AS_OF), {f"{name}.csv": part.height, "again.csv": 80})


def _late_and_restated(part: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Some calls of one source come a delivery late; some of another come again, found after all."""
    number = pl.col("call_id").str.extract(r"(\d+)$").cast(pl.Int64)
    late = (
        (pl.col("source") == "a_low")
        & (number % 11 == 0)
        & (pl.col("at") > part["at"].max() - dt.timedelta(days=1))
    )
    again = (pl.col("source") == "a_clean") & (number % 7 == 0) & (pl.col("result") == "no_hit")
    again &= pl.col("at") > part["at"].max() - dt.timedelta(days=1)
    paid = pl.when("cached").then(0.0).otherwise(PRICES["hit"]).alias("paid")
    later = pl.col("written").dt.truncate("1d") + pl.duration(days=1)
    restated = part.filter(again).with_columns(paid, result=pl.lit("hit"), ms=pl.col("ms") + 1, written=later)
    return part.filter(~late), pl.concat([part.filter(late), restated])


def deliver(root: Path, name: str, day: dt.date, frame: pl.DataFrame, done: bool = True) -> None:
    """Write one delivery as the contract of ``name`` says: JSON lines of asked sources, else CSV."""
    folder = root / "landing" / name / str(day)
    folder.mkdir(parents=True)
    columns = [
        pl.col(column).dt.strftime("%Y-%m-%dT%H:%M:%S%.3f")
        if isinstance(kind, pl.Datetime)
        else pl.col(column)
        for column, kind in frame.schema.items()
    ]
    shown = frame.select(columns)
    file = folder / f"{name}.{'jsonl' if name in ASKED else 'csv'}"
    if name in ASKED:
        shown.write_ndjson(file)
    else:
        shown.write_csv(file)
    if done:
        _done(folder, {file.name: frame.height})


def _done(folder: Path, rows: dict[str, int]) -> None:
    listed = {"files": {name: {"rows": count} for name, count in rows.items()}}
    (folder / "_DONE.json").write_text(json.dumps(listed), encoding="utf-8")
