"""``bench features``: this workspace's variables computed anew, beside peers and the cost of writing alone."""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from bluemirror.cli import bench_peers
from bluemirror.cli.console import Console
from bluemirror.cli.memory import PeakMemory
from bluemirror.errors import WorkspaceError
from bluemirror.workspace import Workspace

PEER_VARIABLES = 100


def bench_features(workspace: Workspace, console: Console) -> dict[str, Any]:
    """Measure :func:`bluemirror.variables.build` from mart Parquet to committed feature Parquet."""
    from bluemirror.variables import build
    from bluemirror.variables.spine import read_spine

    if not (workspace.mart / "current.json").is_file():
        raise WorkspaceError(
            "there is no mart to compute variables from",
            file=workspace.mart,
            rule="bench features measures on what has been ingested",
            fix="bluemirror ingest (or run) first",
        )
    name = next(iter(read_spine(workspace).observations))
    with tempfile.TemporaryDirectory(prefix="bluemirror-bench-") as folder, PeakMemory() as memory:
        # The mart as it is, the variables somewhere else: nothing of the workspace is touched.
        scratch = Path(folder)
        (scratch / "mart").symlink_to(workspace.mart)
        bench = replace(workspace, data=scratch)
        console.say(f"computing the variables of {name} anew")
        start = time.perf_counter()
        with console.working("computing"):
            report = build(bench, name, log=console.say)
        seconds = time.perf_counter() - start
        rate = report.values / seconds
        peak = memory.mib
        console.say("peers on a subset of the same data")
        peers = _peers(bench, name, rate, console)
        console.say("the write floor")
        floor = _write_floor(scratch, report.observations, report.values)
    return {
        "cores": os.cpu_count(),
        "observations": report.observations,
        "variables": report.variables,
        "values": report.values,
        "seconds": round(seconds, 2),
        "values_per_second": round(rate),
        "peak_rss_mib": peak,
        "peers": peers,
        "write_floor": {"values_per_second": round(floor), "ratio": round(rate / floor, 3)},
    }


def _peers(workspace: Workspace, observation_set: str, rate: float, console: Console) -> dict[str, Any]:
    from bluemirror.variables import read_variables

    subset = bench_peers.choose(workspace, observation_set, PEER_VARIABLES)
    if subset is None:
        console.say("no family of this workspace is simple enough for the peers")
        return {}
    stored = read_variables(workspace, observation_set, [each.name for each in subset.asked])
    results: dict[str, Any] = {}
    for peer in (bench_peers.duckdb_filters, bench_peers.polars_expressions):
        with console.working(peer.__name__):
            found, seconds = peer(subset)
        values = stored.height * len(subset.asked)
        results[peer.__name__] = {
            "values": values,
            "variables": len(subset.asked),
            "seconds": round(seconds, 3),
            "values_per_second": round(values / seconds),
            "ratio": round(rate / (values / seconds), 2),
            "differing": bench_peers.differing(subset, found, stored),
        }
    return results


def _write_floor(folder: Path, observations: int, values: int) -> float:
    """Values a second of writing alone: float32, snappy, no dictionary, no statistics, one thread."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = max(1, min(values // max(observations, 1), 1000))
    noise = np.random.default_rng(0).random((columns, max(observations, 1)), dtype=np.float32)
    table = pa.table({f"v{number}": column for number, column in enumerate(noise)})
    repeats = max(1, min(5, 20_000_000 // noise.size))
    start = time.perf_counter()
    for number in range(repeats):
        pq.write_table(
            table,
            folder / f"floor-{number}.parquet",
            compression="snappy",
            use_dictionary=False,
            write_statistics=False,
        )
    return float(noise.size * repeats / (time.perf_counter() - start))
