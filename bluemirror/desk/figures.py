"""How the desk writes its figures: short, with a dash for what there is none of."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

NONE = "–"


def count(value: float | None) -> str:
    """A whole number with thousands separated."""
    return NONE if value is None else f"{value:,.0f}"


def short(value: float | None) -> str:
    """A number in at most five characters: 950, 12.3k, 4.5M."""
    if value is None:
        return NONE
    for size, sign in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            part = value / (1e3 if sign == "k" else size)
            return f"{part:.1f}{sign}" if abs(part) < 100 else f"{part:.0f}{sign}"
    return f"{value:,.0f}"


def percent(share: float | None, digits: int = 1) -> str:
    """A share in percent."""
    return NONE if share is None else f"{100 * share:.{digits}f}%"


def yuan(value: float | None, digits: int = 2) -> str:
    """An amount in yuan."""
    return NONE if value is None else f"{value:,.{digits}f}"


def milliseconds(value: float | None) -> str:
    """A latency."""
    return NONE if value is None else f"{value:,.0f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], numbers: int = 0, kind: str = "") -> str:
    """An HTML table of escaped cells; the last ``numbers`` columns are numbers."""
    if not rows:
        return ""
    text = len(head) - numbers

    def cell(tag: str, position: int, value: str) -> str:
        style = ' class="n"' if position >= text else ""
        return f"<{tag}{style}>{escape(value)}</{tag}>"

    top = "".join(cell("th", position, name) for position, name in enumerate(head))
    body = "".join(
        "<tr>" + "".join(cell("td", position, value) for position, value in enumerate(row)) + "</tr>"
        for row in rows
    )
    return f'<table class="{escape(kind)}"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>'
