"""Reports as rows of tables: the relational copy, one ZIP of CSV files for the reports of a delivery.

``CR_PER_PDA`` has a row an account, ``CR_PER_PD01EH`` a row a month of one; a wrapper's row carries all items of its
unit that do not repeat. BATCH_ID is the report, ID numbers the rows of a table, PARENT_ID names the row above.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

from simulator.pboc_items import GROUPS, ROWS, SCALARS, SEGMENTS, UNITS
from simulator.pboc_tree import Months, Report, Unit, Value
from simulator.timeline import month_name

PREFIX = "CR_PER_"
Lines = dict[str, list[str]]
"""Table -> lines of CSV."""


@dataclass(frozen=True)
class Sheets:
    """The rows of one report; a delivery's reports share one file."""

    lines: Lines
    suffix: ClassVar[str] = "zip"

    def packed(self, others: Sequence[Sheets]) -> bytes:
        """The ZIP file of this report and others; every table is in it, if only as its header line."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for table, header in headers().items():
                lines = [header, *(line for one in (self, *others) for line in one.lines.get(table, ()))]
                # a fixed time, so that the same reports make the same bytes
                info = zipfile.ZipInfo(f"{table}.csv", (2020, 1, 1, 0, 0, 0))
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, "\n".join(lines) + "\n")
        return buffer.getvalue()


@cache
def headers() -> dict[str, str]:
    """Table -> its header line."""
    found = {}
    for wrapper, unit in UNITS.items():
        segments = SEGMENTS[unit]
        codes = [code for segment in segments for code in SCALARS[segment]]
        found[PREFIX + wrapper] = ",".join(["BATCH_ID", "ID", *codes])
        for segment in segments:
            if segment in ROWS:
                found[PREFIX + GROUPS[segment]] = ",".join(["PARENT_ID", *ROWS[segment]])
    return found


def sheets(report: Report) -> Sheets:
    """The rows of one report. IDs begin with the report's serial number, so that those of a delivery differ."""
    lines: Lines = {}
    for wrapper, unit in UNITS.items():
        for number, segments in enumerate(report.units.get(wrapper, [])):
            row = f"{report.serial}{number:03d}"
            values = _unit(lines, unit, segments, row)
            lines.setdefault(PREFIX + wrapper, []).append(f"{report.number},{row},{values}")
    return Sheets(lines)


def _unit(lines: Lines, unit: str, segments: Unit, row: str) -> str:
    """The unit's values as CSV; its repeating groups go to ``lines``."""
    given = {segment.name: segment for segment in segments}
    texts = []
    for name in SEGMENTS[unit]:
        segment, width = given.get(name), len(SCALARS[name])
        if segment is None:
            texts.append("," * (width - 1))
        elif isinstance(segment, Months):
            texts.append(_months(lines, segment, row))
        else:
            texts.append(_line(segment.values) if segment.values else "," * (width - 1))
            if segment.rows:
                below = lines.setdefault(PREFIX + GROUPS[name], [])
                below += [f"{row},{_line(values)}" for values in segment.rows]
    return ",".join(texts)


def _months(lines: Lines, months: Months, row: str) -> str:
    name, first, marks = months.name, months.first, months.marks
    sixty = name == "PD01E"
    if not marks:
        return ",," if sixty else ","
    below = lines.setdefault(PREFIX + GROUPS[name], [])
    for month, mark in enumerate(marks, first):
        if sixty:
            amount = str(months.amounts.get(month, "" if mark == ord("#") else 0))
            below.append(f"{row},{month_name(month)},{chr(mark)},{amount}")
        else:
            below.append(f"{row},{month_name(month)},{chr(mark)}")
    span = f"{month_name(first)},{month_name(first + len(marks) - 1)}"
    return f"{span},{len(marks)}" if sixty else span


def _line(values: Sequence[Value]) -> str:
    return ",".join(["" if value is None else _field(value) for value in values])


def _field(value: str | int | tuple[str, ...]) -> str:
    text = ",".join(value) if isinstance(value, tuple) else str(value)
    if "," in text or '"' in text:
        doubled = text.replace('"', '""')
        return f'"{doubled}"'
    return text
