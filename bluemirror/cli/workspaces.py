"""Verbs around a workspace: init, simulate."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bluemirror.cli.console import Console
from bluemirror.cli.hooks import land
from bluemirror.errors import WorkspaceError
from bluemirror.workspace import Workspace


def init(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Make a new workspace in ``args.dir``."""
    from bluemirror.templates import create

    target = Path(args.dir)
    create(target)
    files = sorted(str(path.relative_to(target)) for path in target.rglob("*") if path.is_file())
    console.line(f"Made the workspace {target} with {len(files)} files:")
    for file in files:
        console.line(f"  {file}")
    console.next(
        f"bluemirror --workspace {target} run",
        f"then put your own contract beside {target / 'data_contracts'} and run again",
    )
    return {"workspace": str(target), "files": files}


def simulate(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Fill the landing folder by the workspace's land hook."""
    workspace = Workspace.open(args.workspace)
    options = {name: getattr(args, name) for name in ("customers", "months", "seed")}
    given = {name: value for name, value in options.items() if value is not None} | _named(args.option or [])
    fill_landing(workspace, console, given)
    deliveries = count_deliveries(workspace)
    console.line(f"{workspace.landing} holds {deliveries:,} deliveries.")
    console.next("bluemirror run (or ingest, features, train one after the other)")
    return {"landing": str(workspace.landing), "deliveries": deliveries, "seconds": round(console.seconds, 1)}


def fill_landing(workspace: Workspace, console: Console, options: dict[str, Any]) -> None:
    """Call the land hook with progress."""
    console.say(f"land: {workspace.land_hook or 'no hook'} fills {workspace.landing.name}/")
    with console.working("landing"):
        land(workspace, console.say, options)


def count_deliveries(workspace: Workspace) -> int:
    """Delivery folders in the landing folder, complete or not."""
    return sum(1 for delivery in workspace.landing.glob("*/*") if delivery.is_dir())


def _named(options: list[str]) -> dict[str, Any]:
    """``NAME=VALUE`` texts, whole numbers read as such."""
    named: dict[str, Any] = {}
    for option in options:
        name, sign, value = option.partition("=")
        if not sign:
            raise WorkspaceError(
                f"{option!r} is not NAME=VALUE",
                field="--option",
                rule="--option NAME=VALUE",
                fix="write the equals sign",
            )
        named[name.replace("-", "_")] = int(value) if value.lstrip("-").isdigit() else value
    return named
