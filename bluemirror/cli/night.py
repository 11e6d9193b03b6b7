"""Verbs of the night: ingest, features, and run, which does everything."""

from __future__ import annotations

import argparse
from typing import Any

from bluemirror.cli.console import Console
from bluemirror.cli.memory import PeakMemory
from bluemirror.cli.workspaces import count_deliveries, fill_landing
from bluemirror.errors import WorkspaceError
from bluemirror.workspace import Workspace


def ingest(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Read new deliveries of the asked sources (default: all) into the mart."""
    from bluemirror.contracts import read_contracts
    from bluemirror.mart.ingest import ingest_source

    workspace = Workspace.open(args.workspace)
    known = read_contracts(workspace.contracts_dir)
    unknown = [source for source in args.source if source not in known]
    if unknown:
        raise WorkspaceError(
            f"no source is called {unknown[0]}",
            file=workspace.contracts_dir,
            field=unknown[0],
            rule=f"sources here are {', '.join(known)}",
            fix="correct the name, or write its contract",
        )
    reports: dict[str, Any] = {}
    changed = False
    for source in args.source or known:
        with console.working(f"ingesting {source}"):
            report = ingest_source(workspace, source, log=console.say)
        changed |= report.changed
        reports[source] = {"in": report.in_, "accepted": report.accepted, "quarantined": report.quarantined}
        console.say(
            f"{source}: {report.in_:,} in = {report.accepted:,} accepted + {report.quarantined:,} quarantined"
        )
        for warning in report.warnings:
            console.line(f"           {warning}")
    if not changed:
        console.line("Nothing changed: every complete delivery is in the mart already.")
    console.next(
        "bluemirror features computes the variables", "bluemirror sources shows what every source holds"
    )
    return {"sources": reports, "changed": changed, "seconds": round(console.seconds, 1)}


def features(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Compute the variables of every observation set and register them with Feast."""
    from bluemirror.features import apply
    from bluemirror.features.former import build_former
    from bluemirror.variables import build
    from bluemirror.variables.spine import read_spine

    workspace = Workspace.open(args.workspace)
    sets: dict[str, Any] = {}
    changed = False
    for name in read_spine(workspace).observations:
        with console.working(f"computing variables of {name}"):
            report = build(workspace, name, log=console.say)
        changed |= report.changed
        sets[name] = {
            "observations": report.observations,
            "variables": report.variables,
            "values": report.values,
        }
        console.say(f"{name}: {report.observations:,} observations x {report.variables:,} variables")
    with console.working("computing what registered versions read that means something else today"):
        former = build_former(workspace, console.say)
    changed |= any(report.changed for report in former)
    with console.working("registering with Feast"):
        applied = apply(workspace, log=console.say)
    changed |= applied.changed
    console.say(f"Feast project {applied.project}: {applied.views} views, {len(applied.services)} services")
    if not changed:
        console.line("Nothing changed.")
    console.next("bluemirror train MODEL", "bluemirror catalogue search TEXT")
    return {
        "observation_sets": sets,
        "views": applied.views,
        "changed": changed,
        "seconds": round(console.seconds, 1),
    }


def run(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """The night and the training, through Dagster in this process."""
    from bluemirror.cli.hooks import pipelines

    workspace = Workspace.open(args.workspace)
    landed = count_deliveries(workspace) == 0
    if landed and workspace.land_hook is None:
        raise WorkspaceError(
            "the landing folder is missing or empty",
            file=workspace.landing,
            rule="landing/<source>/<YYYY-MM-DD>/ holds the files of a delivery and _DONE.json",
            fix="put deliveries there, or declare a land hook in workspace.yaml",
        )
    embedded = pipelines("embedded")
    with PeakMemory() as memory:
        if landed:
            fill_landing(workspace, console, {})
        console.say(f"run: {workspace.name}")
        journal = embedded.run(workspace, say=console.say, working=console.working)
        result = _summary(workspace, journal)
        result |= {"seconds": round(console.seconds, 1), "peak_rss_mib": memory.mib}
    _print_summary(workspace, console, result)
    return result


def _summary(workspace: Workspace, journal: Any) -> dict[str, Any]:
    from bluemirror.cli.model_rows import model_row
    from bluemirror.cli.source_state import snapshot_day, source_counts

    built = journal.of("variables")
    changed = sorted(
        f"{kind} {name}"
        for (kind, name), report in journal.reports.items()
        if getattr(report, "changed", False)
    )
    return {
        "as_of": snapshot_day(workspace),
        "sources": source_counts(workspace),
        "variables": sum(report.variables for report in built.values()),
        "observations": sum(report.observations for report in built.values()),
        "models": {name: model_row(report) for name, report in journal.of("model").items()},
        "changed": changed,
    }


def _print_summary(workspace: Workspace, console: Console, result: dict[str, Any]) -> None:
    console.line()
    console.line(f"{workspace.name}, data as of {result['as_of']}")
    console.line()
    console.table(
        ("source", "rows in", "= accepted", "+ quarantined"),
        [(name, row["in"], row["accepted"], row["quarantined"]) for name, row in result["sources"].items()],
    )
    console.line()
    console.line(f"  variables     {result['variables']:>9,}")
    console.line(f"  observations  {result['observations']:>9,}")
    console.line()
    rows = []
    for name, model in result["models"].items():
        for kind in ("scorecard", "challenger"):
            scores = model[kind]
            rows.append((f"{name} v{model['version']}", kind, scores["auc"], scores["ks"], scores["psi"]))
    if rows:
        console.table(("model", "out of time", "AUC", "KS", "PSI"), rows, left=2)
        for name, model in result["models"].items():
            console.line(
                f"  {name}: {model['training_rows']:,} training rows, {model['oot_rows']:,} out of time with "
                f"{model['oot_bads']:,} bads; registered as {model['registered']} version {model['version']}"
            )
        console.line()
    if result["changed"]:
        console.line("Changed: " + _told(result["changed"]))
    else:
        console.line("Nothing changed: everything was up to date.")
    console.line(f"{result['seconds']:.1f} s, peak memory {result['peak_rss_mib']:,} MiB")
    hints = ["bluemirror ui opens the asset graph (Dagster) and the model page (MLflow)"]
    for name, model in result["models"].items():
        hints.append(_about_version(name, model))
    hints.append("bluemirror catalogue search TEXT; bluemirror explain NAME OBSERVATION")
    console.next(*hints)


def _about_version(name: str, model: dict[str, Any]) -> str:
    version = model["version"]
    if model["champion"] == version:
        return f"bluemirror validate {name}: version {version} is champion and has scored"
    if model["gates"]:
        return f"bluemirror validate {name}: version {version} does not pass its gates"
    return (
        f"bluemirror validate {name}, then bluemirror promote {name} {version} --reviewer NAME --comment TEXT"
    )


def _told(changed: list[str]) -> str:
    """``source a``, ``source b``, ``model c`` as ``2 sources, model c``."""
    sources = [each for each in changed if each.startswith("source ")]
    others = [each for each in changed if each not in sources]
    return ", ".join(([f"{len(sources)} sources"] if len(sources) > 1 else sources) + others)
