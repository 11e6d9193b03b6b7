"""Responsibility for the loans of others (PD03): relatives' and friends', and those of companies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simulator.companies import Companies
from simulator.company_credit import KINDS as COMPANY_KINDS
from simulator.company_credit import CompanyLoans
from simulator.pboc_accounts import Account
from simulator.pboc_notes import Notes
from simulator.pboc_tree import Segment, Unit, Value
from simulator.products import KINDS, ORG_TYPES, letters
from simulator.timeline import month_end, plus_months

Told = tuple[Unit, Sequence[Value]]
"""A unit PD03 and the values of its segment A."""


def for_person(account: Account, notes: Notes) -> Told:
    """Somebody's account for which the subject answers, as guarantor or as the second borrower."""
    level = account.level
    mark = chr(account.marks[-1]) if account.marks else "*"
    bad = account.status is not None
    values: tuple[Value, ...] = (
        "1", account.org_type, account.org, account.business, account.opened, account.maturity,
        "1" if account.joint else "2", None if account.joint else f"BZ{account.row:010d}", account.amount, "CNY",
        account.balance, "5" if bad else "1" if level == 0 else "2" if level < 4 else "3" if level < 7 else "4",
        KINDS[account.kind], mark, None, month_end(notes.month - 1),
    )  # fmt: skip
    return [Segment("PD03A", values), notes.on("PD03", account.luck[0], account.open_month)], values


def for_companies(
    book: CompanyLoans, companies: Companies, partner: np.ndarray, cust: np.ndarray, notes: Notes
) -> dict[int, list[Told]]:
    """Loans of companies for which customers answer: owners for most, their wives and husbands for some.

    A loan in dollars is shown in dollars.
    """
    owner = companies.owner[book["company"]]
    open_still = (book["closed"] < 0) & (book["open_month"] < notes.month)
    wife = partner[owner]
    by = np.where(book.luck < 0.62, owner, np.where(book.luck < 0.78, wife, -1))
    rows = np.flatnonzero(open_still & (by >= 0) & np.isin(by, cust))
    balance = book.balance
    opened = np.datetime_as_string(book.opened[rows]).tolist()
    found: dict[int, list[Told]] = {}
    for row, start in zip(rows.tolist(), opened, strict=True):
        level, luck = int(book["level"][row]), float(book.luck[row])
        amount = int(book["amount"][row])
        values: tuple[Value, ...] = (
            "2", ORG_TYPES[book["org_type"][row]], letters(int(book["org"][row])), COMPANY_KINDS[book["kind"][row]],
            start, plus_months(start, int(book["term"][row])), "9" if luck * 1000 % 1 < 0.05 else "2", f"BQ{row:010d}",
            amount if luck < 0.5 else amount * 4 // 5, "USD" if book["usd"][row] else "CNY", int(balance[row]),
            "1" if level == 0 else "2" if level < 4 else "3" if level < 7 else "4", "D1", None, level,
            month_end(notes.month - 1),
        )  # fmt: skip
        note = notes.on("PD03", luck * 997 % 1, int(book["open_month"][row]))
        found.setdefault(int(by[row]), []).append(([Segment("PD03A", values), note], values))
    return found
