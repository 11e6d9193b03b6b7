"""SQL functions over single values, as DuckDB computes them: null in, null out, unless a function says otherwise."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

EPOCH = dt.datetime(1970, 1, 1)
MICROSECOND = dt.timedelta(microseconds=1)
UNITS = {"millisecond": 1_000, "second": 1_000_000, "minute": 60_000_000, "hour": 3_600_000_000}
"""Parts of a day in microseconds."""


def conjunction(*values: bool | None) -> bool | None:
    """AND of three-valued logic."""
    if False in values:
        return False
    return None if None in values else True


def disjunction(*values: bool | None) -> bool | None:
    """OR of three-valued logic."""
    if True in values:
        return True
    return None if None in values else False


def among(value: Any, *others: Any) -> bool | None:
    """IN: null if nothing is equal and something is null."""
    if value is None:
        return None
    if value in others:
        return True
    return None if None in others else False


def coalesce(*values: Any) -> Any:
    """The first value that is not null."""
    for value in values:
        if value is not None:
            return value
    return None


def greatest(*values: Any) -> Any:
    """The greatest value that is not null."""
    return max((value for value in values if value is not None), default=None)


def least(*values: Any) -> Any:
    """The least value that is not null."""
    return min((value for value in values if value is not None), default=None)


def nullif(value: Any, other: Any) -> Any:
    """Null if the two are equal."""
    return None if value == other else value


def divide(left: Any, right: Any) -> float:
    """Division of IEEE 754: what is divided by zero is infinite, or nan."""
    left, right = float(left), float(right)
    if right == 0.0:
        return (
            math.nan
            if left == 0.0 or math.isnan(left)
            else math.copysign(math.inf, left) * math.copysign(1.0, right)
        )
    return left / right


def modulo(left: Any, right: Any) -> Any:
    """Remainder with the sign of the dividend; null of zero."""
    if right == 0:
        return None
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


def moment(value: dt.date) -> dt.datetime:
    """A date or time as a time: a date is its start."""
    return value if isinstance(value, dt.datetime) else dt.datetime(value.year, value.month, value.day)


def day(value: dt.date) -> dt.date:
    """The day of a date or time."""
    return value.date() if isinstance(value, dt.datetime) else value


def date_diff(part: str, start: dt.date, end: dt.date) -> int:
    """Boundaries of a part of time that lie between two moments."""
    if part == "day":
        return day(end).toordinal() - day(start).toordinal()
    if part == "month":
        return (end.year - start.year) * 12 + end.month - start.month
    if part == "year":
        return end.year - start.year
    unit = UNITS[part]
    first, last = ((moment(one) - EPOCH) // MICROSECOND for one in (start, end))
    return last // unit - first // unit


def date_trunc(part: str, value: dt.date) -> dt.datetime:
    """The start of the year, month, day, hour, minute ... of a moment, as a time."""
    whole_day = dt.datetime(value.year, value.month, value.day)
    if part == "year":
        return whole_day.replace(month=1, day=1)
    if part == "month":
        return whole_day.replace(day=1)
    if part == "day":
        return whole_day
    past = (moment(value) - EPOCH) // MICROSECOND
    return EPOCH + (past - past % UNITS[part]) * MICROSECOND


def number(text: str) -> float | None:
    """A text as a number, null if it is none."""
    try:
        return float(text.strip())
    except ValueError:
        return None


def whole(text: str) -> int | None:
    """A text as a whole number, null if it is none."""
    try:
        return int(Decimal(text.strip()).to_integral_value())
    except ArithmeticError:
        return None


def text(value: Any) -> str:
    """A flag, whole number, date or text as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        written = value.isoformat(sep=" ")
        return written.rstrip("0") if "." in written else written
    return str(value)


@lru_cache(maxsize=1024)
def _pattern(expression: str) -> re.Pattern[str]:
    return re.compile(expression)


def regexp_replace(value: str, expression: str, by: str, options: str = "") -> str:
    """Replace what matches: the first, or with ``g`` all."""
    return _pattern(expression).sub(by, value, count=0 if "g" in options else 1)


def regexp_extract(value: str, expression: str, group: int = 0) -> str:
    """What matches first, empty if nothing does."""
    found = _pattern(expression).search(value)
    return "" if found is None else found.group(group) or ""


def regexp_matches(value: str, expression: str) -> bool:
    """Whether anything matches."""
    return _pattern(expression).search(value) is not None


def regexp_extract_all(value: str, expression: str) -> list[str]:
    """All that matches."""
    return [found.group(0) for found in _pattern(expression).finditer(value)]


def right(value: str, size: int) -> str:
    """The last characters."""
    return value[-size:] if size > 0 else value[-size or len(value) :]


def substr(value: str, first: int, size: int | None = None) -> str:
    """Characters from the ``first`` (from 1) on."""
    begin = max(first - 1, 0)
    return value[begin:] if size is None else value[begin : max(first - 1 + size, 0)]


def concat(*values: Any) -> str:
    """All texts behind each other, null aside."""
    return "".join(value for value in values if value is not None)


def first(values: Sequence[Any]) -> Any:
    """The first of some rows, null of none."""
    return values[0] if values else None


def list_max(values: Sequence[Any]) -> Any:
    """The greatest element, null of none."""
    return max(values, default=None)


def ascii_code(value: str) -> int:
    """Code of the first character, 0 of none."""
    return ord(value[0]) if value else 0


def square_root(value: float) -> float:
    """Square root; of a number below zero it does not exist."""
    return math.sqrt(value)


PLAIN: dict[str, Callable[..., Any]] = {
    "coalesce": coalesce,
    "greatest": greatest,
    "least": least,
    "nullif": nullif,
    "concat": concat,
}
"""Functions that see nulls."""

STRICT: dict[str, tuple[Callable[..., Any], str]] = {
    "hour": (lambda value: value.hour, "int"),
    "day": (lambda value: value.day, "int"),
    "month": (lambda value: value.month, "int"),
    "year": (lambda value: value.year, "int"),
    "isodow": (lambda value: value.isoweekday(), "int"),
    "date_diff": (date_diff, "int"),
    "date_trunc": (date_trunc, "ts"),
    "make_date": (dt.date, "date"),
    "length": (len, "int"),
    "len": (len, "int"),
    "right": (right, "str"),
    "substr": (substr, "str"),
    "substring": (substr, "str"),
    "contains": (lambda value, part: part in value, "bool"),
    "starts_with": (lambda value, part: value.startswith(part), "bool"),
    "lower": (str.lower, "str"),
    "upper": (str.upper, "str"),
    "string_split": (lambda value, mark: value.split(mark), "list"),
    "regexp_replace": (regexp_replace, "str"),
    "regexp_extract": (regexp_extract, "str"),
    "regexp_matches": (regexp_matches, "bool"),
    "regexp_extract_all": (regexp_extract_all, "list"),
    "list_max": (list_max, "str"),
    "ascii": (ascii_code, "int"),
    "sqrt": (square_root, "float"),
    "sin": (math.sin, "float"),
    "cos": (math.cos, "float"),
    "asin": (math.asin, "float"),
    "radians": (lambda value: float(value) * (math.pi / 180.0), "float"),
    "**": (math.pow, "float"),
    "pow": (math.pow, "float"),
    "abs": (abs, "="),
}
"""Functions that are null where an argument is: how to compute one, and the type of its result."""
