"""Verbs about variables: catalogue count, search, show; explain."""

from __future__ import annotations

import argparse
from typing import Any

from bluemirror.cli.console import Console
from bluemirror.errors import BluemirrorError
from bluemirror.workspace import Workspace

SHOWN = 40


def catalogue(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Dispatch to count, search or show."""
    workspace = Workspace.open(args.workspace)
    if args.action == "count":
        return _count(workspace, console)
    if not args.text:
        raise BluemirrorError(
            f"catalogue {args.action} needs a text",
            rule="catalogue search TEXT, catalogue show NAME",
            fix=f"bluemirror catalogue {args.action} apply",
        )
    return (_search if args.action == "search" else _show)(workspace, console, args.text)


def _count(workspace: Workspace, console: Console) -> dict[str, Any]:
    from bluemirror.variables import count_variables

    counts: dict[str, Any] = dict(count_variables(workspace))
    console.line(
        f"{counts['total']:,} variables: {counts['useful']:,} useful, {counts['constant']:,} constant, "
        f"{counts['duplicate']:,} duplicates of another"
    )
    console.table(("source", "variables"), sorted(counts["by_source"].items()))
    console.next("bluemirror catalogue search TEXT")
    return counts


def _search(workspace: Workspace, console: Console, text: str) -> dict[str, Any]:
    from bluemirror.variables import catalogue as variables

    words = text.lower().split()
    found = [
        variable
        for variable in variables(workspace)
        if all(word in f"{variable.name} {variable.label_zh} {variable.label_en}".lower() for word in words)
    ]
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
    from dataclasses import fields

    from bluemirror.variables import catalogue as variables

    known = {variable.name: variable for variable in variables(workspace)}
    variable = find(name, known)
    shown = {each.name: getattr(variable, each.name) for each in fields(variable)}
    width = max(map(len, shown))
    for key, value in shown.items():
        text = ", ".join(map(str, value)) if isinstance(value, tuple | list) else value
        console.line(f"  {key.ljust(width)}  {text if text not in ('', None) else '-'}")
    console.next(f"bluemirror explain {name} OBSERVATION lists the rows behind a value")
    return shown


def find(name: str, known: dict[str, Any]) -> Any:
    """The variable called ``name``; an error with the nearest names if there is none."""
    if name in known:
        return known[name]
    import difflib

    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    raise BluemirrorError(
        f"no variable is called {name}",
        field=name,
        rule="names are those of the catalogue",
        fix=f"did you mean {', '.join(near)}?"
        if near
        else "bluemirror catalogue search TEXT finds names by their labels",
    )


def explain(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """The rows behind a value."""
    from bluemirror.variables import explain as explain_value

    workspace = Workspace.open(args.workspace)
    with console.working("explaining"):
        explanation = explain_value(workspace, args.variable, args.observation)
    console.line(str(explanation))
    console.next(f"bluemirror catalogue show {args.variable}")
    return dict(explanation.as_dict())
