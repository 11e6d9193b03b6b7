"""The figures of a column once more, as slowly and as plainly as they are defined."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np


def described(column: Any, reason: Any) -> dict[str, Any]:
    """Counts, moments and quantiles of one column, by numpy on the values alone."""
    values = np.array([float(value) for value in column if not math.isnan(value)])
    missing = [0] * 5
    for value, why in zip(column, reason, strict=True):
        if math.isnan(value):
            missing[int(why)] += 1
    found: dict[str, Any] = {"present": len(values), "missing": missing, "zeros": int((values == 0).sum())}
    if len(values):
        found |= {
            "mean": values.mean(),
            "std": values.std(),
            "low": values.min(),
            "high": values.max(),
            "quantiles": np.quantile(values, [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]),
        }
    return found


def binned(column: Any, edges: Sequence[float]) -> list[int]:
    """How many values have so many edges below them."""
    counts = [0] * (len(edges) + 1)
    for value in column:
        if not math.isnan(value):
            counts[sum(edge < value for edge in edges)] += 1
    return counts


def merged(earlier: Sequence[int], now: Sequence[int], ordered: int) -> list[tuple[int, int]]:
    """The bins that are left, by the rule in words: close a bin as soon as both samples expect five rows in it."""
    smaller = min(sum(earlier), sum(now)) / (sum(earlier) + sum(now))
    groups: list[tuple[int, int]] = []
    for part in (slice(0, ordered), slice(ordered, None)):
        open_bin = (0, 0)
        for e, a in zip(earlier[part], now[part], strict=True):
            open_bin = (open_bin[0] + e, open_bin[1] + a)
            if sum(open_bin) * smaller >= 5:
                groups.append(open_bin)
                open_bin = (0, 0)
        if sum(open_bin):
            before = groups.pop() if groups else (0, 0)
            groups.append((before[0] + open_bin[0], before[1] + open_bin[1]))
    return groups


def psi(groups: Sequence[tuple[int, int]]) -> float:
    """Siddiqi (2006), ch. 9: sum of (actual % - expected %) x ln(actual % / expected %); an empty cell counts half a row."""
    earlier, now = (sum(one[side] for one in groups) for side in (0, 1))
    total = 0.0
    for e, a in groups:
        expected, actual = (e or 0.5) / earlier, (a or 0.5) / now
        total += (actual - expected) * math.log(actual / expected)
    return total
