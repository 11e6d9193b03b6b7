"""The verb ``sources``: the data-source desk in the terminal."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluemirror.cli.console import Console
from bluemirror.errors import WorkspaceError
from bluemirror.workspace import Workspace

if TYPE_CHECKING:
    from bluemirror.desk import Scorecard, SourceCard


def sources(args: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Every source on one line, alerts first; or one source in detail."""
    from bluemirror.cli.source_lines import detail_lines, overview_lines
    from bluemirror.desk import publish, scorecard

    workspace = Workspace.open(args.workspace)
    page = None
    with console.working("making the scorecard of the sources"):
        if args.html:
            report = publish(workspace, args.as_of)
            card, page = report.card, report.page
        else:
            card = scorecard(workspace, args.as_of)
    if args.source:
        for line in detail_lines(card, _one(workspace, card, args.source)):
            console.line(line)
    else:
        for line in overview_lines(card):
            console.line(line)
    if args.pages:
        written = _write_pages(workspace, Path(args.pages))
        console.line(f"{len(written)} contract pages in {args.pages}, first {written[0].name}")
    if page is not None:
        console.line(f"Page: {page}")
    hints = [] if args.source else ["bluemirror sources SOURCE shows one source"]
    if page is None:
        hints.append("bluemirror sources --html writes the page with trends, bills and overlap")
    if all(each.freshness.state == "never" for each in card.sources):
        hints = ["bluemirror ingest reads what has landed"]
    console.next(*hints)
    return _result(card, args.source, page)


def _one(workspace: Workspace, card: Scorecard, name: str) -> SourceCard:
    import difflib

    try:
        return card.source(name)
    except KeyError as error:
        names = [each.source for each in card.sources]
        near = difflib.get_close_matches(name, names, 1)
        raise WorkspaceError(
            f"no source is called {name}",
            file=workspace.contracts_dir,
            field=name,
            rule=f"sources here are {', '.join(names)}",
            fix=f"write {near[0]}" if near else "correct the name, or write its contract",
        ) from error


def _result(card: Scorecard, only: str | None, page: Path | None) -> dict[str, Any]:
    rows = [source_row(card, each) for each in card.sources if only in {None, each.source}]
    alerts = [
        {
            "source": alert.source,
            "kind": alert.kind,
            "check": alert.check,
            "severity": alert.severity,
            "cause": alert.cause,
            "since": alert.since.isoformat() if alert.since else None,
        }
        for alert in card.alerts
        if only in {None, alert.source}
    ]
    result: dict[str, Any] = {"as_of": card.as_of.isoformat(), "sources": rows, "alerts": alerts}
    return result | ({"page": str(page)} if page is not None else {})


def source_row(card: Scorecard, each: SourceCard) -> dict[str, Any]:
    """One source with the keys of ``sources --json``: hit rate and cost over all time, the rest as named."""
    total, month, bill = each.total, each.month, each.last_bill
    last = each.freshness.last
    return {
        "source": each.source,
        "contract_version": each.contract_version,
        "last_delivery": last.isoformat() if last else None,
        "accepted": each.accepted,
        "quarantined": each.quarantined,
        "hit_rate": _rounded(total.hit_rate),
        "cost_yuan": round(total.cost_yuan, 2) if each.asked else None,
        "fresh": each.fresh,
        "waiting": len(each.waiting),
        "status": card.status(each.source),
        "late_hours": each.freshness.late_hours,
        "calls": total.calls if each.asked else None,
        "calls_4_weeks": month.calls if each.asked else None,
        "hit_rate_4_weeks": _rounded(month.hit_rate),
        "match_rate_4_weeks": _rounded(month.match_rate),
        "error_rate_4_weeks": _rounded(month.error_rate),
        "cache_share_4_weeks": _rounded(month.cache_share),
        "p50_ms_4_weeks": month.p50_ms,
        "p99_ms_4_weeks": month.p99_ms,
        "cost_yuan_4_weeks": round(month.cost_yuan, 2) if each.asked else None,
        "cost_per_call": _rounded(month.cost_per_call),
        "cost_per_application": _rounded(each.spending.per_application),
        "cost_per_approval": _rounded(each.spending.per_approval),
        "month_to_date_yuan": each.month_to_date_yuan,
        "last_bill_difference_yuan": bill.difference_yuan if bill else None,
        "quarantine_share_week": _rounded(each.rejected.share),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _write_pages(workspace: Workspace, folder: Path) -> list[Path]:
    """One self-contained HTML page a contract."""
    from bluemirror.atomic import write_text
    from bluemirror.contracts import read_contracts
    from bluemirror.contracts.pages import page_html

    written = []
    for source, contract in read_contracts(workspace.contracts_dir).items():
        written.append(folder / f"{source}.html")
        write_text(written[-1], page_html(contract))
    return written
