"""``bench features``: this workspace's variables computed anew, beside peers and the cost of writing alone."""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bluemirror.cli import bench_peers, bench_subset
from bluemirror.cli.console import Console
from bluemirror.cli.memory import PeakMemory
from bluemirror.errors import WorkspaceError
from bluemirror.workspace import Workspace

PEER_VARIABLES = 100


def bench_features(workspace: Workspace, console: Console, customers: int | None = None) -> dict[str, Any]:
    """Measure :func:`bluemirror.variables.build` from mart Parquet to committed feature Parquet.

    With ``customers``, on a mart that holds so many of them: the workspace's, copied under other keys, each entity
    described once. Then a tenth of them is measured as well, to show how time and memory grow. A value counts only
    where its source was asked.
    """
    from bluemirror.cli.bench_population import enlarged

    if not (workspace.mart / "current.json").is_file():
        raise WorkspaceError(
            "there is no mart to compute variables from",
            file=workspace.mart,
            rule="bench features measures on what has been ingested",
            fix="bluemirror ingest (or run) first",
        )
    with tempfile.TemporaryDirectory(prefix="bluemirror-bench-") as folder:
        scratch = Path(folder)
        line = []
        if customers is None:
            # The mart as it is, the variables somewhere else: nothing of the workspace is touched.
            (scratch / "mart").symlink_to(workspace.mart)
            bench = replace(workspace, data=scratch)
        else:
            # Each number of customers on a mart of its own: a bank's mart holds its customers, not ten times as many.
            marts = {}
            for number in (customers // 10, customers):
                place = scratch / str(number)
                place.mkdir()
                with console.working("copying the mart under other keys"):
                    marts[number] = enlarged(workspace, number, place, console.say).of(number, place)
            tenth = _measured(marts[customers // 10], console)
            line.append({"customers": customers // 10, **_figures(tenth)})
            bench = marts[customers]
        whole = _measured(bench, console)
        rate = whole.asked / whole.seconds
        if customers is not None:
            line.append({"customers": customers, **_figures(whole)})
        name = _sets(bench)[0]
        console.say("peers on a subset of the same data")
        about, peers = _peers(bench, name, rate, console)
        console.say("the write floor")
        floor = _write_floor(scratch, whole.observations, whole.variables)
    return {
        "cores": os.cpu_count(),
        "customers": customers,
        "observations": whole.observations,
        "variables": whole.variables,
        "values": whole.asked,
        "cells": whole.cells,
        "seconds": round(whole.seconds, 2),
        "values_per_second": round(rate),
        "peak_rss_mib": whole.peak,
        "bytes_per_value": round(whole.size / max(whole.asked, 1), 2),
        "line": line,
        "peers_on": about,
        "peers": peers,
        "write_floor": {
            "values_per_second": round(floor),
            "ratio": round(whole.cells / whole.seconds / floor, 3),
        },
    }


@dataclass(frozen=True)
class _Measured:
    """One build of all sets: ``asked`` are the values whose source was asked, ``cells`` all that are stored."""

    observations: int
    variables: int
    cells: int
    asked: int
    seconds: float
    peak: int
    size: int


def _figures(one: _Measured) -> dict[str, Any]:
    return {"values": one.asked, "seconds": round(one.seconds, 2), "peak_rss_mib": one.peak}


def _sets(workspace: Workspace) -> list[str]:
    from bluemirror.variables.spine import read_spine

    return list(read_spine(workspace).observations)


def _measured(workspace: Workspace, console: Console) -> _Measured:
    """Build every set in a process of its own, so that its memory is its own."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        console.working("computing"),
    ):
        reports, seconds, peak = pool.submit(build_all, workspace).result()
    asked = sum(_asked_values(workspace, name) for name in _sets(workspace))
    size = sum(path.stat().st_size for path in workspace.variables.rglob("part-*.parquet"))
    cells = sum(report.values for report in reports)
    first = reports[0]
    variables = sum(report.variables for report in reports)
    console.say(
        f"{first.observations:,} observations, {variables:,} variables: {cells:,} cells, {asked:,} values asked for, "
        f"in {seconds:.1f} s, {peak:,} MiB"
    )
    return _Measured(first.observations, variables, cells, asked, seconds, peak, size)


def build_all(workspace: Workspace) -> tuple[list[Any], float, int]:
    """Build every set of ``workspace``: (reports, seconds, peak MiB)."""
    from bluemirror.variables import build
    from bluemirror.variables.spine import read_spine

    with PeakMemory() as memory:
        start = time.perf_counter()
        reports = [build(workspace, name) for name in read_spine(workspace).observations]
        seconds = time.perf_counter() - start
        return reports, seconds, memory.mib


def _asked_values(workspace: Workspace, name: str) -> int:
    """Stored values of a set whose source was asked: it answered, or what it did not know is a zero."""
    import polars as pl

    from bluemirror.variables import load_blocks
    from bluemirror.variables.plan import block_variables
    from bluemirror.variables.reasons import ANSWERED, NO_HIT
    from bluemirror.variables.store import variable_files

    total = 0
    for block in load_blocks(workspace):
        files = variable_files(workspace, name, block.name)
        if files:
            counted = [ANSWERED, NO_HIT] if block.miss == "zero" else [ANSWERED]
            asked = pl.scan_parquet(files).select(pl.col(f"{block.name}__reason").is_in(counted).sum())
            total += int(asked.collect().item()) * len(block_variables(block))
    return total


def _peers(
    workspace: Workspace, observation_set: str, rate: float, console: Console
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the peers work on, with our own time for it, and what each of them took."""
    from bluemirror.variables import read_variables

    subset = bench_subset.choose(workspace, observation_set, PEER_VARIABLES)
    if subset is None:
        console.say("no family of this workspace is simple enough for the peers")
        return {}, {}
    about = subset.as_dict()
    console.say(
        f"{about['variables']} variables of {about['family']}: {about['rows']:,} rows of "
        f"{about['applicants_with_rows']:,} in {about['applicants']:,} applicants"
    )
    with console.working("the same family by the engine"):
        computed, seconds = bench_subset.ours(workspace, subset)
    names = [name for name in computed.columns if name.startswith(about["family"])]
    made = subset.rows["_id"].n_unique() * len(names)
    about["ours"] = {
        "variables": len(names),
        "values": made,
        "seconds": round(seconds, 3),
        "values_per_second": round(made / seconds),
    }
    stored = read_variables(workspace, observation_set, [each.name for each in subset.asked])
    results: dict[str, Any] = {}
    for peer in bench_peers.PEERS:
        with console.working(peer.__name__):
            answer = peer(subset)
        if answer is None:
            continue
        found, seconds = answer
        # Featuretools names and makes its own; the others make what was asked for.
        columns = len(found.columns) - 1
        values = found.height * columns
        results[peer.__name__] = {
            "values": values,
            "variables": columns,
            "rows": about["rows"],
            "applicants": found.height,
            "seconds": round(seconds, 3),
            "values_per_second": round(values / seconds),
            "ratio": round(rate / (values / seconds), 2),
            "ratio_on_the_same_family": round(made / about["ours"]["seconds"] / (values / seconds), 2),
            "differing": bench_peers.differing(subset, found, stored),
        }
    return about, results


def _write_floor(folder: Path, observations: int, variables: int) -> float:
    """Values a second of writing alone, two threads: float32, snappy, no dictionary, no statistics.

    The arrays are those of row groups as the build writes them, and a third of their values are null.
    """
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from bluemirror.variables.building import GROUP, THREADS
    from bluemirror.variables.engine import nullable

    columns, rows = max(1, min(variables, 500)), max(1, min(observations, GROUP))
    random = np.random.default_rng(0)
    noise = random.random((columns, rows), dtype=np.float32)
    noise[random.random(noise.shape) < 1 / 3] = np.nan
    table = pa.table(dict(zip((f"v{number}" for number in range(columns)), nullable(noise), strict=True)))
    shards = max(1, min(40_000_000 // noise.size, 400))

    def write(number: int) -> None:
        with pq.ParquetWriter(
            folder / f"floor-{number}.parquet",
            table.schema,
            compression="snappy",
            use_dictionary=False,
            write_statistics=False,
        ) as writer:
            for _ in range(shards):
                writer.write_table(table)

    start = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(write, range(THREADS)))
    return float(noise.size * shards * THREADS / (time.perf_counter() - start))
