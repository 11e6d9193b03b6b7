"""``bluemirror privacy LIST``: whether raw personal values stand in anything that the platform wrote."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bluemirror.cli.console import Console
from bluemirror.errors import BluemirrorError
from bluemirror.workspace import Workspace

SHOWN = 20


def privacy(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Look for every value of a list in every file of the workspace's data folder.

    The folder of the list itself is left out.

    Raises
    ------
    BluemirrorError
        If the list cannot be read, or values of it were found: where, and of what kind, never which.
    """
    from bluemirror.privacy import read_needles, search

    workspace = Workspace.open(args.workspace)
    listed = Path(args.list)
    needles = read_needles(listed)
    console.say(f"{len(needles):,} values to look for ({needles.short:,} others are too short to tell)")
    inside = workspace.data in listed.resolve().parents
    with console.working("searching"):
        found = search(workspace.data, needles, [listed.parent if inside else listed], log=console.say)
    result = {
        "files": found.files,
        "bytes": found.bytes,
        "values": found.values,
        "found": found.count,
        "findings": [vars(finding) for finding in found.findings],
        "seconds": round(console.seconds, 1),
    }
    console.say(
        f"searched {found.files:,} files, {found.bytes / 2**20:,.0f} MiB: {found.count:,} values found"
    )
    if found.findings:
        rows = [(one.file, one.column or "-", one.entity, one.values) for one in found.findings[:SHOWN]]
        console.table(("file", "column", "what", "values"), rows, left=3)
        console.finish(result)
        raise BluemirrorError(
            f"{found.count} raw personal values stand in {len({one.file for one in found.findings})} files",
            file=workspace.data / found.findings[0].file,
            field=found.findings[0].column or None,
            rule="nothing behind the mart's door holds a raw personal value",
            fix="give the field a key or drop it in its contract, and start a new data folder",
        )
    return result
