"""``bluemirror reproduce`` and ``bluemirror erase``: training sets made again, and people taken out."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from bluemirror.cli.console import Console
from bluemirror.errors import StoreError
from bluemirror.workspace import Workspace

SHOWN = 10


def reproduce(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Make a training set again from its manifest; StoreError if a value differs."""
    from bluemirror.features import reproduce as make_again

    workspace = Workspace.open(args.workspace)
    with console.working("making the training set again"):
        found = make_again(args.manifest, workspace=workspace, log=console.say)
    console.line()
    console.line(
        f"  {found.rows:,} rows x {found.variables:,} variables made again from the mart as it was known then"
    )
    if found.erased:
        console.line(f"  {found.erased:,} rows are gone: whom they describe was erased since")
    for note in found.notes:
        console.line(f"  {note}")
    if found.kept_rows_changed:
        console.line("  rows.parquet is not what the manifest describes: it was changed since")
    for name, cells in sorted(found.differing.items(), key=lambda one: -one[1])[:SHOWN]:
        console.line(f"  {cells:,} cells differ from rows.parquet in {name}")
    if not found.identical:
        raise StoreError(
            f"the training set {found.id} was made again and is not what its manifest tells",
            file=args.manifest,
            rule="the same deliveries, declarations and code give the same values",
            fix="compare the code and library versions above with those of the manifest",
        )
    console.line("  Identical" + (" where it is still there." if found.erased else "."))
    return found.as_json()


def erase(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Erase whoever has a key, from everything behind the door of the mart."""
    from bluemirror.features.erasing import erase as take_out

    workspace = Workspace.open(args.workspace)
    with console.working("erasing"):
        done = take_out(workspace, args.key, entity=args.entity, log=console.say)
    console.line()
    console.table(("table", "rows erased"), sorted(done.rows.items()))
    console.line(
        f"  {done.observations:,} stored observations; {len(done.training_sets)} training sets lost rows"
    )
    console.next("landed files are the source's own: remove them by its rule of retention")
    return asdict(done)
