"""How the values of this package show themselves in a notebook: escaped HTML from plain rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any


def show(value: Any) -> str:
    """One value as text: four significant digits, an empty text for nothing."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def html_table(
    title: str, rows: Sequence[Mapping[str, Any]], limit: int = 60, bars: Sequence[str] = ()
) -> str:
    """A titled table; every value escaped, at most ``limit`` rows, the rest counted.

    Behind the numbers of the columns ``bars`` stands a bar as long as the number, the longest as wide as the column;
    a number below 0 has a bar of another colour.
    """
    if not rows:
        return f"<h4>{escape(title)}</h4><p>no rows</p>"
    head = "".join(f"<th>{escape(str(k))}</th>" for k in rows[0])
    most = {k: max((abs(r[k]) for r in rows if r[k] is not None), default=0) for k in bars}
    body = "".join(
        "<tr>"
        + "".join(f"<td{_bar(v, most.get(k, 0))}>{escape(show(v))}</td>" for k, v in row.items())
        + "</tr>"
        for row in rows[:limit]
    )
    more = f"<p>and {len(rows) - limit} more</p>" if len(rows) > limit else ""
    return f"<h4>{escape(title)}</h4><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _bar(value: Any, most: float) -> str:
    """The style of a cell with a bar, or nothing."""
    if not most or value is None:
        return ""
    width = round(100 * abs(value) / most)
    colour = "#cfe0f5" if value >= 0 else "#f5d6cf"
    return f' style="background:linear-gradient(90deg,{colour} {width}%,transparent {width}%)"'
