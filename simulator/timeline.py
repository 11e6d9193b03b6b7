"""Months as numbers (0 = January 2018, where bureau history begins), days and moments as numpy dates.

The functions take and give single values as well as arrays.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np

EPOCH = np.datetime64("2018-01", "M")
START_DAY = dt.date(2023, 1, 1)
"""First simulated day; what happened before it exists only as bureau history."""
START = 60
"""Month number of the first simulated month."""
GO_LIVE_MONTHS = 35
"""Deliveries are monthly up to this many months after the start, daily from then on."""

MONTH_NAMES: tuple[str, ...] = tuple(str(EPOCH + n) for n in range(-300, 600))


MONTH_ENDS: tuple[str, ...] = tuple(
    str((EPOCH + n + 1).astype("datetime64[D]") - 1) for n in range(-300, 600)
)


def month_end(month: int) -> str:
    """``yyyy-MM-dd`` of the last day of a month number (from -300 on)."""
    return MONTH_ENDS[month + 300]


def plus_months(day: str, months: int) -> str:
    """``yyyy-MM-dd`` the same day ``months`` later, clamped to the month's end."""
    index = int(day[:4]) * 12 + int(day[5:7]) - 1 + months
    last = MONTH_ENDS[index - 2018 * 12 + 300]
    return min(f"{last[:8]}{day[8:]}", last)


def month_name(month: int) -> str:
    """``yyyy-MM`` of a month number (from -300 on)."""
    return MONTH_NAMES[month + 300]


def first_day(month: Any) -> Any:
    """First day of the month as ``datetime64[D]``."""
    return (EPOCH + np.asarray(month)).astype("datetime64[D]")


def days_in(month: Any) -> Any:
    """Number of days of the month."""
    return (first_day(np.asarray(month) + 1) - first_day(month)).astype(np.int64)


def last_day(month: Any) -> Any:
    """Last day of the month as ``datetime64[D]``."""
    return first_day(np.asarray(month) + 1) - np.timedelta64(1, "D")


def month_of(day: Any) -> Any:
    """Month number of a day or moment."""
    return (np.asarray(day).astype("datetime64[M]") - EPOCH).astype(np.int64)


def day_of_month(day: Any) -> Any:
    """Day of the month, 1..31."""
    whole = np.asarray(day).astype("datetime64[D]")
    return (whole - whole.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64) + 1


def clamped(month: Any, day: Any) -> Any:
    """Day number ``day`` of the month, or its last day when the month is shorter."""
    return first_day(month) + (np.minimum(day, days_in(month)) - 1).astype("timedelta64[D]")


def add_months(day: Any, months: Any) -> Any:
    """The same day ``months`` later, clamped to the month's end."""
    return clamped(month_of(day) + months, day_of_month(day))
