"""The two serialisations of a bureau report: XML, and the JSON that converters make of it.

Text is assembled from pieces; a report holds some ten thousand elements and a tree per report would take
most of a simulation's time. The JSON's quirks are kept: a group of one is an object, an empty segment is
null, absent values are missing, empty, null or ``--``, some amounts carry thousands commas.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from simulator.timeline import month_name

ABSENT = ("missing", "empty", "null", "--")


@dataclass(frozen=True)
class Form:
    """How one report is written.

    Parameters
    ----------
    json
        JSON instead of XML.
    absent
        How absent values appear, one of ``ABSENT`` (in XML null is written as an empty element).
    commas
        Whether amounts carry thousands commas.
    """

    json: bool
    absent: str
    commas: bool

    def items(self, codes: Sequence[str], values: Iterable[str | int | None]) -> str:
        """Leaf items of a segment, without the segment itself."""
        if self.json:
            gap = {"missing": "", "empty": '"{}":""', "null": '"{}":null', "--": '"{}":"--"'}[self.absent]
            texts = [
                f'"{c}":"{v}"' if v is not None else gap.replace("{}", c)
                for c, v in zip(codes, values, strict=True)
            ]
            return ",".join(filter(None, texts))
        gap = {"missing": "", "empty": "<{}></{}>", "null": "<{}/>", "--": "<{}>--</{}>"}[self.absent]
        return "".join(
            [
                f"<{c}>{v}</{c}>" if v is not None else gap.replace("{}", c)
                for c, v in zip(codes, values, strict=True)
            ]
        )

    def segment(self, name: str, *inside: str) -> str:
        """A named node around what is inside; nothing inside makes an empty segment."""
        if self.json:
            body = ",".join(filter(None, inside))
            return f'"{name}":{{{body}}}' if body else f'"{name}":null'
        body = "".join(inside)
        return f"<{name}>{body}</{name}>" if body else f"<{name}/>"

    def group(self, name: str, rows: Sequence[str]) -> str:
        """A repeating node; in JSON one row collapses to an object, no row to nothing."""
        if not rows:
            return ""
        if self.json:
            if len(rows) == 1:
                return f'"{name}":{{{rows[0]}}}'
            return f'"{name}":[' + ",".join(["{" + row + "}" for row in rows]) + "]"
        return "".join([f"<{name}>{row}</{name}>" for row in rows])

    def amount(self, value: int) -> str:
        """Whole yuan as text."""
        return f"{value:,}" if self.commas else str(value)

    def document(self, *wrappers: str) -> str:
        """The whole report."""
        if self.json:
            return "{" + ",".join(wrappers) + "}"
        return '<?xml version="1.0" encoding="UTF-8"?><Document>' + "".join(wrappers) + "</Document>"


_PIECES: dict[tuple[bool, bool, int, int], str] = {}


def _piece(json: bool, sixty: bool, month: int, mark: int) -> str:
    """One month of history without an overdue amount, remembered for the next account."""
    key = (json, sixty, month, mark)
    text = _PIECES.get(key)
    if text is None:
        name, char = month_name(month), chr(mark)
        amount = "" if char == "#" else "0"
        if json:
            inner = f'"PD01DR03":"{name}","PD01DD01":"{char}"'
            if sixty:
                inner = f'"PD01ER03":"{name}","PD01ED01":"{char}","PD01EJ01":"{amount}"'
            text = "{" + inner + "}"
        elif sixty:
            text = f"<PD01EH><PD01ER03>{name}</PD01ER03><PD01ED01>{char}</PD01ED01>"
            text += f"<PD01EJ01>{amount}</PD01EJ01></PD01EH>"
        else:
            text = f"<PD01DH><PD01DR03>{name}</PD01DR03><PD01DD01>{char}</PD01DD01></PD01DH>"
        _PIECES[key] = text
    return text


def history24(form: Form, first: int, marks: bytes) -> str:
    """PD01D: the months from ``first`` on, one status character each."""
    head = form.items(("PD01DR01", "PD01DR02"), (month_name(first), month_name(first + len(marks) - 1)))
    rows = [_piece(form.json, False, month, mark) for month, mark in enumerate(marks, first)]
    if form.json:
        return f'"PD01D":{{{head},"PD01DH":[' + ",".join(rows) + "]}"
    return f"<PD01D>{head}" + "".join(rows) + "</PD01D>"


def history60(form: Form, first: int, marks: bytes, amounts: dict[int, int]) -> str:
    """PD01E: the months from ``first`` on; ``amounts`` holds the overdue total of the months that have one."""
    last = first + len(marks) - 1
    head = form.items(("PD01ER01", "PD01ER02", "PD01ES01"), (month_name(first), month_name(last), len(marks)))
    rows = [_piece(form.json, True, month, mark) for month, mark in enumerate(marks, first)]
    for month, amount in amounts.items():
        name, char, text = month_name(month), chr(marks[month - first]), form.amount(amount)
        if form.json:
            rows[month - first] = f'{{"PD01ER03":"{name}","PD01ED01":"{char}","PD01EJ01":"{text}"}}'
        else:
            rows[month - first] = (
                f"<PD01EH><PD01ER03>{name}</PD01ER03><PD01ED01>{char}</PD01ED01><PD01EJ01>{text}</PD01EJ01></PD01EH>"
            )
    if form.json:
        inside = rows[0] if len(rows) == 1 else "[" + ",".join(rows) + "]"
        return f'"PD01E":{{{head},"PD01EH":{inside}}}'
    return f"<PD01E>{head}" + "".join(rows) + "</PD01E>"
