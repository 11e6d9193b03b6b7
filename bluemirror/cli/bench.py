"""``bluemirror bench [ingest|features]``: real measurements on this machine and this workspace's data."""

from __future__ import annotations

import argparse
from typing import Any

from bluemirror.cli.console import Console
from bluemirror.workspace import Workspace


def bench(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Measure ingestion, variables, or both."""
    from bluemirror.cli.bench_features import bench_features
    from bluemirror.cli.bench_ingest import bench_ingest

    workspace = Workspace.open(args.workspace)
    benches = {"ingest": bench_ingest, "features": bench_features}
    shown = {"ingest": _show_ingest, "features": _show_features}
    results = {}
    for name in [args.what] if args.what else list(benches):
        results[name] = benches[name](workspace, console)
        console.line()
        shown[name](console, results[name])
    console.next("budgets and earlier measurements are in docs/decisions/")
    return results[args.what] if args.what else results


def _show_ingest(console: Console, result: dict[str, Any]) -> None:
    console.line(
        f"ingest: {result['rows']:,} landed records in {result['seconds']:.1f} s = "
        f"{result['rows_per_second']:,} a second, peak {result['peak_rss_mib']:,} MiB"
    )
    for form, rate in result["reports_per_second"].items():
        console.line(f"  documents as {form}: {rate:,} a second")
    for peer, each in result["peers"].items():
        console.line(
            f"  {peer}, the line sources only, nothing checked: {each['seconds']:.1f} s, {each['ratio']:.2f} of ours"
        )


def _show_features(console: Console, result: dict[str, Any]) -> None:
    console.line(
        f"features: {result['observations']:,} observations x {result['variables']:,} variables = "
        f"{result['values']:,} values in {result['seconds']:.1f} s on {result['cores']} cores, "
        f"peak {result['peak_rss_mib']:,} MiB"
    )
    rows = [
        (
            "bluemirror, mart to committed Parquet",
            result["variables"],
            result["values_per_second"] / 1e6,
            1.0,
            None,
        )
    ]
    rows += [
        (peer, each["variables"], each["values_per_second"] / 1e6, each["ratio"], each["differing"])
        for peer, each in result["peers"].items()
    ]
    floor = result["write_floor"]
    rows.append(("writing the values alone", None, floor["values_per_second"] / 1e6, floor["ratio"], None))
    console.table(("way", "variables", "million values/s", "ours over it", "differing"), rows)
