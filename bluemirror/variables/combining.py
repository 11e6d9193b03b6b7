"""What a combination makes of its two sides."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bluemirror.variables.declarations import Label

Floats = NDArray[np.float64]


def _ratio(left: Floats, right: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(right == 0, np.nan, left / right)


def _equal(left: Floats, right: Floats) -> Floats:
    return np.where(np.isnan(left) | np.isnan(right), np.nan, (left == right).astype(np.float64))


COMBINED: dict[str, Callable[[Floats, Floats], Floats]] = {
    "ratio": _ratio,
    "difference": lambda left, right: left - right,
    "equal": _equal,
}
"""Operator of a combination to its values; a null side makes null."""

SIGNS: dict[str, str] = {"ratio": "/", "difference": "-", "equal": "="}
UNITS: dict[str, str] = {"ratio": "ratio", "difference": "number", "equal": "flag"}
"""Unit of a combination that names none."""

NULLS: dict[str, Label] = {
    "ratio": Label("分母为零或一侧为空", "zero denominator, or a side is null"),
    "difference": Label("一侧为空", "a side is null"),
    "equal": Label("一侧为空", "a side is null"),
}


def combined(operator: str, left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    """The values of a combination: (observations,) of its sides to (observations,)."""
    return COMBINED[operator](left.astype(np.float64), right.astype(np.float64)).astype(np.float32)
