"""A report as JSON: the tree of the XML as converters make it, or in camel case as an interface hands it on.

The tree keeps the converters' quirks: a group of one is an object, an empty segment is null. In camel case accounts
stand in a list ``accountInfos`` with segments under names of their own, everything else under its code in lower case.
In both every value is a string, and some amounts carry thousands commas.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from simulator.pboc_form import Form
from simulator.pboc_items import GROUPS, REPEATING, ROWS, SCALARS, UNITS, is_amount
from simulator.pboc_tree import Months, Report, Segment, Unit, Value
from simulator.timeline import month_name

CAMEL = {
    "PD01A": "accountBasic", "PD01B": "latestInfo", "PD01C": "latestMonthPayState", "PD01D": "latest24PayState",
    "PD01DH": "latest24PayStateDetails", "PD01E": "latest5year", "PD01EH": "latest5yearDetails",
    "PD01F": "specialTrades", "PD01FH": "specialTradeDetails", "PD01G": "specialEvents",
    "PD01GH": "specialEventDetails", "PD01H": "largeSpecialInstalments", "PD01HH": "largeSpecialInstalmentDetails",
}  # fmt: skip
"""Names of an account's parts in camel case."""
Frames = tuple[tuple[str, str, bool, bool], ...]
"""For each item: what stands before a value and for an absent one, if it is an amount, if several are listed."""


def json_text(report: Report, form: Form) -> str:
    """The whole document."""
    parts = []
    for wrapper, unit in UNITS.items():
        found = [_unit(segments, unit, form) for segments in report.units.get(wrapper, [])]
        if form.kind == "camel" and wrapper == "PDA":
            parts.append(f'"accountInfos":[{",".join(found)}]')
            continue
        name = _spelt(wrapper, form.kind)
        inside = _several(_spelt(unit, form.kind), found, form) if wrapper in REPEATING else _one(found)
        parts.append(f'"{name}":{{{inside}}}' if inside else f'"{name}":null')
    return "{" + ",".join(parts) + "}"


def _spelt(name: str, kind: str) -> str:
    return name if kind == "json" else CAMEL.get(name, name.lower())


def _one(found: Sequence[str]) -> str:
    """The unit of a wrapper that has one, without the braces around it: ``{"PA01":{...}}`` gives what is inside."""
    return found[0][1:-1] if found else ""


def _several(name: str, rows: Sequence[str], form: Form) -> str:
    """A repeating node: no row is nothing, one row an object where converters made the document, else a list."""
    if not rows:
        return ""
    if len(rows) == 1 and form.kind == "json":
        return f'"{name}":{rows[0]}'
    return f'"{name}":[{",".join(rows)}]'


def _unit(segments: Unit, name: str, form: Form) -> str:
    """An object: of a unit that repeats its content, of another the unit itself under its name."""
    first = segments[0]
    if len(segments) == 1 and first.name == name and isinstance(first, Segment):
        inside = _inside(first, form)
    else:
        inside = ",".join([_segment(segment, form) for segment in segments])
    if name in _REPEATED:
        return f"{{{inside}}}"
    return f'{{"{_spelt(name, form.kind)}":{{{inside}}}}}' if inside else "{}"


_REPEATED = frozenset(UNITS[wrapper] for wrapper in REPEATING)


def _segment(segment: Segment | Months, form: Form) -> str:
    name = _spelt(segment.name, form.kind)
    inside = _months(segment, form) if isinstance(segment, Months) else _inside(segment, form)
    return f'"{name}":{{{inside}}}' if inside else f'"{name}":null'


def _inside(segment: Segment, form: Form) -> str:
    parts = []
    if segment.values:
        text = _items(_frames(segment.name, False, form.kind, form.absent), segment.values, form.commas)
        if text:
            parts.append(text)
    if segment.rows:
        frames = _frames(segment.name, True, form.kind, form.absent)
        rows = [f"{{{_items(frames, row, form.commas)}}}" for row in segment.rows]
        parts.append(_several(_spelt(GROUPS[segment.name], form.kind), rows, form))
    return ",".join(parts)


@cache
def _frames(name: str, repeated: bool, kind: str, absent: str) -> Frames:
    gap = {"missing": "", "empty": '"{}":""', "null": '"{}":null', "--": '"{}":"--"'}[absent]
    codes = ROWS[name] if repeated else SCALARS[name]
    names = [(code, _spelt(code, kind)) for code in codes]
    listed = kind == "json"
    return tuple((f'"{text}":', gap.replace("{}", text), is_amount(code), listed) for code, text in names)


def _items(frames: Frames, values: Sequence[Value], commas: bool) -> str:
    texts = [
        gap
        if value is None
        else f'{before}"{value:,}"'
        if commas and money and isinstance(value, int)
        else f'{before}"{value}"'
        if not isinstance(value, tuple)
        else f"{before}{_several_texts(value, listed)}"
        for (before, gap, money, listed), value in zip(frames, values, strict=True)
    ]
    return ",".join(filter(None, texts))


def _several_texts(texts: tuple[str, ...], listed: bool) -> str:
    """An item that repeats: converters list several, an interface joins them with commas."""
    if listed and len(texts) > 1:
        return "[" + ",".join([f'"{text}"' for text in texts]) + "]"
    return f'"{",".join(texts)}"'


def _months(months: Months, form: Form) -> str:
    name, first, marks, kind = months.name, months.first, months.marks, form.kind
    if not marks:
        return ""
    span: tuple[Value, ...] = (month_name(first), month_name(first + len(marks) - 1))
    sixty = name == "PD01E"
    rows = [_month(kind, sixty, month, mark) for month, mark in enumerate(marks, first)]
    if sixty:
        span = (*span, len(marks))
        for month, amount in months.amounts.items():
            text = f"{amount:,}" if form.commas else str(amount)
            rows[month - first] = _row60(kind, month, marks[month - first], text)
    head = _items(_frames(name, False, kind, form.absent), span, commas=False)
    return f"{head},{_several(_spelt(GROUPS[name], kind), rows, form)}"


@cache
def _month(kind: str, sixty: bool, month: int, mark: int) -> str:
    """One month without an overdue amount; most months of most accounts are one of few."""
    if sixty:
        return _row60(kind, month, mark, "" if mark == ord("#") else "0")
    if kind == "json":
        return f'{{"PD01DR03":"{month_name(month)}","PD01DD01":"{chr(mark)}"}}'
    return f'{{"pd01dr03":"{month_name(month)}","pd01dd01":"{chr(mark)}"}}'


def _row60(kind: str, month: int, mark: int, amount: str) -> str:
    if kind == "json":
        return f'{{"PD01ER03":"{month_name(month)}","PD01ED01":"{chr(mark)}","PD01EJ01":"{amount}"}}'
    return f'{{"pd01er03":"{month_name(month)}","pd01ed01":"{chr(mark)}","pd01ej01":"{amount}"}}'
