"""Post-paid accounts (PE01): telephones and water, paid after use, month by month."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from simulator.pboc_notes import Notes
from simulator.pboc_tree import Segment, Unit, Value
from simulator.population import Population
from simulator.streams import Streams, sigmoid
from simulator.timeline import month_name

KEPT = 24
TYPES = ("TE", "UE")
_SERVICES = ("2", "6", "3", "1")


@dataclass
class Postpaid:
    """Arrays of shape (2, customers): telephone and water.

    ``since`` is the month in which the service began (far ahead for those without an account on file), ``bill`` what a
    month costs in yuan, ``luck`` an even draw for good. ``levels`` holds for each of the last months how many months
    each account is in arrears, the newest last.
    """

    since: np.ndarray
    bill: np.ndarray
    luck: np.ndarray
    levels: list[np.ndarray] = field(default_factory=list)


def open_postpaid(people: Population, streams: Streams, shares: tuple[float, float]) -> Postpaid:
    """Who has which account on file: ``shares`` of the customers have a telephone's, a water account."""
    rng = streams.of("post-paid")
    size = people.size
    there = rng.random((2, size)) < np.array(shares)[:, None]
    since = -(rng.random((2, size)) ** 1.5 * 160).astype(int) + 70
    bill = np.array([[62.0], [38.0]]) * np.exp(0.35 * rng.standard_normal((2, size)))
    return Postpaid(
        np.where(there, since, 10_000), np.maximum(bill.astype(int), 9), np.round(rng.random((2, size)), 6)
    )


def live(book: Postpaid, people: Population, month: int, streams: Streams, level: float) -> None:
    """Pay or not in ``month``; ``level`` are the log odds that an average account falls into arrears."""
    draws = streams.of("post-paid", month).random((2, people.size))
    before = book.levels[-1] if book.levels else np.zeros((2, people.size), np.uint8)
    pull = 0.7 * people.risk + 0.4 * people.stress + 0.3 * people.discipline
    falls = (before == 0) & (draws < sigmoid(level + pull))
    stays = (before > 0) & (draws > 0.42 * np.exp(-0.15 * pull))
    now = np.where(falls, 1, np.where(stays, np.minimum(before + 1, 7), 0))
    book.levels.append(np.where(book.since <= month, now, 0).astype(np.uint8))
    del book.levels[:-KEPT]


def marks(book: Postpaid, who: np.ndarray) -> np.ndarray:
    """Months in arrears of some customers, shape (2, customers, 24), the newest month last."""
    stacked = np.stack(book.levels)[:, :, who]
    return np.moveaxis(stacked, 0, 2)


def units(book: Postpaid, who: int, levels: np.ndarray, codes: tuple[str, str], notes: Notes) -> list[Unit]:
    """Units PE01 of a customer; ``levels`` are the customer's rows of :func:`marks`.

    ``codes`` are those of the current status, in order and in arrears: sources disagree about them.
    """
    month = notes.month
    found: list[Unit] = []
    for at, kind in enumerate(TYPES):
        since = int(book.since[at, who])
        if since >= month:
            continue
        first = max(since - (month - KEPT), 0)
        record = "#" * first + "".join("N0123456"[level] for level in levels[at, first:].tolist())
        owed = int(levels[at, -1]) * int(book.bill[at, who])
        luck = float(book.luck[at, who])
        number = who % 12 + 1
        values: tuple[Value, ...] = (
            kind, f"样例{'电信' if at == 0 else '水务'}{number}分公司",
            _SERVICES[int(luck * 40) % 4] if at == 0 else None, f"{month_name(since)}-05", codes[owed > 0],
            owed, month_name(month - 1), record,
        )  # fmt: skip
        found.append([Segment("PE01A", values), notes.on("PE01", luck, since)])
    return found
