"""The pictures of the report as SVG, drawn from the findings' own rows; colours come from the page's stylesheet."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from bluemirror.validation.evidence import Evidence
from bluemirror.validation.pack import Pack
from bluemirror.validation.ranking import roc

WIDTH, HEIGHT = 400, 270
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 10, 40
POINTS = 150
"""Corners of a curve that are drawn; more cannot be seen."""


@dataclass(frozen=True)
class Chart:
    """A picture with its title in two languages and a line on how to read it."""

    zh: str
    en: str
    svg: str
    reading: str


class Canvas:
    """A plot area with axes from 0 (or ``low``) to what is given; points are placed in its units."""

    def __init__(
        self, x: tuple[float, float], y: tuple[float, float], x_name: str, y_name: str, *, percent: str = ""
    ) -> None:
        self.x, self.y, self.percent = x, y, percent
        self.parts: list[str] = []
        for at in ticks(*y):
            self.parts.append(
                f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" '
                f'y1="{self.down(at):.1f}" y2="{self.down(at):.1f}"/>'
                f'<text class="at end" x="{LEFT - 5}" y="{self.down(at) + 3.5:.1f}">{self._told(at, "y")}</text>'
            )
        middle = LEFT + (WIDTH - LEFT - RIGHT) / 2
        self.parts.append(
            f'<text class="axis" x="{middle:.0f}" y="{HEIGHT - 4}">{escape(x_name)}</text>'
            f'<text class="axis" transform="translate(11 {TOP + (HEIGHT - TOP - BOTTOM) / 2:.0f}) rotate(-90)">'
            f"{escape(y_name)}</text>"
        )

    def across(self, value: float) -> float:
        """Pixels from the left."""
        return LEFT + (value - self.x[0]) / (self.x[1] - self.x[0]) * (WIDTH - LEFT - RIGHT)

    def down(self, value: float) -> float:
        """Pixels from the top."""
        return HEIGHT - BOTTOM - (value - self.y[0]) / (self.y[1] - self.y[0]) * (HEIGHT - TOP - BOTTOM)

    def numbers(self) -> None:
        """Numbers along the bottom."""
        for at in ticks(*self.x):
            self.name(at, self._told(at, "x"))

    def name(self, at: float, text: str) -> None:
        """A word below a place of the bottom."""
        self.parts.append(
            f'<text class="at mid" x="{self.across(at):.1f}" y="{HEIGHT - BOTTOM + 14}">{escape(text)}</text>'
        )

    def line(self, xs: Sequence[float], ys: Sequence[float], kind: str) -> None:
        """A line through points."""
        at = " ".join(f"{self.across(x):.1f},{self.down(y):.1f}" for x, y in zip(xs, ys, strict=True))
        self.parts.append(f'<polyline class="{kind}" points="{at}"/>')

    def whisker(self, x: float, low: float, high: float) -> None:
        """An interval at a place."""
        self.parts.append(
            f'<line class="whisker" x1="{self.across(x):.1f}" x2="{self.across(x):.1f}" '
            f'y1="{self.down(low):.1f}" y2="{self.down(high):.1f}"/>'
        )

    def dot(self, x: float, y: float, told: str) -> None:
        """A point that says what it is."""
        self.parts.append(
            f'<circle class="dot" cx="{self.across(x):.1f}" cy="{self.down(y):.1f}" r="3.4">'
            f"<title>{escape(told)}</title></circle>"
        )

    def bar(self, left: float, right: float, value: float, kind: str) -> None:
        """A bar from the bottom."""
        x, y = self.across(left), self.down(value)
        self.parts.append(
            f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{self.across(right) - x:.1f}" '
            f'height="{max(HEIGHT - BOTTOM - y, 0):.1f}"/>'
        )

    def svg(self, told: str) -> str:
        """The picture; ``told`` is read to those who cannot see it."""
        return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(told)}">{"".join(self.parts)}</svg>'

    def _told(self, at: float, axis: str) -> str:
        return f"{at * 100:g}%" if axis in self.percent else f"{at:g}"


def ticks(low: float, high: float) -> list[float]:
    """Some four to six round numbers from ``low`` to ``high``."""
    rough = (high - low) / 5
    step = 10 ** math.floor(math.log10(rough))
    step *= next(times for times in (1, 2, 5, 10) if times * step >= 0.8 * rough)
    first = math.ceil(low / step - 1e-9)
    return [round(at * step, 10) for at in range(first, math.floor(high / step + 1e-9) + 1)]


def charts(pack: Pack) -> list[Chart]:
    """Every picture that the evidence bears."""
    e = pack.evidence.fair
    found = [_roc(e), _distribution(e)]
    for draw, check in (
        (_curve, "hosmer_lemeshow"),
        (_grades, "grade_jeffreys"),
        (_months, "auc_by_month"),
        (_csi, "input_csi"),
    ):
        rows = pack[check].rows
        if rows:
            found.append(draw(rows))
    return found


def _roc(e: Evidence) -> Chart:
    canvas = Canvas((0, 1), (0, 1), "goods at or above a risk", "bads at or above it", percent="xy")
    canvas.numbers()
    canvas.line((0, 1), (0, 1), "level")
    for side, kind in ((e.train, "other"), (e.judging, "main")):
        goods, bads = roc(side.bad, side.probability)
        keep = np.unique(np.linspace(0, goods.size - 1, min(goods.size, POINTS)).astype(int))
        canvas.line(goods[keep].tolist(), bads[keep].tolist(), kind)
    reading = "Blue judging rows, grey training rows; the farther up and left the better."
    return Chart("ROC 曲线", "ROC curve", canvas.svg("ROC curves of both sides"), reading)


def _distribution(e: Evidence) -> Chart:
    p = np.clip(e.judging.probability, 1e-5, 1 - 1e-5)
    logit = np.log(p / (1 - p))
    edges = np.linspace(float(logit.min()), float(logit.max()) + 1e-9, 31)
    shares = {
        kind: np.histogram(logit[here], edges)[0] / max(int(here.sum()), 1)
        for kind, here in (("good", e.judging.bad == 0), ("bad", e.judging.bad == 1))
    }
    top = 1.08 * max(float(one.max()) for one in shares.values())
    canvas = Canvas(
        (float(edges[0]), float(edges[-1])),
        (0, top),
        "log odds of bad",
        "share of goods, of bads",
        percent="y",
    )
    canvas.numbers()
    for kind, heights in shares.items():
        for at, height in enumerate(heights.tolist()):
            canvas.bar(float(edges[at]), float(edges[at + 1]), height, kind)
    reading = "Goods blue, bads red, each adding up to one: the less they overlap the better."
    return Chart("好坏分布", "Goods and bads by score", canvas.svg("Distribution of the log odds"), reading)


def _curve(rows: Sequence[Mapping[str, Any]]) -> Chart:
    top = 1.05 * max(max(one["high"], one["predicted"]) for one in rows)
    canvas = Canvas((0, top), (0, top), "predicted", "observed", percent="xy")
    canvas.numbers()
    canvas.line((0, top), (0, top), "level")
    for one in rows:
        canvas.whisker(one["predicted"], one["low"], one["high"])
        rates = f"{one['predicted']:.2%} predicted, {one['observed']:.2%} observed"
        told = f"tenth {one['tenth']}: {rates}, {one['rows']:,} rows"
        canvas.dot(one["predicted"], one["observed"], told)
    reading = "A point a tenth of the judging rows, with Wilson's 95 % interval; on the line is right."
    return Chart("校准曲线", "Calibration", canvas.svg("Predicted against observed rates"), reading)


def _grades(rows: Sequence[Mapping[str, Any]]) -> Chart:
    top = 1.08 * max(max(one["observed"], one["predicted"]) for one in rows) or 1.0
    canvas = Canvas((0.4, len(rows) + 0.6), (0, top), "grade, 1 = the safest", "bad rate", percent="y")
    for at, one in enumerate(rows, 1):
        canvas.bar(at - 0.38, at, one["predicted"], "other")
        canvas.bar(at, at + 0.38, one["observed"], "main")
        canvas.name(at, str(one["grade"]))
    reading = "Grey predicted, blue observed; grades are tenths of the training rows."
    return Chart("等级坏率", "Bad rate by grade", canvas.svg("Bad rate by grade"), reading)


def _months(rows: Sequence[Mapping[str, Any]]) -> Chart:
    low = min(0.5, *(one["low"] for one in rows))
    canvas = Canvas((0.4, len(rows) + 0.6), (math.floor(low * 10) / 10, 1), "month", "AUC")
    for at, one in enumerate(rows, 1):
        canvas.whisker(at, one["low"], one["high"])
        canvas.dot(
            at, one["auc"], f"{one['month']}: {one['auc']:.3f}, {one['bads']:,} bads of {one['rows']:,} rows"
        )
        canvas.name(at, one["month"] if len(rows) <= 6 else one["month"][2:])
    reading = "With DeLong's 95 % interval."
    return Chart("分月 AUC", "AUC by month", canvas.svg("AUC of each judging month"), reading)


def _csi(rows: Sequence[Mapping[str, Any]]) -> Chart:
    shown = rows[:12]
    top = max(0.12, 1.1 * max(one["csi"] for one in shown))
    room, height = 150, (HEIGHT - 24) / max(len(shown), 6)
    scale = (WIDTH - room - 52) / top
    at_limit = room + 0.1 * scale
    parts = [f'<text class="at mid" x="{at_limit:.1f}" y="{HEIGHT - 8}">0.1</text>']
    parts += [f'<line class="limit" x1="{at_limit:.1f}" x2="{at_limit:.1f}" y1="0" y2="{HEIGHT - 20}"/>']
    for at, one in enumerate(shown):
        top_of, middle, length = at * height + 2, (at + 0.5) * height + 3.5, one["csi"] * scale
        name = one["variable"] if len(one["variable"]) <= 25 else one["variable"][:24] + "…"
        told = f"<title>{escape(one['variable'])}</title>"
        parts += [
            f'<text class="at end" x="{room - 6}" y="{middle:.1f}">{escape(name)}{told}</text>',
            f'<rect class="main" x="{room}" y="{top_of:.1f}" width="{max(length, 1):.1f}" height="{height - 5:.1f}"/>',
            f'<text class="at halo" x="{room + length + 5:.1f}" y="{middle:.1f}">{one["csi"]:.3f}</text>',
        ]
    svg = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Stability of the inputs">{"".join(parts)}</svg>'
    reading = "Those that moved most from training to judging; from 0.1 on it is looked at."
    return Chart("变量 CSI", "Stability of the inputs", svg, reading)
