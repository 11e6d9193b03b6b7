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


def html_table(title: str, rows: Sequence[Mapping[str, Any]], limit: int = 60) -> str:
    """A titled table; every value escaped, at most ``limit`` rows, the rest counted."""
    if not rows:
        return f"<h4>{escape(title)}</h4><p>no rows</p>"
    head = "".join(f"<th>{escape(str(k))}</th>" for k in rows[0])
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(show(v))}</td>" for v in row.values()) + "</tr>"
        for row in rows[:limit]
    )
    more = f"<p>and {len(rows) - limit} more</p>" if len(rows) > limit else ""
    return f"<h4>{escape(title)}</h4><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"
