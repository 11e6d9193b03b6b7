"""One family in SQL: its rows, told apart by groups and windows, and one expression a variable."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from bluemirror.variables.declarations import Block, Family, Group, Slice, Window
from bluemirror.variables.operators import OPERATORS
from bluemirror.variables.plan import attribute_variables, tensor_variables, tensors
from tests.oracles.sql.aggregates import SERIES, Asked, fold, sql
from tests.oracles.sql.known import ARRIVED, Mart

CHUNK = 150
"""Expressions a query."""


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def group_sql(group: Group, value: str) -> str:
    """Whether a value is in a group."""
    if group.codes is not None:
        return f"coalesce({value} IN ({', '.join(map(literal, group.codes))}), false)"
    if group.band is None:
        return "true"
    low, high = group.band
    sides = [f"{value} >= {low!r}"] * (low is not None) + [f"{value} < {high!r}"] * (high is not None)
    return f"coalesce({' AND '.join(sides)}, false)"


class FamilySql:
    """The values of one family's variables."""

    def __init__(self, mart: Mart, block: Block, family: Family, moments: str) -> None:
        """``moments`` is a table (mid, obs, observation_id, key, as_of)."""
        self.mart, self.block, self.family, self.moments = mart, block, family, moments
        self.table = mart.table(family.table)
        self.header = mart.header(family.table)
        self.valid_days = mart.contract_of[family.table].answer_valid_days
        self.windows = family.windows

    # Expressions over one table, each evaluated where the family's names mean what they say ------------------------------

    def evaluation(self, rows: str, table: str, expressions: Mapping[str, str]) -> str:
        """A query (rid, columns...) of ``expressions`` over ``rows`` of ``table``."""
        contracted = self.mart.table(table)
        listed = "".join(f", ({text}) AS {alias}" for alias, text in expressions.items())
        joins = ""
        if "parent." in listed and contracted.parent is not None:
            above = f"(SELECT * EXCLUDE (rid) FROM {self.mart.copy(contracted.parent)})"
            joins += f" JOIN {above} parent ON parent._doc = t._doc AND parent._seq = t._parent"
        if "header." in listed:
            joins += f" JOIN (SELECT * EXCLUDE (rid) FROM {self.mart.copy(self.header.name)}) header ON header._doc = t._doc"
        return f"SELECT t.rid AS rid{listed} FROM {rows} t{joins}"

    def _evaluated(self, name: str, table: str, expressions: Mapping[str, str]) -> str:
        """A table of ``expressions`` over every row of ``table``."""
        return self.mart.make(name, self.evaluation(self.mart.copy(table), table, expressions))

    @staticmethod
    def _expression(columns: Mapping[str, str], name: str) -> str:
        return columns.get(name, f't."{name}"')

    def _slice_columns(
        self, slices: tuple[Slice, ...], columns: Mapping[str, str], prefix: str
    ) -> dict[str, str]:
        found = {}
        for one in slices:
            text = self._expression(columns, one.column)
            kind = "DOUBLE" if one.banded else "VARCHAR"
            value = f"CAST(({text}) AS {kind})"
            for group in one.groups:
                held = group_sql(group, value)
                if one.banded and not group.is_all:
                    held = f"{held} AND NOT coalesce(isnan({value}), false)"
                found[f"{prefix}_{one.name}_{group.name}"] = held
        return found

    def row_expressions(self) -> dict[str, str]:
        family, columns = self.family, self.family.columns
        found = {"kept": f"coalesce(({family.where}), false)" if family.where else "true"}
        found["own_id"] = (
            f"CAST(({self._expression(columns, family.exclude_self)}) AS VARCHAR)"
            if family.exclude_self
            else "NULL"
        )
        along = self.windows.along
        found["placed"] = (
            "t.event_time" if along is None else f"CAST(({self._expression(columns, along)}) AS TIMESTAMP)"
        )
        found |= self._slice_columns(family.slices, columns, "g")
        for measure in family.measures:
            weighs = "value" in {OPERATORS[agg].kernel for agg in measure.aggs}
            for name, textual in ((measure.of, weighs), (measure.by, False)):
                if name is None:
                    continue
                text = f"({self._expression(columns, name)})"
                if textual:
                    found[f"s_{name}"] = f"CAST({text} AS VARCHAR)"
                if name == measure.by or any(OPERATORS[agg].kernel != "value" for agg in measure.aggs):
                    found[f"v_{name}"] = (
                        f"CASE WHEN isnan(CAST({text} AS DOUBLE)) THEN NULL ELSE CAST({text} AS DOUBLE) END"
                    )
        if family.per is not None and family.per.key is not None:
            found["unit_key"] = f"CAST(({self._expression(columns, family.per.key)}) AS VARCHAR)"
            found["unit_kept"] = f"coalesce(({family.per.where}), false)" if family.per.where else "true"
            found |= self._slice_columns(family.per.slices, {**columns, **family.per.columns}, "u")
        return found

    # Rows ----------------------------------------------------------------------------------------------------------------

    def _found(self) -> str:
        """Table (mid, obs, observation_id, rid, ref, unit): the rows that count, before filters."""
        mart, column = self.mart, self.family.match[0]
        moments = self.moments
        child = self.table.name != self.header.name
        if self.header.kind != "answer" and not child:
            found = mart.known(self.header, column, moments)
            query = f"SELECT m.mid, m.obs, m.observation_id, k.rid, m.as_of AS ref, NULL AS unit FROM ({found}) k JOIN {moments} m USING (mid)"
            return mart.make("o_found", query)
        newest = mart.newest(self.header, column, moments, self.valid_days)
        reference = "h.event_time" if self.header.kind == "answer" else "m.as_of"
        mart.make(
            "o_answers",
            f"SELECT m.mid, m.obs, m.observation_id, h._doc, h.rid, {reference} AS ref FROM ({newest}) k "
            f"JOIN {mart.copy(self.header.name)} h USING (rid) JOIN {moments} m USING (mid)",
        )
        per = self.family.per
        if not child:
            return mart.make(
                "o_found", "SELECT mid, obs, observation_id, rid, ref, NULL AS unit FROM o_answers"
            )
        rows = mart.copy(self.table.name)
        if per is None or per.table is None:
            return mart.make(
                "o_found",
                f"SELECT a.mid, a.obs, a.observation_id, t.rid, a.ref, NULL AS unit FROM o_answers a JOIN {rows} t "
                "ON t._doc = a._doc WHERE t.event_time <= a.ref",
            )
        levels = {"kept": f"coalesce(({per.where}), false)" if per.where else "true"}
        levels |= self._slice_columns(per.slices, per.columns, "u")
        self._evaluated("o_level", per.table, levels)
        mart.make(
            "o_units",
            f"SELECT a.mid, a.obs, a.observation_id, a.ref, p.rid AS unit, p._doc, p._seq, l.* EXCLUDE (rid, kept) "
            f"FROM o_answers a JOIN {mart.copy(per.table)} p ON p._doc = a._doc JOIN o_level l ON l.rid = p.rid "
            "WHERE p.event_time <= a.ref AND l.kept",
        )
        return mart.make(
            "o_found",
            f"SELECT u.mid, u.obs, u.observation_id, t.rid, u.ref, u.unit FROM o_units u JOIN {rows} t "
            "ON t._doc = u._doc AND t._parent = u._seq WHERE t.event_time <= u.ref",
        )

    def _months(self) -> str:
        """The month of a series: how many windows of 1, 2, ... months do not hold the row."""
        longest = max((size for size in self.windows.sizes), default=0)
        if self.windows.unit == "day":
            longest = longest // 30 + 1
        outside = [f"CAST(NOT ({self._inside(k, True)}) AS INTEGER)" for k in range(1, longest + 1)]
        return " + ".join(outside) or "0"

    def _inside(self, size: int | None, months_of_30: bool = False) -> str:
        """Whether a window holds a row."""
        if size is None:
            return "true"
        windows = self.windows
        if windows.forward:
            unit = "DAY" if windows.unit == "day" else "MONTH"
            return f"CAST(time AS DATE) < CAST(ref AS DATE) + INTERVAL {size} {unit}"
        if windows.unit == "day":
            return f"ref - time < INTERVAL {size * (30 if months_of_30 else 1)} DAY"
        if windows.grain == "month":
            return f"date_diff('month', time, ref) <= {size}"
        return f"CAST(time AS DATE) > CAST(ref AS DATE) - INTERVAL {size} MONTH"

    def _base(self) -> None:
        """Table o_base: one row a row, with a bodiless one (real = false) for each observation or unit."""
        expressions = self.row_expressions()
        self._evaluated("o_values", self.table.name, expressions)
        found = self._found()
        arrived = ("event_time", "_seq") if self.table.parent else ("event_time", *ARRIVED)
        # Neighbours come one after another, in the order of their keys.
        ties = ["m.key"] * (self.family.via is not None)
        order = ", ".join(["time", *ties, *(f"t.{name}" for name in arrived)])
        sides = "time IS NOT NULL"
        if self.windows.along is not None:
            sides += (
                " AND (CAST(time AS DATE) >= CAST(ref AS DATE))"
                if self.windows.forward
                else " AND time <= ref"
            )
        self.mart.make(
            "o_rows",
            f"SELECT f.obs, f.unit, f.ref, x.placed AS time, x.* EXCLUDE (kept, own_id, placed), true AS real, "
            f"row_number() OVER (PARTITION BY f.obs, f.unit ORDER BY {order}) AS rn, "
            f"row_number() OVER (PARTITION BY f.obs ORDER BY {order.removeprefix('time, ')}) AS arrival "
            f"FROM {found} f JOIN o_values x USING (rid) JOIN {self.mart.copy(self.table.name)} t USING (rid) "
            f"JOIN {self.moments} m ON m.mid = f.mid "
            f"WHERE x.kept AND x.own_id IS DISTINCT FROM f.observation_id",
        )
        per = self.family.per
        if per is not None and per.key is not None:
            outer = [name for name in expressions if name.startswith("u_")]
            tells = "".join(f", arg_max({name}, arrival) AS {name}" for name in outer)
            self.mart.make(
                "o_units",
                f"SELECT * FROM (SELECT obs, unit_key, row_number() OVER () AS unit, arg_max(unit_kept, arrival) AS kept{tells} "
                "FROM o_rows GROUP BY obs, unit_key) WHERE kept",
            )
            drop = ", ".join(["unit", "unit_key", "unit_kept", *outer])
            self.mart.make(
                "o_rows",
                f"SELECT r.* EXCLUDE ({drop}), u.unit FROM o_rows r JOIN o_units u "
                "ON u.obs = r.obs AND u.unit_key IS NOT DISTINCT FROM r.unit_key",
            )
        bodiless = (
            "SELECT obs, unit, false AS real FROM o_units"
            if per
            else "SELECT DISTINCT obs, NULL AS unit, false AS real FROM o_obs"
        )
        windows = "".join(
            f", coalesce({self._inside(one.size)}, false) AS w_{'all' if one.size is None else one.size}"
            for one in (*self.windows.members, Window(self.windows.unit, None))
            if one.size is not None
        )
        since = "day" if self.windows.unit == "day" else "month"
        self.mart.make(
            "o_base",
            f"SELECT *, date_diff('{since}', CAST(time AS DATE), CAST(ref AS DATE)) AS since, {self._months()} AS m{windows} "
            f"FROM (SELECT * FROM o_rows WHERE {sides} UNION ALL BY NAME {bodiless})",
        )

    # Variables -----------------------------------------------------------------------------------------------------------

    def values(self, count: int) -> pl.DataFrame:
        """One column a variable, one row an observation (in the order of their numbers)."""
        frame = pl.DataFrame({"obs": range(count)}, schema={"obs": pl.Int64})
        if self.family.age or self.family.attributes:
            frame = frame.join(self._attributes(), on="obs", how="left", maintain_order="left")
        if not self.family.measures:
            return frame.drop("obs")
        self._base()
        asked = list(self._questions())
        for start in range(0, len(asked), CHUNK):
            part = asked[start : start + CHUNK]
            made = self._folded(part) if self.family.per else self._flat(part)
            frame = frame.join(made, on="obs", how="left", maintain_order="left")
        return frame.drop("obs")

    def _flat(self, asked: list[tuple[str, str, str, str | None]]) -> pl.DataFrame:
        listed = ", ".join(f'CAST({text} AS DOUBLE) AS "{name}"' for name, text, _, _ in asked)
        return self.mart.run(f"SELECT CAST(obs AS BIGINT) AS obs, {listed} FROM o_base GROUP BY obs").pl()

    def _folded(self, asked: list[tuple[str, str, str, str | None]]) -> pl.DataFrame:
        inner = {
            text: f"x{number}" for number, text in enumerate(dict.fromkeys(text for _, text, _, _ in asked))
        }
        listed = ", ".join(f"CAST({text} AS DOUBLE) AS {alias}" for text, alias in inner.items())
        self.mart.make("o_inner", f"SELECT obs, unit, {listed} FROM o_base GROUP BY obs, unit")
        groups = [
            name for name in self.mart.run("SELECT * FROM o_units LIMIT 0").columns if name.startswith("u_")
        ]
        own = "".join(f", u.{name}" for name in groups)
        self.mart.make(
            "o_joined",
            f"SELECT i.*, true AS real{own} FROM o_inner i JOIN o_units u ON u.obs = i.obs AND u.unit = i.unit "
            "UNION ALL BY NAME SELECT DISTINCT obs, false AS real FROM o_obs",
        )
        outer = ", ".join(
            f'CAST({fold(str(over), inner[text], held)} AS DOUBLE) AS "{name}"'
            for name, text, held, over in asked
        )
        return self.mart.run(f"SELECT CAST(obs AS BIGINT) AS obs, {outer} FROM o_joined GROUP BY obs").pl()

    def _questions(self) -> Iterator[tuple[str, str, str, str | None]]:
        """Name, expression over the rows, condition on the unit, aggregate over units."""
        for tensor in tensors(self.family):
            names = [one.name for one in tensor_variables(self.block, self.family, tensor)]
            axis: list[Any] = list(tensor.pairs) if tensor.pairs else [(one,) for one in tensor.windows]
            choices = itertools.product(axis, *tensor.group_axes, *(one.groups for one in tensor.outer))
            for name, (windows, *groups) in zip(names, choices, strict=True):
                inner = groups[: len(tensor.slices)]
                held = [f"g_{s.name}_{g.name}" for s, g in zip(tensor.slices, inner, strict=True)]
                units = [
                    f"u_{s.name}_{g.name}" for s, g in zip(tensor.outer, groups[len(inner) :], strict=True)
                ]
                long = self._value(tensor, held, windows[-1])
                text = long
                if tensor.form == "ratio":
                    text = f"{self._value(tensor, held, windows[0])} / nullif({long}, 0)"
                elif tensor.form == "growth":
                    before = f"w_{windows[1].size} AND NOT w_{windows[0].size}"
                    if windows[1].size is None:
                        before = f"NOT w_{windows[0].size}"
                    text = f"{self._value(tensor, held, windows[0])} / nullif({self._value(tensor, [*held, before], None)}, 0)"
                elif tensor.form == "share":
                    whole = [
                        text
                        if s.name != tensor.share
                        else f"g_{s.name}_{next(g.name for g in s.groups if g.is_all)}"
                        for s, text in zip(tensor.slices, held, strict=True)
                    ]
                    text = f"{long} / nullif({self._value(tensor, whole, windows[0])}, 0)"
                yield name, text, " AND ".join(["real", *units]), tensor.over

    def _value(self, tensor: Any, held: list[str], window: Window | None) -> str:
        measure, agg = tensor.measure, tensor.agg
        months = 0
        conditions = ["real", *held]
        if agg in SERIES:
            assert window is not None
            months = int(window.size or 0) // (30 if self.windows.unit == "day" else 1)
        elif window is not None and window.size is not None:
            conditions.append(f"w_{window.size}")
        text = sql(agg, Asked(measure.of, measure.by, months), " AND ".join(conditions))
        return (
            f"(({text}) * {measure.scale!r})"
            if OPERATORS[agg].unit == "=" and measure.scale != 1.0
            else f"({text})"
        )

    def _attributes(self) -> pl.DataFrame:
        """Attributes of the one newest row."""
        asked = list(attribute_variables(self.block, self.family))
        expressions = {}
        for position, (_, one, _) in enumerate(asked):
            if one is not None:
                kind = "VARCHAR" if one.coded else "DOUBLE"
                expressions[f"a{position}"] = (
                    f"CAST(({self._expression(self.family.columns, one.column)}) AS {kind})"
                )
        self._evaluated("o_values", self.header.name, expressions)
        newest = self.mart.newest(self.header, self.family.match[0], self.moments, self.valid_days)
        listed = []
        for position, (variable, one, code) in enumerate(asked):
            value = f"x.a{position}"
            if one is None:
                value = "date_diff('day', CAST(h.event_time AS DATE), CAST(m.as_of AS DATE))"
            elif code is not None:
                value = f"CAST({value} = {literal(code)} AS INTEGER)"
            elif one.ordinal is not None:
                cases = " ".join(
                    f"WHEN {literal(text)} THEN {number!r}" for text, number in one.ordinal.items()
                )
                value = f"CASE {value} {cases} END * {one.scale!r}"
            else:
                value = f"CASE WHEN isnan({value}) THEN NULL ELSE {value} END * {one.scale!r}"
            listed.append(f'CAST({value} AS DOUBLE) AS "{variable.name}"')
        return self.mart.run(
            f"SELECT CAST(m.obs AS BIGINT) AS obs, {', '.join(listed)} FROM ({newest}) k JOIN {self.moments} m USING (mid) "
            f"JOIN {self.mart.copy(self.header.name)} h USING (rid) JOIN o_values x USING (rid)"
        ).pl()
