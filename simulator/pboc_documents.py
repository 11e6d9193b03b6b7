"""Bureau reports as the bank receives them: header, identity, summaries, accounts, queries of one person.

What a report says about an account is its state at the end of the month before the report. The summaries
(PC02, PC05) are computed here from the very details that are written.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.bureau import Bureau, balances
from simulator.pboc_form import Form, history24, history60
from simulator.products import BAD, BUSINESS, C1, D1, KINDS, ORG_TYPES, OWN, R1, R2, R3, R4, letters
from simulator.timeline import add_months, first_day, last_day, month_name

OWN_CODE = "BM990000000001"
"""The bank's own institution code, written in full where others show two letters."""
_A = (
    "PD01AI01", "PD01AD01", "PD01AD02", "PD01AI02", "PD01AI03", "PD01AI04", "PD01AD03", "PD01AR01", "PD01AD04",
    "PD01AJ01", "PD01AJ02", "PD01AJ03", "PD01AR02", "PD01AD05", "PD01AD06", "PD01AS01", "PD01AD07", "PD01AD08",
    "PD01AD09", "PD01AD10",
)  # fmt: skip
_B = (
    "PD01BD01",
    "PD01BR01",
    "PD01BR04",
    "PD01BJ01",
    "PD01BR02",
    "PD01BJ02",
    "PD01BD03",
    "PD01BD04",
    "PD01BR03",
)
_C = (
    "PD01CR01", "PD01CD01", "PD01CJ01", "PD01CJ02", "PD01CJ03", "PD01CD02", "PD01CS01", "PD01CR02", "PD01CJ04",
    "PD01CJ05", "PD01CR03", "PD01CS02", "PD01CJ06", "PD01CJ07", "PD01CJ08", "PD01CJ09", "PD01CJ10", "PD01CJ11",
    "PD01CJ12", "PD01CJ13", "PD01CJ14", "PD01CJ15", "PD01CR04",
)  # fmt: skip


@dataclass(frozen=True)
class Subject:
    """Whom a report is about, as the bureau knows them."""

    name: str
    id_no: str
    male: bool
    birth: str
    education: str
    employment: str
    address: str
    phones: tuple[tuple[str, str], ...]
    alert: bool


@dataclass
class Account:
    """One account as shown in a report: its place in the tree as text, and what the summaries need."""

    kind: int
    org: str
    business: str
    open_month: int
    live: bool
    status: str | None
    amount: int
    balance: int
    used: int
    average_used: int
    average_due: float
    first: int
    marks: bytes
    amounts: dict[int, int]
    row: int


def accounts_of(book: Bureau, rows: np.ndarray, month: int) -> list[Account]:
    """The accounts a report made in ``month`` shows: those reported before and not closed for five years."""
    cut = month - 60
    columns = {
        name: book.columns[name][rows].tolist()
        for name in (
            "kind",
            "org",
            "product",
            "open_month",
            "closed_month",
            "amount",
            "used",
            "level",
            "final",
        )
    }
    left = balances(book, rows).tolist()
    average_used = (book.recent_used[rows].sum(axis=1) // 6).tolist()
    average_due = book.recent_due[rows].mean(axis=1).tolist()
    out = []
    for at, row in enumerate(rows.tolist()):
        kind, closed, opened = columns["kind"][at], columns["closed_month"][at], columns["open_month"][at]
        org = OWN_CODE if columns["org"][at] == OWN else letters(columns["org"][at])
        first, marks, amounts = 0, b"", {}
        if kind != C1:
            first = max(opened, cut, 0)
            end = closed if closed >= 0 else month - 1
            marks = book.status[row, first : end + 1].tobytes()
            found = np.flatnonzero(book.amounts[row, first : end + 1])
            if len(found):
                amounts = dict(
                    zip((found + first).tolist(), book.amounts[row, found + first].tolist(), strict=True)
                )
        status: str | None = None
        if kind == C1 or closed >= 0:
            status = str(columns["final"][at])
        elif columns["level"][at] == BAD:
            status = "5" if kind in (R2, R3) else "4"
        out.append(
            Account(
                kind,
                org,
                "A1" if kind == C1 else BUSINESS[columns["product"][at]],
                opened,
                status is None,
                status,
                columns["amount"][at],
                0 if closed >= 0 else left[at],
                columns["used"][at],
                average_used[at],
                average_due[at],
                first,
                marks,
                amounts,
                row,
            )
        )
    return out


def account_text(form: Form, book: Bureau, account: Account, number: int, month: int) -> str:
    """One PD01 unit."""
    row, kind = account.row, account.kind
    columns, money = book.columns, form.amount
    opened = str(book.opened[row])
    loan, line, card = kind in (D1, R4), kind == R1, kind in (R2, R3)
    term = int(columns["term"][row])
    merged = bool(book.merged[row])
    maturity = str(add_months(book.opened[row], term)) if loan or line else None
    method = ("90" if merged else "11") if loan else ("32" if line else None)
    guarantee = "2" if columns["product"][row] in (4, 5) else "4"
    unit = [
        form.segment("PD01A", form.items(_A, (
            f"{number:03d}", KINDS[kind], ORG_TYPES[columns["org_type"][row]], account.org,
            None if kind == C1 else f"ZH{row:010d}", f"XY{row:010d}" if kind in (R4, R1, R2, R3) else None,
            None if kind == R3 else account.business, opened,
            None if kind == C1 else ("USD" if book.usd[row] else "CNY"),
            money(account.amount) if kind in (D1, R4, C1) else None,
            money(account.amount) if kind in (R1, R2, R3) else None,
            money(account.amount) if card else None,
            maturity, method, "03" if method else None, term if method else None,
            None if kind == C1 else guarantee, "1" if method else None, "0" if method else None,
            "7" if kind == C1 else None,
        ))),
    ]  # fmt: skip
    unit.append(_latest(form, book, account, month))
    unit.append(_month_block(form, book, account, month) if account.live else form.segment("PD01C"))
    if kind == C1:
        unit += [form.segment(name) for name in ("PD01D", "PD01E")]
    else:
        if columns["closed_month"][row] < 0:
            unit.append(_last24(form, account, month))
        else:
            unit.append(form.segment("PD01D"))
        unit.append(
            history60(form, account.first, account.marks, account.amounts)
            if account.marks
            else form.segment("PD01E")
        )
    unit += _extras(form, book, account)
    return ",".join(unit) if form.json else "".join(unit)


def _last24(form: Form, account: Account, month: int) -> str:
    """Two years up to the month before the report; ``/`` before the account was opened."""
    start = month - 24
    known = account.marks[max(start - account.first, 0) :]
    return history24(form, start, b"/" * (24 - len(known)) + known)


def _day(value: np.datetime64) -> str | None:
    return None if np.isnat(value) else str(value)


def _latest(form: Form, book: Bureau, account: Account, month: int) -> str:
    if account.live:
        # the tree has the segment, its status is empty
        return form.segment("PD01B", form.items(("PD01BD01",), (None,)))
    row, columns = account.row, book.columns
    if account.kind == C1:
        values: tuple[str | int | None, ...] = (
            account.status, None, None, form.amount(account.balance), None, None, None, None, str(last_day(month - 1)),
        )  # fmt: skip
        return form.segment("PD01B", form.items(_B, values))
    closed = columns["closed_month"][row] >= 0
    mark = chr(account.marks[-1]) if account.marks else "C"
    five = {"C": "1", "G": "5", "B": "5"}.get(mark, "1")
    transferred = account.kind == D1 and account.status == "5"
    values = (
        account.status, str(book.closed[row]) if closed else None,
        month_name(int(columns["closed_month"][row])) if transferred else None, form.amount(account.balance),
        _day(book.last_pay[row]), form.amount(int(columns["last_paid"][row])), five, mark,
        str(book.closed[row]) if closed else str(last_day(month - 1)),
    )  # fmt: skip
    return form.segment("PD01B", form.items(_B, values))


def _month_block(form: Form, book: Bureau, account: Account, month: int) -> str:
    row, columns, kind, money = account.row, book.columns, account.kind, form.amount
    level, overdue = int(columns["level"][row]), int(columns["overdue"][row])
    loan = kind in (D1, R4, R1)
    each = account.amount // max(int(columns["term"][row]), 1) if kind != R1 else overdue // max(level, 1)
    aged, room = [], overdue
    for instalments in (
        min(max(level - 1, 0), 1),
        min(max(level - 2, 0), 1),
        min(max(level - 3, 0), 3),
        max(level - 6, 0),
    ):
        part = min(each * instalments, room)
        room -= part
        aged.append(part)
    left = max(int(columns["term"][row] - columns["paid"][row]), 0)
    due_day = first_day(month - 1) + np.timedelta64(int(columns["due_day"][row]) - 1, "D")
    values = (
        month_name(month - 1), ("2" if level else "1") if loan else "1", money(account.balance),
        money(account.used) if kind == R2 else None,
        money(account.amount // 20 if _has_plan(account) else 0) if kind == R2 else None,
        ("1" if level == 0 else "2" if level < 4 else "3" if level < 7 else "4") if loan else None,
        None if kind == R3 else left, str(due_day), money(int(columns["due"][row])),
        None if kind == R3 else money(int(columns["paid_now"][row])), _day(book.last_pay[row]),
        None if kind == R3 else level, None if kind == R3 else money(overdue),
        *((money(part) for part in aged) if loan else (None,) * 4),
        money(account.balance if level >= 7 else 0) if kind == R3 else None,
        money(account.average_used) if kind == R2 else None, money(account.average_used) if kind == R3 else None,
        money(int(columns["highest"][row])) if kind == R2 else None,
        money(int(columns["highest"][row])) if kind == R3 else None, str(last_day(month - 1)),
    )  # fmt: skip
    return form.segment("PD01C", form.items(_C, values))


def _has_plan(account: Account) -> bool:
    return account.kind == R2 and account.row % 41 == 0 and account.amount >= 20_000


def _extras(form: Form, book: Bureau, account: Account) -> list[str]:
    """Special trades (early settlement, transfer), events (statement day moved), a card's instalment plan."""
    row, columns, kind = account.row, book.columns, account.kind
    trades, events, plans = [], [], []
    closed = int(columns["closed_month"][row])
    if kind in (D1, R4) and closed >= 0:
        short = int(columns["term"][row]) - (closed - account.open_month)
        if account.status == "5":
            trades.append(("13", str(book.closed[row]), 0, account.amount))
        elif short > 1:
            trades.append(
                (
                    "5",
                    str(book.closed[row]),
                    -short,
                    account.amount * short // max(int(columns["term"][row]), 1),
                )
            )
    if account.status == "5" and kind == D1:
        events.append(("21", month_name(closed)))
    moved = account.marks.rfind(b"A")
    if moved >= 0:
        events.append(("11", month_name(account.first + moved)))
    if _has_plan(account):
        end = add_months(book.opened[row], 24)
        plans.append(
            (
                form.amount(account.amount // 4),
                str(book.opened[row]),
                str(end),
                form.amount(account.amount // 10),
            )
        )
    out = []
    for name, codes, rows in (
        ("F", ("D01", "R01", "S02", "J01"), [(a, b, c, form.amount(d)) for a, b, c, d in trades]),
        ("G", ("D01", "R01"), events),
        ("H", ("J01", "R01", "R02", "J02"), plans),
    ):
        full = [form.items([f"PD01{name}{code}" for code in codes], values) for values in rows]
        count = form.items((f"PD01{name}S01",), (len(rows),)) if rows else ""
        out.append(form.segment(f"PD01{name}", count, form.group(f"PD01{name}H", full)))
    out.append(form.segment("PD01Z"))
    return out


def report_text(
    form: Form,
    subject: Subject,
    report_id: str,
    moment: str,
    reason: str,
    accounts: list[str],
    summary: str,
    queries: list[tuple[str, str, str, str]],
    query_summary: str,
) -> str:
    """The whole document from its prepared parts; ``queries`` are (day, institution type, institution, reason)."""
    alert = ("1", subject.phones[0][0], subject.phones[0][1], None) if subject.alert else None
    header = form.segment(
        "PA01",
        form.segment("PA01A", form.items(("PA01AI01", "PA01AR01"), (report_id, moment))),
        form.segment("PA01B", form.items(
            ("PA01BQ01", "PA01BD01", "PA01BI01", "PA01BI02", "PA01BD02"),
            (subject.name, "10", subject.id_no, OWN_CODE, reason))),
        form.segment("PA01C"),
        form.segment("PA01D", form.items(("PA01DQ01", "PA01DQ02", "PA01DR01", "PA01DR02"), alert) if alert else ""),
        form.segment("PA01E"),
    )  # fmt: skip
    degree = {"10": "3", "20": "4"}.get(subject.education, "5")
    phones = [form.items(("PB01BQ01", "PB01BR01"), phone) for phone in subject.phones]
    identity = form.segment(
        "PB01",
        form.segment("PB01A", form.items(
            (*(f"PB01A{code}" for code in ("D01", "R01", "D02", "D03", "D04", "D05", "Q01", "Q02", "Q03")),),
            ("1" if subject.male else "2", subject.birth, subject.education, degree, subject.employment, "CHN", None,
             subject.address, subject.address))),
        form.segment("PB01B", form.items(("PB01BS01",), (len(phones),)), form.group("PB01BH", phones)),
    )  # fmt: skip
    records = [form.items(("PH010R01", "PH010D01", "PH010Q02", "PH010Q03"), query) for query in queries]
    return form.document(
        form.segment("PRH", header),
        form.segment("PIM", identity),
        *(form.segment(name) for name in ("PMM", "PRM", "POM", "PSM")),
        form.segment("PCO", summary),
        form.segment("PQO", query_summary),
        form.segment("PDA", form.group("PD01", accounts)),
        form.segment("PND"),
        form.segment("POQ", form.group("PH01", records)),
    )
