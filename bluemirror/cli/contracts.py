"""``bluemirror contracts``: two versions of a contract compared, and the workspace's against what the mart holds."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluemirror.cli.console import Console
from bluemirror.errors import ContractError
from bluemirror.workspace import Workspace

if TYPE_CHECKING:
    from bluemirror.contracts.change import Change, Comparison

MARKS = {"breaking": "!", "compatible": "+", "wording": "~"}


def contracts(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Compare versions: ``diff OLD NEW``, ``check``, ``history SOURCE``.

    Raises
    ------
    ContractError
        If a version number does not say what changed, or the arguments do not fit.
    """
    verbs = {"diff": (_diff, 2), "check": (_check, None), "history": (_history, 1)}
    verb, count = verbs[args.action]
    if count is not None and len(args.text) != count:
        raise ContractError(
            f"contracts {args.action} with {len(args.text)} names",
            rule="contracts diff OLD NEW (two files), contracts check [SOURCE ...], contracts history SOURCE",
            fix="write it like one of these",
        )
    return verb(args, console)


def _diff(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    from bluemirror.contracts import read_contract
    from bluemirror.contracts.changes import compare

    old, new = (read_contract(Path(file), any_name=True) for file in args.text)
    comparison = compare(old, new)
    _show(console, comparison)
    result = as_json(comparison)
    if not comparison.follows:
        console.finish(result)
        raise _unsaid([comparison], Path(args.text[1]))
    if comparison.changes:
        console.next("put the new version into data_contracts/, then: bluemirror contracts check")
    return result


def _check(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    from bluemirror.contracts import read_contracts
    from bluemirror.contracts.changes import compare
    from bluemirror.mart.adopted import newest
    from bluemirror.mart.manifests import read_snapshot

    workspace = Workspace.open(args.workspace)
    known = read_contracts(workspace.contracts_dir)
    unknown = [source for source in args.text if source not in known]
    if unknown:
        raise ContractError(
            f"there is no source {unknown[0]!r}",
            file=workspace.contracts_dir,
            rule="a source has a contract data_contracts/<source>.odcs.yaml",
            fix="correct the name",
        )
    snapshot = read_snapshot(workspace)
    rows: list[dict[str, Any]] = []
    unsaid: list[Comparison] = []
    for source in args.text or known:
        held = newest(workspace, source, snapshot)
        if held is None:
            rows.append(
                {"source": source, "held_version": None, "version": known[source].version, "changes": []}
            )
            continue
        comparison = compare(held, known[source])
        if comparison.changes:
            _show(console, comparison)
        if not comparison.follows:
            unsaid.append(comparison)
        rows.append(as_json(comparison))
    console.table(
        ("source", "mart holds", "workspace says", "changes", "verdict"),
        [
            (
                row["source"],
                row["held_version"] or "nothing",
                row["version"],
                len(row["changes"]),
                row.get("verdict") or "same",
            )
            for row in rows
        ],
        left=3,
    )
    result = {"sources": rows, "refused": sum(one.refused for one in unsaid)}
    if unsaid:
        console.finish(result)
        raise _unsaid(unsaid, workspace.contracts_dir)
    console.next("bluemirror ingest reads what has landed under these contracts")
    return result


def _history(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    from bluemirror.mart.adopted import adopted
    from bluemirror.mart.manifests import read_snapshot
    from bluemirror.mart.versioned import notes

    workspace, source = Workspace.open(args.workspace), args.text[0]
    held = adopted(workspace, source)
    deliveries = read_snapshot(workspace).of(source)
    versions = []
    for mark, contract in held.items():
        days = sorted(day for day, one in deliveries.items() if one.contract == mark)
        versions.append(
            {
                "version": contract.version,
                "fingerprint": mark,
                "deliveries": len(days),
                "first": days[0] if days else None,
                "last": days[-1] if days else None,
            }
        )
    told = notes(list(held.values()))
    console.table(
        ("version", "first", "last", "deliveries"),
        [(one["version"], one["first"], one["last"], one["deliveries"]) for one in versions],
        left=3,
    )
    for table, columns in told.items():
        for column, text in columns.items():
            console.line(f"  {table}{'.' + column if column else ''}: {text}")
    if not versions:
        console.line(f"The mart holds no delivery of {source}.")
    console.next("bluemirror.connect() shows one view a table over all of them")
    return {"source": source, "versions": versions, "columns": told}


def as_json(comparison: Comparison) -> dict[str, Any]:
    """A comparison as JSON values."""
    return {
        "source": comparison.source,
        "held_version": comparison.old_version,
        "version": comparison.new_version,
        "least_version": comparison.least_version,
        "verdict": comparison.verdict,
        "follows": comparison.follows,
        "refused": comparison.refused,
        "changes": [vars(change) for change in comparison.changes],
    }


def _show(console: Console, comparison: Comparison) -> None:
    console.line(f"{comparison.source} {comparison.old_version} -> {comparison.new_version}")
    for change in comparison.changes:
        console.line(
            f"  {MARKS[change.verdict]} {change.verdict:<10}  {change.where}: {change.what}{_said(change)}"
        )
        console.line(f"      {change.reason}; {change.todo}")
    if not comparison.changes:
        console.line("  nothing changed")
    elif comparison.follows:
        console.line(
            f"  the version number says it ({comparison.verdict}: {comparison.least_version} or above)"
        )


def _said(change: Change) -> str:
    if not (change.before or change.after):
        return ""
    short = [text if len(text) <= 60 else text[:57] + "..." for text in (change.before, change.after)]
    return f" ({short[0] or 'nothing'} -> {short[1] or 'nothing'})"


def _unsaid(comparisons: list[Comparison], file: Path) -> ContractError:
    listed = [
        f"{one.source} {one.old_version} -> {one.new_version}: {one.verdict}, needs {one.least_version}"
        + (" (ingestion refuses it)" if one.refused else "")
        for one in comparisons
    ]
    return ContractError(
        "the version number does not say what changed:\n  " + "\n  ".join(listed),
        file=file,
        field="version",
        rule="major for what breaks, minor for what does not, patch for words",
        fix="raise the version, or undo the change",
    )
