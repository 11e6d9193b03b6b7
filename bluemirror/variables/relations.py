"""Relations: who is linked to whom through a device, a phone, an address, as known at each moment."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import polars as pl

from bluemirror.mart.versions import quote, versions_sql
from bluemirror.variables.declarations import Block, Relation
from bluemirror.variables.grouped import Grouped, Ints
from bluemirror.variables.loaded import times
from bluemirror.variables.resolve import Moments, neighbours
from bluemirror.variables.tables import Catalog, Keys

if TYPE_CHECKING:
    import duckdb


class LinkedPairs(Protocol):
    """Who is linked to whom."""

    def pairs(self, shard: slice, as_of: Ints) -> tuple[Ints, Ints]:
        """(position in the shard, group of a neighbour) of every pair, ascending by position."""


@dataclass(frozen=True)
class Links:
    """Links near some observations, sorted by who uses and by what is used.

    Attributes
    ----------
    keys
        Numbers of everybody who is observed or linked to someone observed.
    ids
        The group of each observation.
    """

    keys: Keys
    by_from: Grouped
    by_through: Grouped
    ids: Ints

    def pairs(self, shard: slice, as_of: Ints) -> tuple[Ints, Ints]:
        """(position in the shard, group of a neighbour) of every pair, ascending by position."""
        return neighbours(self.by_from, self.by_through, Moments(self.ids[shard], as_of))


@dataclass(frozen=True)
class LinkTable:
    """All links of a relation in order of time, everyone and everything told by a number (-1: null)."""

    keys: Keys
    things: int
    sides: Mapping[str, Ints]
    moments: Mapping[str, Ints]

    @classmethod
    def read(
        cls, connection: duckdb.DuckDBPyConnection, catalog: Catalog, block: Block, relation: Relation
    ) -> LinkTable:
        """Read the links from the mart."""
        table = catalog.contract(relation.table, block).table(relation.table)
        frame = connection.sql(
            f"SELECT CAST(t.{quote(relation.from_[0])} AS VARCHAR) AS f, "
            f"CAST(t.{quote(relation.through)} AS VARCHAR) AS v, CAST(t.{quote(relation.to)} AS VARCHAR) AS o, "
            f"event_time, known_time, _superseded "
            f"FROM ({versions_sql(table)}) t WHERE NOT coalesce(_deleted, false) "
            f"AND t.{quote(relation.through)} IS NOT NULL "
            "ORDER BY event_time, known_time, _delivery, _file, _line, _seq"
        ).pl()
        keys = Keys.of(pl.concat([frame["f"], frame["o"]]))
        through = Keys.of(frame["v"])
        return cls(
            keys,
            len(through),
            {"from": keys.ids(frame["f"]), "to": keys.ids(frame["o"]), "through": through.ids(frame["v"])},
            {name: times(frame, name) for name in ("event_time", "known_time", "_superseded")},
        )

    def near(self, observed: pl.Series) -> Links:
        """The links of those ``observed`` and of whoever used the same things; all others are left out."""
        values = observed.cast(pl.String)
        own = np.zeros(len(self.keys) + 1, dtype=bool)
        own[self.keys.ids(values)] = True
        own[-1] = False
        used = np.zeros(self.things + 1, dtype=bool)
        used[self.sides["through"][own[self.sides["from"]]]] = True
        kept = used[self.sides["through"]]
        sides = {name: numbers[kept] for name, numbers in self.sides.items()}
        moments = {name: numbers[kept] for name, numbers in self.moments.items()}

        # Numbers of their own, so that what is read for these observations is theirs alone.
        known = np.zeros(len(self.keys) + 1, dtype=bool)
        known[sides["from"]] = known[sides["to"]] = True
        known[-1] = False
        names = self.keys.frame["_value"].filter(pl.Series(known[:-1]))
        keys = Keys.of(pl.concat([names, values]))
        place = np.full(len(self.keys) + 1, -1, dtype=np.int64)
        place[:-1][known[:-1]] = keys.ids(names)
        sides["from"], sides["to"] = place[sides["from"]], place[sides["to"]]

        def sorted_by(side: str, groups: int) -> Grouped:
            order = np.argsort(sides[side], kind="stable")
            order = order[sides[side][order] >= 0]
            columns = {name: numbers[order] for name, numbers in {**moments, **sides}.items()}
            return Grouped.build(columns, sides[side][order], groups)

        return Links(keys, sorted_by("from", len(keys)), sorted_by("through", self.things), keys.ids(values))


class LinkTables:
    """The links of every relation, read when first asked for; the blocks of a build share them."""

    def __init__(self) -> None:
        self._read: dict[tuple[str, str, str, str], LinkTable] = {}
        self._lock = threading.Lock()

    def of(
        self, connection: duckdb.DuckDBPyConnection, catalog: Catalog, block: Block, relation: Relation
    ) -> LinkTable:
        """The links of ``relation``."""
        key = (relation.table, relation.from_[0], relation.through, relation.to)
        with self._lock:
            if key not in self._read:
                self._read[key] = LinkTable.read(connection, catalog, block, relation)
            return self._read[key]
