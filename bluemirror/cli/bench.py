"""``bluemirror bench WHAT``: measured on this machine and workspace."""

from __future__ import annotations

import argparse
from typing import Any

from bluemirror.cli.console import Console
from bluemirror.workspace import Workspace


def bench(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Measure ingestion and variables, or the one thing that is named."""
    from bluemirror.cli.bench_applicant import bench_applicant
    from bluemirror.cli.bench_explain import bench_explain
    from bluemirror.cli.bench_features import bench_features
    from bluemirror.cli.bench_health import bench_health
    from bluemirror.cli.bench_ingest import bench_ingest

    workspace = Workspace.open(args.workspace)
    results = {}
    for name in [args.what] if args.what else ["ingest", "features"]:
        console.line()
        if name == "ingest":
            results[name] = bench_ingest(workspace, console, args.customers)
            _show_ingest(console, results[name])
        elif name == "health":
            results[name] = bench_health(workspace, console, args.customers)
            _show_health(console, results[name])
        elif name == "store":
            from bluemirror.cli.bench_store import bench_store

            results[name] = bench_store(workspace, console, args.share)
            _show_store(console, results[name])
        elif name == "applicant":
            results[name] = bench_applicant(workspace, console, args.applicants)
            _show_applicant(console, results[name])
        elif name == "screen":
            from bluemirror.cli.bench_screen import bench_screen

            results[name] = bench_screen(workspace, console, args.variables, args.rows)
            _show_screen(console, results[name])
        elif name == "validation":
            from bluemirror.cli.bench_validation import bench_validation, show_validation

            results[name] = bench_validation(workspace, console)
            show_validation(console, results[name])
        elif name == "explain":
            results[name] = bench_explain(workspace, console)
            _show_explain(console, results[name])
        else:
            results[name] = bench_features(workspace, console, args.customers if args.what else None)
            _show_features(console, results[name])
    console.next("budgets and earlier measurements are in docs/decisions/")
    return results[args.what] if args.what else results


def _show_ingest(console: Console, result: dict[str, Any]) -> None:
    console.line(
        f"ingest: {result['rows']:,} landed records of {result['sources']} sources ({result['landed_mib']:,} MiB) in "
        f"{result['seconds']:.1f} s = {result['rows_per_second']:,} a second, peak {result['peak_rss_mib']:,} MiB"
    )
    day, half = result["day"], result["half"]
    console.line(f"  the last day alone: {day['rows']:,} records in {day['seconds']:.2f} s")
    console.line(
        f"  half of it: {half['seconds']:.1f} s, {half['peak_rss_mib']:,} MiB; the whole is {half['bytes_ratio']:.2f} "
        f"times the bytes, {half['seconds_ratio']:.2f} times the time, {half['memory_ratio']:.2f} times the memory"
    )
    for form, rate in result["reports_per_second"].items():
        size = result["report_size"][form]
        told = f"{size['source']}, {size['bytes']:,} bytes and {size['mart_rows']:,} rows of the mart each"
        console.line(f"  reports as {form}: {rate:,} a second, {told}")
    for peer, each in result["peers"].items():
        console.line(
            f"  {peer}, the same files, nothing checked or hashed: {each['seconds']:.1f} s, {each['ratio']:.2f} of ours"
        )


def _show_health(console: Console, result: dict[str, Any]) -> None:
    console.line(
        f"health: {result['variables']:,} variables x {result['observations']:,} observations = {result['values']:,} "
        f"values in {result['seconds']:.1f} s on {result['cores']} cores, peak {result['peak_rss_mib']:,} MiB"
    )
    for point in result["line"]:
        console.line(
            f"  {point['customers']:,} customers: {point['values']:,} values in {point['seconds']:.1f} s "
            f"({point['cpu_seconds']:.1f} s of processor), {point['peak_rss_mib']:,} MiB"
        )
    console.line(
        f"  the page: {result['page_seconds']:.1f} s; the reference, once: {result['reference_seconds']:.1f} s"
    )


def _show_screen(console: Console, result: dict[str, Any]) -> None:
    console.line(
        f"screen: {result['variables']:,} variables x {result['rows']:,} rows in {result['seconds']:.1f} s "
        f"({result['cpu_seconds']:.1f} s of processor) on {result['cores']} cores, peak {result['peak_rss_mib']:,} MiB"
    )
    peer = result["optbinning"]
    console.line(
        f"  OptBinning: {peer['variables']} of them in {peer['seconds']:.1f} s, all in "
        f"{result['optbinning_seconds_extrapolated']:,.0f} s: {peer['ratio']:.0f} times as long "
        f"({peer['ratio_all_cores']:.0f} times, as many at a time as there are cores)"
    )
    console.line(
        f"  information value against the same bins counted by DuckDB: {result['iv_error_max']:.1e} apart"
    )


def _show_store(console: Console, result: dict[str, Any]) -> None:
    for name in ("history", "narrow"):
        one = result[name]
        console.line(
            f"{name}: {one['observations']:,} x {one['variables']:,} variables in {one['seconds']} s = "
            f"{one['values_per_second']:,} a second, peak {one['peak_rss_mib']:,} MiB"
        )
    stock, told = result["history"]["stock"], result["publish"]
    console.line(
        f"  the stock DuckDB store on the most that it takes, {stock['largest']['variables']:,} variables: "
        f"{stock['largest']['values_per_second']:,} values a second; ours is {result['history']['ratio']} times as "
        f"fast, {stock['differing']} cells differ"
    )
    console.line(
        f"publish: {told['values']:,} values in {told['seconds']:.1f} s, {told['bytes_per_value']} bytes a value with "
        f"keys; {told['parity']['differing']} of {told['parity']['cells']:,} cells differ"
    )
    for store, one in result["online"].items():
        console.line(f"online, {store}: " + ", ".join(f"{key} {value}" for key, value in one.items()))
    console.line(
        f"registry: {result['apply_seconds']} s to apply, {result['open']['seconds']} s to open and resolve "
        f"{result['open']['variables']} variables"
    )


def _show_features(console: Console, result: dict[str, Any]) -> None:
    console.line(
        f"features: {result['observations']:,} observations x {result['variables']:,} variables = "
        f"{result['values']:,} values in {result['seconds']:.1f} s on {result['cores']} cores, "
        f"peak {result['peak_rss_mib']:,} MiB"
    )
    for point in result["line"]:
        console.line(
            f"  {point['customers']:,} customers: {point['values']:,} values in {point['seconds']:.1f} s, "
            f"{point['peak_rss_mib']:,} MiB"
        )
    rows = [
        (
            "bluemirror, mart to committed Parquet",
            result["variables"],
            result["values_per_second"] / 1e6,
            1.0,
            None,
            None,
        )
    ]
    rows += [
        (
            peer,
            each["variables"],
            each["values_per_second"] / 1e6,
            each["ratio"],
            each["ratio_on_the_same_family"],
            each["differing"],
        )
        for peer, each in result["peers"].items()
    ]
    about = result["peers_on"]
    if about:
        same = about["ours"]
        console.line(
            f"  peers on {about['family']}: {about['rows']:,} rows of {about['applicants_with_rows']:,} applicants, "
            f"resolved, typed and in memory; ours on the whole family from the mart on: {same['variables']} variables, "
            f"{same['values_per_second'] / 1e6:.2f} million values a second"
        )
    floor = result["write_floor"]
    rows.append(
        ("writing the values alone", None, floor["values_per_second"] / 1e6, floor["ratio"], None, None)
    )
    console.table(
        ("way", "variables", "million values/s", "ours over it", "ours on that family", "differing"), rows
    )


def _show_explain(console: Console, result: dict[str, Any]) -> None:
    cold, warm = result["cold_cpu_seconds"], result["warm_cpu_seconds"]
    console.line(
        f"explain, seconds of the processor: as a command {cold['median']:.2f} (median of the kinds), at most "
        f"{cold['max']:.2f}; within a session {warm['median']:.2f}, at most {warm['max']:.2f}; "
        f"{result['differing']} values differ from the stored ones"
    )
    console.table(
        ("kind", "as a command", "by the clock", "in a session", "variable"),
        [
            (
                kind,
                each["cold_cpu_seconds"],
                each["cold_wall_seconds"],
                each["warm_cpu_seconds"],
                each["variable"],
            )
            for kind, each in result["kinds"].items()
        ],
    )


def _show_applicant(console: Console, result: dict[str, Any]) -> None:
    raw = result["raw"]
    console.line(
        f"applicant: {result['applicants']:,} applications of the past as if they came today, one at a time, "
        f"{result['variables']:,} variables; the mart was loaded in {result['load_seconds']:.1f} s, "
        f"peak {result['peak_rss_mib']:,} MiB"
    )
    rows = [
        (name, *(each[f"p{percent}_ms"] for percent in (50, 95, 99)))
        for name, each in (
            ("parsed records to variables", result),
            ("  processor time of it", result["cpu"]),
            (f"raw payloads to records ({raw['documents']:.0f} documents)", raw),
            ("  processor time of it", raw["cpu"]),
        )
    ]
    console.table(("milliseconds an applicant", "p50", "p95", "p99"), rows)
