"""``bluemirror publish``: a night online, and its parity with the stored variables."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from bluemirror.cli.console import Console
from bluemirror.errors import StoreError
from bluemirror.workspace import Workspace


def publish(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Publish every registered version, compare all cells; StoreError if a cell differs."""
    from bluemirror import features

    workspace = Workspace.open(args.workspace)
    with console.working("publishing"):
        done = features.publish(workspace, force=args.force, log=console.say)
    with console.working("comparing online and offline"):
        found = features.parity(workspace)
    console.line()
    console.table(
        ("service", "by", "rows", "variables", "newest observation", "cells compared", "differing"),
        [
            (each.service, each.key, each.rows, each.variables, each.as_of, same.cells, same.faults)
            for each, same in zip(done, found, strict=True)
        ],
        left=2,
    )
    if not any(each.changed for each in done):
        console.line("Nothing changed.")
    wrong = [each for each in found if each.faults]
    if wrong:
        raise StoreError(
            f"{wrong[0].faults} differences between online and offline for {wrong[0].service}",
            field=wrong[0].view,
            rule="what is served online is what is stored",
            fix="bluemirror publish --force writes it anew",
        )
    console.next("open_store(workspace).get_online_features(...) reads them; bluemirror ui shows the views")
    return {
        "published": [asdict(each) for each in done],
        "parity": [asdict(each) | {"faults": each.faults} for each in found],
    }
