"""The call ledger in figures: calls, hits, failures, latency, cache and cost, by source and day.

The cache's answers were bought before, so hit rate, error rate and latency are those of the calls that went out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bluemirror.desk.known import day, moment, newest_sql, quote
from bluemirror.desk.windows import Windows
from bluemirror.errors import FamilyError

if TYPE_CHECKING:
    import duckdb
    import polars as pl

    from bluemirror.contracts import Contract, Table
    from bluemirror.variables.dealings import Calls
    from bluemirror.variables.spine import Spine

TABLE = "_desk_calls"
"""The ledger's calls that the windows need, in the newest version: one row a call."""


@dataclass(frozen=True)
class CallFigures:
    """Calls to one source over some days.

    Parameters
    ----------
    calls, outside, cached
        All calls; those that went out; those that the bank's own copy answered.
    hits, matches, mismatches, misses, errors, timeouts
        Results of the calls that went out. Matches and mismatches are hits too, timeouts are errors too.
    p50_ms, p99_ms
        Latency of the answers that came from outside: the smallest that half, and 99 of 100, do not exceed.
    cost_yuan, expected_yuan
        What the ledger says the calls cost, and what the contract's prices make of them.
    mispriced
        Calls whose cost is not the contract's price.
    """

    calls: int = 0
    outside: int = 0
    cached: int = 0
    hits: int = 0
    matches: int = 0
    mismatches: int = 0
    misses: int = 0
    errors: int = 0
    timeouts: int = 0
    p50_ms: float | None = None
    p99_ms: float | None = None
    cost_yuan: float = 0.0
    expected_yuan: float = 0.0
    mispriced: int = 0

    @property
    def answered(self) -> int:
        """Calls that went out and were answered."""
        return self.hits + self.misses

    @property
    def hit_rate(self) -> float | None:
        """Share of the answers with a record."""
        return _share(self.hits, self.answered)

    @property
    def match_rate(self) -> float | None:
        """Share of the verdicts that are a match."""
        return _share(self.matches, self.matches + self.mismatches)

    @property
    def error_rate(self) -> float | None:
        """Share of the calls that went out and failed."""
        return _share(self.errors, self.outside)

    @property
    def cache_share(self) -> float | None:
        """Share of the calls that the bank's own copy answered."""
        return _share(self.cached, self.calls)

    @property
    def cost_per_call(self) -> float | None:
        """Yuan a call, the cached ones among them."""
        return _share(self.cost_yuan, self.calls)


@dataclass(frozen=True)
class CallDay:
    """One day of a source's calls."""

    day: dt.date
    figures: CallFigures


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def ledger_table(spine: Spine, contracts: Mapping[str, Contract]) -> Table:
    """The contracted table that the spine names as the call ledger.

    Raises
    ------
    FamilyError
        If no contract has it, or it lacks one of the columns.
    """
    calls = spine.calls
    assert calls is not None
    named = {
        name: getattr(calls, name) for name in ("source", "entity", "time", "result") if getattr(calls, name)
    }
    named |= {name: getattr(calls, name) for name in OPTIONAL if getattr(calls, name)}
    return contracted(spine, contracts, "calls", calls.table, named)


OPTIONAL = ("cost", "cached", "latency", "request", "application")


def contracted(
    spine: Spine, contracts: Mapping[str, Contract], entry: str, name: str, columns: Mapping[str, str]
) -> Table:
    """The contracted table ``name`` that the spine's ``entry`` reads.

    Raises
    ------
    FamilyError
        If no contract has it, or it lacks one of ``columns`` (what it is for -> its name).
    """
    table = next((one for each in contracts.values() for one in each.tables if one.name == name), None)
    if table is None:
        raise FamilyError(
            f"no contract has the table {name!r}",
            file=spine.path,
            field=f"{entry}.table",
            rule=f"{entry} names a contracted table",
            fix="correct the name, or write its contract",
        )
    there = {column for column, _ in table.columns}
    for purpose, column in columns.items():
        if column not in there:
            raise FamilyError(
                f"the table {name!r} has no column {column!r}",
                file=spine.path,
                field=f"{entry}.{purpose}",
                rule=f"columns of {name}: {', '.join(sorted(there))}",
                fix="correct the column",
            )
    return table


def load_calls(
    connection: duckdb.DuckDBPyConnection,
    spine: Spine,
    contracts: Mapping[str, Contract],
    windows: Windows,
    first: dt.date | None = None,
) -> None:
    """Make the temporary table :data:`TABLE` of the calls known by the as-of day, from ``first`` on."""
    calls = spine.calls
    assert calls is not None
    table = ledger_table(spine, contracts)
    connection.register("_desk_prices", _prices(calls, contracts))
    fen = calls.cost is not None and dict(table.columns)[calls.cost] == "amount"
    columns = {
        "source": f"CAST({quote(calls.source)} AS VARCHAR)",
        "t": f"CAST({quote(calls.time)} AS TIMESTAMP)",
        "result": f"CAST({quote(calls.result)} AS VARCHAR)",
        "entity": f"CAST({quote(calls.entity)} AS VARCHAR)",
        "cached": f"coalesce({quote(calls.cached)}, false)" if calls.cached else "false",
        "latency": quote(calls.latency) if calls.latency else "NULL::BIGINT",
        "cost": (f"{quote(calls.cost)}" + (" / 100.0" if fen else "")) if calls.cost else "NULL::DOUBLE",
        "request": f"CAST({quote(calls.request)} AS VARCHAR)" if calls.request else "NULL::VARCHAR",
        "application": f"CAST({quote(calls.application)} AS VARCHAR)"
        if calls.application
        else "NULL::VARCHAR",
    }
    where = f"{quote(calls.time)} <= {moment(windows.end)}"
    if first is not None:
        where += f" AND {quote(calls.time)} >= {day(first)}"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {TABLE} AS "
        "SELECT c.source, c.t, CAST(c.t AS DATE) AS day, c.result, c.entity, c.cached, c.latency, c.request, "
        "c.application, coalesce(p.outcome, 'error') AS outcome, p.kind, coalesce(p.price, 0) AS price, "
        "CAST(coalesce(c.cost, p.price, 0) AS DOUBLE) AS cost "
        f"FROM ({newest_sql(table, windows.end, columns, where)}) c "
        "LEFT JOIN _desk_prices p USING (source, result, cached)"
    )
    connection.unregister("_desk_prices")


def _prices(calls: Calls, contracts: Mapping[str, Contract]) -> pl.DataFrame:
    """Outcome, kind and price in yuan of every source, result and way (cached or not)."""
    import polars as pl

    rows = [
        (
            source,
            result,
            cached,
            outcome,
            calls.kinds.get(result),
            contract.price("cached") if cached else contract.price(result),
        )
        for source, contract in contracts.items()
        for result, outcome in calls.outcomes.items()
        for cached in (False, True)
    ]
    names = {"source": pl.String, "result": pl.String, "cached": pl.Boolean, "outcome": pl.String}
    return pl.DataFrame(rows, schema=names | {"kind": pl.String, "price": pl.Float64}, orient="row")


_OUT = "NOT cached"
# Summed as whole hundredths of a fen: sums of fractions would depend on the order of the threads.
_YUAN = "sum(CAST(round({} * 10000) AS BIGINT)) / 10000.0"
_FIGURES = f"""
  count(*), count(*) FILTER ({_OUT}), count(*) FILTER (cached),
  count(*) FILTER ({_OUT} AND outcome = 'hit'), count(*) FILTER ({_OUT} AND kind = 'match'),
  count(*) FILTER ({_OUT} AND kind = 'mismatch'), count(*) FILTER ({_OUT} AND outcome = 'no_hit'),
  count(*) FILTER ({_OUT} AND outcome = 'error'), count(*) FILTER ({_OUT} AND kind = 'timeout'),
  quantile_disc(latency, 0.5) FILTER ({_OUT} AND outcome <> 'error'),
  quantile_disc(latency, 0.99) FILTER ({_OUT} AND outcome <> 'error'),
  {_YUAN.format("cost")}, {_YUAN.format("price")}, count(*) FILTER (abs(cost - price) > 0.00005)
"""


def call_figures(
    connection: duckdb.DuckDBPyConnection, first: dt.date | None, last: dt.date | None = None
) -> dict[str, CallFigures]:
    """Figures of every source that was called from ``first`` to ``last`` (None: open)."""
    where = f"{_from(first)} AND {_to(last)}"
    found = connection.sql(f"SELECT source, {_FIGURES} FROM {TABLE} WHERE {where} GROUP BY source").fetchall()
    return {row[0]: CallFigures(*row[1:]) for row in found}


def call_days(connection: duckdb.DuckDBPyConnection, first: dt.date) -> dict[str, tuple[CallDay, ...]]:
    """Figures of every source and day with a call from ``first`` on, in the order of the days."""
    found = connection.sql(
        f"SELECT source, day, {_FIGURES} FROM {TABLE} WHERE {_from(first)} GROUP BY source, day ORDER BY source, day"
    ).fetchall()
    days: dict[str, list[CallDay]] = {}
    for row in found:
        days.setdefault(row[0], []).append(CallDay(row[1], CallFigures(*row[2:])))
    return {source: tuple(each) for source, each in days.items()}


def _from(first: dt.date | None) -> str:
    return "true" if first is None else f"day >= {day(first)}"


def _to(last: dt.date | None) -> str:
    return "true" if last is None else f"day <= {day(last)}"
