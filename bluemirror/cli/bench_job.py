"""One measurement in a process of its own, so that its memory is its own: ``python -m bluemirror.cli.bench_job``."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from bluemirror.cli.memory import PeakMemory
from bluemirror.errors import BluemirrorError
from bluemirror.workspace import Workspace


def measure(
    workspace: Workspace, job: str, landing: Path, data: Path, sources: list[str] | None = None
) -> dict[str, Any]:
    """Run a job of this module in another process.

    Parameters
    ----------
    job
        ``ingest``, ``duckdb_typed_tables`` or ``lxml_and_json``.
    landing, data
        What is read, and where the result goes.
    sources
        Which sources; default all that have a contract.

    Returns
    -------
    dict
        ``rows`` (landed records of an ingestion, rows of all tables of a peer), ``seconds``, ``peak_rss_mib`` of the
        process and its children, ``by_source`` seconds.
    """
    asked = json.dumps([str(workspace.root), job, str(landing), str(data), sources])
    done = subprocess.run(
        [sys.executable, "-m", "bluemirror.cli.bench_job", asked], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BluemirrorError(
            f"the measurement {job} ended with {done.returncode}: {done.stderr.strip().splitlines()[-1:]}",
            rule="a measurement runs in a process of its own",
            fix="run bluemirror ingest to see the whole message",
        )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _ingest(workspace: Workspace, sources: list[str]) -> tuple[int, dict[str, float]]:
    from bluemirror.mart.ingest import ingest_source

    rows, seconds = 0, {}
    for source in sources:
        start = time.perf_counter()
        rows += ingest_source(workspace, source).in_
        seconds[source] = time.perf_counter() - start
    return rows, seconds


def _peer(name: str, workspace: Workspace, sources: list[str]) -> tuple[int, dict[str, float]]:
    from bluemirror.cli import bench_loaders
    from bluemirror.contracts import read_contracts

    contracts = read_contracts(workspace.contracts_dir)
    load = getattr(bench_loaders, name)
    workspace.data.mkdir(parents=True, exist_ok=True)
    rows, seconds = 0, {}
    for source in sources:
        start = time.perf_counter()
        rows += load(contracts[source], workspace.landing, workspace.data)
        seconds[source] = time.perf_counter() - start
    return rows, seconds


def _run(asked: str) -> dict[str, Any]:
    from bluemirror.contracts import read_contracts

    root, job, landing, data, chosen = json.loads(asked)
    workspace = replace(Workspace.open(root), landing=Path(landing), data=Path(data))
    contracts = read_contracts(workspace.contracts_dir)
    sources = [name for name in chosen or contracts if (workspace.landing / name).is_dir()]
    # What every process pays once, before it knows what to do, is no part of what is measured.
    for library in ("duckdb", "polars", "pyarrow"):
        import_module(library)
    with PeakMemory() as memory:
        start = time.perf_counter()
        rows, by_source = _ingest(workspace, sources) if job == "ingest" else _peer(job, workspace, sources)
        seconds = time.perf_counter() - start
        return {"rows": rows, "seconds": seconds, "peak_rss_mib": memory.mib, "by_source": by_source}


if __name__ == "__main__":
    print(json.dumps(_run(sys.argv[1])))
