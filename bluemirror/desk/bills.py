"""The bill of a month against what ledger and prices make of it, and a sum of reasons for the difference."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bluemirror.clock import ONE_DAY, add_months
from bluemirror.contracts import FEN
from bluemirror.desk.calls import TABLE, contracted
from bluemirror.desk.known import day, newest_sql, quote
from bluemirror.desk.windows import Windows

if TYPE_CHECKING:
    import duckdb

    from bluemirror.contracts import Contract
    from bluemirror.variables.dealings import Bills
    from bluemirror.variables.spine import Spine

TOLERATED_YUAN, TOLERATED_SHARE = 1.0, 0.005
"""A difference is told from one yuan and half a percent of the expected amount on: below, calls around midnight of the
month's last day explain it."""


@dataclass(frozen=True)
class Line:
    """A line of a bill; prices and amounts in yuan."""

    invoice: str
    result: str
    calls: int
    price: float
    amount: float


@dataclass(frozen=True)
class Expected:
    """What the ledger has of a month: calls that went out by result, and how many the cache answered."""

    outside: Mapping[str, int]
    cached: int = 0


@dataclass(frozen=True)
class Reason:
    """A part of the difference between bill and expectation, in yuan: more than expected is positive."""

    kind: str
    yuan: float
    text: str


@dataclass(frozen=True)
class BillCheck:
    """One month of one source.

    Parameters
    ----------
    month
        Its first day.
    expected_yuan
        Calls of the ledger by the contract's prices, and the monthly fee.
    billed_yuan
        Sum of the bill's lines; None if no bill has come.
    due
        The day by whose end the bill is expected.
    reasons
        Parts of the difference that were found; what they leave is the part ``unexplained``.
    calls, calls_billed
        Calls that went out, and those billed.
    """

    month: dt.date
    expected_yuan: float
    billed_yuan: float | None
    due: dt.date
    reasons: tuple[Reason, ...] = ()
    calls: int = 0
    calls_billed: int = 0

    @property
    def difference_yuan(self) -> float | None:
        """Billed less expected."""
        return None if self.billed_yuan is None else round(self.billed_yuan - self.expected_yuan, 2)

    @property
    def agrees(self) -> bool:
        """Whether the difference is within what is tolerated; a missing bill agrees."""
        difference = abs(self.difference_yuan or 0.0)
        return difference <= max(TOLERATED_YUAN, TOLERATED_SHARE * abs(self.expected_yuan))

    def overdue(self, as_of: dt.date) -> bool:
        """Whether a bill that something is expected of has not come in time."""
        return self.billed_yuan is None and self.expected_yuan >= TOLERATED_YUAN and as_of > self.due


def bill_checks(
    connection: duckdb.DuckDBPyConnection,
    spine: Spine,
    contracts: Mapping[str, Contract],
    windows: Windows,
) -> dict[str, tuple[BillCheck, ...]]:
    """Checks of the last closed months by source, oldest first; empty while nobody delivers bills."""
    if spine.bills is None:
        return {}
    lines = _lines(connection, spine, spine.bills, contracts, windows)
    ledger = _ledger(connection, windows) if spine.calls is not None else {}
    months = [add_months(windows.billed, step) for step in range(3)]
    found: dict[str, tuple[BillCheck, ...]] = {}
    for source, contract in contracts.items():
        checks = []
        for month in months:
            expected = ledger.get((source, month), Expected({}))
            billed = lines.get((source, month), ())
            if billed or expected.outside or contract.monthly_fee:
                checks.append(check_bill(contract, spine.bills, month, expected, billed))
        if checks:
            found[source] = tuple(checks)
    return found


def check_bill(
    contract: Contract, bills: Bills, month: dt.date, expected: Expected, lines: Sequence[Line]
) -> BillCheck:
    """Hold a month's lines against the ledger; the reasons add up to the difference."""
    owed = sum(count * contract.price(result) for result, count in expected.outside.items())
    due = add_months(month, 1) - ONE_DAY + bills.due_days * ONE_DAY
    total = round(owed + contract.monthly_fee, 2)
    calls = sum(expected.outside.values())
    if not lines:
        return BillCheck(month, total, None, due, (), calls, 0)
    billed = round(sum(line.amount for line in lines), 2)
    reasons = _reasons(contract, bills, expected, lines)
    left = round(billed - total - sum(reason.yuan for reason in reasons), 2)
    if abs(left) >= 0.01:
        reasons.append(Reason("unexplained", left, "neither prices nor calls of the ledger explain it"))
    counted = sum(line.calls for line in lines if line.result not in (*bills.fee, *bills.correction))
    return BillCheck(month, total, billed, due, tuple(reasons), calls, counted)


def _reasons(contract: Contract, bills: Bills, expected: Expected, lines: Sequence[Line]) -> list[Reason]:
    reasons: list[Reason] = []

    def add(kind: str, yuan: float, text: str) -> None:
        if abs(yuan) >= 0.005:
            reasons.append(Reason(kind, round(yuan, 2), text))

    cached_left = expected.cached
    by_result: dict[str, list[Line]] = {}
    for line in lines:
        by_result.setdefault(line.result, []).append(line)
    for result in sorted({*by_result, *expected.outside, *bills.fee}):
        each = by_result.get(result, [])
        if result in bills.correction:
            add("correction", sum(line.amount for line in each), "corrections of the source")
            continue
        fee = result in bills.fee
        price = contract.monthly_fee if fee else contract.price(result)
        should = (1 if contract.monthly_fee else 0) if fee else expected.outside.get(result, 0)
        for line in each:
            add(
                "arithmetic",
                line.amount - line.calls * line.price,
                f"{result}: the amount is not calls x price",
            )
            add(
                "price",
                line.calls * (line.price - price),
                f"{result}: {line.price:g} a call, contract says {price:g}",
            )
        excess = sum(line.calls for line in each) - should
        for again in _charged_twice(each, excess):
            add(
                "charged twice",
                again.calls * price,
                f"{result}: {again.calls} calls once more on {again.invoice}",
            )
            excess -= again.calls
        part = 0 if fee else min(max(excess, 0), cached_left)
        if part:
            of = expected.cached
            add(
                "cached calls",
                part * price,
                f"{result}: {part} calls too many, {of} were answered by the cache",
            )
            excess -= part
            cached_left -= part
        if excess > 0:
            add(
                "not in the ledger", excess * price, f"{result}: {excess} calls that the ledger does not have"
            )
        elif excess < 0:
            add("not billed", excess * price, f"{result}: {-excess} calls of the ledger that are not billed")
    return reasons


def _charged_twice(lines: Sequence[Line], excess: int) -> list[Line]:
    """Lines that repeat another of the same calls, as long as they explain what is too much."""
    seen: set[int] = set()
    again = []
    for line in sorted(lines, key=lambda one: one.invoice):
        if line.calls in seen and 0 < line.calls <= excess:
            again.append(line)
            excess -= line.calls
        seen.add(line.calls)
    return again


def _lines(
    connection: duckdb.DuckDBPyConnection,
    spine: Spine,
    bills: Bills,
    contracts: Mapping[str, Contract],
    windows: Windows,
) -> dict[tuple[str, dt.date], tuple[Line, ...]]:
    named = {
        name: getattr(bills, name)
        for name in ("source", "month", "invoice", "result", "calls", "price", "amount")
    }
    table = contracted(spine, contracts, "bills", bills.table, named)
    types = dict(table.columns)
    fen = {
        name: f" / {FEN}.0" if types[getattr(bills, name)] == "amount" else "" for name in ("price", "amount")
    }
    columns = {
        "source": f"CAST({quote(bills.source)} AS VARCHAR)",
        "month": f"CAST(date_trunc('month', {quote(bills.month)}) AS DATE)",
        "invoice": f"CAST({quote(bills.invoice)} AS VARCHAR)",
        "result": f"CAST({quote(bills.result)} AS VARCHAR)",
        "calls": quote(bills.calls),
        "price": f"CAST({quote(bills.price)} AS DOUBLE){fen['price']}",
        "amount": f"CAST({quote(bills.amount)} AS DOUBLE){fen['amount']}",
    }
    where = f"{quote(bills.month)} >= {day(windows.billed)} AND {quote(bills.month)} < {day(windows.month)}"
    rows = connection.sql(
        f"{newest_sql(table, windows.end, columns, where)} ORDER BY source, month, invoice, result"
    ).fetchall()
    found: dict[tuple[str, dt.date], tuple[Line, ...]] = {}
    for source, month, *line in rows:
        found[source, month] = (*found.get((source, month), ()), Line(*line))
    return found


def _ledger(connection: duckdb.DuckDBPyConnection, windows: Windows) -> dict[tuple[str, dt.date], Expected]:
    rows = connection.sql(
        f"SELECT source, CAST(date_trunc('month', day) AS DATE), result, cached, count(*) FROM {TABLE} "
        f"WHERE day >= {day(windows.billed)} AND day < {day(windows.month)} GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    found: dict[tuple[str, dt.date], Expected] = {}
    for source, month, result, cached, count in rows:
        entry = found.get((source, month), Expected({}))
        found[source, month] = (
            Expected(entry.outside, entry.cached + count)
            if cached
            else Expected(dict(entry.outside) | {result: count}, entry.cached)
        )
    return found
