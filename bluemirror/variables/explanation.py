"""An explanation as a value that introduces itself, in text and HTML."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from bluemirror.variables.variable import Variable

LISTED = 30
"""Rows listed of those that count; all of them are in ``rows``."""

EXAMPLES = 5
"""Rows listed of those left out for one reason."""


@dataclass(frozen=True)
class ShownRow:
    """One mart row behind a value: where it landed, its two times, the columns used, and why it counts or not."""

    file: str
    line: int
    event_time: dt.datetime
    known_time: dt.datetime
    counts: bool
    reason: str
    unit: str | None
    values: Mapping[str, Any]

    def cells(self) -> list[str]:
        """The row as text, cell by cell."""
        used = ", ".join(f"{name}={_text(value)}" for name, value in self.values.items())
        unit = f"unit {self.unit}; " if self.unit is not None else ""
        return [
            f"{self.file}:{self.line}",
            _text(self.event_time),
            _text(self.known_time),
            unit + used,
            self.reason,
        ]


@dataclass(frozen=True)
class Explanation:
    """The rows behind a value.

    Attributes
    ----------
    answered
        What the source said about the observation: ``answered``, or why it said nothing.
    stored, recomputed
        The value in the store, and the same computed row by row; None is null.
    rows
        Every row with a say, oldest first.
    parts
        Of a number made of two variables: their explanations.
    window
        The days that are looked at, in words; "" where all of the past is.
    units
        Of a variable of two levels: the value of each unit of the middle level, by the number that its rows show.
    """

    variable: Variable
    observation_id: str
    as_of: dt.datetime
    answered: str
    stored: float | None
    recomputed: float | None
    rows: tuple[ShownRow, ...] = ()
    parts: tuple[Explanation, ...] = ()
    window: str = ""
    units: Mapping[str, float | None] = field(default_factory=dict)

    @property
    def agrees(self) -> bool:
        """Whether the stored value is the recomputed one, to the precision of a stored number."""
        if self.stored is None or self.recomputed is None:
            return self.stored is None and self.recomputed is None
        return abs(self.stored - self.recomputed) <= 1e-5 * max(abs(self.stored), abs(self.recomputed), 1e-6)

    @property
    def counted(self) -> tuple[ShownRow, ...]:
        """The rows that count."""
        return tuple(row for row in self.rows if row.counts)

    @property
    def left_out(self) -> tuple[ShownRow, ...]:
        """The rows that do not count."""
        return tuple(row for row in self.rows if not row.counts)

    def as_dict(self) -> dict[str, Any]:
        """The explanation as plain values."""
        return {
            "variable": self.variable.name,
            "observation": self.observation_id,
            "as_of": self.as_of.isoformat(),
            "answered": self.answered,
            "stored": self.stored,
            "recomputed": self.recomputed,
            "agrees": self.agrees,
            "window": self.window,
            "units": dict(self.units),
            "rows": [
                {
                    "file": row.file,
                    "line": row.line,
                    "event_time": _text(row.event_time),
                    "known_time": _text(row.known_time),
                    "counts": row.counts,
                    "reason": row.reason,
                    "unit": row.unit,
                    "values": {name: _text(value) for name, value in row.values.items()},
                }
                for row in self.rows
            ],
            "parts": [part.as_dict() for part in self.parts],
        }

    def _head(self) -> list[str]:
        variable = self.variable
        verdict = "the same" if self.agrees else "DIFFERENT from the stored value"
        lines = [
            f"{variable.name} of {self.observation_id} as of {_text(self.as_of)}",
            f"{variable.label_zh} / {variable.label_en} [{variable.unit}]",
            f"source {variable.source}: {self.answered}",
            f"stored {_number(self.stored)}; recomputed from the rows {_number(self.recomputed)}: {verdict}"
            + (
                f" (null: {variable.null_means})"
                if self.stored is None and self.answered == "answered"
                else ""
            ),
        ]
        if self.window:
            lines.append(f"looks at {self.window}")
        if self.units:
            several = [f"{unit}: {_number(value)}" for unit, value in self.units.items()]
            rest = f" ... and {len(several) - LISTED} more" if len(several) > LISTED else ""
            lines.append(f"by unit {'; '.join(several[:LISTED])}{rest}")
        return lines

    def _reasons(self) -> list[tuple[str, list[ShownRow]]]:
        """The rows left out by reason, the most frequent first."""
        by_reason: dict[str, list[ShownRow]] = {}
        for row in self.left_out:
            by_reason.setdefault(row.reason, []).append(row)
        return sorted(by_reason.items(), key=lambda one: -len(one[1]))

    def __str__(self) -> str:
        lines = self._head()
        for part in self.parts:
            lines += ["", *str(part).splitlines()]
        if not self.parts:
            lines += ["", f"{_rows(self.counted, 'counts', 'count')}", *_lines(self.counted, LISTED)]
            lines += ["", f"{_rows(self.left_out, 'is left out', 'are left out')}"]
            for reason, rows in self._reasons():
                lines += [f"{len(rows)} {reason}", *_lines(rows, EXAMPLES, why=False)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = "<br>".join(escape(line) for line in self._head())
        parts = "".join(part._repr_html_() for part in self.parts)
        tables = ""
        if not self.parts:
            tables = _table(_rows(self.counted, "counts", "count"), self.counted, LISTED)
            tables += f"<p>{_rows(self.left_out, 'is left out', 'are left out')}</p>"
            for reason, rows in self._reasons():
                tables += _table(f"{len(rows)} {reason}", rows, EXAMPLES, why=False)
        return f"<div><p>{head}</p>{parts}{tables}</div>"


def _rows(rows: Sequence[ShownRow], one: str, many: str) -> str:
    if not rows:
        return f"no row {one}"
    return f"1 row {one}:" if len(rows) == 1 else f"{len(rows)} rows {many}:"


HEADINGS = ("file:line", "event time", "known time", "values", "why")


def _lines(rows: Sequence[ShownRow], most: int, *, why: bool = True) -> list[str]:
    """The newest ``most`` rows under their headings; the last column, the reason, only where rows differ in it."""
    listed = _listed(rows, most, why)
    if not listed:
        return []
    shown = [list(HEADINGS[: len(listed[0])]), *listed]
    widths = [max(len(row[i]) for row in shown) for i in range(len(shown[0]))]
    lines = [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in shown
    ]
    if len(rows) > most:
        lines.append(f"  ... and {len(rows) - most} older")
    return lines


def _listed(rows: Sequence[ShownRow], most: int, why: bool) -> list[list[str]]:
    told = why and any(row.reason for row in rows)
    return [row.cells()[: None if told else -1] for row in rows[-most:]]


def _table(title: str, rows: Sequence[ShownRow], most: int, *, why: bool = True) -> str:
    listed = _listed(rows, most, why)
    if not listed:
        return f"<p>{escape(title)}</p>"
    head = "".join(
        f"<th style='text-align:left'>{heading}</th>" for heading, _ in zip(HEADINGS, listed[0], strict=False)
    )
    body = "".join(
        "<tr>" + "".join(f"<td style='text-align:left'>{escape(cell)}</td>" for cell in row) + "</tr>"
        for row in listed
    )
    older = f"<p>... and {len(rows) - most} older</p>" if len(rows) > most else ""
    return f"<p>{escape(title)}</p><table><tr>{head}</tr>{body}</table>{older}"


def _number(value: float | None) -> str:
    return "null" if value is None else f"{value:.9g}"


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return f"{value:.9g}" if isinstance(value, float) else str(value)
