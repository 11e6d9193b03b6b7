"""The summary units PC02 and PC05 of a bureau report, computed from its own details."""

from __future__ import annotations

from simulator.pboc_documents import Account
from simulator.pboc_form import Form
from simulator.products import C1, D1, R1, R2, R3, R4
from simulator.timeline import month_name

_DIGITS = frozenset(b"1234567")
_R3_DIGITS = frozenset(b"34567")


def _hint(account: Account) -> str:
    if account.kind == R2:
        return "21"
    if account.kind == R3:
        return "22"
    return {"11": "11", "13": "11", "12": "12"}.get(account.business, "19")


def credit_summary(form: Form, accounts: list[Account]) -> str:
    """PC02: hints, recovery, bad debt, overdue summary, open accounts by type."""
    shown = [account for account in accounts if account.kind != C1]
    money = form.amount
    hints: dict[str, list[Account]] = {}
    for account in shown:
        hints.setdefault(_hint(account), []).append(account)
    rows = [
        form.items(
            ("PC02AD01", "PC02AD02", "PC02AS03", "PC02AR01"),
            (
                kind,
                "2" if kind in ("21", "22") else "1",
                len(group),
                month_name(min(a.open_month for a in group)),
            ),
        )
        for kind, group in sorted(hints.items())
    ]
    head = form.items(("PC02AS01", "PC02AS02"), (len(shown), len(rows))) if shown else ""
    parts = [form.segment("PC02A", head, form.group("PC02AH", rows))]
    claims = [account for account in accounts if account.kind == C1 and account.status == "1"]
    if claims:
        owed = sum(account.balance for account in claims)
        parts.append(form.segment(
            "PC02B", form.items(("PC02BS01", "PC02BJ01", "PC02BS02"), (len(claims), money(owed), 1)),
            form.group("PC02BH", [form.items(("PC02BD01", "PC02BS03", "PC02BJ02"), ("1", len(claims), money(owed)))]),
        ))  # fmt: skip
    else:
        parts.append(form.segment("PC02B"))
    lost = [
        a
        for a in shown
        if (a.kind in (D1, R4, R1) and a.status == "4") or (a.kind in (R2, R3) and a.status == "5")
    ]
    values = (len(lost), money(sum(account.balance for account in lost)))
    parts.append(form.segment("PC02C", form.items(("PC02CS01", "PC02CJ01"), values) if lost else ""))
    parts.append(_overdue(form, shown))
    for letter, kind in (("E", D1), ("F", R4), ("G", R1)):
        live = [account for account in shown if account.live and account.kind == kind]
        codes = tuple(f"PC02{letter}{code}" for code in ("S01", "S02", "J01", "J02", "J03"))
        inside = ""
        if live:
            inside = form.items(codes, (
                len({account.org for account in live}), len(live), money(sum(a.amount for a in live)),
                money(sum(a.balance for a in live)), money(round(sum(a.average_due for a in live))),
            ))  # fmt: skip
        parts.append(form.segment(f"PC02{letter}", inside))
    for letter, kind in (("H", R2), ("I", R3)):
        parts.append(
            _cards(form, letter, [account for account in shown if account.live and account.kind == kind])
        )
    parts.append(form.segment("PC02K"))
    return form.segment("PC02", *parts)


def _overdue(form: Form, shown: list[Account]) -> str:
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
            rows.append(form.items(
                ("PC02DD01", "PC02DS02", "PC02DS03", "PC02DJ01", "PC02DS04"),
                (number, count, total, form.amount(max(by_month.values())), longest),
            ))  # fmt: skip
    head = form.items(("PC02DS01",), (len(rows),)) if rows else ""
    return form.segment("PC02D", head, form.group("PC02DH", rows))


def _cards(form: Form, letter: str, live: list[Account]) -> str:
    if not live:
        return form.segment(f"PC02{letter}")
    limits: dict[str, int] = {}
    for account in live:
        limits[account.org] = limits.get(account.org, 0) + account.amount
    used = sum(account.used if account.kind == R2 else account.balance for account in live)
    values = (
        len(limits), len(live), form.amount(sum(limits.values())), form.amount(max(limits.values())),
        form.amount(min(limits.values())), form.amount(used), form.amount(sum(a.average_used for a in live)),
    )  # fmt: skip
    codes = tuple(f"PC02{letter}{code}" for code in ("S01", "S02", "J01", "J02", "J03", "J04", "J05"))
    return form.segment(f"PC02{letter}", form.items(codes, values))


def query_summary(
    form: Form, queries: list[tuple[str, str, str, str]], month_ago: str, self_queries: int
) -> str:
    """PC05 from the query records, newest first; ``month_ago`` is the day one month before the report."""
    recent = [query for query in queries if query[0] > month_ago]
    last = form.items(("PC05AR01", "PC05AD01", "PC05AI01", "PC05AQ01"), queries[0]) if queries else ""
    counts = (
        len({query[2] for query in recent if query[3] == "02"}),
        len({query[2] for query in recent if query[3] == "03"}),
        sum(query[3] == "02" for query in recent), sum(query[3] == "03" for query in recent), self_queries,
        sum(query[3] == "01" for query in queries), sum(query[3] == "08" for query in queries),
        sum(query[3] == "19" for query in queries),
    )  # fmt: skip
    codes = tuple(f"PC05BS{number:02d}" for number in range(1, 9))
    return form.segment("PC05", form.segment("PC05A", last), form.segment("PC05B", form.items(codes, counts)))
