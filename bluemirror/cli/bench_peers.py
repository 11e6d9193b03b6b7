"""The same variables computed the way one would without cells and folds: one aggregate a variable.

The peers get their rows for free: joined to the observations, resolved and typed, in memory. Only the
aggregation itself is timed, and each of its values is compared with the stored one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bluemirror.workspace import Workspace

if TYPE_CHECKING:
    import polars as pl

AGGREGATES = ("count", "sum", "mean", "min", "max")
TOLERANCE = 1e-5


@dataclass(frozen=True)
class Asked:
    """One variable of a peer: which rows (newest ``days``, codes or band of columns), which aggregate of what."""

    name: str
    days: int | None
    filters: tuple[tuple[str, tuple[str, ...] | None, tuple[float | None, float | None] | None], ...]
    agg: str
    of: str | None
    scale: float


@dataclass(frozen=True)
class Subset:
    """Variables of one family and the rows they need: _id, event_time, as_of and columns c0, c1, ..."""

    asked: tuple[Asked, ...]
    rows: pl.DataFrame


def choose(workspace: Workspace, observation_set: str, most: int) -> Subset | None:
    """The first ``most`` simple variables of the family with most of them; None if no family has any.

    Simple: counts, sums, means, minima and maxima over windows of days on an event table.
    """
    best: tuple[Any, Any, tuple[Asked, ...]] | None = None
    from bluemirror.contracts import read_contracts
    from bluemirror.variables import load_blocks

    tables = {t.name: t for c in read_contracts(workspace.contracts_dir).values() for t in c.tables}
    for block in load_blocks(workspace):
        for family in block.families:
            table = tables[family.table]
            if family.via or family.per or table.kind != "event" or table.parent:
                continue
            if family.windows.unit != "day" or family.exclude_self:
                continue
            asked = tuple(_asked(block, family))
            if asked and (best is None or len(asked) > len(best[2])):
                best = (family, table, asked)
    if best is None:
        return None
    family, table, asked = best
    return Subset(asked[:most], _rows(workspace, observation_set, family, table))


def _asked(block: Any, family: Any) -> list[Asked]:
    import itertools

    from bluemirror.variables.plan import tensor_variables, tensors

    found = []
    for tensor in tensors(family):
        if tensor.form != "value" or tensor.agg not in AGGREGATES:
            continue
        cells: Any = itertools.product(tensor.windows, *tensor.group_axes)
        for (window, *groups), variable in zip(cells, tensor_variables(block, family, tensor), strict=True):
            filters = tuple(
                (one.column, group.codes, group.band)
                for one, group in zip(tensor.slices, groups, strict=True)
                if not group.is_all
            )
            found.append(
                Asked(
                    variable.name, window.size, filters, tensor.agg, tensor.measure.of, tensor.measure.scale
                )
            )
    return found


def _rows(workspace: Workspace, observation_set: str, family: Any, table: Any) -> pl.DataFrame:
    import bluemirror
    from bluemirror.mart.versions import quote, versions_sql
    from bluemirror.variables.load import column_sql

    names = {one.column for one in family.slices} | {one.of for one in family.measures if one.of}
    columns = "".join(f', ({column_sql(family.columns, name)}) AS "{name}"' for name in sorted(names))
    where = f" AND ({family.where})" if family.where else ""
    column, key = family.match
    observations = workspace.variables / observation_set / "observations" / "*.parquet"
    sql = f"""
        SELECT o.observation_id AS _id, t.event_time, o.as_of{columns}
        FROM ({versions_sql(table)}) t
        JOIN read_parquet('{observations}') o ON t.{quote(column)} = o.{quote(key)}
        WHERE t.event_time <= o.as_of AND t.known_time <= o.as_of AND NOT coalesce(t._deleted, false)
          AND (t._superseded IS NULL OR t._superseded > o.as_of){where}
    """
    with bluemirror.connect(workspace) as connection:
        return connection.sql(sql).pl()


def duckdb_filters(subset: Subset) -> tuple[pl.DataFrame, float]:
    """One ``agg(...) FILTER (WHERE ...)`` a variable."""
    import duckdb

    def condition(asked: Asked) -> str:
        parts = ["true"]
        if asked.days is not None:
            parts.append(f"event_time > as_of - INTERVAL {asked.days} DAY")
        for column, codes, band in asked.filters:
            if codes is not None:
                listed = ", ".join("'" + code.replace("'", "''") + "'" for code in codes)
                parts.append(f'CAST("{column}" AS VARCHAR) IN ({listed})')
            if band is not None:
                parts += [f'"{column}" >= {band[0]}'] if band[0] is not None else []
                parts += [f'"{column}" < {band[1]}'] if band[1] is not None else []
        return " AND ".join(parts)

    def term(asked: Asked) -> str:
        function = "avg" if asked.agg == "mean" else asked.agg
        what = "*" if asked.of is None else f'"{asked.of}"'
        return f'{function}({what}) FILTER (WHERE {condition(asked)}) AS "{asked.name}"'

    connection = duckdb.connect()
    connection.register("rows", subset.rows.to_arrow())
    sql = f"SELECT _id, {', '.join(term(each) for each in subset.asked)} FROM rows GROUP BY _id"
    return _timed(lambda: connection.sql(sql).pl())


def polars_expressions(subset: Subset) -> tuple[pl.DataFrame, float]:
    """One ``filter().agg()`` expression a variable."""
    import polars as pl

    def expression(asked: Asked) -> pl.Expr:
        keep = pl.lit(value=True)
        if asked.days is not None:
            keep &= pl.col("event_time") > pl.col("as_of") - pl.duration(days=asked.days)
        for column, codes, band in asked.filters:
            if codes is not None:
                keep &= pl.col(column).cast(pl.String).is_in(list(codes))
            if band is not None:
                keep &= pl.lit(value=True) if band[0] is None else pl.col(column) >= band[0]
                keep &= pl.lit(value=True) if band[1] is None else pl.col(column) < band[1]
        chosen = pl.col(asked.of or "_id").filter(keep)
        # A count is of rows: "_id" is never null.
        found = chosen.len() if asked.agg == "count" else getattr(chosen, asked.agg)()
        return found.alias(asked.name)

    lazy = subset.rows.lazy().group_by("_id").agg([expression(each) for each in subset.asked])
    return _timed(lazy.collect)


def duckdb_cells(subset: Subset) -> tuple[pl.DataFrame, float]:
    """What somebody who knows SQL well writes: one pass to cells (customer, window, codes), then pivots of those."""
    import duckdb

    days = sorted({each.days for each in subset.asked if each.days is not None})
    columns = sorted({column for each in subset.asked for column, _, _ in each.filters})
    measured = sorted({each.of for each in subset.asked if each.of is not None})
    age = "date_diff('microsecond', event_time, as_of) // 86400000000"
    bucket = "CASE " + " ".join(f"WHEN {age} < {day} THEN {day}" for day in days) + " ELSE 1000000 END"
    banded = {column: _edges(subset, column) for column in columns}
    codes = [f'"{column}"' if not edges else _bands(column, edges) for column, edges in banded.items()]
    statistics = ["count(*) AS n"]
    for place, column in enumerate(measured):
        statistics += [
            f'count("{column}") AS n{place}, sum("{column}") AS s{place}',
            f'min("{column}") AS l{place}, max("{column}") AS h{place}',
        ]
    cells = (
        f"SELECT _id, {bucket} AS bucket, {''.join(f'{code} AS k{place}, ' for place, code in enumerate(codes))}"
        f"{', '.join(statistics)} FROM rows GROUP BY ALL"
    )

    def condition(each: Asked) -> str:
        parts = ["true"] if each.days is None else [f"bucket <= {each.days}"]
        for column, listed, band in each.filters:
            place = columns.index(column)
            if listed is not None:
                texts = ", ".join("'" + code.replace("'", "''") + "'" for code in listed)
                parts.append(f"CAST(k{place} AS VARCHAR) IN ({texts})")
            if band is not None:
                edges, (low, high) = banded[column], band
                first = 0 if low is None else edges.index(low) + 1
                last = len(edges) if high is None else edges.index(high)
                parts.append(f"k{place} BETWEEN {first} AND {last}")
        return " AND ".join(parts)

    def term(each: Asked) -> str:
        keep = f"FILTER (WHERE {condition(each)})"
        if each.agg == "count":
            return f'sum(n) {keep} AS "{each.name}"'
        place = measured.index(str(each.of))
        total = f"sum(s{place}) {keep}"
        text = {
            "sum": total,
            "mean": f"{total} / sum(n{place}) {keep}",
            "min": f"min(l{place}) {keep}",
            "max": f"max(h{place}) {keep}",
        }[each.agg]
        return f'{text} AS "{each.name}"'

    connection = duckdb.connect()
    connection.register("rows", subset.rows.to_arrow())
    sql = (
        f"WITH cells AS MATERIALIZED ({cells}) "
        f"SELECT _id, {', '.join(term(each) for each in subset.asked)} FROM cells GROUP BY _id"
    )
    return _timed(lambda: connection.sql(sql).pl())


def _edges(subset: Subset, column: str) -> list[float]:
    return sorted(
        {
            edge
            for each in subset.asked
            for name, _, band in each.filters
            if name == column and band is not None
            for edge in band
            if edge is not None
        }
    )


def _bands(column: str, edges: list[float]) -> str:
    cases = " ".join(f'WHEN "{column}" < {edge} THEN {place}' for place, edge in enumerate(edges))
    return f'CASE WHEN "{column}" IS NULL THEN -1 {cases} ELSE {len(edges)} END'


def featuretools_dfs(subset: Subset) -> tuple[pl.DataFrame, float] | None:
    """Deep feature synthesis of the plain counts, sums, means, minima and maxima of one window; None without it.

    Featuretools knows no windows within one call, so it gets the rows of the widest asked window and as many
    primitives and columns as the asked variables have there.
    """
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import featuretools as ft  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return None
    import polars as pl

    columns = sorted({each.of for each in subset.asked if each.of is not None})
    rows = subset.rows.select("_id", "event_time", *columns).with_row_index("_row").to_pandas()
    people = subset.rows.select("_id").unique().to_pandas()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        entities = ft.EntitySet("bench")
        entities.add_dataframe(dataframe_name="people", dataframe=people, index="_id")
        entities.add_dataframe(dataframe_name="rows", dataframe=rows, index="_row", time_index="event_time")
        entities.add_relationship("people", "_id", "rows", "_id")
        start = time.perf_counter()
        matrix, _ = ft.dfs(
            entityset=entities,
            target_dataframe_name="people",
            agg_primitives=["count", "sum", "mean", "min", "max"],
            trans_primitives=[],
            max_depth=1,
        )
        seconds = time.perf_counter() - start
    return pl.from_pandas(matrix.reset_index()), seconds


PEERS: tuple[Callable[[Subset], tuple[pl.DataFrame, float] | None], ...] = (
    duckdb_filters,
    polars_expressions,
    duckdb_cells,
    featuretools_dfs,
)


def differing(subset: Subset, found: pl.DataFrame, stored: pl.DataFrame) -> int:
    """How many of the peer's values are not the stored ones (to float32; sums over no rows are 0 in both)."""
    import polars as pl

    both = stored.join(found, left_on="observation_id", right_on="_id", how="inner", suffix="__peer")
    wrong = 0
    for asked in subset.asked:
        if asked.name not in found.columns:
            continue
        ours = pl.col(asked.name).cast(pl.Float64)
        theirs = pl.col(f"{asked.name}__peer").cast(pl.Float64) * (1.0 if asked.of is None else asked.scale)
        if asked.agg in ("count", "sum"):
            theirs = theirs.fill_null(0.0)
        far = (ours - theirs).abs() > TOLERANCE * (1 + theirs.abs())
        # Where the source did not answer, ours is null by design: not compared.
        wrong += int(both.filter(ours.is_not_null()).select((far | theirs.is_null()).sum()).item())
    return wrong


def _timed(work: Callable[[], pl.DataFrame]) -> tuple[pl.DataFrame, float]:
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start
