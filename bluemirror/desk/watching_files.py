"""Alerts from what was delivered and billed: lateness, files held back, new codes, drift, repeated answers, bills."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bluemirror.desk.alerts import ERROR, WARN, Alert
from bluemirror.desk.drift import FieldDrift
from bluemirror.desk.evidence import ENOUGH, evidence_above, share_range
from bluemirror.desk.freshness import FRESH, LATE, NEVER, Freshness
from bluemirror.desk.rejected import SCHEMA_RULES, UNKNOWN_CODE, Rejected, UnknownCode
from bluemirror.desk.repeats import SameAnswer
from bluemirror.desk.windows import Windows

if TYPE_CHECKING:
    import datetime as dt

    from bluemirror.desk.bills import BillCheck

NEW_CODE_RECORDS = 5
"""Records of a week with one unknown value, never seen in the eight weeks before, that make it a new code."""
QUARANTINE_ALLOWED = 0.005
"""Share of quarantined records that passes as noise of any source."""
QUARANTINE_MATTERS, QUARANTINE_SERIOUS = 0.01, 0.10
"""Share of quarantined records from which on more than usual matters, and from which on it is serious."""
REPEATED_REQUESTS = 2
"""Calls of a week that carry another call's request id, from which on it is no slip."""
SHOWN = 4
"""Fields that an alert names; the detail of the source has all."""


def freshness_alerts(source: str, fresh: Freshness, waiting: Sequence[dt.date], active: bool) -> list[Alert]:
    """Lateness against the service level, gaps, and deliveries without their completing file."""
    alerts = []
    if fresh.state == NEVER:
        if active:
            alerts.append(
                Alert(
                    source,
                    "never",
                    ERROR if fresh.policy == "block" else WARN,
                    "its contract is active, nothing has come",
                )
            )
    elif fresh.state != FRESH:
        granted = f"the contract grants {fresh.granted_hours:g} hours, then: {fresh.policy}"
        alerts.append(
            Alert(
                source,
                "late",
                ERROR if fresh.state == LATE else WARN,
                f"last delivery {fresh.last}, the next was due {fresh.due}: {fresh.late_hours:g} hours late; {granted}",
                fresh.due,
            )
        )
    if fresh.missing:
        alerts.append(
            Alert(source, "missing", WARN, f"nothing came for {_days(fresh.missing)}", fresh.missing[0])
        )
    if waiting:
        alerts.append(
            Alert(source, "waiting", WARN, f"the completing file is missing for {_days(waiting)}", waiting[0])
        )
    return alerts


def rejection_alerts(source: str, kept: Rejected, windows: Windows) -> list[Alert]:
    """Files held back, codes never seen before, and a share of quarantined records beyond the usual."""
    alerts = []
    for kind, severity in (("schema", ERROR), ("held", WARN)):
        files = [one for one in kept.held if (one.rule in SCHEMA_RULES) == (kind == "schema")]
        if files:
            last = files[-1]
            more = f" (and {len(files) - 1} more files)" if len(files) > 1 else ""
            cause = f"{last.file} of {last.day}: {last.found or last.rule}; {last.records:,} records kept out{more}"
            alerts.append(Alert(source, kind, severity, cause, files[0].day))
    new = [code for code in kept.codes if _is_new(code)]
    if new:
        cause = "; ".join(
            f"{code.table}.{code.field} = {code.value!r}: {code.recent:,} records" for code in new[:SHOWN]
        )
        alerts.append(Alert(source, "new_code", WARN, cause, min(code.first for code in new)))
    return alerts + _quarantine(source, kept, sum(code.recent for code in new), windows)


def _is_new(code: UnknownCode) -> bool:
    return code.before == 0 and code.recent >= NEW_CODE_RECORDS


def _quarantine(source: str, kept: Rejected, new_codes: int, windows: Windows) -> list[Alert]:
    """More records against rules than usual, or very many; what new codes and held files explain is theirs to tell."""
    held = sum(one.records for one in kept.held)
    out = max(sum(kept.by_rule.values()) - new_codes, 0)
    came = kept.recent_in - held
    usual = QUARANTINE_ALLOWED
    if kept.before_in:
        usual = max(usual, share_range(sum(kept.rules_before.values()), kept.before_in)[1])
    if not came or out / came < QUARANTINE_MATTERS:
        return []
    # What is serious stays so, even if it was as bad in the weeks before.
    if out / came < QUARANTINE_SERIOUS and evidence_above(out, came, usual) < ENOUGH:
        return []
    rules = sorted(kept.by_rule.items(), key=lambda item: -item[1])
    told = ", ".join(
        f"{rule} {count:,}" for rule, count in rules[:SHOWN] if rule != UNKNOWN_CODE or not new_codes
    )
    before = sum(kept.rules_before.values()) / kept.before_in if kept.before_in else 0.0
    cause = f"{out:,} of {came:,} records of a week ({out / came:.1%}); before {before:.1%}; by rule: {told}"
    severity = ERROR if out / came >= QUARANTINE_SERIOUS else WARN
    return [Alert(source, "quarantine", severity, cause, windows.recent)]


def drift_alerts(source: str, drifts: Sequence[FieldDrift], windows: Windows) -> list[Alert]:
    """Fields whose share of empty values jumped, and fields whose distribution moved."""
    alerts = []
    emptied = [one for one in drifts if one.emptied]
    if emptied:
        emptied.sort(key=lambda one: -abs(one.empty - one.empty_before))
        told = "; ".join(
            f"{one.table}.{one.field} {one.empty:.1%} empty, before {one.empty_before:.1%}"
            for one in emptied[:SHOWN]
        )
        alerts.append(Alert(source, "emptied", WARN, told + _more(emptied), windows.recent))
    shifted = [one for one in drifts if one.shifted]
    if shifted:
        shifted.sort(key=lambda one: -(one.psi or 0.0))
        told = "; ".join(
            f"{one.table}.{one.field} PSI {one.psi:.2f} ({one.moved})" for one in shifted[:SHOWN]
        )
        alerts.append(Alert(source, "shifted", WARN, told + _more(shifted), windows.recent))
    return alerts


def repeat_alerts(source: str, requests: int, same: SameAnswer | None, windows: Windows) -> list[Alert]:
    """Request ids on several calls, and one content for many people."""
    alerts = []
    if requests >= REPEATED_REQUESTS:
        cause = f"{requests:,} calls of a week carry the request id of another call"
        alerts.append(Alert(source, "same_request", WARN, cause, windows.recent))
    if same is not None and same.repeated:
        cause = (
            f"one and the same content in {same.same:,} of {same.answers:,} answers of "
            f"{'the day' if same.days == 1 else 'the week'}, about {same.people:,} subjects; "
            f"before in {same.share_before:.1%}"
        )
        alerts.append(Alert(source, "same_answer", ERROR, cause, windows.last(same.days)))
    return alerts


def bill_alerts(source: str, checks: Sequence[BillCheck], as_of: dt.date) -> list[Alert]:
    """Bills that differ from ledger and prices, and bills that have not come."""
    alerts = []
    for check in checks:
        month = f"{check.month:%Y-%m}"
        if check.billed_yuan is not None and not check.agrees:
            reasons = "; ".join(f"{one.yuan:+,.2f} {one.kind} ({one.text})" for one in check.reasons)
            cause = (
                f"{month}: billed {check.billed_yuan:,.2f}, expected {check.expected_yuan:,.2f}, "
                f"difference {check.difference_yuan:+,.2f} yuan: {reasons}"
            )
            alerts.append(Alert(source, "bill", WARN, cause, check.month))
    missing = [check for check in checks if check.overdue(as_of)]
    if missing:
        cause = "; ".join(
            f"{check.month:%Y-%m}: {check.expected_yuan:,.2f} yuan expected, due {check.due}"
            for check in missing
        )
        alerts.append(Alert(source, "no_bill", WARN, cause, missing[0].due))
    return alerts


def _days(days: Sequence[dt.date]) -> str:
    told = ", ".join(day.isoformat() for day in days[:SHOWN])
    return told + _more(days)


def _more(things: Sequence[object]) -> str:
    return f" and {len(things) - SHOWN} more" if len(things) > SHOWN else ""
