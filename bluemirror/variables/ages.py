"""How old a row is at its reference, in the unit of its family's windows, vectorised.

The rules are those of :mod:`bluemirror.clock`; a test holds the two against each other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bluemirror.variables.declarations import Windows

MICROSECONDS_A_DAY = 86_400_000_000

Times = NDArray[np.int64]
Ints = NDArray[np.int64]


def _civil(times: Times) -> tuple[Ints, Ints, Ints]:
    """Months since 1970-01, day of the month, and length of the month of each time."""
    days = times // MICROSECONDS_A_DAY
    if not len(days):
        return days, days, days
    first_day, last_day = int(days.min()), int(days.max())
    if last_day - first_day > len(days):
        return _calendar(days)
    # Rows crowd on few days: the calendar is worked out once a day, not once a row.
    calendar = _calendar(np.arange(first_day, last_day + 1))
    position = days - first_day
    return calendar[0][position], calendar[1][position], calendar[2][position]


def _calendar(days: Ints) -> tuple[Ints, Ints, Ints]:
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    first = months.astype("datetime64[D]")
    following = (months + 1).astype("datetime64[D]")
    return (
        months.astype(np.int64),
        (dates - first).astype(np.int64) + 1,
        (following - first).astype(np.int64),
    )


NEVER = -np.iinfo(np.int64).max
"""A time that is null, as loaded."""


def placed(times: Times, references: Times, windows: Windows) -> NDArray[np.bool_]:
    """Whether each time lies on the side of its reference to which the windows run; what is null lies on neither."""
    if windows.forward:
        return times // MICROSECONDS_A_DAY >= references // MICROSECONDS_A_DAY
    return (times <= references) & (times != NEVER)


def ages(times: Times, references: Times, windows: Windows) -> Ints:
    """Whole units from the reference, such that a window of size ``k`` holds exactly the rows with age < k.

    Days: 0 for anything within the last 24 hours. Months by date: 0 for anything after the same day of the month
    before (clamped). Whole months: the difference of calendar months less one, and 0 for the reference's own month,
    so that ``k`` months are the reference's own and the ``k`` before it. Forward, days and months are counted from
    the reference's day on: age 0 for anything before the same day of the month after (clamped).
    """
    if windows.forward:
        if windows.unit == "day":
            return times // MICROSECONDS_A_DAY - references // MICROSECONDS_A_DAY
        month, day, length = _civil(times)
        ref_month, ref_day, _ = _civil(references)
        return month - ref_month - (day < np.minimum(ref_day, length))
    if windows.unit == "day":
        return (references - times) // MICROSECONDS_A_DAY
    month, day, length = _civil(times)
    ref_month, ref_day, _ = _civil(references)
    difference = ref_month - month
    if windows.grain == "month":
        return np.maximum(difference - 1, 0)
    return np.where(day > np.minimum(ref_day, length), difference - 1, difference)


def buckets(age: Ints, windows: Windows) -> Ints:
    """Index of the shortest window that holds each age; ``len(windows.sizes)`` for what is older than all."""
    return np.searchsorted(np.asarray(windows.sizes, dtype=np.int64), age, side="right")


def recency(times: Times, references: Times, windows: Windows) -> NDArray[np.float64]:
    """Whole days, or whole calendar months, between a row and its reference (0 on the same day or month)."""
    if windows.unit == "day":
        return (references // MICROSECONDS_A_DAY - times // MICROSECONDS_A_DAY).astype(np.float64)
    return (_civil(references)[0] - _civil(times)[0]).astype(np.float64)
