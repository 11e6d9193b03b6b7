"""A report as XML: root ``Document``, no namespace.

Text is assembled from pieces: a report holds some ten thousand elements, and a tree per report would take most of a
simulation's time.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from simulator.pboc_form import Form
from simulator.pboc_items import GROUPS, ROWS, SCALARS, UNITS
from simulator.pboc_tree import Months, Report, Segment, Unit, Value
from simulator.timeline import month_name

Frames = tuple[tuple[str, str, str], ...]
"""For each item: what stands before and after a value, and what stands for an absent one."""


def xml_text(report: Report, form: Form) -> str:
    """The whole document."""
    parts = ['<?xml version="1.0" encoding="UTF-8"?><Document>']
    for wrapper, unit in UNITS.items():
        found = report.units.get(wrapper, [])
        inside = "".join([_unit(segments, unit, form.absent) for segments in found])
        parts.append(f"<{wrapper}>{inside}</{wrapper}>" if inside else f"<{wrapper}/>")
    parts.append("</Document>")
    return "".join(parts)


def _unit(segments: Unit, name: str, absent: str) -> str:
    if len(segments) == 1 and segments[0].name == name:
        return _segment(segments[0], absent)
    return f"<{name}>{''.join([_segment(segment, absent) for segment in segments])}</{name}>"


def _segment(segment: Segment | Months, absent: str) -> str:
    name = segment.name
    if isinstance(segment, Months):
        return _months(segment, absent)
    inside = _items(_frames(name, False, absent), segment.values) if segment.values else ""
    if segment.rows:
        group, frames = GROUPS[name], _frames(name, True, absent)
        inside += "".join([f"<{group}>{_items(frames, row)}</{group}>" for row in segment.rows])
    return f"<{name}>{inside}</{name}>" if inside else f"<{name}/>"


@cache
def _frames(name: str, repeated: bool, absent: str) -> Frames:
    gap = {"missing": "", "empty": "<{0}></{0}>", "null": "<{0}/>", "--": "<{0}>--</{0}>"}[absent]
    codes = ROWS[name] if repeated else SCALARS[name]
    return tuple((f"<{code}>", f"</{code}>", gap.format(code)) for code in codes)


def _items(frames: Frames, values: Sequence[Value]) -> str:
    return "".join(
        [
            gap
            if value is None
            else "".join([f"{before}{one}{after}" for one in value])
            if isinstance(value, tuple)
            else f"{before}{value}{after}"
            for (before, after, gap), value in zip(frames, values, strict=True)
        ]
    )


def _months(months: Months, absent: str) -> str:
    name, first, marks = months.name, months.first, months.marks
    if not marks:
        return f"<{name}/>"
    last = first + len(marks) - 1
    span: tuple[Value, ...] = (month_name(first), month_name(last))
    sixty = name == "PD01E"
    rows = [_month(sixty, month, mark) for month, mark in enumerate(marks, first)]
    if sixty:
        span = (*span, len(marks))
        for month, amount in months.amounts.items():
            rows[month - first] = _row60(month, marks[month - first], str(amount))
    return f"<{name}>{_items(_frames(name, False, absent), span)}{''.join(rows)}</{name}>"


@cache
def _month(sixty: bool, month: int, mark: int) -> str:
    """One month without an overdue amount; most months of most accounts are one of few."""
    if sixty:
        return _row60(month, mark, "" if mark == ord("#") else "0")
    return f"<PD01DH><PD01DR03>{month_name(month)}</PD01DR03><PD01DD01>{chr(mark)}</PD01DD01></PD01DH>"


def _row60(month: int, mark: int, amount: str) -> str:
    return (
        f"<PD01EH><PD01ER03>{month_name(month)}</PD01ER03><PD01ED01>{chr(mark)}</PD01ED01>"
        f"<PD01EJ01>{amount}</PD01EJ01></PD01EH>"
    )
