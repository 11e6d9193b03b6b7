"""Relations of an applicant: the neighbours that the mart's links and those that have just arrived lead to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from bluemirror.mart.versions import quote, versions_sql
from bluemirror.variables.applicant.history import KeyNumbers, Texts
from bluemirror.variables.applicant.records import FreshRow, Records, mark_sql
from bluemirror.variables.applicant.told import Told, ToldTables
from bluemirror.variables.grouped import Grouped, Ints
from bluemirror.variables.loaded import times
from bluemirror.variables.resolve import Moments, known_rows
from bluemirror.variables.tables import Catalog, Keys

if TYPE_CHECKING:
    import duckdb

    from bluemirror.variables.declarations import Block, Relation


@dataclass(frozen=True)
class PastLinks:
    """All links of a relation in the mart, by who uses and by what is used."""

    relation: Relation
    numbers: KeyNumbers
    through: KeyNumbers
    by_from: Grouped
    by_through: Grouped
    marks: Texts | None
    told: Told

    @classmethod
    def load(
        cls,
        connection: duckdb.DuckDBPyConnection,
        catalog: Catalog,
        block: Block,
        relation: Relation,
        told: ToldTables,
    ) -> PastLinks:
        """Load the links; the same rows as :class:`bluemirror.variables.relations.Links` has."""
        table = catalog.contract(relation.table, block).table(relation.table)
        columns = (("f", relation.from_[0]), ("v", relation.through), ("o", relation.to))
        selected = ", ".join(f"CAST(t.{quote(column)} AS VARCHAR) AS {name}" for name, column in columns)
        mark = mark_sql(table)
        frame = connection.sql(
            f"SELECT {selected}, event_time, known_time, _superseded, {mark or 'NULL::VARCHAR'} AS mark "
            f"FROM ({versions_sql(table)}) t WHERE NOT coalesce(_deleted, false) "
            f"AND t.{quote(relation.through)} IS NOT NULL "
            "ORDER BY event_time, known_time, _delivery, _file, _line, _seq"
        ).pl()
        keys = Keys.of(pl.concat([frame["f"], frame["o"]]))
        through = Keys.of(frame["v"])
        sides = {"from": keys.ids(frame["f"]), "to": keys.ids(frame["o"]), "through": through.ids(frame["v"])}
        moments = {name: times(frame, name) for name in ("event_time", "known_time", "_superseded")}
        row = np.arange(len(frame), dtype=np.int64)

        def sorted_by(side: str, groups: int) -> Grouped:
            order = np.argsort(sides[side], kind="stable")
            order = order[sides[side][order] >= 0]
            columns = {name: values[order] for name, values in {**moments, **sides, "row": row}.items()}
            return Grouped.build(columns, sides[side][order], groups)

        return cls(
            relation,
            KeyNumbers(keys),
            KeyNumbers(through),
            sorted_by("from", len(keys)),
            sorted_by("through", len(through)),
            None if mark is None else Texts(frame["mark"]),
            told.of(table),
        )

    def neighbours(self, value: str | None, as_of: int, records: Records) -> list[str]:
        """Keys of all neighbours of ``value``, ascending, as known at ``as_of``; never oneself."""
        if value is None:
            return []
        table = self.relation.table
        from_, through, to = self.relation.from_[0], self.relation.through, self.relation.to

        def lived(one: FreshRow) -> bool:
            return (
                not one.deleted
                and one.event <= as_of
                and one.known <= as_of
                and not any(
                    other.version > one.version and other.known <= as_of
                    for other in records.versions(table, one.mark)
                )
                and not any(
                    one.known < moment <= as_of for moment in (self.told.of(one.mark) if one.mark else ())
                )
            )

        used = {one.values[through] for one in records.by(table, from_, value) if lived(one)} - {None}
        mine = self._known(self.by_from, [self.numbers.of(value)], as_of, records)
        places = {int(one) for one in self.by_from.columns["through"][mine] if one >= 0}
        used |= {self.through.text(place) for place in places}
        places |= {self.through.of(one) for one in used}
        linked = self._known(self.by_through, sorted(places), as_of, records)
        others = {int(one) for one in self.by_through.columns["to"][linked] if one >= 0}
        found = {self.numbers.text(one) for one in others}
        for one in used:
            found |= {row.values[to] for row in records.by(table, through, one) if lived(row)} - {None}
        return sorted(found - {value})

    def _known(self, rows: Grouped, groups: Sequence[int], as_of: int, records: Records) -> Ints:
        """Rows of ``groups`` that count at ``as_of``, also against fresh versions of them."""
        wanted = np.array([one for one in groups if one >= 0], dtype=np.int64)
        found = known_rows(rows, Moments(wanted, np.full(len(wanted), as_of))).row
        if self.marks is None or not len(found) or not records.any(self.relation.table):
            return found
        marks = self.marks.of(rows.columns["row"][found])
        known = rows.columns["known_time"][found]
        kept = [
            not any(known[place] <= one.known <= as_of for one in records.versions(self.relation.table, mark))
            for place, mark in enumerate(marks)
        ]
        return found[np.array(kept, dtype=bool)]
