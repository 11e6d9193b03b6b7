"""The rows that a value may rest on, each with the reason why it counts or not: plain Python over the mart."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from bluemirror.mart.system_columns import SYSTEM
from bluemirror.mart.versions import quote
from bluemirror.variables.declarations import Block, Family, Slice
from bluemirror.variables.explain_neighbours import neighbours
from bluemirror.variables.keyed import about
from bluemirror.variables.load import column_sql
from bluemirror.variables.mart_row import Row, fetch
from bluemirror.variables.tables import Catalog

if TYPE_CHECKING:
    import duckdb

    from bluemirror.contracts import Table

FUTURE = "after as_of"
UNKNOWN = "known only after as_of"
SUPERSEDED = "superseded by a newer version known at as_of"
DELETED = "deleted by then"
NOT_NEWEST = "not the newest answer"
EXPIRED = "the newest answer, but no longer valid"
NO_HIT = "the newest answer found no record"
NOT_CURRENT = "not the state that held at as_of"
SELF = "the observation itself"
LATER_THAN_ANSWER = "dated after the answer"
NOT_PLACED = "is empty or on the other side of the reference"


def holds_at(row: Row, valid_to: str | None, as_of: dt.datetime) -> bool:
    """Whether a state (its end stands in ``valid_to``, a date or a time) has not ended by ``as_of``."""
    end = None if valid_to is None else row.mart[valid_to]
    if end is None:
        return True
    moment = end if isinstance(end, dt.datetime) else dt.datetime.combine(end, dt.time())
    return moment > as_of


class Reader:
    """Reads the rows of one family for one observation and says of each what became of it."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        catalog: Catalog,
        block: Block,
        family: Family,
        of: str | None,
        slices: Iterable[Slice],
        outer: Iterable[Slice],
        by: str | None = None,
    ) -> None:
        self.connection, self.catalog, self.block, self.family = connection, catalog, block, family
        self.contract = catalog.contract(family.table, block)
        self.table = self.contract.table(family.table)
        self.header = catalog.header(family.table, block)
        self.of, self.by, self.slices, self.outer = of, by, tuple(slices), tuple(outer)
        self.units: dict[Any, dict[str, Any]] = {}
        self.references: set[dt.datetime] = set()
        """The moments at which windows end: as_of, or the time of each answer that counts."""

    # Which rows there are ----------------------------------------------------------------------------------------

    def rows(self, observation: Mapping[str, Any]) -> list[Row]:
        """Every row with a say, in the order of time, each with its reason."""
        as_of = observation["as_of"]
        keys = [observation[self.family.match[1]]]
        if self.family.via is not None:
            keys = neighbours(self.connection, self.catalog, self.block, self.family.via, observation)
        headers = self._judged([key for key in keys if key is not None], as_of)
        answers = {row.mart["event_time"] for row in headers if not row.reason}
        self.references = answers if self.header.kind == "answer" else {as_of}
        if self.table.name == self.header.name:
            rows = headers
            for row in rows:
                row.reference = row.mart["event_time"] if self.header.kind == "answer" else as_of
        else:
            rows = self._children(headers, as_of)
        for row in rows:
            if not row.reason and self.family.where and not row.mart["_where"]:
                row.reason = f"filtered out: not ({self.family.where})"
            excluded = self.family.exclude_self
            if not row.reason and excluded and str(row.mart["_exclude"]) == observation["observation_id"]:
                row.reason = SELF
        rows.sort(key=lambda row: (row.mart["event_time"], *row.arrival))
        if self.family.per is not None and self.family.per.key is not None:
            self._units_by_key(rows)
        if self.family.windows.along is not None:
            for row in rows:
                if not row.reason and not self._placed(row):
                    row.reason = f"{self.family.windows.along} {NOT_PLACED}"
        return rows

    def _placed(self, row: Row) -> bool:
        on = row.mart["_on"]
        if on is None:
            return False
        return bool(on.date() >= row.reference.date() if self.family.windows.forward else on <= row.reference)

    def _own(self, table: Table) -> str:
        """The columns of a table that tell what became of its rows: a row has many others."""
        wanted = dict.fromkeys((*SYSTEM, *table.key_columns))
        if table.valid_to is not None:
            wanted[table.valid_to] = None
        if table.hit is not None:
            wanted[table.hit[0]] = None
        if self.family.match[0] in {name for name, _ in table.columns}:
            wanted[self.family.match[0]] = None
        return ", ".join(f"t.{quote(name)}" for name in wanted)

    def _selected(self, table: Table, *, level: bool = False) -> str:
        """Expressions of a table's select list, beside its own columns."""
        family, per = self.family, self.family.per
        columns = dict(family.columns)
        parts = []
        if level and per is not None:
            columns = dict(per.columns)
        elif per is not None:
            columns |= per.columns
        if table.name == family.table and not level:
            parts += [
                (f"CAST({column_sql(columns, one.column)} AS VARCHAR)", f"_s_{one.name}")
                for one in self.slices
            ]
            if self.of:
                parts.append((column_sql(columns, self.of), "_of"))
            if self.by:
                parts.append((column_sql(columns, self.by), "_by"))
            if family.windows.along:
                parts.append((f"CAST({column_sql(columns, family.windows.along)} AS TIMESTAMP)", "_on"))
            if family.where:
                parts.append((f"coalesce(({family.where}), false)", "_where"))
            if family.exclude_self:
                parts.append((column_sql(columns, family.exclude_self), "_exclude"))
            if per is not None and per.key is not None:
                parts.append((f"CAST({column_sql(columns, per.key)} AS VARCHAR)", "_unit"))
        if per is not None and (level or (per.key is not None and table.name == family.table)):
            parts += [
                (f"CAST({column_sql(columns, one.column)} AS VARCHAR)", f"_o_{one.name}")
                for one in self.outer
            ]
            if per.where:
                parts.append((f"coalesce(({per.where}), false)", "_outer_where"))
        return "".join(f", ({expression}) AS {quote(alias)}" for expression, alias in parts)

    def _judged(self, keys: list[Any], as_of: dt.datetime) -> list[Row]:
        """Rows of the keyed table that ever had one of ``keys``, with all versions, judged by the table's kind."""
        if not keys:
            return []
        table, column = self.header, self.family.match[0]
        mine = about(self.contract, table, column, "t", len(keys))
        selected = (
            f"SELECT {self._own(table)}{self._selected(table)}, {mine} AS _mine FROM {quote(table.name)} t "
        )
        business = [quote(name) for name in table.key_columns]
        if business:
            # The few keys first, then a join: one pass over the key's columns instead of a test of every row.
            listed = ", ".join(business)
            same = " AND ".join(f"m.{name} IS NOT DISTINCT FROM t.{name}" for name in business)
            few = (
                f"WITH m AS MATERIALIZED (SELECT DISTINCT {listed} FROM {quote(table.name)} t WHERE {mine}) "
            )
            sql = f"{few}{selected}SEMI JOIN m ON {same}"
        else:
            sql = f"{selected}WHERE {mine}"
        found = [self._row(one) for one in fetch(self.connection, sql, *keys, *keys)]
        for row in found:
            if row.mart["event_time"] > as_of:
                row.reason = FUTURE
            if row.mart["known_time"] > as_of:
                row.reason = UNKNOWN
        self._versions(found)
        for row in found:
            # What had not happened could not be known either: the first reason says more.
            if row.reason == UNKNOWN and row.mart["event_time"] > as_of:
                row.reason = FUTURE
        matching = [row for row in found if row.mart["_mine"]]
        living: dict[Any, list[Row]] = {}
        for row in sorted(matching, key=lambda row: (row.mart["event_time"], *row.arrival)):
            if not row.reason:
                # One key may stand in a list below the table; several keys are neighbours', in a column of it.
                living.setdefault(row.mart[column] if len(keys) > 1 else keys[0], []).append(row)
        for rows in living.values():
            if table.kind == "answer":
                self._newest_answer(rows, as_of)
            elif table.kind == "state" and self.table.name != table.name:
                self._current_state(rows, as_of)
        return matching

    def _versions(self, rows: list[Row]) -> None:
        groups: dict[tuple[Any, ...], list[Row]] = {}
        for row in rows:
            key = tuple(row.mart[name] for name in self.header.key_columns)
            if not key:
                key = (row.document,)
            elif self.header.kind == "state":
                key += (row.mart["event_time"],)
            groups.setdefault(key, []).append(row)
        for versions in groups.values():
            known = sorted((row for row in versions if row.reason != UNKNOWN), key=lambda row: row.arrival)
            for row in known[:-1]:
                row.reason = SUPERSEDED
            if known and known[-1].mart["_deleted"]:
                known[-1].reason = DELETED
                for row in known[:-1]:
                    row.reason = DELETED

    def _newest_answer(self, living: list[Row], as_of: dt.datetime) -> None:
        for row in living[:-1]:
            row.reason = NOT_NEWEST
        if not living:
            return
        newest = living[-1]
        days = self.contract.answer_valid_days
        if days is not None and as_of - newest.mart["event_time"] >= dt.timedelta(days=days):
            newest.reason = EXPIRED
        elif self.header.hit is not None and str(newest.mart[self.header.hit[0]]) not in self.header.hit[1]:
            newest.reason = NO_HIT

    def _current_state(self, living: list[Row], as_of: dt.datetime) -> None:
        """Leave the one state under which rows hang that count: the newest that has not ended."""
        holding = [row for row in living if holds_at(row, self.header.valid_to, as_of)]
        for row in living:
            if not holding or row is not holding[-1]:
                row.reason = NOT_CURRENT

    def _children(self, headers: list[Row], as_of: dt.datetime) -> list[Row]:
        per = self.family.per
        by_doc = {row.mart["_doc"]: row for row in headers}

        def reference(header: Row) -> dt.datetime:
            moment: dt.datetime = header.mart["event_time"]
            return moment if self.header.kind == "answer" else as_of

        units: dict[tuple[Any, Any], dict[str, Any]] = {}
        if per is not None and per.table is not None:
            parent = self.contract.table(per.table)
            selected = self._selected(parent, level=True)
            for one in self._below(parent, by_doc, selected):
                units[one["_doc"], one["_seq"]] = one
        rows = []
        for one in self._below(self.table, by_doc, self._selected(self.table)):
            row, header = self._row(one), by_doc[one["_doc"]]
            row.reason, row.reference = header.reason, reference(header)
            if not row.reason and one["event_time"] is not None and one["event_time"] > row.reference:
                row.reason = LATER_THAN_ANSWER if self.header.kind == "answer" else FUTURE
            if per is not None and per.table is not None:
                unit = units[one["_doc"], one["_parent"]]
                row.unit = (one["_doc"], one["_parent"])
                row.outer = {name.name: unit[f"_o_{name.name}"] for name in self.outer}
                if not row.reason and unit["event_time"] > row.reference:
                    row.reason = f"its {per.label.en} are {LATER_THAN_ANSWER}"
                if not row.reason and per.where and not unit["_outer_where"]:
                    row.reason = f"its {per.label.en} are filtered out: not ({per.where})"
            rows.append(row)
        # Accounts without any row of their own still are accounts: zero months of them count.
        self.units = {
            key: {one.name: unit[f"_o_{one.name}"] for one in self.outer}
            for key, unit in units.items()
            if not by_doc[key[0]].reason
            and unit["event_time"] <= reference(by_doc[key[0]])
            and not (per and per.where and not unit["_outer_where"])
        }
        return rows

    def _below(self, table: Table, by_doc: Mapping[Any, Row], selected: str) -> list[dict[str, Any]]:
        if not by_doc:
            return []
        joins = ""
        if "parent." in selected and table.parent is not None:
            joins += f" JOIN {quote(table.parent)} parent ON parent._doc = t._doc AND parent._seq = t._parent"
        if "header." in selected:
            joins += f" JOIN {quote(self.header.name)} header ON header._doc = t._doc"
        docs = ", ".join(str(int(doc)) for doc in by_doc)
        return fetch(
            self.connection,
            f"SELECT {self._own(table)}{selected} FROM {quote(table.name)} t{joins} WHERE t._doc IN ({docs})",
        )

    def _row(self, mart: dict[str, Any]) -> Row:
        row = Row(mart, of=mart.get("_of"), by=mart.get("_by"))
        row.slices = {one.name: mart[f"_s_{one.name}"] for one in self.slices if f"_s_{one.name}" in mart}
        row.outer = {one.name: mart[f"_o_{one.name}"] for one in self.outer if f"_o_{one.name}" in mart}
        return row

    def _units_by_key(self, rows: list[Row]) -> None:
        """Units that a column names; a unit's own columns are those of its newest row that counts."""
        newest: dict[Any, Row] = {}
        for row in rows:
            row.unit = row.mart["_unit"]
            if not row.reason:
                newest[row.unit] = row
        per = self.family.per
        assert per is not None
        gone = {unit for unit, row in newest.items() if per.where and not row.mart["_outer_where"]}
        for row in rows:
            if not row.reason:
                row.outer = newest[row.unit].outer
                if row.unit in gone:
                    row.reason = f"its {per.label.en} are filtered out: not ({per.where})"
        self.units = {unit: row.outer for unit, row in newest.items() if unit not in gone}
