"""Which sources know the same people: of those asked at both, who was found by both, by one, by none.

It decides exits: a source whose finds another one has too can go; one that finds people whom nobody else finds cannot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bluemirror.desk.calls import TABLE
from bluemirror.desk.known import day
from bluemirror.desk.windows import OVERLAP_DAYS, Windows

if TYPE_CHECKING:
    import duckdb

BATCH = 200_000
"""Persons whose answers are held at a time."""


@dataclass(frozen=True)
class Pair:
    """Persons asked at both sources: found by both, only by the first, only by the second, by neither."""

    first: str
    second: str
    both: int
    only_first: int
    only_second: int
    neither: int

    @property
    def asked(self) -> int:
        """Persons whom both were asked about and answered."""
        return self.both + self.only_first + self.only_second + self.neither

    def redundancy(self, source: str) -> float | None:
        """Share of the finds of ``source``, among persons asked at both, that the other has too."""
        own = self.both + (self.only_first if source == self.first else self.only_second)
        return self.both / own if own else None


@dataclass(frozen=True)
class Overlap:
    """All pairs, and for each source its finds and those that nobody else of its domain has.

    ``alone`` counts persons found by the source and asked at another source of the same domain, but found by none.
    """

    pairs: tuple[Pair, ...] = ()
    found: Mapping[str, int] | None = None
    alone: Mapping[str, int] | None = None

    def pair(self, one: str, other: str) -> Pair | None:
        """The pair of two sources, in either order."""
        names = {one, other}
        return next((pair for pair in self.pairs if {pair.first, pair.second} == names), None)


def overlap(connection: duckdb.DuckDBPyConnection, domains: Mapping[str, str], windows: Windows) -> Overlap:
    """Overlap over the last 90 days of the sources in ``domains`` (source -> domain) that the ledger knows.

    A person counts as found by a source if any answer of the window, the cache's among them, had a record, and as
    asked if any answer came at all: a failed call says nothing.
    """
    rows = connection.sql(
        f"SELECT entity, source, bool_or(outcome = 'hit') AS hit FROM {TABLE} "
        f"WHERE outcome <> 'error' AND day >= {day(windows.last(OVERLAP_DAYS))} GROUP BY ALL ORDER BY entity, source"
    ).pl()
    rows = rows.filter(rows["source"].is_in(list(domains)))
    names = sorted(rows["source"].unique().to_list())
    if not names:
        return Overlap()
    number = {name: position for position, name in enumerate(names)}
    codes = rows["source"].replace_strict(number).to_numpy()
    people = rows["entity"].rank("dense").to_numpy().astype(np.int64) - 1
    hits = rows["hit"].to_numpy()
    size = len(names)
    both = np.zeros((size, size))
    mine = np.zeros((size, size))
    asked = np.zeros((size, size))
    found = np.zeros(size, dtype=np.int64)
    alone = np.zeros(size, dtype=np.int64)
    domain = np.array([domains[name] for name in names])
    akin = (domain[:, None] == domain[None, :]) & ~np.eye(size, dtype=bool)
    last = int(people[-1]) + 1
    for start in range(0, last, BATCH):
        low, high = np.searchsorted(people, [start, start + BATCH])
        a = np.zeros((min(BATCH, last - start), size), dtype=np.float32)
        h = np.zeros_like(a)
        a[people[low:high] - start, codes[low:high]] = 1
        h[people[low:high] - start, codes[low:high]] = hits[low:high]
        both += h.T @ h
        mine += h.T @ a
        asked += a.T @ a
        found += h.sum(axis=0).astype(np.int64)
        others_asked, others_found = a @ akin, h @ akin
        alone += ((h > 0) & (others_asked > 0) & (others_found == 0)).sum(axis=0)
    pairs = []
    for i in range(size):
        for j in range(i + 1, size):
            if asked[i, j]:
                b, m, o, n = (int(x) for x in (both[i, j], mine[i, j], mine[j, i], asked[i, j]))
                pairs.append(Pair(names[i], names[j], b, m - b, o - b, n - m - o + b))
    return Overlap(
        tuple(pairs),
        dict(zip(names, found.tolist(), strict=True)),
        dict(zip(names, alone.tolist(), strict=True)),
    )
