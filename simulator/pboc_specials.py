"""What is out of the ordinary about an account: special trades, special events, large instalment plans of a card.

Each follows from the account's own story and what chance gave it when it was opened, so that later reports repeat
what earlier ones said.
"""

from __future__ import annotations

from simulator.pboc_accounts import Account
from simulator.products import C1, CAR, D1, HOME, R1, R2, R3, R4
from simulator.timeline import month_end, month_name

Trade = tuple[str, str, int | None, int | None, str | None]
"""Type, day, months that the maturity moved, amount, free text."""
EXTENDED = 26
"""January 2020 + 2 months: many banks put off instalments of home loans in that spring [published]."""


def trades(account: Account, month: int) -> list[Trade]:
    """Special trades up to the month before ``month``, oldest first."""
    kind, luck = account.kind, account.luck
    if kind == C1:
        return []
    found: list[Trade] = []
    amount, opened = account.amount, account.open_month
    secured = account.product in (CAR, HOME)
    pledged = account.guarantee == "1"
    if account.product == HOME and opened < EXTENDED and luck[3] < 0.12 and _open_at(account, EXTENDED):
        found.append(("16", month_end(EXTENDED), 6, amount // max(account.term, 1) * 6, None))
    if kind == D1 and luck[3] > 0.955:
        paid = max(opened, 0) + 6 + int(luck[1] * 18)
        if paid < month and _open_at(account, paid) and account.story[paid - account.start] in b"NM":
            found.append(("4", month_end(paid), -6, amount // 10, None))
    if luck[4] > 0.996 and opened + 7 < month and _open_at(account, opened + 7):
        found.append(("9", month_end(opened + 7), 0, amount // 20, "样例说明"))
    if kind in (D1, R4, R1):
        second = _first(account, b"2")
        if second is not None and luck[3] < 0.15:
            found.append(("1", month_end(second), 12, amount // 4, None))
        third = _first(account, b"3")
        if third is not None and pledged:
            found.append(("6", month_end(third), 0, amount // 3, None))
        fourth = _first(account, b"4")
        if fourth is not None and kind == R1 and luck[4] < 0.12:
            found.append(("17", month_end(fourth), 0, amount // 3, None))
        worst = _first(account, b"7")
        if worst is not None and luck[4] > 0.75:
            found.append(("8", month_end(worst), 0, account.overdue or amount // 2, None))
    elif kind == R2:
        third = _first(account, b"3")
        if third is not None and luck[3] < 0.3:
            found.append(("14", month_end(third), 0, amount // 2, None))
    if account.closed is not None:
        found += _at_the_end(account, account.closed, secured=secured, pledged=pledged)
    return sorted(found, key=lambda trade: trade[1])


def _at_the_end(account: Account, closed: str, *, secured: bool, pledged: bool) -> list[Trade]:
    """How the account ended, if not as agreed."""
    amount = account.amount
    if account.kind == D1 and account.story[-1:] == b"G":
        if account.status == "3":
            return [("2", closed, 0, amount, None)]
        return [("12" if account.luck[3] < 0.1 else "13", closed, 0, amount, None)]
    if account.story[-2:-1] in (b"4", b"5", b"6", b"7", b"B"):
        if pledged:
            return [("7", closed, 0, amount // 3, None)]
        return [("3" if secured else "11", closed, 0, amount // 5, None)]
    short = account.term - (account.closed_month - account.open_month)
    if account.kind in (D1, R4) and short > 1:
        return [("5", closed, -short, amount * short // max(account.term, 1), None)]
    return []


def moved(found: list[Trade]) -> int:
    """Months by which extensions put off the maturity."""
    return sum(trade[2] or 0 for trade in found if trade[0] in ("1", "16"))


def _first(account: Account, mark: bytes) -> int | None:
    """Month of the first status character ``mark``."""
    at = account.story.find(mark)
    return None if at < 0 else account.start + at


def _open_at(account: Account, month: int) -> bool:
    return account.start <= month < account.start + len(account.story) - (account.closed is not None)


def events(account: Account) -> list[tuple[str, str]]:
    """Special events as (month, type), oldest first."""
    found = []
    if account.kind in (R2, R3) and account.open_month < -20 and account.luck[4] < 0.08:
        found.append((month_name(account.open_month + 14), "12"))
    statement = account.marks.rfind(b"A")
    if statement >= 0:
        found.append((month_name(account.first + statement), "11"))
    if account.kind == D1 and account.status == "5":
        found.append((month_name(account.closed_month), "21"))
    return found


def plans(account: Account, day: str) -> list[tuple[int, str, str, int]]:
    """Large instalment plans of a card as (limit, start, end, used) that began by ``day``; some cards have two."""
    if not _takes_plans(account):
        return []
    first = account.open_month
    found = [(account.amount // 4, account.opened, f"{month_name(first + 24)}-28")]
    if account.luck[5] < 0.012:
        found.append((account.amount // 5, f"{month_name(first + 9)}-10", f"{month_name(first + 21)}-10"))
    return [(limit, start, end, limit * 2 // 5) for limit, start, end in found if start <= day]


def unbilled(account: Account, month: int) -> int:
    """What of a card's balance is a large instalment plan and not billed yet."""
    return account.amount // 20 if _takes_plans(account) and month < account.open_month + 24 else 0


def _takes_plans(account: Account) -> bool:
    return account.kind == R2 and account.amount >= 20_000 and account.luck[5] < 0.045 and not account.usd
