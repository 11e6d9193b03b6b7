"""``bluemirror lineage`` and ``retire``: what a model rests on, who rests on a source, letting go of a version."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bluemirror.cli.console import Console
from bluemirror.workspace import Workspace

if TYPE_CHECKING:
    from bluemirror.features.lineage import Trace

WIDTH = 80
SHOWN = 12
"""Variables that are listed; ``--json`` and ``--all`` tell all of them."""


def lineage(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Show what stands before and behind a model, variable, block, table, source or column."""
    from bluemirror.features.lineage import trace

    workspace = Workspace.open(args.workspace)
    with console.working("following the columns"):
        found = trace(workspace, args.name)
    for line in lines(found, None if args.all else SHOWN):
        console.line(line)
    return found.as_json()


def retire(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Let go of a registered version."""
    from bluemirror.scorecards.retiring import retire as let_go

    workspace = Workspace.open(args.workspace)
    with console.working("retiring"):
        service = let_go(workspace, args.model, args.version)
    console.line(f"{service.name} is retired: {len(service.inputs)} variables are not kept for it any more")
    return {"retired": service.name}


def lines(found: Trace, shown: int | None) -> list[str]:
    """A trace as text of at most 80 columns."""
    what = found.models[0].service if found.kind == "model" else found.name
    counts = f"{len(found.variables):,} variables of {len(found.blocks)} blocks, {len(found.sources)} sources"
    told = [f"{what} ({found.kind}): {counts}"]
    if found.kind == "model" and found.models[0].owner:
        told.append(f"owner {found.models[0].owner}")
    told += ["", "Variables"]
    for block, count in found.blocks.items():
        told.append(f"  {block}: {count:,}")
        mine = [one for one in found.variables if one.block == block]
        told += [line for one in mine[:shown] for line in _variable(one.name, one.label_en, one.unit)]
        if shown is not None and count > shown:
            told.append(f"    ... and {count - shown:,} more: --all, or --json")
    told += ["", "Sources, contracts, tables and columns"]
    for source in found.sources:
        told.append(
            f"  {source.source} {source.contract_version}: {source.label_en}, {source.cost_yuan:g} yuan a hit"
        )
        for table, columns in source.tables.items():
            told += _wrapped(f"    {table}: {', '.join(columns)}", "      ")
    told.append(f"  together {found.cost_yuan:g} yuan, one hit of each")
    told += ["", "Registered models that read them" if found.kind != "model" else "Registered as"]
    told += [line for one in found.models for line in _model(asdict(one), found.kind, shown)]
    if not found.models:
        told.append("  none")
    return [part for line in told for part in _wrapped(line, "    ")]


def _variable(name: str, label: str, unit: str) -> list[str]:
    return [f"    {name}", *_wrapped(f"      {label}" + (f" [{unit}]" if unit else ""), "      ")]


def _model(one: dict[str, Any], kind: str, shown: int | None) -> Iterable[str]:
    owner = f", owner {one['owner']}" if one["owner"] else ""
    if kind == "model":
        return [f"  {one['model']} version {one['version']}{owner}"]
    concerned = len(one["inputs"])
    names = one["inputs"][:shown]
    more = f", and {concerned - len(names):,} more" if concerned > len(names) else ""
    head = f"  {one['service']}: {concerned} of {one['variables']} inputs{owner}"
    return [head, *_wrapped(f"    {', '.join(names)}{more}", "    ")]


def _wrapped(line: str, indent: str) -> list[str]:
    if len(line) <= WIDTH:
        return [line]
    return textwrap.wrap(
        line, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
