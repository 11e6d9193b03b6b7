"""Windows and ages, by the written rules, one row at a time."""

from __future__ import annotations

import datetime as dt

DAYS_OF_MONTH = {1: 31, 2: 28, 3: 31, 4: 30, 5: 31, 6: 30, 7: 31, 8: 31, 9: 30, 10: 31, 11: 30, 12: 31}


def days_in(year: int, month: int) -> int:
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 29 if month == 2 and leap else DAYS_OF_MONTH[month]


def months_before(day: dt.date, months: int) -> dt.date:
    """The same day of the month, ``months`` earlier; the month's last day where there is no such day."""
    year, month = day.year, day.month
    for _ in range(months):
        month -= 1
        if month == 0:
            year, month = year - 1, 12
    return dt.date(year, month, min(day.day, days_in(year, month)))


def month_number(day: dt.date) -> int:
    return day.year * 12 + day.month


def in_window(time: dt.datetime, end: dt.datetime, unit: str, grain: str, size: int | None) -> bool:
    """``time`` is not after ``end``; is it within the last ``size`` units before it?"""
    if size is None:
        return True
    if unit == "day":
        return time > end - dt.timedelta(days=size)
    if grain == "month":
        return month_number(end.date()) - month_number(time.date()) <= size
    return time.date() > months_before(end.date(), size)


def ahead(time: dt.datetime, end: dt.datetime, unit: str, size: int | None) -> bool:
    """``time`` is on the day of ``end`` or later; is it before the same day ``size`` units on?"""
    if size is None:
        return True
    if unit == "day":
        return time.date() < end.date() + dt.timedelta(days=size)
    year, month = divmod(end.year * 12 + end.month - 1 + size, 12)
    return time.date() < dt.date(year, month + 1, min(end.day, days_in(year, month + 1)))


def month_of_series(time: dt.datetime, end: dt.datetime, unit: str, grain: str) -> int:
    """0 for the newest month. Months of day families are 30 days; the reference's own month and the one before share 0
    where rows are whole months."""
    if unit == "day":
        month = 0
        while not time > end - dt.timedelta(days=30 * (month + 1)):
            month += 1
        return month
    if grain == "month":
        return max(month_number(end.date()) - month_number(time.date()) - 1, 0)
    month = 0
    while not time.date() > months_before(end.date(), month + 1):
        month += 1
    return month


def since(time: dt.datetime, end: dt.datetime, unit: str) -> float:
    if unit == "day":
        return float((end.date() - time.date()).days)
    return float(month_number(end.date()) - month_number(time.date()))
