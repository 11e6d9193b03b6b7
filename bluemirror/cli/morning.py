"""The verb ``morning``: what one person needs to know after the night."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bluemirror.cli.console import Console
from bluemirror.workspace import Workspace

if TYPE_CHECKING:
    from bluemirror.night import Morning

WIDTH = 80
SHOWN = 8
"""Alerts, deliveries and steps that a terminal shows of each."""


def morning(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Tell about the newest run, or the one that is named."""
    from bluemirror.night import morning_after
    from bluemirror.night.delivery import post_morning, write_morning

    workspace = Workspace.open(args.workspace)
    made = morning_after(workspace, args.run)
    for line in morning_lines(made):
        console.line(line)
    result = made.as_dict()
    if args.html:
        page = write_morning(workspace, made)
        console.line(f"Page: {page}")
        result["page"] = str(page)
    if args.send:
        result["sent"] = post_morning(made)
    console.next(
        "bluemirror sources", "bluemirror health", "SQL: the table run_step holds every step of every run"
    )
    return result


def morning_lines(made: Morning) -> Iterator[str]:
    """The morning in a terminal of 80 columns."""
    from bluemirror.night.page import local

    run = made.run
    yield f"{made.workspace}, {run.job}, {local(run.started)}: {made.state.upper()}"
    yield from textwrap.wrap(made.headline, WIDTH)
    if made.failed:
        yield ""
        yield "Failed"
        yield from _items(made.failed)
    if made.alerts:
        yield ""
        yield f"Alerts ({len(made.alerts)})"
        yield from _items([f"{one.severity} {one.about}, {one.check}: {one.cause}" for one in made.alerts])
    if made.late or made.quarantined:
        yield ""
        yield f"Deliveries, as of {made.as_of}"
        yield from _items(
            [
                *(f"{one.source} {one.freshness}, {one.late_hours:,.0f} hours" for one in made.late),
                *(
                    f"{one.source}: {one.week_quarantined:,} of {one.week_records:,} records of the week kept out"
                    for one in made.quarantined
                ),
            ]
        )
    yield ""
    if made.cost_day is not None and made.cost_month is not None:
        yield f"Cost: {made.cost_day:,.2f} yuan on the day, {made.cost_month:,.0f} in the month so far"
    for one in made.scores:
        yield f"Scores: {one.model} version {one.version}, {one.scores:,} up to {one.day}"
    longest = run.longest(SHOWN)
    if longest:
        yield ""
        yield f"{'Longest steps':<44}{'seconds':>10}{'processor':>12}{'MiB':>9}"
        usual = {one.step: one.usual for one in made.slow}
        for step in longest:
            note = f"  usually {usual[step.title]:.1f}" if step.title in usual else ""
            yield (
                f"  {step.title[:41]:<42}{step.seconds:>10.1f}{step.cpu_seconds:>12.1f}{step.peak_rss_mib:>9,}{note}"
            )


def _items(texts: list[str] | tuple[str, ...]) -> Iterator[str]:
    for text in texts[:SHOWN]:
        yield from textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ")
    if len(texts) > SHOWN:
        yield f"  and {len(texts) - SHOWN} more: --html writes all of them"
