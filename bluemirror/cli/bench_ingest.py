"""``bench ingest``: landed files into a fresh mart, and the same files loaded by what one would write instead."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bluemirror.cli.bench_deliveries import days, first_half, link
from bluemirror.cli.bench_job import measure
from bluemirror.cli.console import Console
from bluemirror.contracts import Contract
from bluemirror.workspace import Workspace

FORMS = ("xml", "json")
"""Formats in which a file is one report."""
MOST_REPORTS = 8000
"""Reports of each form that are measured alone."""
PEER_REPORTS = 1500
"""Reports of each form that are also loaded path by path, which takes some ten times as long."""


@dataclass(frozen=True)
class _Bench:
    """What is measured, and where: nothing but ``folder`` is written to."""

    workspace: Workspace
    contracts: Mapping[str, Contract]
    folder: Path
    console: Console

    def ingest(self, landing: str, data: str, what: str) -> dict[str, Any]:
        """Ingest all that landed in a sub-folder, on top of what a mart may hold already."""
        with self.console.working(what):
            done = measure(self.workspace, "ingest", self.folder / landing, self.folder / data)
        self.console.say(
            f"{what}: {done['rows']:,} records in {done['seconds']:.1f} s, {done['peak_rss_mib']:,} MiB"
        )
        return done

    def link_days(self, landing: str, chosen: Sequence[str]) -> int:
        """Bytes of those delivery days, linked."""
        wanted = set(chosen)
        return link(
            self.workspace, self.contracts.values(), self.folder / landing, lambda _c, day, _n: day in wanted
        )


def bench_ingest(workspace: Workspace, console: Console, customers: int | None = None) -> dict[str, Any]:
    """Measure :func:`bluemirror.mart.ingest.ingest_source` over all sources, from landed files to committed mart.

    Parameters
    ----------
    customers
        Simulate so many customers (36 months) by the workspace's land hook, in a folder of their own under the data
        folder, which is used again; default is what has landed.

    Returns
    -------
    dict
        ``rows``, ``seconds``, ``rows_per_second``, ``peak_rss_mib`` of everything: all days but the last in one go,
        then the last, which is also told alone as ``day``. ``half``: the first days that hold half the bytes, alone,
        with the ratios of the whole to it. ``reports_per_second`` and ``report_size`` by form, the latter whose
        reports they are, and the mean bytes and mart rows of one, without which a rate says little. ``peers``:
        seconds, and the ratio of those to ours on the very same files.
    """
    from bluemirror.contracts import read_contracts

    if customers is not None:
        workspace = _simulated(workspace, console, customers)
    contracts = read_contracts(workspace.contracts_dir)
    landed = days(workspace, contracts.values())
    workspace.data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=workspace.data) as folder:
        bench = _Bench(workspace, contracts, Path(folder), console)
        *before, last = landed
        size = bench.link_days("whole", before)
        whole = bench.ingest("whole", "mart", "all days but the last")
        size += bench.link_days("whole", [last])
        day = bench.ingest("whole", "mart", f"one more day, {last}")
        half_size = bench.link_days("half", first_half(landed) or [last])
        half = bench.ingest("half", "half_mart", "half of the bytes")
        reports, sizes, documents = _reports(bench)
        lines = _lines(bench, whole, day)
    rows, seconds = whole["rows"] + day["rows"], whole["seconds"] + day["seconds"]
    return {
        "customers": customers,
        "rows": rows,
        "seconds": round(seconds, 2),
        "rows_per_second": round(rows / seconds),
        "reports_per_second": reports,
        "report_size": sizes,
        "peak_rss_mib": whole["peak_rss_mib"],
        "peers": documents | lines,
        "sources": len(whole["by_source"]),
        "landed_mib": size >> 20,
        "day": {"day": last, "rows": day["rows"], "seconds": round(day["seconds"], 2)},
        "half": {
            "rows": half["rows"],
            "seconds": round(half["seconds"], 2),
            "peak_rss_mib": half["peak_rss_mib"],
            "bytes_ratio": round(size / half_size, 2),
            "seconds_ratio": round(seconds / half["seconds"], 2),
            "memory_ratio": round(whole["peak_rss_mib"] / half["peak_rss_mib"], 2),
        },
        "by_source": {source: round(each, 2) for source, each in whole["by_source"].items()},
    }


def _simulated(workspace: Workspace, console: Console, customers: int) -> Workspace:
    """The workspace with a landing folder of so many customers, made by its land hook unless it is there."""
    from bluemirror.cli.hooks import land

    # Not in the data folder: what a source sends is raw, and nothing raw may stand there.
    folder = workspace.root / "build" / "bench" / f"{customers}-customers"
    made = replace(workspace, landing=folder / "landing", data=folder / "data")
    made.landing.mkdir(parents=True, exist_ok=True)
    console.say(f"{customers:,} customers in {folder}")
    with console.working("simulating"):
        land(made, console.say, {"customers": customers})
    return made


def _reports(bench: _Bench) -> tuple[dict[str, float], dict[str, dict[str, Any]], dict[str, Any]]:
    """Reports a second of each form, their mean size, and the peer's seconds over ours for the same reports."""
    rates, sizes, ours, theirs, rows = {}, {}, 0.0, 0.0, 0
    for form in FORMS:
        counts = {source: _count(bench, source, form) for source in bench.contracts}
        # The source that sends most of them: the first by name may send small ones, which says nothing of the others.
        source = max(counts, key=counts.__getitem__)
        if not counts[source]:
            continue
        linked = {}
        for name, most in (("all", MOST_REPORTS), ("few", PEER_REPORTS)):
            linked[name] = _link_some(bench, f"{form}-{name}", source, form, most)
        done = bench.ingest(f"{form}-all", f"{form}-mart", f"reports as {form}")
        rates[form] = round(done["rows"] / done["seconds"], 1)
        sizes[form] = {
            "source": source,
            "bytes": round(linked["all"] / done["rows"]),
            "mart_rows": round(_mart_rows(bench, source, f"{form}-mart") / done["rows"]),
        }
        with bench.console.working(f"lxml and json, {form}"):
            peer = measure(
                bench.workspace,
                "lxml_and_json",
                bench.folder / f"{form}-few",
                bench.folder / f"{form}-peer",
                [source],
            )
        few = _count(bench, source, form, bench.folder / f"{form}-few")
        ours += few / rates[form]
        theirs += peer["seconds"]
        rows += peer["rows"]
    if not rates:
        return {}, {}, {}
    return (
        rates,
        sizes,
        {"lxml_and_json": {"seconds": round(theirs, 2), "ratio": round(theirs / ours, 3), "rows": rows}},
    )


def _count(bench: _Bench, source: str, form: str, landing: Path | None = None) -> int:
    complete = bench.contracts[source].landing.complete
    found = ((landing or bench.workspace.landing) / source).glob(f"*/*.{form}")
    return sum(path.name != complete for path in found)


def _link_some(bench: _Bench, landing: str, source: str, form: str, most: int) -> int:
    """Link every n-th report of a form, so that all days and sizes are among them; their bytes."""
    step = max(1, _count(bench, source, form) // most)
    seen = [0]

    def keep(_contract: Contract, _day: str, name: str) -> bool:
        if not name.endswith(f".{form}"):
            return False
        seen[0] += 1
        return seen[0] % step == 0

    return link(bench.workspace, [bench.contracts[source]], bench.folder / landing, keep)


def _mart_rows(bench: _Bench, source: str, data: str) -> int:
    """Rows of all tables of a source in a mart."""
    from bluemirror.mart.manifests import read_snapshot

    committed = read_snapshot(replace(bench.workspace, data=bench.folder / data), sources=[source]).of(source)
    return sum(rows for delivery in committed.values() for rows in delivery.tables.values())


def _lines(bench: _Bench, *ours: Mapping[str, Any]) -> dict[str, Any]:
    """The peer's seconds over ours, for all sources that send lines."""
    sources = [
        source
        for source, contract in bench.contracts.items()
        if source in ours[0]["by_source"] and not {*FORMS, "zip"} & set(contract.landing.formats)
    ]
    if not sources:
        return {}
    with bench.console.working("DuckDB into typed tables"):
        peer = measure(
            bench.workspace, "duckdb_typed_tables", bench.folder / "whole", bench.folder / "duckdb", sources
        )
    seconds = sum(done["by_source"].get(source, 0.0) for done in ours for source in sources)
    ratio = round(peer["seconds"] / seconds, 3)
    return {
        "duckdb_typed_tables": {"seconds": round(peer["seconds"], 2), "ratio": ratio, "rows": peer["rows"]}
        | {"peak_rss_mib": peer["peak_rss_mib"], "our_seconds": round(seconds, 2)}
    }
