"""Every operator once more, over a handful of rows in plain Python: what ``explain`` recomputes a value with.

Slow and obvious on purpose; shares the declarations with the kernels and nothing else.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, median, pstdev

from bluemirror.clock import add_months, months_back, months_between
from bluemirror.variables.declarations import Group, Window, Windows
from bluemirror.variables.operators import OPERATORS, SERIES_DAYS

DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Fact:
    """One row for an operator: when, how it was measured, and the value as number and as text."""

    time: dt.datetime
    reference: dt.datetime
    number: float | None = None
    text: str | None = None


def holds(group: Group, value: object) -> bool:
    """Whether ``group`` holds a row with ``value`` in its slice's column."""
    if group.is_all:
        return True
    if value is None:
        return False
    if group.codes is not None:
        return str(value) in group.codes
    assert group.band is not None
    low, high = group.band
    number = float(str(value))
    return (low is None or number >= low) and (high is None or number < high)


def inside(time: dt.datetime, reference: dt.datetime, window: Window, windows: Windows) -> bool:
    """Whether ``window``, ending at ``reference``, holds ``time``."""
    if window.size is None:
        return True
    if windows.unit == "day":
        return reference - time < window.size * DAY
    if windows.grain == "month":
        return months_between(time.date(), reference.date()) <= window.size
    return time.date() > add_months(reference.date(), -window.size)


def aggregate(agg: str, facts: Sequence[Fact], window: Window, windows: Windows, of: bool) -> float | None:
    """``agg`` over ``facts`` (inside the window, oldest first); ``of`` says whether a column is aggregated."""
    kernel = OPERATORS[agg].kernel
    if kernel == "series":
        return SERIES[agg](_months(facts, window, windows, of))
    if agg == "count":
        return float(len(facts))
    if agg in ("since_last", "since_first"):
        since = [_since(fact, windows) for fact in facts]
        return None if not since else min(since) if agg == "since_last" else max(since)
    if agg.startswith("gap_"):
        gaps = [(later.time - earlier.time) / DAY for earlier, later in itertools.pairwise(facts)]
        return GAPS[agg](gaps) if gaps else None
    if kernel == "value":
        texts = [fact.text for fact in facts if fact.text is not None]
        return SPREADS[agg]([texts.count(text) for text in sorted(set(texts))])
    numbers = [fact.number for fact in facts if fact.number is not None]
    if agg == "sum":
        return math.fsum(numbers)
    return NUMBERS[agg](numbers) if numbers else None


def divide(numerator: float | None, denominator: float | None) -> float | None:
    """A ratio; nothing over zero."""
    if numerator is None or denominator is None or denominator == 0:
        return None
    return numerator / denominator


def fold(over: str, values: Sequence[float | None]) -> float | None:
    """Fold the values of units into one."""
    present = [value for value in values if value is not None]
    if over == "sum":
        return math.fsum(present)
    if over == "any":
        return float(sum(value > 0 for value in present))
    if not present:
        return None
    return {"max": max(present), "min": min(present), "mean": fmean(present)}[over]


def _since(fact: Fact, windows: Windows) -> float:
    if windows.unit == "day":
        return float((fact.reference.date() - fact.time.date()).days)
    return float(months_between(fact.time.date(), fact.reference.date()))


def _months(facts: Sequence[Fact], window: Window, windows: Windows, of: bool) -> list[float]:
    """Counts, or sums, of each month of the window, the newest first."""
    days = windows.unit == "day"
    series = [0.0] * ((window.size or 0) // (SERIES_DAYS if days else 1))
    for fact in facts:
        if days:
            month = (fact.reference - fact.time) // (SERIES_DAYS * DAY)
        elif windows.grain == "month":
            month = max(months_between(fact.time.date(), fact.reference.date()) - 1, 0)
        else:
            month = months_back(fact.time.date(), fact.reference.date()) - 1
        if 0 <= month < len(series) and (not of or fact.number is not None):
            series[month] += (fact.number or 0.0) if of else 1.0
    return series


def _cv(values: Sequence[float]) -> float | None:
    return divide(pstdev(values), fmean(values))


def _slope(series: Sequence[float]) -> float:
    oldest_first = list(reversed(series))
    middle, mean = (len(series) - 1) / 2, fmean(series)
    above = math.fsum((i - middle) * (value - mean) for i, value in enumerate(oldest_first))
    return above / math.fsum((i - middle) ** 2 for i in range(len(series)))


def _longest_run(series: Sequence[float]) -> float:
    longest = run = 0
    for value in series:
        run = run + 1 if value > 0 else 0
        longest = max(longest, run)
    return float(longest)


NUMBERS: dict[str, Callable[[Sequence[float]], float | None]] = {
    "mean": fmean,
    "min": min,
    "max": max,
    "std": pstdev,
    "cv": _cv,
    "first": lambda values: values[0],
    "last": lambda values: values[-1],
    "median": median,
}

GAPS: dict[str, Callable[[Sequence[float]], float]] = {
    "gap_min": min,
    "gap_max": max,
    "gap_mean": fmean,
    "gap_std": pstdev,
}

SPREADS: dict[str, Callable[[Sequence[int]], float | None]] = {
    "distinct": lambda counts: float(len(counts)),
    "hhi": lambda counts: math.fsum((count / sum(counts)) ** 2 for count in counts) if counts else None,
    "entropy": lambda counts: (
        -math.fsum(count / sum(counts) * math.log(count / sum(counts)) for count in counts)
        if counts
        else None
    ),
}

SERIES: dict[str, Callable[[Sequence[float]], float | None]] = {
    "months_active": lambda series: float(sum(value != 0 for value in series)),
    "month_mean": fmean,
    "month_max": max,
    "month_min": min,
    "month_std": pstdev,
    "month_cv": _cv,
    "month_slope": _slope,
    "run_max": _longest_run,
}
