"""The desk as lines of at most 80 columns: alerts with cause and remedy, then a line a source; or one source whole."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bluemirror.desk import Scorecard, SourceCard
    from bluemirror.desk.calls import CallFigures

WIDTH = 80
MARKS = {"error": "!!", "warn": "!", "ok": ""}
HEAD = ("", "source", "last", "late", "quar", "calls", "hit", "err", "p99ms", "cost", "month", "bill")
WIDTHS = (2, 15, 5, 4, 5, 6, 4, 4, 6, 6, 6, 6)
LEGEND = (
    "late: days after it was due; quar: quarantined of a week's records, %; calls,\n"
    "hit %, err %, p99 and cost (yuan) of four weeks; month: yuan to date by the\n"
    "price table; bill: last bill less expected, yuan."
)
NONE = "-"


def overview_lines(card: Scorecard) -> Iterator[str]:
    """Alerts first, then every source on a line of its own, those with alerts marked and on top."""
    errors = sum(alert.severity == "error" for alert in card.alerts)
    yield (
        f"Sources of {card.workspace} as of {card.as_of}: {len(card.sources)} sources, "
        f"{errors} errors, {len(card.alerts) - errors} warnings"
    )
    yield ""
    for alert in card.alerts:
        yield f"{MARKS[alert.severity]:<2} {alert.source}: {alert.title}"
        yield from wrapped(alert.cause, "     ")
        yield from wrapped(f"-> {alert.todo}", "     ")
    if card.alerts:
        yield ""
    yield _line(HEAD)
    yield _line(tuple("-" * width for width in WIDTHS))
    order = {"error": 0, "warn": 1, "ok": 2}
    for each in sorted(card.sources, key=lambda one: (order[card.status(one.source)], one.source)):
        yield _line(_cells(card, each))
    yield ""
    yield from LEGEND.split("\n")


def wrapped(text: str, indent: str) -> list[str]:
    """Lines of at most :data:`WIDTH` columns, each behind ``indent``."""
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def _line(cells: Sequence[str]) -> str:
    """Cells in their columns: mark and name lean left, the rest right; what is too long is cut."""
    parts = []
    for place, (cell, width) in enumerate(zip(cells, WIDTHS, strict=True)):
        shown = cell if len(cell) <= width else cell[: width - 1] + "~"
        parts.append(shown.ljust(width) if place < 2 else shown.rjust(width))
    return " ".join(parts).rstrip()


def _cells(card: Scorecard, each: SourceCard) -> tuple[str, ...]:
    fresh, month, bill = each.freshness, each.month, each.last_bill
    difference = bill.difference_yuan if bill else None
    owed = each.asked or bool(each.promised.monthly_fee)
    return (
        MARKS[card.status(each.source)],
        each.source,
        f"{fresh.last:%m-%d}" if fresh.last else "never",
        f"{fresh.late_hours / 24:.0f}d" if fresh.late_hours else NONE,
        _percent(each.rejected.share, 2),
        _short(month.calls) if each.asked else NONE,
        _percent(month.hit_rate, 0),
        _percent(month.error_rate, 1),
        _short(month.p99_ms),
        _short(month.cost_yuan) if each.asked else NONE,
        _short(each.month_to_date_yuan) if owed else NONE,
        NONE if difference is None else f"{difference:+.0f}" if abs(difference) >= 0.5 else "0",
    )


def detail_lines(card: Scorecard, each: SourceCard) -> Iterator[str]:
    """Everything about one source that fits a terminal."""
    yield f"{each.source} {each.contract_version}: {each.name_zh} / {each.name_en}, as of {card.as_of}"
    yield from wrapped(each.purpose, "  ")
    yield ""
    for alert in card.alerts_of(each.source):
        yield f"{MARKS[alert.severity]:<2} {alert.title}" + (f", since {alert.since}" if alert.since else "")
        yield from wrapped(alert.cause, "     ")
        yield from wrapped(f"-> {alert.todo}", "     ")
        yield ""
    yield from _facts(each)
    if each.asked:
        yield ""
        yield from _calls(each)
    if each.bills:
        yield ""
        yield from _bills(each)
    yield from _quarantine(each)
    yield from _drift(each)


def _facts(each: SourceCard) -> Iterator[str]:
    fresh, promised, kept = each.freshness, each.promised, each.rejected
    missing = f"; missing {', '.join(map(str, fresh.missing))}" if fresh.missing else ""
    prices = (
        ", ".join(f"{result} {price:g}" for result, price in promised.prices.items() if price) or "nothing"
    )
    fee = f", {promised.monthly_fee:g} a month" if promised.monthly_fee else ""
    for label, text in (
        ("delivered", f"{fresh.last or 'never'}, due again {fresh.due or NONE}, {fresh.state}{missing}"),
        ("if late", f"{fresh.policy} after {fresh.granted_hours:g} hours"),
        ("records", f"{each.in_:,} = {each.accepted:,} accepted + {each.quarantined:,} quarantined"),
        ("this week", f"{kept.recent_in:,} records, {kept.recent_out:,} quarantined"),
        ("stages", ", ".join(each.stages)),
        ("legal basis", each.legal_basis),
        ("authorisation", each.authorisation),
        ("prices, yuan", prices + fee),
    ):
        first, *rest = wrapped(text, " " * 17)
        yield f"  {label:<15}{first[17:]}"
        yield from rest


def _calls(each: SourceCard) -> Iterator[str]:
    promised = each.promised
    windows = (each.today, each.month, each.baseline)

    def row(label: str, level: str, get: Callable[[CallFigures], str]) -> str:
        return f"  {label:<15}{level:>14}" + "".join(f"{get(window):>12}" for window in windows)

    yield f"  {'calls':<15}{'promised':>14}{'day':>12}{'4 weeks':>12}{'8 wks before':>13}"
    band = NONE
    if promised.hit_low is not None:
        band = f"{_percent(promised.hit_low, 0)} to {_percent(promised.hit_high, 0)}"
    yield row("calls", "", lambda f: f"{f.calls:,}")
    yield row("hit rate, %", band, lambda f: _percent(f.hit_rate, 1))
    if each.month.matches or each.month.mismatches:
        yield row("match rate, %", "", lambda f: _percent(f.match_rate, 1))
    yield row("errors, %", _percent(promised.error_rate, 1), lambda f: _percent(f.error_rate, 2))
    yield row("timeouts", "", lambda f: f"{f.timeouts:,}")
    yield row("p50 ms", _short(promised.p50_ms), lambda f: _short(f.p50_ms))
    yield row("p99 ms", _short(promised.p99_ms), lambda f: _short(f.p99_ms))
    yield row("cached, %", "", lambda f: _percent(f.cache_share, 1))
    yield row("cost, yuan", "", lambda f: f"{f.cost_yuan:,.2f}")
    spent = each.spending
    yield (
        f"  4 weeks: {_yuan(each.month.cost_per_call)} yuan a call, {_yuan(spent.per_application)} an application "
        f"({spent.applications:,}),"
    )
    yield (
        f"  {_yuan(spent.per_approval)} an approval ({spent.approvals:,}); "
        f"month to date {each.month_to_date_yuan:,.2f}"
    )


def _bills(each: SourceCard) -> Iterator[str]:
    yield f"  {'bill of':<10}{'calls':>9}{'billed':>9}{'expected':>14}{'bill':>14}{'difference':>13}"
    for check in each.bills:
        billed, difference = check.billed_yuan, check.difference_yuan
        yield (
            f"  {check.month:%Y-%m}   {check.calls:>9,}{check.calls_billed if billed is not None else NONE:>9}"
            f"{check.expected_yuan:>14,.2f}{NONE if billed is None else f'{billed:,.2f}':>14}"
            f"{NONE if difference is None else f'{difference:+,.2f}':>13}"
        )
        for reason in check.reasons:
            yield from wrapped(f"{reason.yuan:+,.2f} {reason.kind}: {reason.text}", " " * 6)


def _quarantine(each: SourceCard) -> Iterator[str]:
    kept = each.rejected
    if kept.by_rule or kept.held:
        yield ""
        yield "  quarantined this week, by rule"
        for rule, count in sorted(kept.by_rule.items(), key=lambda item: -item[1]):
            yield f"    {rule[:40]:<40}{count:>9,}"
        for held in kept.held:
            yield from wrapped(
                f"{held.day} {held.file}: {held.found or held.rule} ({held.records:,})", "    "
            )
    for code in kept.codes:
        yield from wrapped(
            f"unknown code {code.value!r} in {code.table}.{code.field}: {code.recent:,}", "    "
        )


def _drift(each: SourceCard) -> Iterator[str]:
    moved = sorted((one for one in each.drift if one.psi is not None), key=lambda one: -(one.psi or 0.0))[:8]
    emptied = [one for one in each.drift if one.emptied]
    if not moved and not emptied:
        return
    yield ""
    yield f"  {'field, week against 8 weeks':<30}{'PSI':>7}  {'empty, %':>8}{'before':>8}  moved most"
    for one in [*emptied, *(field for field in moved if not field.emptied)]:
        psi = NONE if one.psi is None else f"{one.psi:.3f}"
        empty = f"{_percent(one.empty, 1):>8}{_percent(one.empty_before, 1):>8}"
        yield _cut(f"  {one.field[:29]:<30}{psi:>7}  {empty}  {one.moved}")


def _cut(line: str) -> str:
    """What fits the terminal: Chinese signs take two columns."""
    width, kept = 0, ""
    for sign in line:
        width += 2 if unicodedata.east_asian_width(sign) in "WF" else 1
        if width > WIDTH:
            return kept
        kept += sign
    return kept


def _percent(share: float | None, digits: int) -> str:
    return NONE if share is None else f"{100 * share:.{digits}f}"


def _short(value: float | None) -> str:
    if value is None:
        return NONE
    for size, sign in ((1e9, "G"), (1e6, "M"), (1e5, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if sign == 'k' else size):.1f}{sign}"
    return f"{value:,.0f}"


def _yuan(value: float | None) -> str:
    return NONE if value is None else f"{value:,.3f}"
