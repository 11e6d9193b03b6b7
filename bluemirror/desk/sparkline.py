"""A line of days as a small inline SVG: no axis, no library; gaps stay gaps."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 132, 30


def sparkline(
    values: Sequence[float | None],
    title: str,
    *,
    promised: float | None = None,
    width: int = WIDTH,
    height: int = HEIGHT,
    least: float | None = None,
    most: float | None = None,
) -> str:
    """An SVG of one value a day, the newest at the right and marked.

    Parameters
    ----------
    values
        One a day; None draws nothing.
    title
        What a reader of the page hears, and sees on hovering; escaped here.
    promised
        A level to draw as a dashed line.
    least, most
        Ends of the scale; by default 0 (or the least value) and the greatest value.
    """
    known = [value for value in values if value is not None]
    if not known:
        return '<span class="none">–</span>'
    levels = known + ([promised] if promised is not None else [])
    low = least if least is not None else min(0.0, *levels)
    high = most if most is not None else max(levels)
    span = (high - low) or 1.0
    step = (width - 4) / max(len(values) - 1, 1)

    def x(day: int) -> str:
        return f"{2 + day * step:.1f}"

    def y(value: float) -> str:
        return f"{height - 2 - (min(max(value, low), high) - low) / span * (height - 4):.1f}"

    parts = []
    if promised is not None:
        parts.append(
            f'<line class="promised" x1="2" x2="{width - 2}" y1="{y(promised)}" y2="{y(promised)}"/>'
        )
    for run in _runs(values):
        points = " ".join(f"{x(day)},{y(value)}" for day, value in run)
        parts.append(
            f'<polyline points="{points}"/>'
            if len(run) > 1
            else f'<circle class="dot" cx="{x(run[0][0])}" cy="{y(run[0][1])}" r="1"/>'
        )
    last = max(day for day, value in enumerate(values) if value is not None)
    newest = values[last]
    assert newest is not None
    parts.append(f'<circle class="end" cx="{x(last)}" cy="{y(newest)}" r="2"/>')
    return (
        f'<svg class="spark" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )


def _runs(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """Stretches of days that have a value."""
    runs: list[list[tuple[int, float]]] = [[]]
    for day, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((day, value))
    return [run for run in runs if run]
