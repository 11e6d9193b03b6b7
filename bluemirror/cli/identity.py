"""The verb about identity: entities, ties between them, and which of them are one."""

from __future__ import annotations

import argparse
from typing import Any

from bluemirror.cli.console import Console
from bluemirror.workspace import Workspace


def identity(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Bring the identity tables up to the mart, show what they hold, and judge the matches if the truth is there."""
    from bluemirror.identity import build_clusters, build_spine, judge, read_declared

    workspace = Workspace.open(args.workspace)
    declared = read_declared(workspace)
    with console.working("working out entities and ties"):
        spine = build_spine(workspace, log=console.say)
    with console.working("looking for duplicates"):
        clusters = build_clusters(workspace, log=console.say, anew=args.train)
    with console.working("judging"):
        verdicts = judge(workspace, declared)
    _show_spine(console, spine, declared)
    _show_clusters(console, clusters, verdicts)
    failed = [check for check in (*spine.checks, *clusters.checks) if not check.passed]
    for check in failed:
        console.line(f"  check {check.name} FAILED: {check.detail}")
    if not (spine.changed or clusters.changed):
        console.line("Nothing changed.")
    console.next(
        "bluemirror.connect(workspace) has the tables entity, entity_key, entity_link, entity_cluster",
        "bluemirror.identity.known_at(connection, table, moment) reads them as of a moment",
    )
    return {
        "entities": dict(spine.entities),
        "keys": dict(spine.keys),
        "links": {name: dict(counts) for name, counts in spine.links.items()},
        "clusters": {name: dict(counts) for name, counts in clusters.matches.items()},
        "judged": {name: verdict.as_dict() for name, verdict in verdicts.items()},
        "checks": {check.name: check.passed for check in (*spine.checks, *clusters.checks)},
        "changed": spine.changed or clusters.changed,
        "seconds": round(console.seconds, 1),
    }


def _show_spine(console: Console, spine: Any, declared: Any) -> None:
    console.line()
    console.table(
        ("entity", "", "known now", "keys"),
        [
            (name, declared.entities[name].label_zh, count, spine.keys.get(name, 0))
            for name, count in spine.entities.items()
        ],
        left=2,
    )
    console.line()
    console.table(
        ("tie", "", "pairs now", "versions"),
        [
            (name, declared.links[name].label_zh, counts["pairs"], counts["versions"])
            for name, counts in spine.links.items()
        ],
        left=2,
    )
    console.line()


def _show_clusters(console: Console, clusters: Any, verdicts: Any) -> None:
    console.table(
        ("duplicates of", "compared", "clusters", "in one of several", "largest"),
        [
            (name, counts["entities"], counts["clusters"], counts["merged"], counts["largest"])
            for name, counts in clusters.matches.items()
        ],
    )
    console.line()
    if not verdicts:
        return
    console.line("  Against the truth: threshold chosen on one half of the things, judged on the other.")
    rows = []
    for name, verdict in verdicts.items():
        for what, figures in (("declared", verdict.declared), ("chosen", verdict.chosen)):
            rows.append(
                (
                    name, what, figures.threshold, figures.pair_precision, figures.pair_recall,
                    figures.cluster_precision, figures.cluster_recall, figures.pure, figures.whole,
                )
            )  # fmt: skip
    head = ("", "threshold", "", "pairs: P", "R", "clusters: P", "R", "pure", "whole")
    console.table(head, rows, left=2)
    console.line()
