"""The oracle of a whole block: from the words of its YAML and the rows of small tables to every variable's value.

It reads the plain YAML itself and computes names, groups, windows, levels, relations and reasons on its own. SQL of a
declaration cannot be run row by row, so a test hands in a Python function for each expression.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

from tests.oracles import known as k
from tests.oracles.aggregates import aggregate, concentration, divide, over_units
from tests.oracles.times import ahead, in_window

Row = k.Row
Functions = dict[str, Callable[..., Any]]

SINCE = ("since_last", "since_first")
SERIES = (
    "months_active",
    "month_mean",
    "month_max",
    "month_min",
    "month_std",
    "month_cv",
    "month_slope",
    "run_max",
    "run_now",
    "quiet_max",
    "quiet_now",
)
SCALED = ("sum", "mean", "min", "max", "std", "first", "last", "median", "p10", "p25", "p75", "p90")
SCALED += ("month_mean", "month_max", "month_min", "month_std", "month_slope")
ADDITIVE = ("count", "sum", "distinct")


def text(value: Any) -> str | None:
    """A value as a code: booleans in lower case, whole numbers without a point."""
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def group_holds(body: dict[str, Any], group: str, value: Any) -> bool:
    members = (body.get("groups") or body.get("bands"))[group]
    if members == "*":
        return True
    if value is None:
        return False
    if "bands" in body:
        low, high = members
        return (low is None or value >= low) and (high is None or value < high)
    return text(value) in [text(code) for code in members]


def group_names(body: dict[str, Any]) -> list[str]:
    return list(body.get("groups") or body.get("bands"))


def is_all(body: dict[str, Any], group: str) -> bool:
    return (body.get("groups") or body.get("bands"))[group] == "*"


class FamilyOracle:
    """One family for one observation."""

    def __init__(
        self,
        block: dict[str, Any],
        family: dict[str, Any],
        tables: dict[str, k.Table],
        sql: Functions,
        seen: Row,
    ) -> None:
        self.block, self.family, self.tables, self.sql, self.seen = block, family, tables, sql, seen
        self.as_of: dt.datetime = seen["as_of"]
        windows = family.get("windows") or {"all": True}
        self.unit = "month" if "months" in windows else "day"
        self.grain = windows.get("grain", "date")
        self.on = windows.get("along")
        self.forward = windows.get("direction") == "forward"
        self.sizes: list[int | None] = list(windows.get("days") or windows.get("months") or [])
        if windows.get("all"):
            self.sizes.append(None)
        self.named_windows = self.sizes != [None]
        self.slices: dict[str, Any] = family.get("slices") or {}
        self.per: dict[str, Any] | None = family.get("per")
        table = tables[family["table"]]
        self.header = table
        while self.header.parent is not None:
            self.header = tables[self.header.parent]
        self.table = table
        self.end = self.as_of

    # Rows ------------------------------------------------------------------------------------------------------------

    def column(self, row: Row, name: str, columns: dict[str, str] | None = None) -> Any:
        expression = (columns or {}).get(name) or (self.family.get("columns") or {}).get(name)
        return self.sql[expression](row) if expression else row[name]

    def kept(self, row: Row) -> bool:
        where, exclude = self.family.get("where"), self.family.get("exclude_self")
        if where and not self.sql[where](row):
            return False
        return not (exclude and row[exclude] == self.seen["observation_id"])

    def mine(self, row: Row) -> bool:
        ((column, key),) = self.family["match"].items()
        child, _, name = column.rpartition(".")
        rows = [row]
        if child:
            rows = [one for one in self.tables[child].rows if one["_doc"] == row["_doc"]]
        return any(one[name] is not None and one[name] == self.seen[key] for one in rows)

    def newest(self) -> Row | None:
        if self.header.kind == "answer":
            return k.newest_answer(self.header, self.as_of, self.mine)
        return k.current_state(self.header, self.as_of, self.mine)

    def rows(self) -> list[Row]:
        if self.family.get("via"):
            via = self.family["via"]
            ((from_, key),) = via["from"].items()
            others = k.neighbours(
                self.tables[via["table"]], self.as_of, from_, self.seen[key], via["through"], via["to"]
            )
            ((column, _),) = self.family["match"].items()
            found = [row for row in k.known(self.header, self.as_of) if row[column] in others]
            return [row for row in found if self.kept(row)]
        if self.header.kind != "answer" and self.table is self.header:
            return [row for row in k.known(self.header, self.as_of) if self.mine(row) and self.kept(row)]
        answer = self.newest()
        if answer is None:
            return []
        self.end = answer["event_time"] if self.header.kind == "answer" else self.as_of
        found = (
            [answer] if self.table is self.header else k.below(self.table, [answer], self.end, directly=False)
        )
        return [row for row in found if self.kept(row)]

    def units(self) -> list[tuple[Row, list[Row]]]:
        """Units of the middle level: the row that tells a unit's own columns, and the unit's rows."""
        assert self.per is not None
        where = self.per.get("where")
        if self.per.get("table"):
            answer = self.newest()
            if answer is None:
                return []
            self.end = answer["event_time"] if self.header.kind == "answer" else self.as_of
            parents = k.below(self.tables[self.per["table"]], [answer], self.end, directly=False)
            units = [parent for parent in parents if not where or self.sql[where](parent)]
            return [
                (
                    unit,
                    [row for row in k.below(self.table, [unit], self.end, directly=True) if self.kept(row)],
                )
                for unit in units
            ]
        groups: dict[Any, list[Row]] = {}
        for row in self.rows():
            groups.setdefault(row[self.per["key"]], []).append(row)
        return [(rows[-1], rows) for rows in groups.values() if not where or self.sql[where](rows[-1])]

    # Values ----------------------------------------------------------------------------------------------------------

    def measure_windows(self, measure: dict[str, Any], agg: str) -> list[tuple[str, int | None]]:
        """(token in the name, size) of each window asked for."""
        sizes = self.sizes
        if measure.get("windows") is not None:
            asked = [None if size == "all" else size for size in measure["windows"]]
            sizes = [size for size in sizes if size in asked]
        elif agg in SINCE:
            return [("", None)]
        if agg in SERIES:
            length = 30 if self.unit == "day" else 1
            sizes = [size for size in sizes if size is not None and size >= 2 * length and size % length == 0]
        if not self.named_windows:
            return [("", size) for size in sizes]
        next_ = "next" if self.forward else ""
        return [("all" if size is None else f"{next_}{size}{self.unit[0]}", size) for size in sizes]

    def moment(self, row: Row) -> dt.datetime | None:
        """When a row happened, on the axis that the windows run along."""
        if self.on is None:
            return dt.datetime.fromisoformat(row["event_time"].isoformat())
        date = self.column(row, self.on)
        return None if date is None else dt.datetime(*date.timetuple()[:6])

    def inside(self, row: Row, size: int | None) -> bool:
        time = self.moment(row)
        if time is None:
            return False
        if self.forward:
            return time.date() >= self.end.date() and ahead(time, self.end, self.unit, size)
        return time <= self.end and in_window(time, self.end, self.unit, self.grain, size)

    def value(self, rows: list[Row], measure: dict[str, Any], agg: str, size: int | None) -> float | None:
        held = [row for row in rows if self.inside(row, size)]
        return self.aggregated(held, measure, agg, size)

    def aggregated(
        self, rows: list[Row], measure: dict[str, Any], agg: str, size: int | None
    ) -> float | None:
        of, by = measure.get("of"), measure.get("by")
        if by is not None:
            both = [(self.column(row, of), self.column(row, by)) for row in rows]  # type: ignore[arg-type]
            both = [(a, float(b)) for a, b in both if a is not None and b is not None]
            if agg != "ratio":
                return concentration(agg, [(str(a), b) for a, b in both])
            return divide(math.fsum(float(a) for a, _ in both), math.fsum(b for _, b in both))
        inside = [(self.moment(row), self.column(row, of) if of else None) for row in rows]
        inside.sort(key=lambda pair: pair[0])  # type: ignore[arg-type, return-value]
        result = aggregate(agg, inside, self.end, self.unit, self.grain, size, of is not None)
        return result * measure.get("scale", 1.0) if result is not None and agg in SCALED else result

    def chosen(self, rows: list[Row], names: list[str], groups: tuple[str, ...]) -> list[Row]:
        return [
            row
            for row in rows
            if all(
                group_holds(self.slices[name], group, self.column(row, self.slices[name]["column"]))
                for name, group in zip(names, groups, strict=True)
            )
        ]

    def variables(self) -> Iterator[tuple[str, float | None]]:
        yield from self.attributes()
        if not self.family.get("measures"):
            return
        units = self.units() if self.per else []
        rows = [] if self.per else self.rows()
        for measure in self.family["measures"]:
            aggs = measure["agg"] if isinstance(measure["agg"], list) else [measure["agg"]]
            for agg in aggs:
                crosses = measure.get("crosses") or self.family.get("crosses") or [[]]
                for cross in crosses:
                    if self.per:
                        yield from self.two_levels(units, measure, agg, cross)
                    else:
                        yield from self.one_level(rows, measure, agg, cross)

    def token(self, measure: dict[str, Any], agg: str) -> str:
        if agg == "count":
            return measure.get("as") or "cnt"
        if agg == "distinct":
            return measure.get("as") or f"{measure['of']}_distinct"
        subject = measure.get("as") or measure.get("of")
        return f"{subject}_{agg}" if subject else agg

    def name(self, groups: list[tuple[dict[str, Any], str]], *rest: str) -> str:
        named = [group for body, group in groups if not is_all(body, group)]
        return "_".join(part for part in (self.block["block"], self.family["family"], *named, *rest) if part)

    def one_level(
        self, rows: list[Row], measure: dict[str, Any], agg: str, cross: list[str]
    ) -> Iterator[tuple[str, float | None]]:
        bodies = [self.slices[name] for name in cross]
        token, windows = self.token(measure, agg), self.measure_windows(measure, agg)
        for groups in itertools.product(*(group_names(body) for body in bodies)):
            pairs = list(zip(bodies, groups, strict=True))
            held = self.chosen(rows, cross, groups)
            for window, size in windows:
                yield self.name(pairs, window, token), self.value(held, measure, agg, size)
            if agg not in ADDITIVE:
                continue
            for short, long in measure.get("ratios") or ():
                sizes = [size for _, size in windows]
                if short in sizes and long in sizes:
                    value = divide(
                        self.value(held, measure, agg, short), self.value(held, measure, agg, long)
                    )
                    yield self.name(pairs, token, f"r_{short}_{long}"), value
            for short, long in () if agg == "distinct" else measure.get("growth") or ():
                newer = [row for row in held if self.inside(row, short)]
                older = [row for row in held if self.inside(row, long) and row not in newer]
                value = divide(
                    self.aggregated(newer, measure, agg, short), self.aggregated(older, measure, agg, long)
                )
                yield self.name(pairs, token, f"g_{short}_{long}"), value
            for shared in measure.get("shares") or ():
                if shared not in cross:
                    continue
                position = cross.index(shared)
                if is_all(bodies[position], groups[position]):
                    continue
                everything = next(
                    one for one in group_names(bodies[position]) if is_all(bodies[position], one)
                )
                whole = self.chosen(rows, cross, (*groups[:position], everything, *groups[position + 1 :]))
                for window, size in windows:
                    value = divide(
                        self.value(held, measure, agg, size), self.value(whole, measure, agg, size)
                    )
                    yield self.name(pairs, window, token) + "_share", value

    def two_levels(
        self, units: list[tuple[Row, list[Row]]], measure: dict[str, Any], agg: str, cross: list[str]
    ) -> Iterator[tuple[str, float | None]]:
        assert self.per is not None
        outer_slices = self.per.get("slices") or {}
        columns = self.per.get("columns") or {}
        bodies = [self.slices[name] for name in cross]
        for outer in self.per.get("crosses") or [[]]:
            outer_bodies = [outer_slices[name] for name in outer]
            for groups in itertools.product(*(group_names(body) for body in bodies)):
                for outer_groups in itertools.product(*(group_names(body) for body in outer_bodies)):
                    wanted = [
                        rows
                        for unit, rows in units
                        if all(
                            group_holds(body, group, self.column(unit, body["column"], columns))
                            for body, group in zip(outer_bodies, outer_groups, strict=True)
                        )
                    ]
                    pairs = [
                        *zip(outer_bodies, outer_groups, strict=True),
                        *zip(bodies, groups, strict=True),
                    ]
                    for window, size in self.measure_windows(measure, agg):
                        values = [
                            self.value(self.chosen(rows, cross, groups), measure, agg, size)
                            for rows in wanted
                        ]
                        for over in measure["over"]:
                            name = self.name(pairs, window, self.token(measure, agg)) + f"_{over}"
                            yield name, over_units(over, values)

    def attributes(self) -> Iterator[tuple[str, float | None]]:
        if not self.family.get("age") and not self.family.get("attributes"):
            return
        row = self.newest()
        if self.family.get("age"):
            age = None if row is None else float((self.as_of.date() - row["event_time"].date()).days)
            yield self.name([], "age_days"), age
        for one in self.family.get("attributes") or ():
            value = None if row is None else self.column(row, one["column"])
            name = one.get("as", one["column"])
            if one.get("one_hot"):
                for code in one["one_hot"]:
                    flag = None if value is None else float(text(value) == text(code))
                    yield self.name([], name, str(text(code))), flag
            elif one.get("codes"):
                codes = {text(code): float(number) for code, number in one["codes"].items()}
                yield self.name([], name), None if value is None else codes.get(text(value))
            else:
                yield self.name([], name), None if value is None else float(value) * one.get("scale", 1.0)


def combination(one: dict[str, Any], known: dict[str, float | None]) -> float | None:
    """A number from two others."""
    left, right = (known[side] for side in one.get("ratio") or one.get("difference") or one["equal"])
    if left is None or right is None:
        return None
    if "ratio" in one:
        return divide(left, right)
    return left - right if "difference" in one else float(left == right)


def expected(
    block: dict[str, Any], tables: dict[str, k.Table], sql: Functions, seen: Row, outcome: str | None = None
) -> dict[str, float | None]:
    """Every variable of ``block`` for the observation ``seen``.

    ``outcome`` is what the call ledger says of the newest call: hit, no_hit, error, not_queried; None without a ledger.
    """
    result: dict[str, float | None] = {}
    for family in block["families"]:
        for name, value in FamilyOracle(block, family, tables, sql, seen).variables():
            assert name not in result, name
            result[name] = value
    if not told(block, tables, sql, seen, outcome):
        result = dict.fromkeys(result)
    for one in block.get("combinations") or ():
        result[f"{block['block']}_{one['name']}"] = combination(one, result)
    return result


def told(
    block: dict[str, Any], tables: dict[str, k.Table], sql: Functions, seen: Row, outcome: str | None
) -> bool:
    """Whether the source said something about the observation (a list says something by silence)."""
    family = next(one for one in block["families"] if not one.get("via"))
    oracle = FamilyOracle(block, family, tables, sql, seen)
    silence = block.get("miss", "null") == "zero"
    if oracle.header.kind == "answer":
        answer = oracle.newest()
        if answer is None:
            return outcome == "no_hit" and silence
        hit = oracle.header.hit
        return hit is None or answer[hit[0]] == hit[1] or silence
    ((_, key),) = family["match"].items()
    if seen[key] is None:
        return False
    return outcome in (None, "hit") or (outcome == "no_hit" and silence)
