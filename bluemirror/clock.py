"""Time as the platform counts it: Asia/Shanghai wall time, naive, to the microsecond.

China has had one time zone and no daylight saving since 1991, so wall time is unambiguous.

The month rule
--------------
``add_months`` clamps to the last day of the target month: 31 May minus 3 months is 28 (29) February.
A window of ``k`` months holds the events *after* ``add_months(reference, -k)`` and not after the reference.
So from 31 May, 28 February is outside a window of three months and 1 March is inside.
"""

from __future__ import annotations

import calendar
import datetime as dt

ZONE = "Asia/Shanghai"
"""Where a moment without a time zone is wall time."""

ONE_DAY = dt.timedelta(days=1)
ONE_MICROSECOND = dt.timedelta(microseconds=1)


def day_start(day: dt.date) -> dt.datetime:
    """First moment of ``day``."""
    return dt.datetime.combine(day, dt.time())


def day_end(day: dt.date) -> dt.datetime:
    """Last moment of ``day``: the as_of of everything that is described "on" that day."""
    return day_start(day) + ONE_DAY - ONE_MICROSECOND


def add_months(day: dt.date, months: int) -> dt.date:
    """The same day ``months`` later (earlier if negative), clamped to the month's last day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    month += 1
    return dt.date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def month_start(day: dt.date) -> dt.date:
    """First day of the month of ``day``."""
    return day.replace(day=1)


def months_between(earlier: dt.date, later: dt.date) -> int:
    """Difference of the calendar months, days ignored: 31 January to 1 February is 1."""
    return (later.year - earlier.year) * 12 + later.month - earlier.month


def months_back(event: dt.date, reference: dt.date) -> int:
    """The smallest ``k`` such that a window of ``k`` months before ``reference`` holds ``event``.

    1 for an event on the reference day itself; 0 or less for one after it.
    """
    months = months_between(event, reference)
    last_day = calendar.monthrange(event.year, event.month)[1]
    return months if event.day > min(reference.day, last_day) else months + 1
