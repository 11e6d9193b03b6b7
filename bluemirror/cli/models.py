"""Verbs of models: train, validate, score, promote."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bluemirror.cli.console import Console
from bluemirror.cli.model_rows import KINDS, METRICS, model_row, read_training
from bluemirror.errors import ModelError
from bluemirror.workspace import Workspace


def train(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Train, validate and register a model; its inputs become a feature service."""
    from bluemirror.features import apply
    from bluemirror.features.services import service_name
    from bluemirror.scorecards.train import train as train_model

    workspace = Workspace.open(args.workspace)
    with console.working(f"training {args.model}"):
        report = train_model(workspace, args.model, log=console.say)
        apply(workspace, log=console.say)
    row = model_row(report)
    _print(console, args.model, row)
    service = service_name(args.model, report.version)
    console.line(f"  feature service {service}: {len(report.variables_used)} variables")
    if not report.changed:
        console.line("Nothing changed: this very training is registered already.")
    console.next(
        f"bluemirror validate {args.model}",
        f"bluemirror promote {args.model} {report.version} --reviewer NAME --comment TEXT",
        "bluemirror ui shows the version in MLflow",
    )
    return {"model": args.model, **row, "changed": report.changed, "seconds": round(console.seconds, 1)}


def validate(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Show a registered version's validation: its gates, what its checks found; with ``--html`` write the report."""
    from bluemirror.scorecards.records import read_steps
    from bluemirror.scorecards.registry import load_champion
    from bluemirror.scorecards.spec import read_spec

    workspace = Workspace.open(args.workspace)
    read_spec(workspace, args.model)
    report = read_training(workspace, args.model, args.version)
    row = model_row(report)
    _print(console, args.model, row)
    row["verified"] = False
    if report.champion == report.version:
        load_champion(workspace, args.model)
        row["verified"] = True
        console.line("  its promotion record is in order: this version may score")
    row["steps"] = [one for one in read_steps(workspace, args.model) if one["version"] == row["version"]]
    for one in row["steps"]:
        console.line(
            f"  {one['on'][:10]} {one['step']} by {one['who']}{': ' if one['told'] else ''}{one['told']}"
        )
    row["validation"] = _findings(workspace, report.run_id, console)
    if args.html:
        row["page"] = str(_write_page(workspace, args.model, report))
        console.line(f"Page: {row['page']}")
    console.next(
        *(() if args.html else (f"bluemirror validate {args.model} --html writes the report",)),
        f"bluemirror promote {args.model} {row['version']} --reviewer NAME --comment TEXT",
        "bluemirror ui shows the whole pack in MLflow",
    )
    return {"model": args.model, **row}


def _findings(workspace: Workspace, run_id: str, console: Console) -> dict[str, Any] | None:
    """The counts and the alarms of the version's validation, printed; None for a version older than the pack."""
    import json

    from bluemirror.scorecards.registry import run_text
    from bluemirror.scorecards.report import VALIDATION_FINDINGS

    text = run_text(workspace, run_id, VALIDATION_FINDINGS)
    if text is None:
        return None
    found = json.loads(text)
    alarms = [one for one in found["findings"] if one["verdict"] == "alarm"]
    console.line("  validation: " + ", ".join(f"{n} {verdict}" for verdict, n in found["counts"].items()))
    for one in alarms:
        console.line(f"    {one['severity']}: {one['label_en']}. {one['sentence']}")
    keys = ("check", "severity", "statistic", "threshold", "sentence")
    return {"counts": found["counts"], "alarms": [{key: one[key] for key in keys} for one in alarms]}


def _write_page(workspace: Workspace, model: str, report: Any) -> Path:
    from bluemirror.atomic import write_text
    from bluemirror.scorecards.registry import run_text
    from bluemirror.scorecards.report import VALIDATION_PAGE

    page = run_text(workspace, report.run_id, VALIDATION_PAGE)
    if page is None:
        raise ModelError(
            f"version {report.version} of {model} was registered without a validation report",
            field=report.version,
            rule="a training writes the report beside the version",
            fix=f"bluemirror train {model} registers a version with one",
        )
    place = workspace.data / "validation" / f"{model}-{report.version}.html"
    place.parent.mkdir(parents=True, exist_ok=True)
    write_text(place, page)
    return place


def score(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Score with the champion of one model or of all."""
    from bluemirror.scorecards.score import score as score_model
    from bluemirror.scorecards.spec import read_specs

    workspace = Workspace.open(args.workspace)
    known = read_specs(workspace)
    if args.model and args.model not in known:
        raise ModelError(
            f"no model is called {args.model}",
            file=workspace.models_dir,
            field=args.model,
            rule=f"models here are {', '.join(known) or 'none'}",
            fix="correct the name",
        )
    results = {}
    for name in [args.model] if args.model else known:
        with console.working(f"scoring {name}"):
            report = score_model(workspace, name, log=console.say)
        results[name] = {
            "version": report.version,
            "scored": report.scored,
            "written": report.written,
            "changed": report.changed,
        }
        console.line(
            f"{name} version {report.version} (promoted by {report.promoted_by}): {report.scored:,} observations, "
            f"{report.written:,} new scores, mean {report.mean_score:.0f} points"
        )
    console.next("bluemirror.connect() gives the table model_score as a view")
    return {"models": results}


def promote(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Make a version champion."""
    from bluemirror.scorecards.registry import promote as promote_version

    workspace = Workspace.open(args.workspace)
    with console.working("promoting"):
        record = promote_version(
            workspace, args.model, args.version, reviewer=args.reviewer, comment=args.comment
        )
    console.line(
        f"{args.model} version {args.version} is champion, signed by {args.reviewer}: {record.comment}"
    )
    console.next(f"bluemirror score {args.model}")
    return {
        "model": args.model,
        "version": record.version,
        "reviewer": record.reviewer,
        "comment": record.comment,
        "on": record.on,
    }


def _print(console: Console, model: str, row: dict[str, Any]) -> None:
    console.line(f"{model} version {row['version']}, out of time:")
    console.table(
        ("", *METRICS),
        [(kind, *(row[kind].get(metric) for metric in METRICS)) for kind in KINDS],
    )
    console.line(
        f"  {row['training_rows']:,} training rows, {row['oot_rows']:,} out of time with {row['oot_bads']:,} bads"
    )
    console.line("  gates: " + ("; ".join(row["gates"]) or "all passed"))
