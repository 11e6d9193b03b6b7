"""``bench screen``: every stored variable against the label, on as many rows as asked for; OptBinning beside it.

The rows are the workspace's own labelled ones, drawn with replacement, written as the store writes them, and dealt to
twelve months, of which the first six count as history that came late. Dealt, because copies of a month's few rows would
make each month look like a world of its own, and few variables would come as far as the clusters.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluemirror.cli.console import Console
from bluemirror.cli.memory import PeakMemory
from bluemirror.errors import WorkspaceError
from bluemirror.workspace import Workspace

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

VARIABLES = 22_000
ROWS = 50_000
COMPARED = 200
MONTHS = 12
SEED = 20230101


def bench_screen(
    workspace: Workspace, console: Console, variables: int | None = None, rows: int | None = None
) -> dict[str, Any]:
    """Screen ``variables`` (default 22,000, or as many as are stored) on ``rows`` (default 50,000) drawn rows.

    From stored Parquet to the report, in a process of its own. OptBinning bins ``COMPARED`` of the same variables,
    already in memory, as it comes (one after the other) and once more as many at a time as there are cores; its time
    for all is their share's multiple.
    """
    from bluemirror.scorecards.spec import read_specs

    models = list(read_specs(workspace))
    if not models or not workspace.variables.is_dir():
        raise WorkspaceError(
            "there is nothing to screen",
            file=workspace.variables,
            rule="bench screen draws its rows from the labelled ones of the workspace's first model",
            fix="bluemirror features (or run) first, with a model under models/",
        )
    cores = os.cpu_count() or 1
    with tempfile.TemporaryDirectory(prefix="bluemirror-bench-") as folder:
        scratch = replace(workspace, data=Path(folder))
        with console.working("writing the rows"):
            began = time.perf_counter()
            drawn = draw(workspace, scratch, models[0], variables or VARIABLES, rows or ROWS)
            console.say(
                f"{drawn.count:,} variables x {len(drawn.rows):,} rows of {drawn.labelled:,} labelled ones written in "
                f"{time.perf_counter() - began:.0f} s"
            )
        # Compiled before the clock runs, as the second screening of any machine finds it.
        _apart(scratch, replace(drawn, by_block=_some(drawn.by_block, 8)), cores, console)
        ours = _apart(scratch, drawn, cores, console)
        console.say(f"screened in {ours.seconds:.1f} s, {ours.peak_rss_mib:,} MiB")
        peer = _compared(scratch, drawn, cores, console)
    share = drawn.count / max(peer.variables, 1)
    whole = peer.seconds * share
    return {
        "cores": cores,
        "variables": drawn.count,
        "rows": len(drawn.rows),
        "observations": len(drawn.rows),
        "drawn_from_labelled_rows": drawn.labelled,
        "bads": int(drawn.rows["bad"].sum()),
        "seconds": round(ours.seconds, 2),
        "cpu_seconds": round(ours.cpu_seconds, 2),
        "values_per_second": round(drawn.count * len(drawn.rows) / ours.seconds),
        "peak_rss_mib": ours.peak_rss_mib,
        "counts": ours.counts,
        "optbinning": {
            "variables": peer.variables,
            "seconds": round(peer.seconds, 2),
            "cpu_seconds": round(peer.cpu_seconds, 2),
            "seconds_all_cores": round(peer.seconds_all_cores, 2),
            "ratio": round(whole / ours.seconds, 1),
            "ratio_all_cores": round(peer.seconds_all_cores * share / ours.seconds, 1),
            "cpu_ratio": round(peer.cpu_seconds * share / ours.cpu_seconds, 1),
        },
        "optbinning_seconds_extrapolated": round(whole, 1),
        "ratio": round(whole / ours.seconds, 1),
        "iv_error_max": peer.iv_error,
        "iv_max_relative_error": peer.iv_error,
    }


@dataclass(frozen=True)
class Drawn:
    """The rows (observation_id, month, bad) and the variables by block."""

    rows: pl.DataFrame
    by_block: dict[str, list[str]]
    observation_set: str
    labelled: int

    @property
    def count(self) -> int:
        """Number of variables."""
        return sum(len(names) for names in self.by_block.values())


@dataclass(frozen=True)
class Measured:
    """A screening in a process of its own."""

    seconds: float
    cpu_seconds: float
    peak_rss_mib: int
    counts: dict[str, int]


@dataclass(frozen=True)
class Compared:
    """OptBinning's time for some of the variables, and how far our IV is from that of the same bins, row by row."""

    variables: int
    seconds: float
    cpu_seconds: float
    seconds_all_cores: float
    iv_error: float


def _some(by_block: dict[str, list[str]], blocks: int) -> dict[str, list[str]]:
    return {name: names[:8] for name, names in list(by_block.items())[:blocks]}


def draw(workspace: Workspace, scratch: Workspace, model: str, variables: int, rows: int) -> Drawn:
    """Write ``rows`` labelled rows, drawn with replacement, of at most ``variables`` variables into ``scratch``."""
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np
    import polars as pl

    from bluemirror.scorecards.population import read_population
    from bluemirror.scorecards.spec import read_spec
    from bluemirror.variables import load_blocks
    from bluemirror.variables.plan import block_variables
    from bluemirror.variables.spine import read_spine

    spec = read_spec(workspace, model)
    population = read_population(workspace, spec).rows
    random = np.random.default_rng(SEED)
    pick = np.sort(random.integers(0, len(population), rows))
    made = population[pick].with_columns(
        pl.format("{}~{}", "observation_id", pl.int_range(pl.len()).over("observation_id")).alias("new"),
        pl.Series("month", random.integers(0, MONTHS, rows)),
    )
    entity = read_spine(workspace).observation_set(spec.observation_set).entity
    by_block: dict[str, list[str]] = {}
    left = variables
    for block in load_blocks(workspace):
        names = [v.name for v in block_variables(block)][:left] if block.entity == entity else []
        if names:
            by_block[block.name] = names
            left -= len(names)

    def store(block: str) -> None:
        _store(workspace, scratch, spec.observation_set, block, made)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(store, by_block))
    kept = made.select("month", "bad", observation_id="new")
    return Drawn(kept, by_block, spec.observation_set, len(population))


def _store(
    workspace: Workspace, scratch: Workspace, observation_set: str, block: str, made: pl.DataFrame
) -> None:
    import polars as pl

    from bluemirror.variables.building import GROUP
    from bluemirror.variables.store import variable_files, write_groups

    labelled = made.select("observation_id").unique(maintain_order=True)
    held = pl.scan_parquet(variable_files(workspace, observation_set, block))
    frame = labelled.join(held.collect(), on="observation_id", how="left", maintain_order="left")
    place = frame.select("observation_id").with_row_index("at")
    at = made.select("observation_id", "new").join(
        place, on="observation_id", how="left", maintain_order="left"
    )
    folder = scratch.variables / observation_set / block
    folder.mkdir(parents=True)

    def groups() -> Iterator[pa.Table]:
        for start in range(0, len(at), GROUP):
            part = at[start : start + GROUP]
            table = frame[part["at"]].with_columns(observation_id=part["new"])
            yield table.to_arrow(compat_level=pl.CompatLevel.oldest())

    write_groups(folder / "part-0.parquet", groups())


def _apart(scratch: Workspace, drawn: Drawn, cores: int, console: Console) -> Measured:
    """Screen in a process of its own, so that its memory is its own."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        console.working("screening"),
    ):
        return pool.submit(measure, scratch, drawn, cores).result()


def measure(scratch: Workspace, drawn: Drawn, cores: int) -> Measured:
    """The whole screening of the drawn rows, timed."""
    from bluemirror.scorecards.screen import screen_streams
    from bluemirror.scorecards.stored import block_streams

    rows = drawn.rows
    month = rows["month"].to_numpy()
    late = month < MONTHS // 2
    with PeakMemory() as memory:
        began, processor = time.perf_counter(), time.process_time()
        streams = block_streams(
            scratch, drawn.observation_set, drawn.by_block, rows["observation_id"], lambda _: late
        )
        report = screen_streams(streams, rows["bad"].to_numpy(), month, threads=cores)
        seconds, spent = time.perf_counter() - began, time.process_time() - processor
    return Measured(seconds, spent, memory.mib, report.counts)


def _compared(scratch: Workspace, drawn: Drawn, cores: int, console: Console) -> Compared:
    """OptBinning with its own settings on every so-manieth variable."""
    import warnings

    import numpy as np
    from joblib import Parallel, delayed

    from bluemirror.scorecards.peers import optbinning_seconds
    from bluemirror.scorecards.screen import screen
    from bluemirror.scorecards.stored import block_chunks

    names = [(block, name) for block, all_of in drawn.by_block.items() for name in all_of]
    chosen = names[:: max(len(names) // COMPARED, 1)][:COMPARED]
    by_block: dict[str, list[str]] = {}
    for block, name in chosen:
        by_block.setdefault(block, []).append(name)
    chunks = list(block_chunks(scratch, drawn.observation_set, by_block, drawn.rows["observation_id"]))
    bad = drawn.rows["bad"].to_numpy()
    report = screen(chunks, bad)
    ours = dict(zip(report.table["variable"], report.table["iv"], strict=True))
    exact = {
        name: exact_iv(values, chunk.reasons, bad)
        for chunk in chunks
        for name, values in zip(chunk.names, chunk.values, strict=True)
    }
    error = max(abs(ours[n] - exact[n]) / max(abs(exact[n]), 1e-9) for n in exact)
    columns = [np.ascontiguousarray(values) for chunk in chunks for values in chunk.values]
    with console.working("OptBinning"), warnings.catch_warnings(), Parallel(n_jobs=cores) as pool:
        warnings.simplefilter("ignore")
        # Imports are not counted.
        optbinning_seconds(columns[0][:1000], bad[:1000])
        pool(delayed(optbinning_seconds)(columns[0][:1000], bad[:1000]) for _ in range(cores))
        began = time.perf_counter()
        spent = sum(optbinning_seconds(column, bad) for column in columns)
        seconds = time.perf_counter() - began
        began = time.perf_counter()
        pool(delayed(optbinning_seconds)(column, bad) for column in columns)
        beside = time.perf_counter() - began
    return Compared(len(columns), seconds, spent, beside, float(error))


def exact_iv(values: Any, reasons: Any, bad: Any) -> float:
    """Information value of the same bins by another way: DuckDB counts rows by the number of edges below them."""
    import duckdb
    import numpy as np
    import polars as pl

    from bluemirror.scorecards.cutting import quantile_edges

    present = np.sort(values[~np.isnan(values)])
    edges = quantile_edges(present) if present.size else present
    frame = pl.DataFrame({"value": values, "reason": reasons, "bad": bad}).with_columns(
        pl.col("value").fill_nan(None)
    )
    below = " + ".join(f"(value > {float(e)!r}::FLOAT)::INTEGER" for e in edges) or "0"
    with duckdb.connect() as connection:
        connection.register("rows_", frame.to_arrow())
        (value,) = connection.execute(
            f"""
            WITH bins AS (
                SELECT CASE WHEN value IS NULL THEN -1 - reason ELSE {below} END AS bin,
                       count(*) FILTER (bad = 0) AS good, count(*) FILTER (bad = 1) AS bad
                FROM rows_ GROUP BY bin
            ), shares AS (
                SELECT good / sum(good) OVER () AS g, bad / sum(bad) OVER () AS b,
                       greatest(good, 0.5) / sum(good) OVER () AS g0, greatest(bad, 0.5) / sum(bad) OVER () AS b0
                FROM bins
            )
            SELECT sum((g - b) * ln(g0 / b0)) FROM shares
            """
        ).fetchall()[0]
    return float(value or 0.0)
