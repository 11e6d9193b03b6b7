"""Verbs about variables: catalogue count, search, show, page, compile; explain."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bluemirror.cli.console import Console
from bluemirror.errors import BluemirrorError
from bluemirror.workspace import Workspace

SHOWN = 40


def catalogue(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Dispatch to count, search, show, page or compile."""
    workspace = Workspace.open(args.workspace)
    if args.action in ("search", "show"):
        if not args.text:
            raise BluemirrorError(
                f"catalogue {args.action} needs a text",
                rule="catalogue search TEXT, catalogue show NAME",
                fix=f"bluemirror catalogue {args.action} apply",
            )
        return (_search if args.action == "search" else _show)(workspace, console, " ".join(args.text))
    if args.action == "count":
        return _count(workspace, console, args.list)
    if args.action == "page":
        return _page(workspace, console, args.html)
    return _compile(workspace, console)


def _page(workspace: Workspace, console: Console, target: str | None) -> dict[str, Any]:
    from bluemirror.atomic import write_text
    from bluemirror.variables import load_blocks
    from bluemirror.variables.catalogue import catalogue as all_variables
    from bluemirror.variables.page import page_html

    variables = all_variables(workspace)
    path = workspace.data / "catalogue.html" if target is None else Path(target)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = page_html(f"变量目录 Catalogue of variables · {workspace.name}", load_blocks(workspace), variables)
    write_text(path, text)
    size = len(text.encode()) / 2**20
    console.line(f"{path}: {len(variables):,} variables, {size:.1f} MiB, needs nothing from outside")
    console.next("open it in a browser; #words behind its address searches at once")
    return {"file": str(path), "variables": len(variables)}


def _count(workspace: Workspace, console: Console, listing: str | None) -> dict[str, Any]:
    from bluemirror.variables.counting import count_variables

    with console.working("counting"):
        count = count_variables(workspace)
    counts = count.as_dict()
    stored = counts["population"]
    console.line(
        f"{counts['total']:,} variables: {counts['useful']:,} useful, {counts['constant']:,} constant, "
        f"{counts['duplicate']:,} duplicates of another, whatever the data"
    )
    console.line(f"judged by {counts['observations']:,} observations of a mart in which every state occurs")
    console.line(
        f"of {stored['total']:,} as stored for {stored['observations']:,} observations, {stored['constant']:,} are "
        f"constant and {stored['duplicate']:,} duplicates"
    )
    console.table(("source", "variables"), sorted(counts["by_source"].items()))
    if listing is not None:
        path = Path(listing)
        path.write_text("".join("\t".join(fields) + "\n" for fields in count.lines()), encoding="utf-8")
        console.line(f"{path}: a line each constant and duplicate: name, judged on, what, of which")
    console.next("bluemirror catalogue search TEXT")
    return counts


def _search(workspace: Workspace, console: Console, text: str) -> dict[str, Any]:
    from bluemirror.variables.catalogue import search

    found = search(workspace, text)
    console.line(
        f"{len(found):,} variables match {text!r}" + (f"; the first {SHOWN}:" if len(found) > SHOWN else ":")
    )
    console.table(
        ("name", "label", "unit"),
        [(each.name, f"{each.label_zh} / {each.label_en}", each.unit) for each in found[:SHOWN]],
        left=3,
    )
    if found:
        console.next(f"bluemirror catalogue show {found[0].name}")
    else:
        console.next("try fewer words: names, Chinese and English labels are searched")
    return {"text": text, "found": [each.name for each in found]}


def _show(workspace: Workspace, console: Console, name: str) -> dict[str, Any]:
    from bluemirror.variables.card import show

    card = show(workspace, name)
    console.line(str(card))
    console.next(f"bluemirror explain {name} OBSERVATION lists the rows behind a value")
    return dict(card.as_dict())


def _compile(workspace: Workspace, console: Console) -> dict[str, Any]:
    from bluemirror.variables.catalogue import write_compiled

    path, came, went = write_compiled(workspace)
    console.line(
        f"{path}: {came:,} lines came, {went:,} went" if came or went else f"{path}: nothing changed"
    )
    console.next("commit it: the review shows which variables changed their meaning")
    return {"file": str(path), "came": came, "went": went}


def explain(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """The rows behind a value."""
    from bluemirror.variables.explain import explain as explain_value

    workspace = Workspace.open(args.workspace)
    with console.working("explaining"):
        explanation = explain_value(workspace, args.variable, args.observation)
    console.line(str(explanation))
    console.next(f"bluemirror catalogue show {args.variable}")
    return dict(explanation.as_dict())
