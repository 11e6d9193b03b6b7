"""The nightly batch over the bank's own graph: who shares devices, addresses, networks and employers, and what of them.

It sees customers only, a month late, and misses a link here and there; families and colleagues are groups as rings are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator.deliveries import ARRIVES, ORDER, only_where
from simulator.outside import Source
from simulator.streams import sigmoid
from simulator.timeline import START, days_in, first_day, last_day
from simulator.world import World

STRONG = ("device", "addr")
RELATIONS = (*STRONG, "wifi", "ip", "employer")
SECOND = ("device", "addr", "ip")
"""Relations that are followed for a second step."""


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    seen: float = 0.92
    """Share of the links that the batch sees [stated]."""
    scored: float = 0.5
    """Share of the customers of whom the vendor has a score [stated: 50 %]."""


class FraudGroup(Source):
    """Groups and network features."""

    name = "fraud_group"
    assumes = Assume
    plant = ("relation", "dream", pl.col("hop") == 1)

    def begin(self, world: World) -> None:
        """Nothing was sent yet."""
        world.kept[self.name] = {}

    def live(self, world: World, month: int) -> None:
        """The graph as the month leaves it, computed on the days of the next, each customer on a day of their own."""
        people, lot = world.people, world.streams.lot
        customer = ~np.isnat(world.master.since)
        labels = {
            name: self._seen(world, name, label, customer) for name, label in _labels(world, month).items()
        }
        marks = _marks(world, month, customer)
        group, size, density = _communities([labels[name] for name in STRONG])
        rank = _pagerank([labels[name] for name in (*STRONG, "employer")])
        core = np.max([_size(labels[name]) - 1 for name in STRONG], axis=0)
        near = np.maximum(_size(labels["device"]), _size(labels["addr"])) - 1
        noise = world.noise(self.name)
        score = sigmoid(-2.0 + 0.45 * np.log1p(size) + 0.35 * np.clip(people.fraud, -2, 4) + 0.8 * noise)
        parts = []
        for hop, names in ((1, RELATIONS), (2, SECOND)):
            for name in names:
                label = labels[name]
                weight = np.ones(people.size) if hop == 1 else near.astype(float)
                around = {key: _others(label, weight * value) for key, value in marks.items()}
                around["neighbor_cnt"] = _others(label, weight)
                parts.append(
                    self._changed(world, f"{name} {hop}", around, size, customer, name == "employer")
                )
        where = [np.flatnonzero(mask) for _, mask in parts]
        who = np.concatenate(where)
        if not len(who):
            return
        keys = [(name, hop) for hop, names in ((1, RELATIONS), (2, SECOND)) for name in names]
        columns = {
            key: np.concatenate([around[key][at] for (around, _), at in zip(parts, where, strict=True)])
            for key in ("neighbor_cnt", "black_cnt", "overdue_cnt", "apply_cnt_7d", "reject_cnt_30d")
        }
        day = first_day(month + 1) + (lot("graph day", who) * days_in(month + 1)).astype("timedelta64[D]")
        done = day.astype("datetime64[us]") + (
            (27 * 3600 + lot("graph hour", who, np.full(len(who), month)) * 7200) * 1e6
        ).astype("timedelta64[us]")
        in_group = size[who] > 1
        frame = pl.DataFrame(
            {
                "person_id": pl.Series(world.master.person).gather(who),
                "snapshot_date": day,
                "relation": np.repeat([name for name, _ in keys], [len(at) for at in where]),
                "hop": np.repeat([hop for _, hop in keys], [len(at) for at in where]),
                **{key: values.astype(np.int64) for key, values in columns.items()},
                "community_id": only_where(in_group, np.char.mod("G%08d", group[who])),
                "community_size": size[who],
                "density": only_where(in_group, np.round(density[who], 4)),
                "pagerank": np.round(rank[who], 5),
                "core_no": core[who],
                "score": only_where(lot("scored", who) < self.assume.scored, np.round(score[who], 4)),
                "model_version": np.full(len(who), "g1.0" if month < START + 24 else "g1.1"),
                "computed_ts": done,
            }
        )
        again = lot("graph corrected", who, np.full(len(who), month)) < world.assume.restated_share
        corrected = frame.filter(pl.Series(again)).with_columns(
            pl.col("computed_ts") + pl.duration(days=2), pl.col("apply_cnt_7d") + 1
        )
        frame = pl.concat([frame, corrected])
        known = frame["computed_ts"]
        frame = frame.with_columns(known.dt.date().alias(ARRIVES), known.alias(ORDER))
        world.deliveries.add(self.name, frame, month)

    def _seen(self, world: World, name: str, label: np.ndarray, customer: np.ndarray) -> np.ndarray:
        """Labels of customers whose link the batch sees; all others stand alone (negative)."""
        chance = world.streams.lot(f"graph {name}", np.arange(len(label)), label)
        there = customer & (label >= 0) & (chance < self.assume.seen)
        return np.where(there, label, -1 - np.arange(len(label)))

    def _changed(
        self,
        world: World,
        key: str,
        around: dict[str, np.ndarray],
        size: np.ndarray,
        customer: np.ndarray,
        coarse: bool,
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """What stands around each customer, and where it differs from what was sent last."""
        step = np.array([5, 3, 3]) if coarse else np.array([1, 1, 1])
        counts = (
            np.stack([around["neighbor_cnt"], around["overdue_cnt"], around["reject_cnt_30d"]])
            // step[:, None]
        )
        now = (
            (counts[0] * 1_000 + counts[1]) * 1_000
            + around["black_cnt"] * 31
            + (0 if coarse else 1) * size * 7
        )
        now = np.where(around["neighbor_cnt"] > 0, now + 1, 0)
        kept = world.kept[self.name]
        before = kept.get(key, np.zeros(len(now)))
        kept[key] = np.where(customer, now, before)
        return around, customer & (now != before)


def _labels(world: World, month: int) -> dict[str, np.ndarray]:
    """What each customer has that others may have too, as numbers (negative: nothing)."""
    people, lot = world.people, world.streams.lot
    ring = np.maximum(people.ring, 0)
    since = month - people.ring_start
    rented = (lot("rented", ring, np.zeros_like(ring)) * max(people.size // 60, 20)).astype(int)
    hides = lot("often hides", np.arange(people.size)) < 0.02
    pool = (lot("proxy", np.arange(people.size), np.zeros_like(ring)) * max(people.size // 60, 20)).astype(
        int
    )
    hidden = np.where((people.ring >= 0) & (since >= 0), rented, pool)
    return {
        "device": people.hardware,
        "addr": people.address,
        "wifi": np.where(lot("has wifi", people.address) < 0.8, people.address, -1),
        "ip": np.where(((people.ring >= 0) & (since >= 0)) | hides, 10_000_000 + hidden, people.address),
        "employer": people.employer,
    }


def _marks(world: World, month: int, customer: np.ndarray) -> dict[str, np.ndarray]:
    """What is known of each customer at the month's end, as numbers."""
    people, loan = world.people, world.loans.loan
    size, end = people.size, last_day(month)
    black, late, applied = np.zeros(size), np.zeros(size), np.zeros(size)
    black[loan["cust"][loan["gone"] > 0]] = 1
    listed = world.kept.get("fraud_list", {}).get("versions")
    if listed is not None:
        known = listed.filter(
            (pl.col("known") <= end.astype(object)) & (pl.col("number") < size) & (pl.col("key") == 0)
        )
        last = (
            known.sort("known")
            .unique("serial", keep="last", maintain_order=True)
            .filter(pl.col("status") < 2)
        )
        black[last["number"].to_numpy()] = 1
    late[loan["cust"][(loan["oldest"] > 0) & (loan["closed"] == 0)]] = 1
    for asking in world.applied:
        recent = asking.at.astype("datetime64[D]") > end - np.timedelta64(7, "D")
        np.add.at(applied, asking.cust[recent], 1)
    marks = {
        "black_cnt": black, "overdue_cnt": late, "apply_cnt_7d": applied,
        "reject_cnt_30d": (world.rejected_at == month).astype(float),
    }  # fmt: skip
    return {name: np.where(customer, values, 0) for name, values in marks.items()}


def _place(label: np.ndarray) -> np.ndarray:
    return np.unique(label, return_inverse=True)[1]


def _size(label: np.ndarray) -> np.ndarray:
    place = _place(label)
    return np.bincount(place)[place]


def _others(label: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Sum of a value over all others with the same label."""
    place = _place(label)
    return np.rint(np.bincount(place, value)[place] - value)


def _communities(labels: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number, size and density of each one's connected component over several labels."""
    places = [_place(label) for label in labels]
    group = np.arange(len(labels[0]))
    while True:
        before = group
        for place in places:
            least = np.full(place.max() + 1, len(group))
            np.minimum.at(least, place, group)
            group = least[place]
        if (group == before).all():
            break
    place = _place(group)
    size = np.bincount(place)
    # each label's circles are complete; a pair in two circles is one link
    links = np.max([np.bincount(place, (_size(label) - 1) / 2) for label in labels], axis=0)
    possible = np.maximum(size * (size - 1) / 2, 1)
    return group, size[place], np.minimum(links / possible, 1)[place]


def _pagerank(labels: list[np.ndarray]) -> np.ndarray:
    """PageRank over the complete circles of several labels, over its average; damping 0.85 (Brin, Page 1998)."""
    places = [_place(label) for label in labels]
    sizes = [np.bincount(place)[place] for place in places]
    degree = np.sum([size - 1 for size in sizes], axis=0)
    rank = np.ones(len(labels[0]))
    for _ in range(10):
        gives = np.where(degree > 0, rank / np.maximum(degree, 1), 0)
        gets = np.sum(
            [
                np.bincount(place, gives)[place] - gives * (size > 0)
                for place, size in zip(places, sizes, strict=True)
            ],
            axis=0,
        )
        rank = 0.15 + 0.85 * gets
    return np.maximum(rank, 0) / max(rank.mean(), 1e-9)  # fmt: skip


SOURCE = FraudGroup()
