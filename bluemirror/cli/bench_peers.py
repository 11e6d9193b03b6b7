"""The same variables computed the way one would without cells and folds: one aggregate a variable.

The peers get their rows for free: joined to the observations, resolved and typed, in memory. Only the
aggregation itself is timed, and each of its values is compared with the stored one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from bluemirror.cli.bench_subset import Asked, Subset, timed

if TYPE_CHECKING:
    import polars as pl

TOLERANCE = 1e-5


def _inside(subset: Subset, size: int) -> str:
    """SQL that is true of a row in the newest ``size`` days or months."""
    if subset.months:
        return f"CAST(event_time AS DATE) > CAST(as_of AS DATE) - INTERVAL {size} MONTH"
    return f"event_time > as_of - INTERVAL {size} DAY"


def duckdb_filters(subset: Subset) -> tuple[pl.DataFrame, float]:
    """One ``agg(...) FILTER (WHERE ...)`` a variable."""
    import duckdb

    def condition(asked: Asked) -> str:
        parts = ["true"]
        if asked.size is not None:
            parts.append(_inside(subset, asked.size))
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
    return timed(lambda: connection.sql(sql).pl())


def polars_expressions(subset: Subset) -> tuple[pl.DataFrame, float]:
    """One ``filter().agg()`` expression a variable."""
    import polars as pl

    def expression(asked: Asked) -> pl.Expr:
        keep = pl.lit(value=True)
        if asked.size is not None and subset.months:
            start = pl.col("as_of").dt.date().dt.offset_by(f"-{asked.size}mo")
            keep &= pl.col("event_time").dt.date() > start
        elif asked.size is not None:
            keep &= pl.col("event_time") > pl.col("as_of") - pl.duration(days=asked.size)
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
    return timed(lazy.collect)


def duckdb_cells(subset: Subset) -> tuple[pl.DataFrame, float]:
    """What somebody who knows SQL well writes: cells (customer, window, codes) first, then pivots of those.

    Either one pass to cells over all codes at once, or cells for each combination of columns that variables filter
    by, which are fewer where few columns are crossed: both are tried, and the faster one counts.
    """
    apart: dict[tuple[str, ...], list[Asked]] = {}
    for each in subset.asked:
        apart.setdefault(tuple(sorted({column for column, _, _ in each.filters})), []).append(each)
    ways = [_cells(subset, [list(subset.asked)]), _cells(subset, list(apart.values()))]
    return min(ways, key=lambda way: way[1])


def _cells(subset: Subset, groups: list[list[Asked]]) -> tuple[pl.DataFrame, float]:
    """Cells and pivots of each group of variables, joined."""
    import duckdb

    sizes = sorted({each.size for each in subset.asked if each.size is not None})
    # Without windows all rows are of one bucket.
    cases = " ".join(f"WHEN {_inside(subset, size)} THEN {size}" for size in sizes)
    bucket = f"CASE {cases} ELSE 1000000 END" if cases else "0"
    parts = [f"aged AS MATERIALIZED (SELECT *, {bucket} AS bucket FROM rows)"]
    for number, group in enumerate(groups):
        cells, pivots = _pivots(subset, group)
        parts += [
            f"cells{number} AS MATERIALIZED (SELECT _id, bucket, {cells} FROM aged GROUP BY ALL)",
            f"pivots{number} AS (SELECT _id, {pivots} FROM cells{number} GROUP BY _id)",
        ]
    joined = " ".join(f"JOIN pivots{number} USING (_id)" for number in range(1, len(groups)))
    connection = duckdb.connect()
    connection.register("rows", subset.rows.to_arrow())
    return timed(lambda: connection.sql(f"WITH {', '.join(parts)} SELECT * FROM pivots0 {joined}").pl())


def _pivots(subset: Subset, group: list[Asked]) -> tuple[str, str]:
    """The select lists of one group: what cells hold beside customer and window, and the variables made of them."""
    columns = sorted({column for each in group for column, _, _ in each.filters})
    measured = sorted({each.of for each in group if each.of is not None})
    banded = {column: _edges(subset, column) for column in columns}
    codes = [f'"{column}"' if not edges else _bands(column, edges) for column, edges in banded.items()]
    statistics = [f"{code} AS k{place}" for place, code in enumerate(codes)] + ["count(*) AS n"]
    for place, column in enumerate(measured):
        statistics += [
            f'count("{column}") AS n{place}, sum("{column}") AS s{place}',
            f'min("{column}") AS l{place}, max("{column}") AS h{place}',
        ]

    def condition(each: Asked) -> str:
        parts = ["true"] if each.size is None else [f"bucket <= {each.size}"]
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

    return ", ".join(statistics), ", ".join(map(term, group))


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
