"""Accounts as units PD01, and the agreements PD02 under which they were opened."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.pboc_accounts import Account
from simulator.pboc_notes import Notes
from simulator.pboc_specials import events, moved, plans, trades, unbilled
from simulator.pboc_tree import Months, Segment, Unit, Value
from simulator.products import C1, CAR, D1, HOME, KINDS, R1, R2, R3, R4, TRADE
from simulator.timeline import month_end, month_name, plus_months


def account_unit(account: Account, number: int, shared: int, day: str, notes: Notes) -> Unit:
    """One PD01 unit.

    Parameters
    ----------
    number
        Its number in the report, from 1.
    shared
        Limit that the cards of its agreement share.
    day
        Of the report.
    """
    month = notes.month
    kind, amount = account.kind, account.amount
    loan, card, claim = kind in (D1, R4), kind in (R2, R3), kind == C1
    special = trades(account, month)
    later = moved(special)
    maturity = plus_months(account.maturity, later) if later else account.maturity
    method, frequency = _repayment(account)
    term = account.term if method else None
    segments: list[Segment | Months] = [
        Segment("PD01A", (
            f"{number:03d}", KINDS[kind], account.org_type, account.org, None if claim else f"ZH{account.row:010d}",
            account.agreement, None if kind == R3 else account.business, account.opened,
            None if claim else ("USD" if account.usd else "CNY"),
            amount if loan or claim else None, amount if kind == R1 or card else None, shared if card else None,
            maturity if loan or kind == R1 else None, method, frequency, term,
            None if claim else account.guarantee, _issue(account) if method else None,
            ("1" if account.joint else "0") if method else None,
            ("0" if account.business == "B1" else "7") if claim else None,
        )),
        _latest(account, month),
        _month(account, month) if account.live else Segment("PD01C"),
    ]  # fmt: skip
    if claim or not account.marks:
        segments += [Segment("PD01D"), Segment("PD01E")]
    else:
        open_still = account.closed is None
        segments.append(_last24(account, month) if open_still else Segment("PD01D"))
        segments.append(Months("PD01E", account.first, account.marks, account.amounts))
    happened, instalments = events(account), plans(account, day)
    segments += [
        Segment("PD01F", (len(special),), special) if special else Segment("PD01F"),
        Segment("PD01G", (len(happened),), happened) if happened else Segment("PD01G"),
        Segment("PD01H", (len(instalments),), instalments) if instalments else Segment("PD01H"),
        notes.on("PD01", account.luck[3], account.open_month),
    ]
    return segments


def _repayment(account: Account) -> tuple[str | None, str | None]:
    """Codes of method and frequency of repayment; merged small online loans are told apart by method 90."""
    if account.kind == R1:
        return ("31" if account.luck[1] < 0.2 else "32"), "03"
    if account.kind not in (D1, R4):
        return None, None
    if account.merged:
        return "90", "03"
    if account.product == HOME and account.luck[4] < 0.25:
        return "12", "03"
    return "11", "03"


def _issue(account: Account) -> str:
    at = account.luck[4]
    if account.product == TRADE and at < 0.2:
        return "2" if at < 0.08 else "4"
    return "3" if at > 0.992 else "5" if at > 0.984 else "1"


def _latest(account: Account, month: int) -> Segment:
    if account.live:
        # the tree has the segment, its status is empty
        return Segment("PD01B", (None,) * 9)
    told = month_end(month - 1)
    if account.kind == C1:
        values: tuple[Value, ...] = (
            account.status, account.closed, None, account.balance, None, None, None, None, told,
        )  # fmt: skip
        return Segment("PD01B", values)
    mark = chr(account.marks[-1]) if account.marks else "C"
    transferred = account.kind == D1 and account.status == "5"
    values = (
        account.status, account.closed, month_name(account.closed_month) if transferred else None, account.balance,
        account.last_pay, account.last_paid, {"C": "1", "G": "5", "B": "5"}.get(mark, "1"), mark,
        account.closed or told,
    )  # fmt: skip
    return Segment("PD01B", values)


def _last24(account: Account, month: int) -> Months:
    """Two years up to the month before the report; ``/`` before the account was opened."""
    start = month - 24
    known = account.marks[max(start - account.first, 0) :]
    return Months("PD01D", start, b"/" * (24 - len(known)) + known, {})


def _month(account: Account, month: int) -> Segment:
    kind, level, overdue, term = account.kind, account.level, account.overdue, max(account.term, 1)
    loan, card = kind in (D1, R4, R1), kind == R2
    told = month - 1
    balance, unpaid = account.balance, kind == R3
    aged: tuple[Value, ...] = _aged(account) if loan else (None,) * 4
    values: tuple[Value, ...] = (
        month_name(told), _live_status(account), balance, account.used if card else None,
        unbilled(account, month) if card else None,
        ("1" if level == 0 else "2" if level < 4 else "3" if level < 7 else "4") if loan else None,
        None if unpaid else (max(term - account.paid, 0) if account.term else 0),
        f"{month_name(told)}-{account.due_day:02d}", account.due, None if unpaid else account.paid_now,
        account.last_pay, None if unpaid else level, None if unpaid else overdue, *aged,
        (balance if level >= 7 else 0) if unpaid else None,
        account.average_used if card else None, account.average_used if unpaid else None,
        account.highest if card else None, account.highest if unpaid else None, month_end(told),
    )  # fmt: skip
    return Segment("PD01C", values)


def _live_status(account: Account) -> str:
    """Status of a live account at the end of the month, in the codes of its kind."""
    kind, level, at = account.kind, account.level, account.luck[4]
    if kind in (R2, R3):
        if level >= 3:
            return "31" if at < 0.5 else "3" if at < 0.7 else "2" if at < 0.8 else "1"
        return "6" if kind == R2 and account.highest == 0 and at < 0.6 else "1"
    if level == 0:
        return "1"
    if level >= 7 and at > 0.75:
        return "8"
    if level >= 4 and account.product in (CAR, HOME) and at < 0.2:
        return "6"
    return "5" if kind == R1 and level >= 2 and at < 0.4 else "2"


def _aged(account: Account) -> tuple[int, int, int, int]:
    """Overdue principal by how long it has been due: 31-60, 61-90, 91-180 days, longer."""
    level, room = account.level, account.overdue
    each = room // max(level, 1) if account.kind == R1 else account.amount // max(account.term, 1)
    parts = []
    for instalments in (
        min(max(level - 1, 0), 1),
        min(max(level - 2, 0), 1),
        min(max(level - 3, 0), 3),
        max(level - 6, 0),
    ):
        part = min(each * instalments, room)
        room -= part
        parts.append(part)
    return parts[0], parts[1], parts[2], parts[3]


def agreements(accounts: Sequence[Account]) -> dict[str, list[Account]]:
    """The accounts under each agreement that still has a live one."""
    found: dict[str, list[Account]] = {}
    for account in accounts:
        key = account.agreement
        if key is not None:
            found.setdefault(key, []).append(account)
    return {key: group for key, group in found.items() if any(account.live for account in group)}


def shared_limit(group: Sequence[Account]) -> int:
    """Limit of an agreement: a card's, or the highest of those that share it; of draws and loans enough for all."""
    live = [account for account in group if account.live]
    kind = group[0].kind
    if kind in (R1, R2, R3):
        return max(account.amount for account in live)
    drawn = sum(account.balance if kind == R4 else account.amount for account in live)
    first = min(group, key=lambda account: account.row)
    wanted = first.amount * (3 + int(first.luck[0] * 4)) if kind == R4 else drawn
    return -(-max(wanted, drawn) // 1000) * 1000


def agreement_unit(
    number: int, key: str, group: Sequence[Account], limit: int, day: str, notes: Notes
) -> Unit:
    """One PD02 unit."""
    first = min(group, key=lambda account: (account.opened, account.row))
    kind, luck = first.kind, first.luck
    live = [account for account in group if account.live]
    used = sum(account.used if account.kind in (R2, R3) else account.balance for account in live)
    usage = {R4: "10", R1: "10", D1: "20"}.get(kind) or ("30" if len(live) > 1 else "31")
    years = 60 if kind in (R2, R3) else 36
    end = plus_months(first.opened, years)
    while end <= day:  # renewed until it is in force
        end = plus_months(end, years)
    if kind in (D1, R1, R4):
        end = max(end, *(account.maturity for account in live))
    capped = kind == R4 and luck[5] < 0.08
    values: tuple[Value, ...] = (
        f"{number:03d}", first.org_type, first.org, key, usage, limit, "CNY", first.opened, end,
        "1" if luck[5] > 0.95 else None, used, limit * 4 // 5 if capped else None,
        f"XE{first.row:010d}" if capped else None,
    )  # fmt: skip
    return [Segment("PD02A", values), notes.on("PD02", luck[0], first.open_month)]
