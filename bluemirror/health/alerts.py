"""What moved, told a source: however many variables of a vendor moved, they are one alert.

* Variables across sources are told with the source that moved by itself; only if none did, on their own.
* The call ledger's own variables move with whoever falls silent: they are told with it.
* If most sources moved at once, it is the people who are looked at that changed, or the night itself: one alert.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from bluemirror.desk.alerts import ERROR, WARN, Kind
from bluemirror.desk.evidence import ENOUGH, evidence_below, share_range
from bluemirror.health.tables import ALERT_SCHEMA, REASON_COLUMNS

SEVERE = 0.2
"""Share of a source's variables moved that, if any of them did within a week, makes a warning an error."""
DRIFTED = 0.2
"""Share of a source's variables away from the training window from which on that alone is an alert: single ones drift
with every year that passes (days since the first of anything), and stand in the table with their PSI."""
FELL_SILENT = 0.5
"""A source whose share of answers falls below this part of what it was is told as silent."""
TOGETHER, LEAST_TOGETHER = 0.5, 6
"""Share of the sources, and how many at least, that make one alert of all when they move in the same week."""
NAMED = 8
"""Variables that an alert lists, the farthest moved first."""
COVERAGE_TOLD = 0.2
"""Change of a variable's coverage from which on an alert tells it rather than the mean."""
POPULATION = "population"
"""Stands for the source where most of them moved."""

KINDS = {
    "silent": Kind(
        "week",
        "不再应答",
        "fell silent",
        "look at the source's calls first (bluemirror sources SOURCE); until it answers again, hold models that use it",
    ),
    "broke": Kind(
        "week",
        "一周内突变",
        "moved within a week",
        "ask the source what changed (unit, scale, codes, coverage) before scores that use these variables go out",
    ),
    "drifted": Kind(
        "training",
        "偏离训练窗口",
        "drifted from training",
        "compare who applies now with the training window; look at the PSI of the models that use these variables",
    ),
    "population": Kind(
        "week",
        "多数来源同时变化",
        "most sources moved",
        "look at who was described this week (channel, campaign, product) and at the night itself before any vendor",
    ),
}
"""Every kind of alert by name; its check is ``week`` or ``training``."""

CHECKS = {
    "week": ("与上周相比", "against last week"),
    "training": ("与训练窗口相比", "against the training window"),
}
"""What the variables are checked against: name -> Chinese and English label."""


@dataclass
class _Source:
    """What moved of one source, and what is told with it."""

    name: str
    rows: pl.DataFrame
    shares: Mapping[str, tuple[float, float]]
    silent: bool
    together: list[str] = field(default_factory=list)

    @property
    def moved(self) -> pl.DataFrame:
        """Moved variables, those that moved within the week first, the farthest first."""
        moved = self.rows.filter(pl.col("moved_week") | pl.col("moved_training"))
        psi = pl.max_horizontal(
            pl.when("moved_week").then("psi_week"), pl.when("moved_training").then("psi_training")
        )
        return moved.with_columns(psi=psi).sort(
            ["moved_week", "psi", "variable"], descending=[True, True, False]
        )

    @property
    def week(self) -> int:
        """Variables that moved within the week."""
        return int(self.rows["moved_week"].sum())

    @property
    def training(self) -> int:
        """Variables that moved away from the training window."""
        return int(self.rows["moved_training"].sum())


def find_alerts(
    as_of: dt.date, variables: pl.DataFrame, blocks: pl.DataFrame, earlier: pl.DataFrame, ledger: str = ""
) -> pl.DataFrame:
    """The alerts of a night, one row a source: errors first, then the most moved.

    Parameters
    ----------
    variables, blocks
        The night's rows of ``variable_health`` and ``block_health``.
    earlier
        The alerts of the night before: what is in both goes on.
    ledger
        Source of the call ledger.
    """
    if not len(variables):
        return pl.DataFrame(schema=ALERT_SCHEMA)
    known = {
        name: _Source(name, rows, *_answers(blocks.filter(pl.col("source") == name)))
        for (name,), rows in variables.group_by("source", maintain_order=True)
        if isinstance(name, str)
    }
    moved = {name: one for name, one in known.items() if one.week or one.training}
    _gather(moved, ledger)
    moved = {name: one for name, one in moved.items() if one.week or one.training >= DRIFTED * len(one.rows)}
    week = [one for one in moved.values() if one.week]
    judged = [one for one in known.values() if "+" not in one.name and one.rows["psi_week"].count()]
    rows = []
    if len(week) >= max(LEAST_TOGETHER, TOGETHER * len(judged)):
        rows.append(_population(week, len(judged)))
        moved = {name: one for name, one in moved.items() if not one.week}
    rows += [_row(one) for one in moved.values()]
    since = dict(zip(earlier["source"], earlier["since"], strict=True)) if len(earlier) else {}
    for row in rows:
        row |= {"as_of": as_of, "since": since.get(row["source"], as_of)}
    frame = pl.DataFrame(rows, schema=ALERT_SCHEMA)
    return frame.sort(
        [pl.col("severity") != ERROR, -pl.col("moved_week"), -pl.col("moved_training"), pl.col("source")]
    )


def _gather(moved: dict[str, _Source], ledger: str) -> None:
    """Take out what is told with another source, and note it there."""
    for name in [name for name in moved if "+" in name]:
        causes = [moved[part] for part in name.split("+") if part in moved]
        # Within the week first: what broke tonight explains more than what drifted in a year.
        causes.sort(key=lambda one: (-one.week, -one.training))
        if causes:
            causes[0].together.append(name)
            del moved[name]
    others = [one for name, one in moved.items() if name != ledger and one.week]
    if ledger in moved and any(one.silent for one in others):
        next(one for one in others if one.silent).together.append(ledger)
        del moved[ledger]


def _answers(blocks: pl.DataFrame) -> tuple[dict[str, tuple[float, float]], bool]:
    """Reason -> its share before and now, over a source's blocks; and whether the source fell silent."""
    prefix = (
        "week_" if int(blocks.select(pl.sum_horizontal(_names("week_")).sum()).item() or 0) else "training_"
    )
    now = [int(blocks[name].sum()) for name in REASON_COLUMNS]
    before = [int(blocks[name].sum()) for name in _names(prefix)]
    rows, rows_before = sum(now), sum(before)
    if not rows or not rows_before:
        return {}, False
    shares = {
        name: (was / rows_before, are / rows)
        for name, was, are in zip(REASON_COLUMNS, before, now, strict=True)
    }
    # The blocks of one source look at the same answers: they are evidence once.
    same = len(blocks)
    low, _ = share_range(before[0] // same, rows_before // same)
    evidence = evidence_below(now[0] // same, rows // same, low)
    was, is_now = shares[REASON_COLUMNS[0]]
    return shares, evidence >= ENOUGH and is_now < FELL_SILENT * was


def _names(prefix: str) -> list[str]:
    return [f"{prefix}{name}" for name in REASON_COLUMNS]


def _row(one: _Source) -> dict[str, Any]:
    kind = "silent" if one.silent else "broke" if one.week else "drifted"
    # A week that is broken for two days only moves few against last week; the training window is the longer memory.
    severe = one.silent or (one.week > 0 and max(one.week, one.training) >= SEVERE * len(one.rows))
    return {
        "source": one.name,
        "kind": kind,
        "severity": ERROR if severe else WARN,
        "cause": _cause(one),
        "todo": KINDS[kind].todo,
        "variables": len(one.rows),
        "moved_week": one.week,
        "moved_training": one.training,
        "moved": one.moved["variable"].head(NAMED).to_list(),
        "together": one.together,
    }


def _cause(one: _Source) -> str:
    parts = []
    if one.week:
        parts.append(f"{one.week:,} of {len(one.rows):,} variables moved against last week")
    if one.training:
        of = "" if one.week else f" of {len(one.rows):,} variables"
        parts.append(f"{one.training:,}{of} moved away from the training window")
    changed = [
        f"{name.replace('_', ' ')} {was:.0%} to {now:.0%}"
        for name, (was, now) in one.shares.items()
        if abs(now - was) >= 0.05
    ]
    if changed and (one.week or one.silent):
        parts.append(", ".join(changed))
    first = one.moved.row(0, named=True)
    parts.append(f"farthest {first['variable']}, PSI {first['psi']:.2f}" + _means(first))
    if one.together:
        parts.append(f"with {', '.join(_shortened(one.together))}")
    return "; ".join(parts)


def _means(row: Mapping[str, Any]) -> str:
    """What became of the variable: of its coverage, if that is what changed, else of its mean."""
    covered, covers = row["training_coverage"] or 0.0, row["coverage"] or 0.0
    was, now = row["training_mean"], row["mean"]
    if was is None or now is None or abs(covers - covered) >= COVERAGE_TOLD:
        return f", coverage {covered:.0%} to {covers:.0%}"
    return f", mean {was:.4g} to {now:.4g}"


def _shortened(names: Iterable[str], most: int = 4) -> list[str]:
    each = list(names)
    return each[:most] + ([f"{len(each) - most} more"] if len(each) > most else [])


def _population(moved: list[_Source], judged: int) -> dict[str, Any]:
    ordered = sorted(moved, key=lambda one: -one.week)
    singles = [one for one in ordered if "+" not in one.name]
    names = [one.name for one in ordered]
    return {
        "source": POPULATION,
        "kind": "population",
        "severity": ERROR,
        "cause": f"{len(singles)} of {judged} sources moved against last week: {', '.join(_shortened(names, 8))}",
        "todo": KINDS["population"].todo,
        "variables": sum(len(one.rows) for one in ordered),
        "moved_week": sum(one.week for one in ordered),
        "moved_training": sum(one.training for one in ordered),
        "moved": [name for one in ordered for name in one.moved["variable"].head(1)][:NAMED],
        "together": names,
    }
