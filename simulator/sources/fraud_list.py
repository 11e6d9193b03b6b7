"""Lists of keys that were seen in fraud: a daily file of entries made, changed and removed, and answers to questions.

An entry comes weeks after the deed, about one key of whoever did it, or of somebody taken for them; whoever shares a
device, an address or a network with that key is found too. Most entries are of strangers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator import identities
from simulator.asking import Asking
from simulator.calls import HIT, NO_HIT, Calls
from simulator.deliveries import ARRIVES, ORDER, moment
from simulator.networks import network_address
from simulator.outside import Answer, AskedSource
from simulator.streams import pick, sigmoid
from simulator.timeline import START, days_in, first_day
from simulator.world import World

BEFORE = 24
"""Months of history in the first file."""
KEYS = ("id", "phone", "device", "card", "addr", "ip")
ID, PHONE, DEVICE, CARD, ADDR, IP = range(len(KEYS))
LISTS = (
    "gang", "identity_theft", "forged_docs", "agent", "cash_out", "lost_contact", "evasion", "account_trade",
    "telecom_fraud", "gambling", "device_farm", "sms_farm",
)  # fmt: skip
REASONS = ("GF", "IT", "FD", "AG", "CO", "LC", "EV", "AT", "TF", "GB", "DF", "SF")
_ORDINARY = np.array([2, 6, 12, 14, 8, 20, 14, 6, 4, 8, 2, 4.0])
_RING = np.array([45, 4, 12, 12, 2, 3, 2, 4, 2, 0, 8, 6.0])
_KEY_BY_LIST = np.array(
    [
        [30, 18, 22, 6, 16, 8], [60, 30, 0, 10, 0, 0], [60, 20, 0, 0, 20, 0], [0, 50, 22, 0, 28, 0],
        [45, 0, 0, 55, 0, 0], [50, 50, 0, 0, 0, 0], [100, 0, 0, 0, 0, 0], [30, 0, 0, 70, 0, 0],
        [0, 50, 0, 30, 0, 20], [40, 0, 0, 60, 0, 0], [0, 0, 78, 0, 0, 22], [0, 100, 0, 0, 0, 0],
    ],
    float,
)  # fmt: skip
STRANGER = 500_000_000
"""Keys of strangers have numbers from here on."""


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    level: float = -7.9
    """Log odds of an entry about an average customer in a month [stated: 1 to 4 of 100 questions find one]."""
    ring: float = 3.0
    """What a ring's recent applications add to them [stated]."""
    strangers: float = 0.012
    """Entries of strangers in a month, for each customer of the bank [stated; a real file has far more]."""
    appeals: float = 0.05
    """Share of the entries that are appealed against [stated]; three in five of these are removed."""


class FraudList(AskedSource):
    """Fraud and high-risk lists."""

    name = "fraud_list"
    assumes = Assume
    prefix = "FK"
    latency = (80, 300)
    timeout = 1000
    monitors = True
    plant = ("list_type", "rumour", pl.col("channel") == "file")

    def begin(self, world: World) -> None:
        """Two years of entries are in the first file."""
        world.kept[self.name] = {"serial": 0, "versions": None}
        for month in range(START - BEFORE, START):
            self._enter(world, month)

    def live(self, world: World, month: int) -> None:
        """The month's entries, with all that will become of them."""
        self._enter(world, month)

    def _enter(self, world: World, month: int) -> None:
        people, kept = world.people, world.kept[self.name]
        rng = world.streams.of(self.name, month)
        since = month - people.ring_start
        active = (people.ring >= 0) & (since >= 0) & (since <= 8)
        odds = (
            self.assume.level + 0.75 * people.fraud + 0.4 * people.risk + 0.5 * world.noise(self.name)
            + self.assume.ring * active
        )  # fmt: skip
        own = np.flatnonzero(rng.random(people.size) < sigmoid(odds))
        strangers = int(self.assume.strangers * people.size) + 2
        n = len(own) + strangers
        who = np.concatenate([own, np.full(strangers, -1)])
        stranger = STRANGER + month * 1_000_000 + np.arange(n)
        d = rng.random((14, n))
        gang = (who >= 0) & active[who]
        kind = pick(d[0], np.where(gang[:, None], _RING, _ORDINARY))
        key = pick(d[1], _KEY_BY_LIST[kind])
        number = np.where(who >= 0, _numbers(world, who, key), stranger)
        deed = first_day(month) + (d[2] * days_in(month)).astype("timedelta64[D]")
        first = deed + (5 + d[3] * 40).astype("timedelta64[D]")
        # questions of this month were answered before anything of it was known
        if month >= START:
            first = np.maximum(first, first_day(month + 1))
        base = {
            "serial": kept["serial"] + np.arange(n), "key": key, "number": number, "kind": kind,
            "level": 1 + pick(d[4], np.array([0.2, 0.3, 0.27, 0.15, 0.08])),
            "reason": (d[5] * 40).astype(int), "sources": 1 + (d[6] ** 3 * 5).astype(int),
            "evidence": 2 + (d[7] ** 2 * 12).astype(int), "first": first, "last": first,
            "until": first + (365 + d[8] * 730).astype("timedelta64[D]"), "status": np.zeros(n, int),
            "known": first.astype("datetime64[us]") + (7_200 + d[9] * 14_400).astype("timedelta64[s]"),
        }  # fmt: skip
        kept["serial"] += n
        versions = [
            pl.DataFrame(base),
            *_later(pl.DataFrame(base), d, world.assume.restated_share, self.assume.appeals),
        ]
        made = pl.concat(versions, how="vertical_relaxed").sort("known", "serial")
        kept["versions"] = made if kept["versions"] is None else pl.concat([kept["versions"], made])
        day = made["known"].dt.date()
        start = first_day(START).astype(object)
        lines = _lines(world, made.with_columns(at=pl.lit(-1))).with_columns(
            channel=pl.lit("file"),
            req_id=pl.lit(None, pl.String),
            report_ts=made["known"].dt.cast_time_unit("ms"),
        )
        lines = lines.with_columns(
            moment("report_ts"),
            pl.max_horizontal(day, pl.lit(start)).alias(ARRIVES),
            made["known"].dt.cast_time_unit("us").alias(ORDER),
        )
        world.deliveries.add(self.name, lines.select(*_columns(world), ARRIVES, ORDER), month)

    def answer(self, asking: Asking) -> Answer:
        """The newest version of every entry about one of an applicant's keys, known when asked."""
        world, cust, n = asking.world, asking.cust, asking.n
        numbers = np.stack([
            cust, asking.master.phone[cust], asking.device, cust * 4, asking.master.address[cust], asking.network,
        ])  # fmt: skip
        ask = pl.DataFrame({
            "at": np.tile(np.arange(n), len(KEYS)), "key": np.repeat(np.arange(len(KEYS)), n),
            "number": numbers.ravel(), "asked": np.tile(asking.at.astype("datetime64[us]"), len(KEYS)),
        })  # fmt: skip
        found = (
            ask.join(world.kept[self.name]["versions"], on=["key", "number"], how="inner")
            .filter(pl.col("known") <= pl.col("asked"))
            .sort("at", "serial", "known")
            .unique(["at", "serial"], keep="last", maintain_order=True)
            .filter(pl.col("status") != REMOVED)
        )
        hits = np.bincount(found["at"].to_numpy(), minlength=n) > 0

        def rows(calls: Calls, which: np.ndarray) -> pl.DataFrame:
            told = which[calls.result[which] == HIT]
            misses = which[calls.result[which] != HIT]
            listed = _lines(world, found.filter(pl.col("at").is_in(told.tolist())))
            nothing = pl.DataFrame(
                {"at": misses, "hit": ["0"] * len(misses), "id_hash": asking.id_md5(misses)},
                schema_overrides={"hit": pl.String},
            )
            frame = pl.concat([listed, nothing], how="diagonal_relaxed").sort("at", maintain_order=True)
            at = frame["at"].to_numpy()
            response = calls.response_ts[at]
            return frame.with_columns(
                pl.Series("report_ts", response),
                pl.Series("req_id", [calls.request[number] for number in at.tolist()], dtype=pl.String),
                pl.lit("api").alias("channel"),
                pl.Series(ARRIVES, response.astype("datetime64[D]")),
                pl.Series(ORDER, response.astype("datetime64[us]")),
            ).with_columns(moment("report_ts")).select(*_columns(world), ARRIVES, ORDER)  # fmt: skip

        return Answer(np.where(hits, HIT, NO_HIT), rows)


STATES = ("active", "appeal", "removed")
ACTIVE, APPEAL, REMOVED = range(len(STATES))


def _columns(world: World) -> tuple[str, ...]:
    return world.rules[FraudList.name].columns


def _numbers(world: World, who: np.ndarray, key: np.ndarray) -> np.ndarray:
    """What is listed of each customer, as a number; a ring is seen from one of its rented networks."""
    people, lot = world.people, world.streams.lot
    ring = people.ring[who]
    rented = 10_000_000 + (
        lot("rented", np.maximum(ring, 0), np.zeros_like(ring)) * max(people.size // 60, 20)
    ).astype(int)
    network = np.where(ring >= 0, rented, people.address[who])
    every = np.stack([who, people.phone[who], people.device[who], who * 4, people.address[who], network])
    return every[key, np.arange(len(who))]  # fmt: skip


def _later(entries: pl.DataFrame, d: np.ndarray, corrected: float, appealed: float) -> list[pl.DataFrame]:
    """What becomes of entries: reported again, corrected, appealed against, removed; each a version of its own."""
    entries = entries.with_columns(
        again=pl.Series(20 + (d[10] * 100).astype(int)), appeal=pl.Series(130 + (d[11] * 100).astype(int)),
        judged=pl.Series(15 + (d[12] * 25).astype(int)),
    )  # fmt: skip
    goes, quiet = d[13] < appealed, d[13] > 0.82
    won = goes & (d[12] < 0.6)
    wrong = (d[13] >= appealed) & (d[13] < appealed + corrected)
    appeal = pl.col("known") + pl.duration(days=pl.col("appeal"))
    runs_out = pl.max_horizontal(
        pl.col("until").cast(pl.Datetime("us")) + pl.duration(hours=3), pl.col("known") + pl.duration(days=1)
    )

    def version(mask: np.ndarray, known: pl.Expr, **changes: pl.Expr) -> pl.DataFrame:
        changed = entries.with_columns(known=known, **changes).filter(pl.Series(mask))
        return changed.drop("again", "appeal", "judged")

    return [
        version(
            quiet,
            pl.col("known") + pl.duration(days=pl.col("again")),
            last=pl.col("first") + pl.duration(days=pl.col("again") - 2),
            evidence=pl.col("evidence") + 1,
            sources=pl.col("sources") + 1,
            level=pl.min_horizontal(pl.col("level") + 1, 5),
        ),
        version(
            wrong,
            pl.col("known") + pl.duration(days=4),
            level=pl.max_horizontal(pl.col("level") - 1, 1),
            reason=(pl.col("reason") + 7) % 40,
        ),
        version(goes, appeal, status=pl.lit(APPEAL)),
        version(won, appeal + pl.duration(days=pl.col("judged")), status=pl.lit(REMOVED)),
        version(~won, runs_out, status=pl.lit(REMOVED)),
    ]


def _lines(world: World, entries: pl.DataFrame) -> pl.DataFrame:
    """Versions of entries as they stand in a file, but for what tells how the line came."""
    people, seed = world.people, world.streams.seed

    def text(key: int, number: int) -> str:
        if key == ID:
            return people.ids[number] if number < people.size else f"99{number:016d}"
        if key == PHONE:
            return identities.phone(number)
        if key == DEVICE:
            return identities.device(number, seed)
        if key == CARD:
            return identities.card(number)
        if key == ADDR:
            return identities.address(number)
        return identities.ip(number) if number >= STRANGER else network_address(np.array([number]))[0]

    distinct = entries.select("key", "number").unique(maintain_order=True)
    hashes = [identities.md5(text(key, number)) for key, number in distinct.iter_rows()]
    known = entries.join(
        distinct.with_columns(pl.Series("key_hash", hashes, dtype=pl.String)),
        on=["key", "number"], how="left", maintain_order="left",
    )  # fmt: skip

    def coded(name: str, texts: tuple[str, ...]) -> pl.Expr:
        return pl.col(name).replace_strict(range(len(texts)), texts, return_dtype=pl.String)

    return known.select(
        "at",
        pl.format("FX{}", pl.col("serial").cast(pl.String).str.zfill(10)).alias("list_id"),
        pl.lit("1").alias("hit"),
        coded("key", KEYS).alias("key_type"),
        "key_hash",
        *(
            pl.when(pl.col("key") == at).then("key_hash").alias(f"{name}_hash")
            for at, name in enumerate(KEYS)
        ),
        coded("kind", LISTS).alias("list_type"),
        "level",
        pl.format("{}{}", coded("kind", REASONS), (pl.col("reason") + 10).cast(pl.String)).alias(
            "reason_code"
        ),
        pl.col("evidence").alias("evidence_cnt"),
        pl.col("sources").alias("source_cnt"),
        pl.col("first").alias("first_date"),
        pl.col("last").alias("last_date"),
        pl.col("until").alias("expire_date"),
        coded("status", STATES).alias("status"),
    )


SOURCE = FraudList()
