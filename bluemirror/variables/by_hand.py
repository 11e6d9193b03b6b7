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
    """One row for an operator: when, how it was measured, the value as number and as text, and a second number."""

    time: dt.datetime
    reference: dt.datetime
    number: float | None = None
    text: str | None = None
    other: float | None = None


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
    if windows.forward:
        if windows.unit == "day":
            return (time.date() - reference.date()).days < window.size
        return time.date() < add_months(reference.date(), window.size)
    if windows.unit == "day":
        return reference - time < window.size * DAY
    if windows.grain == "month":
        return months_between(time.date(), reference.date()) <= window.size
    return time.date() > add_months(reference.date(), -window.size)


def aggregate(
    agg: str, facts: Sequence[Fact], window: Window, windows: Windows, of: bool, weighted: bool = False
) -> float | None:
    """``agg`` over ``facts`` (inside the window, oldest first).

    ``of`` says whether a column is aggregated, ``weighted`` whether a second number weighs it.
    """
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
    if agg == "any":
        return float(bool(facts))
    if agg == "ratio":
        both = [fact for fact in facts if fact.number is not None and fact.other is not None]
        return divide(
            math.fsum(fact.number or 0.0 for fact in both), math.fsum(fact.other or 0.0 for fact in both)
        )
    if kernel == "value":
        amounts: dict[str, float] = {}
        for fact in facts:
            weight = (fact.other or 0.0) if weighted else 1.0
            if fact.text is not None and (weight > 0 or agg == "distinct"):
                amounts[fact.text] = amounts.get(fact.text, 0.0) + weight
        return SPREADS[agg]([amounts[text] for text in sorted(amounts)])
    numbers = [fact.number for fact in facts if fact.number is not None]
    if agg == "sum":
        return math.fsum(numbers)
    return NUMBERS[agg](numbers) if numbers else None


def divide(numerator: float | None, denominator: float | None) -> float | None:
    """A ratio; nothing over zero."""
    if numerator is None or denominator is None or denominator == 0:
        return None
    return numerator / denominator


def combine(operator: str, left: float, right: float) -> float | None:
    """A combination of two values that are there."""
    if operator == "equal":
        # Stored values are float32: what is equal there is equal.
        return float(math.isclose(left, right, rel_tol=1e-7))
    return divide(left, right) if operator == "ratio" else left - right


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


def _run_now(held: Sequence[bool]) -> float:
    return float(sum(1 for _ in itertools.takewhile(bool, held)))


def _quantile(percent: int) -> Callable[[Sequence[float]], float]:
    def compute(values: Sequence[float]) -> float:
        ordered = sorted(values)
        low, rest = divmod((len(ordered) - 1) * percent, 100)
        above = ordered[min(low + 1, len(ordered) - 1)]
        return ordered[low] + (above - ordered[low]) * rest / 100

    return compute


def _top(size: int) -> Callable[[Sequence[float]], float | None]:
    return lambda counts: divide(math.fsum(sorted(counts, reverse=True)[:size]), math.fsum(counts))


NUMBERS: dict[str, Callable[[Sequence[float]], float | None]] = {
    "mean": fmean,
    "min": min,
    "max": max,
    "std": pstdev,
    "cv": _cv,
    "first": lambda values: values[0],
    "last": lambda values: values[-1],
    "median": median,
    "p10": _quantile(10),
    "p25": _quantile(25),
    "p75": _quantile(75),
    "p90": _quantile(90),
}

GAPS: dict[str, Callable[[Sequence[float]], float]] = {
    "gap_min": min,
    "gap_max": max,
    "gap_mean": fmean,
    "gap_std": pstdev,
}

SPREADS: dict[str, Callable[[Sequence[float]], float | None]] = {
    "distinct": lambda counts: float(len(counts)),
    "hhi": lambda counts: math.fsum((count / sum(counts)) ** 2 for count in counts) if counts else None,
    "entropy": lambda counts: (
        -math.fsum(count / sum(counts) * math.log(count / sum(counts)) for count in counts)
        if counts
        else None
    ),
    "top1": _top(1),
    "top3": _top(3),
    "top5": _top(5),
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
    "run_now": lambda series: _run_now([value > 0 for value in series]),
    "quiet_max": lambda series: _longest_run([float(value <= 0) for value in series]),
    "quiet_now": lambda series: _run_now([value <= 0 for value in series]),
}
