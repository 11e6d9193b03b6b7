"""A scorecard from the mart: opens what was known at the end of a day, asks each module for its figures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bluemirror.desk.alerts import Alert, in_order
from bluemirror.desk.bills import bill_checks
from bluemirror.desk.calls import CallFigures, call_days, call_figures, ledger_table, load_calls
from bluemirror.desk.card import Arrived, Promised, Scorecard, SourceCard
from bluemirror.desk.drift import FieldDrift, contract_drift
from bluemirror.desk.freshness import freshness
from bluemirror.desk.known import between, open_known
from bluemirror.desk.overlap import Overlap, overlap
from bluemirror.desk.rejected import rejected
from bluemirror.desk.repeats import SameAnswer, repeated_requests, same_answer
from bluemirror.desk.spending import Spending, spending
from bluemirror.desk.watching_calls import Stream, Watched, call_alerts, slow_answers, streams
from bluemirror.desk.watching_files import (
    bill_alerts,
    drift_alerts,
    freshness_alerts,
    rejection_alerts,
    repeat_alerts,
)
from bluemirror.desk.windows import MONTH_DAYS, RECENT_DAYS, SERIES_DAYS, Windows

if TYPE_CHECKING:
    import duckdb

    from bluemirror.contracts import Contract
    from bluemirror.desk.bills import BillCheck
    from bluemirror.desk.calls import CallDay
    from bluemirror.mart.manifests import Snapshot
    from bluemirror.variables.spine import Spine
    from bluemirror.workspace import Workspace

EVER = dt.date(1900, 1, 1)


@dataclass(frozen=True)
class Ledger:
    """Everything that the call ledger says, by source."""

    windows: Mapping[str, Mapping[str, CallFigures]]
    days: Mapping[str, tuple[CallDay, ...]]
    streams: Mapping[str, Stream]
    slow: Mapping[str, Mapping[str, int]]
    spending: Mapping[str, Spending]
    requests: Mapping[str, int]
    bills: Mapping[str, tuple[BillCheck, ...]]
    overlap: Overlap


NO_LEDGER = Ledger({}, {}, {}, {}, {}, {}, {}, Overlap())


def make(
    workspace: Workspace,
    contracts: Mapping[str, Contract],
    spine: Spine | None,
    state: Snapshot,
    waiting: Mapping[str, tuple[dt.date, ...]],
    windows: Windows,
    fingerprint: str,
    log: Callable[[str], None] | None = None,
) -> Scorecard:
    """Compute the scorecard of ``windows.as_of``.

    Parameters
    ----------
    spine
        Declares ledger, bills and applications; without it, the scorecard knows deliveries only.
    state
        Deliveries up to the as-of day.
    waiting
        Source -> days of deliveries without their completing file.

    Raises
    ------
    FamilyError
        If the spine names a table or column that no contract has.
    """
    say = log or (lambda _text: None)
    declared = (spine.calls, spine.bills, spine.applications) if spine else ()
    dealings = {_owner(contracts, one.table): windows.ledger for one in declared if one is not None}
    known = between(state, windows.baseline, windows.as_of, dealings)
    connection = open_known(workspace, contracts.values(), known)
    try:
        ledger = _ledger(workspace, connection, contracts, spine, state, windows)
        say(f"sources: {len(ledger.windows.get('total', {}))} of {len(contracts)} in the call ledger")
        cards, alerts = [], []
        for source, contract in contracts.items():
            drifts: tuple[FieldDrift, ...] = ()
            same = None
            if known.of(source):
                drifts = contract_drift(connection, contract, windows, _rows(known, source))
                if source in ledger.windows.get("total", {}):
                    same = same_answer(connection, contract, windows)
            card = _card(workspace, contract, state, waiting.get(source, ()), windows, ledger, drifts, same)
            cards.append(card)
            alerts += _alerts(card, contract, windows, ledger)
    finally:
        connection.close()
    return Scorecard(
        workspace.name, windows.as_of, fingerprint, tuple(cards), in_order(alerts), ledger.overlap
    )


def _ledger(
    workspace: Workspace,
    connection: duckdb.DuckDBPyConnection,
    contracts: Mapping[str, Contract],
    spine: Spine | None,
    state: Snapshot,
    windows: Windows,
) -> Ledger:
    if spine is None:
        return NO_LEDGER
    if spine.calls is None:
        return Ledger({}, {}, {}, {}, {}, {}, _bills(connection, contracts, spine, state, windows), Overlap())
    load_calls(connection, spine, contracts, windows, windows.ledger)
    baseline = call_figures(connection, windows.baseline, windows.last(RECENT_DAYS + 1))
    figures = {
        "today": call_figures(connection, windows.as_of),
        "week": call_figures(connection, windows.recent),
        "month": call_figures(connection, windows.last(MONTH_DAYS)),
        "baseline": baseline,
        "to_date": call_figures(connection, windows.month),
        "total": _total(workspace, contracts, spine, state, windows),
    }
    return Ledger(
        figures,
        call_days(connection, windows.ledger),
        streams(connection, windows),
        slow_answers(connection, contracts, baseline, windows),
        spending(connection, spine, contracts, windows, windows.last(MONTH_DAYS)),
        repeated_requests(connection, windows),
        _bills(connection, contracts, spine, state, windows),
        overlap(connection, {source: contract.domain for source, contract in contracts.items()}, windows),
    )


def _bills(
    connection: duckdb.DuckDBPyConnection,
    contracts: Mapping[str, Contract],
    spine: Spine,
    state: Snapshot,
    windows: Windows,
) -> dict[str, tuple[BillCheck, ...]]:
    """Checks of the bills; none while the table of bills itself never came: that is one alert, not one a source."""
    if spine.bills is None or not state.of(_owner(contracts, spine.bills.table)):
        return {}
    return bill_checks(connection, spine, contracts, windows)


def _rows(state: Snapshot, source: str) -> dict[str, int]:
    """Table -> accepted rows of a source's deliveries."""
    rows: dict[str, int] = {}
    for committed in state.of(source).values():
        for table, count in committed.tables.items():
            rows[table] = rows.get(table, 0) + count
    return rows


def _owner(contracts: Mapping[str, Contract], table: str) -> str:
    owners = [source for source, each in contracts.items() if any(one.name == table for one in each.tables)]
    return owners[0] if owners else ""


def _total(
    workspace: Workspace,
    contracts: Mapping[str, Contract],
    spine: Spine,
    state: Snapshot,
    windows: Windows,
) -> dict[str, CallFigures]:
    """Figures over the whole ledger, in a database of its own so that the windows stay small."""
    owner = _owner(contracts, ledger_table(spine, contracts).name)
    connection = open_known(workspace, [contracts[owner]], between(state, EVER, windows.as_of))
    try:
        load_calls(connection, spine, contracts, windows)
        return call_figures(connection, None)
    finally:
        connection.close()


def _card(
    workspace: Workspace,
    contract: Contract,
    state: Snapshot,
    waiting: tuple[dt.date, ...],
    windows: Windows,
    ledger: Ledger,
    drifts: tuple[FieldDrift, ...],
    same: SameAnswer | None,
) -> SourceCard:
    source = contract.source
    committed = state.of(source)
    counts = {
        name: sum(each.counts[name] for each in committed.values())
        for name in ("in", "accepted", "quarantined")
    }
    figures = {name: each.get(source, CallFigures()) for name, each in ledger.windows.items()}
    return SourceCard(
        source,
        contract.name_zh,
        contract.name_en,
        contract.domain,
        contract.version,
        contract.stages,
        contract.purpose,
        contract.legal_basis,
        contract.authorisation,
        _promised(contract),
        len(committed),
        counts["in"],
        counts["accepted"],
        counts["quarantined"],
        waiting,
        freshness(contract, [each.day for each in committed.values()], windows.as_of),
        rejected(workspace, state, source, windows),
        tuple(
            Arrived(each.day, each.counts["in"], each.counts["quarantined"])
            for _, each in sorted(committed.items())
            if each.day >= windows.last(SERIES_DAYS)
        ),
        source in ledger.windows.get("total", {}),
        spending=ledger.spending.get(source, Spending()),
        days=ledger.days.get(source, ()),
        bills=ledger.bills.get(source, ()),
        drift=drifts,
        same=same,
        repeated_requests=ledger.requests.get(source, 0),
        **figures,
    )


def _promised(contract: Contract) -> Promised:
    def number(name: str) -> float | None:
        level = contract.promised(name)
        return None if level is None or isinstance(level.value, str) else float(level.value)

    def told(name: str) -> str:
        level = contract.promised(name)
        return (
            ""
            if level is None
            else f"{level.value:g} {level.unit or ''}".strip()
            if not isinstance(level.value, str)
            else level.value
        )

    band = contract.promised("hitRate")
    return Promised(
        number("responseTimeP50"),
        number("responseTimeP99"),
        number("hitRate"),
        band.upper if band else None,
        number("errorRate"),
        told("frequency"),
        told("latency"),
        dict(contract.price_by_result),
        contract.monthly_fee,
    )


def _alerts(card: SourceCard, contract: Contract, windows: Windows, ledger: Ledger) -> list[Alert]:
    """All alerts of a source; where one explains another, only the first is told."""
    source = card.source
    alerts = freshness_alerts(source, card.freshness, card.waiting, contract.status == "active")
    alerts += rejection_alerts(source, card.rejected, windows)
    if card.asked:
        watched = Watched(
            contract,
            windows,
            card.today,
            card.week,
            card.month,
            card.baseline,
            ledger.streams.get(source),
            ledger.slow.get(source, {}),
            card.days,
        )
        alerts += call_alerts(watched)
    alerts += repeat_alerts(source, card.repeated_requests, card.same, windows)
    # Fields that move because everybody is answered alike, or nobody is found, are no news of their own.
    if not {"all_miss", "same_answer"} & {alert.kind for alert in alerts}:
        alerts += drift_alerts(source, card.drift, windows)
    return alerts + bill_alerts(source, card.bills, windows.as_of)
