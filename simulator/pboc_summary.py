"""The summary units PC02 to PC05 of a report, computed from the very details that are written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from simulator.pboc_accounts import Account
from simulator.pboc_tree import Segment, Unit, Value
from simulator.products import C1, D1, R1, R2, R3, R4
from simulator.timeline import month_name

Query = tuple[str, str, str, str]
"""Day, institution type, institution, reason."""
_DIGITS = frozenset(b"1234567")
_R3_DIGITS = frozenset(b"34567")


def _hint(account: Account) -> str:
    if account.kind == R2:
        return "21"
    if account.kind == R3:
        return "22"
    return {"11": "11", "13": "11", "12": "12"}.get(account.business, "19")


def credit_summary(accounts: Sequence[Account], responsibilities: Iterable[Sequence[Value]]) -> Unit:
    """PC02: hints, recovery, bad debt, overdue summary, open accounts by type, responsibility for others.

    ``responsibilities`` are the values of the PD03A segments.
    """
    shown = [account for account in accounts if account.kind != C1]
    claims = [account for account in accounts if account.kind == C1 and account.status == "1"]
    lost = [
        account
        for account in shown
        if (account.kind in (D1, R4, R1) and account.status == "4")
        or (account.kind in (R2, R3) and account.status == "5")
    ]
    segments = [
        _hints(shown),
        _claims(claims),
        Segment("PC02C", (len(lost), sum(account.balance for account in lost))) if lost else Segment("PC02C"),
        _overdue(shown),
    ]
    for letter, kind in (("E", D1), ("F", R4), ("G", R1)):
        live = [account for account in shown if account.live and account.kind == kind]
        segments.append(_loans(f"PC02{letter}", live))
    for letter, kind in (("H", R2), ("I", R3)):
        live = [account for account in shown if account.live and account.kind == kind]
        segments.append(_cards(f"PC02{letter}", live))
    segments.append(_liabilities(responsibilities))
    return segments


def _hints(shown: Sequence[Account]) -> Segment:
    hints: dict[str, list[Account]] = {}
    for account in shown:
        hints.setdefault(_hint(account), []).append(account)
    rows = [
        (
            kind,
            "2" if kind in ("21", "22") else "1",
            len(group),
            month_name(min(account.open_month for account in group)),
        )
        for kind, group in sorted(hints.items())
    ]
    return Segment("PC02A", (len(shown), len(rows)), rows) if rows else Segment("PC02A")


def _claims(claims: Sequence[Account]) -> Segment:
    if not claims:
        return Segment("PC02B")
    rows = []
    for code, business in (("1", "A1"), ("2", "B1")):
        group = [account.balance for account in claims if account.business == business]
        if group:
            rows.append((code, len(group), sum(group)))
    return Segment("PC02B", (len(claims), sum(row[2] for row in rows), len(rows)), rows)


def _overdue(shown: Sequence[Account]) -> Segment:
    rows = []
    for number, kind in (("1", D1), ("2", R4), ("3", R1), ("4", R2), ("5", R3)):
        digits = _R3_DIGITS if kind == R3 else _DIGITS
        count = total = longest = 0
        by_month: dict[int, int] = {}
        for account in shown:
            if account.kind != kind or not account.amounts:
                continue
            run = months = 0
            for month, mark in enumerate(account.marks, account.first):
                if mark in digits:
                    run += 1
                    months += 1
                    longest = max(longest, run)
                    by_month[month] = by_month.get(month, 0) + account.amounts.get(month, 0)
                else:
                    run = 0
            count += months > 0
            total += months
        if count:
            rows.append((number, count, total, max(by_month.values()), longest))
    return Segment("PC02D", (len(rows),), rows) if rows else Segment("PC02D")


def _loans(name: str, live: Sequence[Account]) -> Segment:
    if not live:
        return Segment(name)
    values = (
        len({account.org for account in live}), len(live), sum(account.amount for account in live),
        sum(account.balance for account in live), round(sum(account.average_due for account in live)),
    )  # fmt: skip
    return Segment(name, values)


def _cards(name: str, live: Sequence[Account]) -> Segment:
    if not live:
        return Segment(name)
    limits: dict[str, int] = {}
    for account in live:
        limits[account.org] = limits.get(account.org, 0) + account.amount
    used = sum(account.used if account.kind == R2 else account.balance for account in live)
    values = (
        len(limits), len(live), sum(limits.values()), max(limits.values()), min(limits.values()), used,
        sum(account.average_used for account in live),
    )  # fmt: skip
    return Segment(name, values)


def _liabilities(responsibilities: Iterable[Sequence[Value]]) -> Segment:
    groups: dict[tuple[str, str], list[int]] = {}
    for values in responsibilities:
        total = groups.setdefault((str(values[0]), str(values[6])), [0, 0, 0])
        total[0] += 1
        total[1] += _yuan(values[8])
        total[2] += _yuan(values[10])
    rows: list[Sequence[Value]] = [(*key, *total) for key, total in sorted(groups.items())]
    return Segment("PC02K", (len(rows),), rows) if rows else Segment("PC02K")


def postpaid_summary(accounts: Iterable[Sequence[Value]]) -> Unit:
    """PC03 from the values of the PE01A segments: by type, those that owe."""
    owing: dict[str, list[int]] = {}
    for values in accounts:
        if values[5]:
            owing.setdefault("1" if values[0] == "TE" else "2", []).append(_yuan(values[5]))
    rows = [(kind, len(group), sum(group)) for kind, group in sorted(owing.items())]
    return [Segment("PC03", (len(rows),), rows) if rows else Segment("PC03")]


def public_summary(records: dict[str, list[Sequence[Value]]], amount_of: dict[str, int]) -> Unit:
    """PC04 from the public records by unit; ``amount_of`` tells where the amount stands in a unit's values."""
    rows = []
    for number, unit in enumerate(("PF01", "PF02", "PF03", "PF04"), 1):
        found = records.get(unit)
        if found:
            at = amount_of[unit]
            rows.append((str(number), len(found), sum(_yuan(values[at]) for values in found)))
    return [Segment("PC04", (len(rows),), rows) if rows else Segment("PC04")]


def query_summary(queries: Sequence[Query], month_ago: str, self_queries: int) -> Unit:
    """PC05 from the query records, newest first; ``month_ago`` is the day one month before the report."""
    recent = [query for query in queries if query[0] > month_ago]
    counts = (
        len({query[2] for query in recent if query[3] == "02"}),
        len({query[2] for query in recent if query[3] == "03"}),
        _of(recent, "02"), _of(recent, "03"), self_queries,
        _of(queries, "01"), _of(queries, "08"), _of(queries, "19"),
    )  # fmt: skip
    return [Segment("PC05A", queries[0] if queries else ()), Segment("PC05B", counts)]


def _of(queries: Sequence[Query], reason: str) -> int:
    return sum(query[3] == reason for query in queries)


def _yuan(value: Value) -> int:
    """An amount as a number; an absent one is none."""
    return value if isinstance(value, int) else 0
