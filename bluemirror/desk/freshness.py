"""Whether a source came as often as it promised: its last delivery, when the next was due, which days are missing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from bluemirror.clock import ONE_DAY, add_months
from bluemirror.desk.windows import MONTH_DAYS, Windows

if TYPE_CHECKING:
    from bluemirror.contracts import Contract

FRESH, DUE, LATE, NEVER = "fresh", "due", "late", "never"
LONGEST_GAP = 3
"""Deliveries that may be missing in a row and still be named one by one."""
_MONTHS = {"month": 1, "year": 12}
_HOURS = {"ms": 1 / 3_600_000, "s": 1 / 3600, "min": 1 / 60, "h": 1.0, "d": 24.0, "week": 168.0}


@dataclass(frozen=True)
class Freshness:
    """How a source stands against its promise at the end of the as-of day.

    Parameters
    ----------
    last, age_days
        Day of the last delivery and days since; None if there is none.
    due
        The day by whose end the next delivery must be there.
    late_hours
        Hours since then, 0 if it is not due yet.
    state
        ``fresh``; ``due``: late, within the hours that the contract grants; ``late``: its policy applies; ``never``.
    policy, granted_hours
        What the night does then (block, use_last_good, go_on), and from how many hours on.
    missing
        Days of the last four weeks on which a delivery was due and did not come, though later ones did.
    """

    last: dt.date | None
    age_days: int | None
    due: dt.date | None
    late_hours: float
    state: str
    policy: str
    granted_hours: float
    missing: tuple[dt.date, ...] = ()

    @property
    def blocks(self) -> bool:
        """Whether the night must wait for it."""
        return self.policy == "block" and self.state == LATE


def next_due(contract: Contract, last: dt.date) -> dt.date:
    """The day by whose end the delivery after that of ``last`` is due.

    Deliveries are dated by days, so a source that promises to come every hour is held to every day. Months and years
    are those of the calendar; without a promise it is a day.
    """
    promised = contract.promised("frequency")
    if promised is None or isinstance(promised.value, str):
        return last + ONE_DAY
    unit = promised.unit or "d"
    if unit in _MONTHS:
        later = add_months(last, round(promised.value * _MONTHS[unit]))
        # From the end of a month to the end of a month: 28 February to 31 March.
        return later if (last + ONE_DAY).day != 1 else add_months(later.replace(day=1), 1) - ONE_DAY
    days = promised.value * _HOURS.get(unit, 24.0) / 24
    return last + max(round(days), 1) * ONE_DAY


def freshness(contract: Contract, days: Sequence[dt.date], as_of: dt.date) -> Freshness:
    """Freshness of a source from the days of its deliveries up to the end of ``as_of``."""
    came = sorted(day for day in days if day <= as_of)
    policy, granted = contract.lateness.policy, contract.lateness.after_hours
    if not came:
        return Freshness(None, None, None, 0.0, NEVER, policy, granted)
    last = came[-1]
    due = next_due(contract, last)
    late = max((as_of - due).days * 24.0, 0.0)
    state = FRESH if late == 0 else DUE if late <= granted else LATE
    return Freshness(
        last, (as_of - last).days, due, late, state, policy, granted, _missing(contract, came, as_of)
    )


def _missing(contract: Contract, came: Sequence[dt.date], as_of: dt.date) -> tuple[dt.date, ...]:
    """Days between two deliveries on which another was due; only short gaps that end within the last four weeks.

    A long gap was told as lateness while it lasted, or is the history that was loaded at the start.
    """
    first = Windows(as_of).last(MONTH_DAYS)
    missing: list[dt.date] = []
    for before, after in pairwise(came):
        gap: list[dt.date] = []
        at, due = before, next_due(contract, before)
        # A delivery that comes late, but before half of the next period is over, takes the place of the due one.
        while due < after and 2 * (after - due) > due - at and len(gap) <= LONGEST_GAP:
            gap.append(due)
            at, due = due, next_due(contract, due)
        if len(gap) <= LONGEST_GAP:
            missing += gap
    return tuple(day for day in missing if day >= first)
