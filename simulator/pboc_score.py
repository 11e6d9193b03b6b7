"""The bureau's own score PC01, from what the report itself shows."""

from __future__ import annotations

import math
from collections.abc import Sequence

from simulator.pboc_accounts import Account
from simulator.pboc_summary import Query
from simulator.pboc_tree import Segment, Unit
from simulator.products import C1, R2, R3

_LATE = frozenset(b"1234567BG")
MIDDLE = 730
"""Score in the middle of those who are asked about [stated]."""


def score_unit(accounts: Sequence[Account], queries: Sequence[Query], quarter_ago: str, month: int) -> Unit:
    """PC01: score, position and at most two reasons; without a score, why there is none.

    ``quarter_ago`` is the day three months before the report.
    """
    shown = [account for account in accounts if account.kind != C1]
    why_not = _why_not(shown, month)
    if why_not:
        return [Segment("PC01", (None, None, 1, (why_not,)))]
    lost = sorted(
        (
            (points, code)
            for code, points in _penalties(shown, queries, quarter_ago, month).items()
            if points >= 8
        ),
        reverse=True,
    )
    score = round(min(max(640 + _earned(shown, month) - sum(points for points, _ in lost), 0), 1000))
    position = min(max(round(100 / (1 + math.exp(-(score - MIDDLE) / 60))), 1), 99)
    reasons = [code for _, code in lost[:2]] or ["00"]
    return [Segment("PC01", (score, position, len(reasons), tuple(reasons)))]


def _why_not(shown: Sequence[Account], month: int) -> str | None:
    """Code of the reason for which there is no score: no record, a short one, or an old one."""
    if not shown:
        return "91"
    if month - min(account.open_month for account in shown) <= 3:
        return "92"
    if all(account.closed is not None and month - account.closed_month > 24 for account in shown):
        return "93"
    return None


def _earned(shown: Sequence[Account], month: int) -> float:
    """Points for a long history, for loans repaid, for months paid on time, for credit of several kinds."""
    years = (month - min(account.open_month for account in shown)) / 12
    repaid = sum(account.status == "3" for account in shown)
    on_time = sum(mark in b"NM*C" for account in shown for mark in account.marks[-24:])
    kinds = len({account.kind for account in shown})
    return 9 * min(years, 12) + 8 * min(repaid, 6) + 0.5 * min(on_time, 120) + 7 * kinds


def _penalties(
    shown: Sequence[Account], queries: Sequence[Query], quarter_ago: str, month: int
) -> dict[str, float]:
    """Points lost by reason."""
    live = [account for account in shown if account.live]
    cards = [account for account in live if account.kind in (R2, R3)]
    late = [sum(mark in _LATE for mark in account.marks[-24:]) for account in shown]
    limit = sum(account.amount for account in cards)
    use = sum(account.used for account in cards) / limit if limit else 0.0
    years = (month - min(account.open_month for account in shown)) / 12
    fresh = sum(month - account.open_month <= 6 for account in shown)
    hard = sum(query[0] > quarter_ago and query[3] in ("02", "03") for query in queries)
    worst = max((account.level for account in live), default=0)
    lost = any(account.status in ("4", "5") and account.closed is None for account in shown)
    return {
        "01": 14 * min(sum(late), 12) + 22 * worst + 120 * lost,
        "03": 9 * max(sum(account.balance for account in live) / 100_000 - 1.5, 0) ** 0.5 * 2,
        "04": 12 * max(len(cards) - 4, 0),
        "05": 10 * max(len(live) - 6, 0),
        "06": 75 * max(use - 0.4, 0),
        "07": 16 * max(2.5 - years, 0),
        "08": 10 if not cards else 0,
        "09": 11 * max(fresh - 1, 0),
        "10": 7 * max(hard - 2, 0),
        "12": 9 if len({account.kind for account in shown}) == 1 else 0,
    }
