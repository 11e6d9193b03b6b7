"""The vectorised ages against the clock's rules, day by day, and what happens on the 31st."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from bluemirror.clock import add_months, months_back
from bluemirror.variables.ages import ages, buckets, recency
from bluemirror.variables.declarations import Windows
from tests.oracles.times import in_window, months_before, since

EPOCH = dt.datetime(1970, 1, 1)


def micro(time: dt.datetime) -> int:
    return (time - EPOCH) // dt.timedelta(microseconds=1)


def age(time: dt.datetime, reference: dt.datetime, windows: Windows) -> int:
    return int(ages(np.array([micro(time)]), np.array([micro(reference)]), windows)[0])


REFERENCES = [
    dt.datetime(2024, 5, 31, 10), dt.datetime(2024, 3, 31), dt.datetime(2023, 3, 30, 23, 59, 59), dt.datetime(2024, 2, 29, 1),
    dt.datetime(2023, 2, 28), dt.datetime(2024, 1, 1), dt.datetime(2024, 12, 31, 12),
]  # fmt: skip


@pytest.mark.parametrize("reference", REFERENCES, ids=str)
@pytest.mark.parametrize(
    "windows",
    [
        Windows("day", (1, 7, 30, 90, 360)),
        Windows("month", (1, 2, 3, 6, 12), grain="date"),
        Windows("month", (1, 2, 3, 6, 12), grain="month"),
    ],
    ids=["days", "date", "month"],
)
def test_every_hour_of_a_year_falls_into_the_windows_that_hold_it(
    reference: dt.datetime, windows: Windows
) -> None:
    times = [reference - dt.timedelta(hours=step) for step in range(0, 400 * 24, 5)]
    moments = np.array([micro(one) for one in times])
    references = np.full(len(times), micro(reference))
    bucket = buckets(ages(moments, references, windows), windows)
    since_then = recency(moments, references, windows)
    for time, mine, recent in zip(times, bucket, since_then, strict=True):
        holding = [
            position
            for position, size in enumerate(windows.sizes)
            if in_window(time, reference, windows.unit, windows.grain, size)
        ]
        assert mine == (holding[0] if holding else len(windows.sizes)), time
        assert recent == since(time, reference, windows.unit)


def test_the_31st() -> None:
    """From 31 May, three months back begin after 29 February: the 29th is out, 1 March is in."""
    windows = Windows("month", (3,), grain="date")
    reference = dt.datetime(2024, 5, 31, 9)
    assert add_months(reference.date(), -3) == months_before(reference.date(), 3) == dt.date(2024, 2, 29)
    assert age(dt.datetime(2024, 2, 29, 23), reference, windows) == 3
    assert age(dt.datetime(2024, 3, 1), reference, windows) == 2


def test_months_by_date_are_the_clocks() -> None:
    windows = Windows("month", (12,), grain="date")
    for reference in REFERENCES:
        for back in range(0, 500, 3):
            day = reference - dt.timedelta(days=back)
            assert age(day, reference, windows) == months_back(day.date(), reference.date()) - 1


def test_a_day_window_ends_to_the_microsecond() -> None:
    windows = Windows("day", (30,))
    reference = dt.datetime(2024, 5, 31, 9)
    just_out = reference - dt.timedelta(days=30)
    assert age(just_out, reference, windows) == 30
    assert age(just_out + dt.timedelta(microseconds=1), reference, windows) == 29
