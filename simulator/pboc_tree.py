"""What a report says, whatever the way in which it is written down: units of segments of values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

Value = str | int | tuple[str, ...] | None
"""What an item holds; a tuple where the item itself repeats (PC010D01)."""


@dataclass(slots=True)
class Segment:
    """The items of one segment, in the order of ``pboc_items.SCALARS`` and ``ROWS``; no value at all: it is empty."""

    name: str
    values: Sequence[Value] = ()
    rows: Sequence[Sequence[Value]] = ()


@dataclass(slots=True)
class Months:
    """A month-by-month history: PD01D (``name``) with a status a month, or PD01E with overdue amounts as well.

    ``marks`` holds the status characters from month ``first`` on, ``amounts`` the overdue totals of the months that
    have one.
    """

    name: str
    first: int
    marks: bytes
    amounts: dict[int, int]


Unit = Sequence[Segment | Months]
"""The segments of one unit; a unit without segments is one segment of its own name."""


@dataclass(slots=True)
class Report:
    """A report: its number, a serial number of its own, and the units of each wrapper."""

    number: str
    serial: int
    units: dict[str, list[Unit]] = field(default_factory=dict)
