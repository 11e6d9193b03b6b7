"""Every aggregate of the family language, over a list of rows in the order of time."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

from tests.oracles.times import month_of_series, since

DAY = dt.timedelta(days=1)


def mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def deviation(values: list[float]) -> float:
    middle = mean(values)
    return math.sqrt(math.fsum((value - middle) ** 2 for value in values) / len(values))


def divide(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None or b == 0 else a / b


def middle(values: list[float]) -> float:
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def percentile(values: list[float], percent: int) -> float:
    """Walk ``percent`` of the way along the sorted values, a step from one to the next."""
    ordered = sorted(values)
    way = (len(ordered) - 1) * percent / 100
    step = int(way + 1e-9)
    if step >= len(ordered) - 1:
        return ordered[-1]
    return ordered[step] + (way - step) * (ordered[step + 1] - ordered[step])


def concentration(agg: str, weighted: list[tuple[str, float]]) -> float | None:
    """Shares of the values in the weights, and how they are spread."""
    amounts: dict[str, float] = {}
    for text, weight in weighted:
        if weight > 0:
            amounts[text] = amounts.get(text, 0.0) + weight
    whole = sum(amounts.values())
    if not amounts:
        return None
    shares = sorted((amount / whole for amount in amounts.values()), reverse=True)
    if agg == "hhi":
        return sum(share * share for share in shares)
    if agg == "entropy":
        return -sum(share * math.log(share) for share in shares)
    return sum(shares[: int(agg.removeprefix("top"))])


def aggregate(
    agg: str,
    rows: list[tuple[dt.datetime, Any]],
    end: dt.datetime,
    unit: str,
    grain: str,
    size: int | None,
    of: bool,
) -> float | None:
    """``rows`` are (event time, value of the column or None) inside the window, oldest first."""
    times = [time for time, _ in rows]
    if agg == "count":
        return float(len(rows))
    if agg == "any":
        return 1.0 if rows else 0.0
    if agg == "since_last":
        return min((since(time, end, unit) for time in times), default=None)
    if agg == "since_first":
        return max((since(time, end, unit) for time in times), default=None)
    if agg.startswith("gap_"):
        gaps = [(times[i + 1] - times[i]) / DAY for i in range(len(times) - 1)]
        if not gaps:
            return None
        return {"gap_min": min, "gap_max": max, "gap_mean": mean, "gap_std": deviation}[agg](gaps)
    if agg.startswith(("month", "run", "quiet")):
        return series(agg, rows, end, unit, grain, size, of)
    values = [value for _, value in rows if value is not None]
    if agg == "distinct":
        return float(len({str(value) for value in values}))
    if agg in ("hhi", "entropy") or agg.startswith("top"):
        return concentration(agg, [(str(value), 1.0) for value in values])
    numbers = [float(value) for value in values]
    if agg == "sum":
        return math.fsum(numbers)
    if not numbers:
        return None
    if agg == "mean":
        return mean(numbers)
    if agg == "min":
        return min(numbers)
    if agg == "max":
        return max(numbers)
    if agg == "std":
        return deviation(numbers)
    if agg == "cv":
        return divide(deviation(numbers), mean(numbers))
    if agg == "first":
        return numbers[0]
    if agg == "last":
        return numbers[-1]
    if agg == "median":
        return middle(numbers)
    if agg.startswith("p"):
        return percentile(numbers, int(agg[1:]))
    raise AssertionError(f"the oracle has no {agg}")


def series(
    agg: str,
    rows: list[tuple[dt.datetime, Any]],
    end: dt.datetime,
    unit: str,
    grain: str,
    size: int | None,
    of: bool,
) -> float | None:
    assert size is not None
    months = [0.0] * (size // 30 if unit == "day" else size)
    for time, value in rows:
        if of and value is None:
            continue
        months[month_of_series(time, end, unit, grain)] += float(value) if of else 1.0
    if agg == "months_active":
        return float(len([month for month in months if month != 0]))
    if agg == "month_mean":
        return mean(months)
    if agg == "month_max":
        return max(months)
    if agg == "month_min":
        return min(months)
    if agg == "month_std":
        return deviation(months)
    if agg == "month_cv":
        return divide(deviation(months), mean(months))
    if agg == "month_slope":
        newest_last = months[::-1]
        n = len(months)
        x, y = mean([float(i) for i in range(n)]), mean(newest_last)
        return sum((i - x) * (newest_last[i] - y) for i in range(n)) / sum((i - x) ** 2 for i in range(n))
    wanted = [month > 0 if agg.startswith("run") else not month > 0 for month in months]
    longest = run = now = 0
    for position, held in enumerate(wanted):
        run = run + 1 if held else 0
        longest = max(longest, run)
        if run == position + 1:
            now = run
    return float(now if agg.endswith("_now") else longest)


def over_units(over: str, values: list[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    if over == "sum":
        return math.fsum(present)
    if over == "any":
        return float(len([value for value in present if value > 0]))
    if not present:
        return None
    return {"max": max, "min": min, "mean": mean}[over](present)
