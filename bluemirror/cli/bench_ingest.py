"""``bench ingest``: the landed deliveries read into a fresh mart, beside readers that check nothing."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bluemirror.cli.console import Console
from bluemirror.cli.memory import PeakMemory
from bluemirror.errors import WorkspaceError
from bluemirror.workspace import Workspace

DOCUMENTS = ("xml", "json")
MOST_REPORTS = 4000


def bench_ingest(workspace: Workspace, console: Console) -> dict[str, Any]:
    """Measure :func:`bluemirror.mart.ingest.ingest_source` from landed files to committed mart."""
    from bluemirror.contracts import read_contracts
    from bluemirror.mart.ingest import ingest_source

    contracts = read_contracts(workspace.contracts_dir)
    if not any(workspace.landing.glob("*/*")):
        raise WorkspaceError(
            "nothing has landed",
            file=workspace.landing,
            rule="bench ingest measures on what has landed",
            fix="bluemirror simulate, or put deliveries there",
        )
    seconds: dict[str, float] = {}
    rows = 0
    with tempfile.TemporaryDirectory(prefix="bluemirror-bench-") as folder, PeakMemory() as memory:
        bench = replace(workspace, data=Path(folder) / "data")
        for source in contracts:
            start = time.perf_counter()
            with console.working(f"ingesting {source}"):
                report = ingest_source(bench, source)
            seconds[source] = time.perf_counter() - start
            rows += report.in_
            console.say(f"{source}: {report.in_:,} in {seconds[source]:.1f} s")
        peak = memory.mib
        reports = {}
        for form in DOCUMENTS:
            found = _documents(workspace, contracts, form)
            if found is not None:
                console.say(f"documents as {form}")
                reports[form] = _document_rate(workspace, *found, form, Path(folder) / form)
        lines = [
            source for source, each in contracts.items() if not set(DOCUMENTS) & set(each.landing.formats)
        ]
        peers = _peers(workspace, lines, sum(seconds[source] for source in lines), Path(folder), console)
    total = sum(seconds.values())
    return {
        "rows": rows,
        "seconds": round(total, 2),
        "rows_per_second": round(rows / total),
        "reports_per_second": reports,
        "peak_rss_mib": peak,
        "peers": peers,
        "by_source": {source: round(each, 2) for source, each in seconds.items()},
    }


def _documents(workspace: Workspace, contracts: Any, form: str) -> tuple[str, list[Path]] | None:
    """The first source that sends documents of this form, and its files (a few thousand at most)."""
    for source, contract in contracts.items():
        if form in contract.landing.formats:
            files = sorted(
                path
                for path in (workspace.landing / source).rglob(f"*.{form}")
                if not path.name.startswith("_")
            )
            if files:
                return source, files[:MOST_REPORTS]
    return None


def _document_rate(workspace: Workspace, source: str, files: list[Path], form: str, folder: Path) -> float:
    """Documents a second when only files of this form land."""
    from bluemirror.mart.ingest import ingest_source

    landing = folder / "landing"
    for delivery in sorted({path.relative_to(workspace.landing / source).parts[0] for path in files}):
        origin = workspace.landing / source / delivery
        target = landing / source / delivery
        done = json.loads((origin / "_DONE.json").read_text(encoding="utf-8"))
        kept = {}
        for path in files:
            if origin in path.parents:
                name = path.relative_to(origin).as_posix()
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                _link(path, target / name)
                kept[name] = done["files"][name]
        (target / "_DONE.json").write_text(json.dumps({**done, "files": kept}), encoding="utf-8")
    bench = replace(workspace, data=folder / "data", landing=landing)
    start = time.perf_counter()
    report = ingest_source(bench, source)
    return round(report.in_ / (time.perf_counter() - start), 1)


def _link(origin: Path, target: Path) -> None:
    try:
        os.link(origin, target)
    except OSError:
        shutil.copyfile(origin, target)


def _peers(
    workspace: Workspace, sources: list[str], ours: float, folder: Path, console: Console
) -> dict[str, Any]:
    """The files of line sources through readers that check, hash and quarantine nothing: Parquet out as well."""
    files = [
        path
        for source in sources
        for path in sorted((workspace.landing / source).rglob("*"))
        if path.suffix in (".csv", ".jsonl", ".parquet")
    ]
    if not files:
        return {}
    results = {}
    for peer in (duckdb_copy, pandas_copy):
        out = folder / peer.__name__
        out.mkdir()
        start = time.perf_counter()
        with console.working(peer.__name__):
            for number, path in enumerate(files):
                peer(path, out / f"{number}.parquet")
        seconds = time.perf_counter() - start
        results[peer.__name__] = {"seconds": round(seconds, 2), "ratio": round(seconds / ours, 3)}
    return results


def duckdb_copy(origin: Path, target: Path) -> None:
    """DuckDB reads the file with guessed types and writes Parquet."""
    import duckdb

    reader = {".csv": "read_csv_auto", ".jsonl": "read_json_auto", ".parquet": "read_parquet"}[origin.suffix]
    duckdb.sql(f"COPY (SELECT * FROM {reader}('{origin}')) TO '{target}' (FORMAT parquet)")


def pandas_copy(origin: Path, target: Path) -> None:
    """Pandas reads the file as text columns and writes Parquet."""
    import pandas as pd

    readers: dict[str, Callable[[], Any]] = {
        ".csv": lambda: pd.read_csv(origin, dtype=str),
        ".jsonl": lambda: pd.read_json(origin, lines=True, dtype=False, convert_dates=False),
        ".parquet": lambda: pd.read_parquet(origin),
    }
    readers[origin.suffix]().to_parquet(target)
