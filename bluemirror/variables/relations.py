"""Relations: who is linked to whom through a device, a phone, an address, as known at each moment."""

from __future__ import annotations

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
    """Links of a relation, sorted by who uses and by what is used; ``ids`` is the group of each observation."""

    keys: Keys
    by_from: Grouped
    by_through: Grouped
    ids: Ints

    @classmethod
    def load(
        cls,
        connection: duckdb.DuckDBPyConnection,
        catalog: Catalog,
        block: Block,
        relation: Relation,
        observed: pl.Series,
    ) -> Links:
        """Load the links; ``observed`` is the key of each observation on the ``from`` side."""
        table = catalog.contract(relation.table, block).table(relation.table)
        column = relation.from_[0]
        frame = connection.sql(
            f"SELECT CAST(t.{quote(column)} AS VARCHAR) AS f, CAST(t.{quote(relation.through)} AS VARCHAR) AS v, "
            f"CAST(t.{quote(relation.to)} AS VARCHAR) AS o, event_time, known_time, _superseded "
            f"FROM ({versions_sql(table)}) t WHERE NOT coalesce(_deleted, false) "
            f"AND t.{quote(relation.through)} IS NOT NULL "
            "ORDER BY event_time, known_time, _delivery, _file, _line, _seq"
        ).pl()
        keys = Keys.of(pl.concat([frame["f"], frame["o"], observed.cast(pl.String)]))
        through = Keys.of(frame["v"])
        sides = {"from": keys.ids(frame["f"]), "to": keys.ids(frame["o"]), "through": through.ids(frame["v"])}
        moments = {name: times(frame, name) for name in ("event_time", "known_time", "_superseded")}

        def sorted_by(side: str, groups: int) -> Grouped:
            order = np.argsort(sides[side], kind="stable")
            order = order[sides[side][order] >= 0]
            columns = {name: values[order] for name, values in {**moments, **sides}.items()}
            return Grouped.build(columns, sides[side][order], groups)

        return cls(
            keys,
            sorted_by("from", len(keys)),
            sorted_by("through", len(through)),
            keys.ids(observed.cast(pl.String)),
        )

    def pairs(self, shard: slice, as_of: Ints) -> tuple[Ints, Ints]:
        """(position in the shard, group of a neighbour) of every pair, ascending by position."""
        return neighbours(self.by_from, self.by_through, Moments(self.ids[shard], as_of))
