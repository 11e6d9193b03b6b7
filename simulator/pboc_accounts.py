"""The accounts that reports of a month show, gathered for a whole batch of subjects at once.

What a report says about an account is its state at the end of the month before the report.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.bureau import Bureau, balances
from simulator.pboc_luck import Luck
from simulator.products import (
    BAD,
    BUSINESS,
    C1,
    CAR,
    D1,
    FARM,
    HOME,
    ORG_TYPES,
    OWN,
    R1,
    R2,
    R3,
    R4,
    TRADE,
    letters,
)
from simulator.timeline import add_months, month_name

OWN_CODE = "BM990000000001"
"""The bank's own institution code, written in full where others show two letters."""


@dataclass(slots=True)
class Account:
    """One account as shown in a report.

    ``status`` is that of an account no longer live, None of a live one. ``story`` holds the status characters from
    the opening (or January 2018) on, ``marks`` those of the last five years from month ``first`` on. ``luck`` is what
    chance gave the account for good, six even draws. ``guarantor`` is a customer, or -1.
    """

    row: int
    cust: int
    kind: int
    product: int
    org: str
    org_type: str
    opened: str
    open_month: int
    closed: str | None
    closed_month: int
    maturity: str
    amount: int
    term: int
    due_day: int
    merged: bool
    usd: bool
    level: int
    overdue: int
    due: int
    paid_now: int
    paid: int
    used: int
    last_pay: str | None
    last_paid: int
    highest: int
    balance: int
    average_used: int
    average_due: float
    status: str | None
    business: str
    guarantor: int
    luck: list[float]
    story: bytes
    first: int
    marks: bytes
    amounts: dict[int, int]

    @property
    def live(self) -> bool:
        """Whether it is neither closed, written off, transferred nor a recovery account."""
        return self.status is None

    @property
    def start(self) -> int:
        """Month of the first status character of ``story``."""
        return max(self.open_month, 0)

    @property
    def agreement(self) -> str | None:
        """Key of the agreement under which the account was opened: lines by account, draws and cards by institution."""
        if self.kind == R1:
            return f"XY{self.row:010d}"
        if self.kind in (R4, R2, R3) or (self.kind == D1 and self.product == TRADE and self.org != OWN_CODE):
            return f"XY{self.cust:07d}{'LDRCQ'[(R1, D1, R4, R2, R3).index(self.kind)]}{self.org}"
        return None

    @property
    def joint(self) -> bool:
        """Whether somebody else borrows with the subject."""
        return self.guarantor >= 0 and self.product == HOME

    @property
    def guarantee(self) -> str:
        """Code of the guarantee."""
        if self.product in (CAR, HOME):
            return "5" if self.guarantor >= 0 and not self.joint else "2"
        if self.guarantor >= 0:
            return "7" if self.product == FARM and self.luck[2] < 0.3 else "3"
        return "1" if self.product == TRADE and self.luck[2] < 0.1 else "4"


def gather(book: Bureau, luck: Luck, index: np.ndarray, month: int) -> list[Account]:
    """The accounts of the rows ``index`` as a report made in ``month`` shows them."""
    if not len(index):
        return []
    names = (
        "cust", "kind", "product", "org_type", "org", "open_month", "closed_month", "amount", "term", "due_day",
        "level", "overdue", "due", "paid_now", "paid", "used", "last_paid", "highest", "final",
    )  # fmt: skip
    c = {name: book.columns[name][index].tolist() for name in names}
    opened = np.datetime_as_string(book.opened[index]).tolist()
    closed = np.datetime_as_string(book.closed[index]).tolist()
    last_pay = np.datetime_as_string(book.last_pay[index]).tolist()
    maturity = np.datetime_as_string(add_months(book.opened[index], book.columns["term"][index])).tolist()
    left = balances(book, index).tolist()
    average_used = (book.recent_used[index].sum(axis=1) // 6).tolist()
    average_due = book.recent_due[index].mean(axis=1).tolist()
    merged, usd = book.merged[index].tolist(), book.usd[index].tolist()
    draws, guarantors = luck.of(index)
    cut = month - 60
    found = []
    for at, row in enumerate(index.tolist()):
        kind, opened_month, ended = c["kind"][at], c["open_month"][at], c["closed_month"][at]
        story, first, marks, amounts = b"", 0, b"", {}
        closed_on = closed[at] if ended >= 0 else None
        balance = 0 if ended >= 0 else left[at]
        status: str | None = None
        if kind == C1:
            status, closed_on, ended = _recovery(opened_month, draws[at], month)
            balance = 0 if status == "2" else balance
        else:
            start = max(opened_month, 0)
            end = ended if ended >= 0 else month - 1
            first = max(start, cut)
            story = book.status[row, start : end + 1].tobytes()
            marks = story[first - start :]
            owed = np.flatnonzero(book.amounts[row, first : end + 1])
            if len(owed):
                found_amounts = book.amounts[row, owed + first].tolist()
                amounts = dict(zip((owed + first).tolist(), found_amounts, strict=True))
            if ended >= 0:
                status = str(c["final"][at])
            elif c["level"][at] == BAD:
                status = "5" if kind in (R2, R3) else "4"
        org_type = ORG_TYPES[c["org_type"][at]]
        product = c["product"][at]
        found.append(
            Account(
                row=row, cust=c["cust"][at], kind=kind, product=product,
                org=OWN_CODE if c["org"][at] == OWN else letters(c["org"][at]), org_type=org_type,
                opened=opened[at], open_month=opened_month, closed=closed_on, closed_month=ended, maturity=maturity[at],
                amount=c["amount"][at], term=c["term"][at], due_day=c["due_day"][at], merged=merged[at], usd=usd[at],
                level=c["level"][at], overdue=c["overdue"][at], due=c["due"][at], paid_now=c["paid_now"][at],
                paid=c["paid"][at], used=c["used"][at], last_pay=None if last_pay[at] == "NaT" else last_pay[at],
                last_paid=c["last_paid"][at], highest=c["highest"][at], balance=balance,
                average_used=average_used[at], average_due=average_due[at], status=status,
                business=_business(kind, product, org_type, draws[at]), guarantor=guarantors[at], luck=draws[at],
                story=story, first=first, marks=marks, amounts=amounts,
            )
        )  # fmt: skip
    return found


def _recovery(opened: int, luck: list[float], month: int) -> tuple[str, str | None, int]:
    """Status of a claim, and when it ended: one in three is settled in the end."""
    ended = opened + 8 + int(luck[1] * 40)
    if luck[0] < 0.33 and ended < month:
        return "2", f"{month_name(ended)}-15", ended
    return "1", None, -1


def _business(kind: int, product: int, org_type: str, luck: list[float]) -> str:
    """Code of the kind of business; within a product it varies a little."""
    if kind == C1:
        # a guarantee company was the guarantor who paid; an asset manager bought the claim
        return "B1" if org_type == "53" else "A1"
    at = luck[1]
    if product == 0:
        return "82" if at < 0.03 else "81"
    if product == 2 and at < 0.06:
        return ("31", "32", "33", "99")[int(at / 0.015)]
    if product == HOME:
        return "13" if at < 0.12 else "12" if at < 0.16 else "11"
    if product == TRADE:
        return "42" if at < 0.06 else "92" if at < 0.08 else "41"
    if product == FARM:
        return "51" if at < 0.2 else "52" if at < 0.4 else "53"
    return BUSINESS[product]
