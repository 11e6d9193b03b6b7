"""``bluemirror reproduce``, ``erase`` and ``prune``: training sets made again, people taken out, values dropped."""

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


def prune(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Drop computed values that the workspace's policy does not keep, or tell which these are."""
    from bluemirror.features.retention import prune as drop

    workspace = Workspace.open(args.workspace)
    with console.working("looking at what is kept"):
        dropped = drop(workspace, dry_run=args.dry_run)
    kept = workspace.keep
    days = ", ".join(f"{name} {count} days" for name, count in kept.days) or "every set whole"
    ends = " and month-ends" if kept.days and kept.month_ends else ""
    console.line(
        f"Policy (keep: in workspace.yaml): {days}{ends}; what somebody brought {kept.own_days} days"
    )
    for one in dropped:
        console.line(f"  {one.what}")
        console.line(f"    {one.observations:,} observations, {one.bytes / 2**20:,.1f} MiB: {one.why}")
    size = sum(one.bytes for one in dropped) / 2**20
    console.line(f"{'Would drop' if args.dry_run else 'Dropped'} {len(dropped)} things, {size:,.1f} MiB")
    console.next("what is asked for again is computed again, to the same values: bluemirror.training_set")
    return {"dropped": [asdict(one) for one in dropped], "dry_run": args.dry_run}
