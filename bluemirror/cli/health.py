"""The verb ``health``: every variable of the night, alerts first, then the sources; or the variables of one source."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from bluemirror.cli.console import Console
from bluemirror.errors import WorkspaceError
from bluemirror.workspace import Workspace

if TYPE_CHECKING:
    from bluemirror.health import Night


def health(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Look at a night and keep it; with ``--html`` write the page as well."""
    from bluemirror.cli.health_lines import overview_lines, source_lines
    from bluemirror.health import night
    from bluemirror.health.publishing import keep, write_page

    workspace = Workspace.open(args.workspace)
    with console.working("looking at every variable"):
        made = night(workspace, args.as_of, console.say)
        changed = keep(workspace, made)
        if args.source:
            _need(workspace, made, args.source)
        page = write_page(workspace, made) if args.html else None
    for line in source_lines(made, args.source) if args.source else overview_lines(made):
        console.line(line)
    if page is not None:
        console.line(f"Page: {page}")
    hints = [] if args.source else ["bluemirror health SOURCE shows the variables of one source"]
    if page is None:
        hints.append("bluemirror health --html writes the page with every variable")
    hints.append("SQL: the tables variable_health, block_health, health_alert")
    console.next(*hints)
    return _result(made, args.source, changed) | ({"page": str(page)} if page is not None else {})


def _need(workspace: Workspace, made: Night, source: str) -> None:
    import difflib

    names = sorted(made.variables["source"].unique())
    if source not in names:
        near = difflib.get_close_matches(source, names, 1)
        raise WorkspaceError(
            f"no stored variable comes from {source}",
            file=workspace.families_dir,
            field=source,
            rule="a source with variables, as bluemirror health lists them",
            fix=f"write {near[0]}" if near else "correct the name, or run: bluemirror features",
        )


def _result(made: Night, source: str | None, changed: bool) -> dict[str, Any]:
    """The JSON object: the night and its alerts; of one source its variables as well."""
    from bluemirror.health.page_sources import source_rows

    alerts = made.alerts if source is None else made.alerts.filter(made.alerts["source"] == source)
    result: dict[str, Any] = {
        "as_of": made.as_of.isoformat(),
        "variables": len(made.variables),
        "observations": made.observations,
        "sets": {
            name: {key: one[key] for key in ("last", "training", "recent", "before", "reference")}
            for name, one in made.manifest["sets"].items()
        },
        "moved_week": int(made.variables["moved_week"].sum()),
        "moved_training": int(made.variables["moved_training"].sum()),
        "alerts": alerts.drop("as_of").to_dicts(),
        "sources": [
            {
                key: row[key]
                for key in ("source", "variables", "observations", "share", "moved_week", "moved_training")
            }
            for row in sorted(source_rows(made), key=lambda row: str(row["source"]))
            if source in {None, row["source"]}
        ],
        "changed": changed,
    }
    if source is not None:
        result["of_source"] = (
            made.variables.filter(made.variables["source"] == source).drop("counts").to_dicts()
        )
    return result
