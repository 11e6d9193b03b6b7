"""An explanation as a value that introduces itself, in text and HTML."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from bluemirror.variables.variable import Variable

LISTED = 30
"""Rows listed of each kind; all of them are in ``rows``."""


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
    """

    variable: Variable
    observation_id: str
    as_of: dt.datetime
    answered: str
    stored: float | None
    recomputed: float | None
    rows: tuple[ShownRow, ...] = ()
    parts: tuple[Explanation, ...] = ()

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
        return [
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

    def __str__(self) -> str:
        lines = self._head()
        for part in self.parts:
            lines += ["", *str(part).splitlines()]
        if not self.parts:
            lines += ["", f"{len(self.counted)} rows count:", *_lines(self.counted)]
            lines += ["", f"{len(self.left_out)} rows do not:"]
            counts = Counter(row.reason for row in self.left_out)
            lines += [f"  {count} {reason}" for reason, count in counts.most_common()]
            lines += _lines(self.left_out)
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = "<br>".join(escape(line) for line in self._head())
        parts = "".join(part._repr_html_() for part in self.parts)
        tables = ""
        if not self.parts:
            tables = _table(f"{len(self.counted)} rows count", self.counted) + _table(
                f"{len(self.left_out)} rows do not", self.left_out
            )
        return f"<div><p>{head}</p>{parts}{tables}</div>"


HEADINGS = ("file:line", "event time", "known time", "values", "why")


def _lines(rows: Sequence[ShownRow]) -> list[str]:
    listed = [row.cells() for row in rows[-LISTED:]]
    if not listed:
        return []
    widths = [max(len(row[i]) for row in [list(HEADINGS), *listed]) for i in range(len(HEADINGS))]
    lines = [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [list(HEADINGS), *listed]
    ]
    if len(rows) > LISTED:
        lines.append(f"  ... and {len(rows) - LISTED} older")
    return lines


def _table(title: str, rows: Sequence[ShownRow]) -> str:
    head = "".join(f"<th style='text-align:left'>{heading}</th>" for heading in HEADINGS)
    body = "".join(
        "<tr>" + "".join(f"<td style='text-align:left'>{escape(cell)}</td>" for cell in row.cells()) + "</tr>"
        for row in rows[-LISTED:]
    )
    return (
        f"<p>{escape(title)}</p><table><tr>{head}</tr>{body}</table>" if rows else f"<p>{escape(title)}</p>"
    )


def _number(value: float | None) -> str:
    return "null" if value is None else f"{value:.9g}"


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return str(value)
