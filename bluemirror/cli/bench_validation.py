"""``bench validation``: does the validation find planted faults, and does it leave clean models in peace.

Faults and clean models stand with the tests (``tests/validation/faults``), which run them as well.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from bluemirror.cli.console import Console
from bluemirror.errors import WorkspaceError
from bluemirror.workspace import Workspace

FAULTS = ("tests", "validation", "faults")


def bench_validation(workspace: Workspace, console: Console) -> dict[str, Any]:
    """Plant every fault, make a hundred clean models, draw each test some hundred times; nothing is stored."""
    folder = workspace.root.joinpath(*FAULTS)
    if not folder.is_dir():
        raise WorkspaceError(
            "there are no planted faults here",
            file=folder,
            rule="bench validation measures on the faults that stand with the tests",
            fix="run from the repository's root",
        )
    sys.path.insert(0, str(folder))
    try:
        measure = import_module("measuring").measure
    finally:
        sys.path.remove(str(folder))
    with console.working("planting faults"):
        return dict(measure())


def show_validation(console: Console, result: dict[str, Any]) -> None:
    """Print the table of faults and the figures."""
    console.table(
        ("fault", "should fire", "found", "alarms in all"),
        [
            (one["fault"], ", ".join(one["expected"]), "yes" if one["found"] else "NO", len(one["fired"]))
            for one in result["faults"]
        ],
    )
    console.line(
        f"validation: {result['checks']} checks; {result['found']} of {result['planted']} planted faults found; "
        f"{result['clean_alarms']} of {result['clean_models']} clean models raise an alarm; "
        f"{result['cpu_seconds']:.0f} s of processor"
    )
    console.table(
        ("test", *(f"rejects at {level}" for level in next(iter(result["tests"].values())))),
        [(name, *rates.values()) for name, rates in result["tests"].items()],
    )
