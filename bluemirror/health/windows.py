"""Which observations a night looks at: those of its week, of the week before, and of the training window.

A week is the seven days that end with the newest day on which anything was described. Within a week each entity counts
once, with its newest observation: of a portfolio that is described every night this is tonight's row, of applications
the last one. So the rows of a week are independent of each other, which is what the limits of PSI assume.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bluemirror.clock import ONE_DAY, add_months, month_start

if TYPE_CHECKING:
    from bluemirror.scorecards.spec import ModelSpec

WEEK = 7
"""Days of a week."""

MONTHS_WITHOUT_MODEL = 12
"""Months of the training window of a set that no model with a split by time uses."""


@dataclass(frozen=True)
class TrainingWindow:
    """First and last day of what the models of a set were trained on; ``of`` names them, or says what it is instead."""

    first: dt.date
    last: dt.date
    of: str


@dataclass(frozen=True)
class Segments:
    """The rows that a night reads of one observation set, in the order in which their values are laid out.

    Parameters
    ----------
    last
        Last day of the recent week; None if the set has no observation by then.
    training
        The window that the recent week is held against.
    rows
        observation_id and ``place``, the row's place in the layout: recent week, week before, training window.
    recent, before, reference
        Number of rows of the three segments.
    week
        Shape (reference,): week of each training row, counted from the first day of the window.
    """

    last: dt.date | None
    training: TrainingWindow
    rows: pl.DataFrame
    recent: int
    before: int
    reference: int
    week: NDArray[np.int32]

    def digest(self, segment: str) -> str:
        """Twelve hex digits of the observations of ``recent``, ``before`` or ``reference``."""
        start = {"recent": 0, "before": self.recent, "reference": self.recent + self.before}[segment]
        ids = self.rows["observation_id"][start : start + getattr(self, segment)]
        return hashlib.sha256("\n".join(ids.to_list()).encode()).hexdigest()[:12]


def training_window(specs: Iterable[ModelSpec], observation_set: str, last: dt.date) -> TrainingWindow:
    """What the models of a set train on, from the first day of any of them to the last.

    A window that moves with the data is taken as of the first of the month, so that what is held against it stays the
    same for a month. Without such a model: the twelve calendar months that end before the two weeks.
    """
    as_of = month_start(last)
    windows = [
        (spec.split.train_from.on(as_of), spec.split.train_to.on(as_of), spec.name)
        for spec in specs
        if spec.observation_set == observation_set and spec.split.train_from and spec.split.train_to
    ]
    if windows:
        names = ", ".join(sorted(name for _, _, name in windows))
        return TrainingWindow(min(one[0] for one in windows), max(one[1] for one in windows), names)
    end = month_start(last - (2 * WEEK - 1) * ONE_DAY)
    return TrainingWindow(add_months(end, -MONTHS_WITHOUT_MODEL), end - ONE_DAY, "")


def segments(
    observations: pl.DataFrame, entity: str, as_of: dt.date, window: Callable[[dt.date], TrainingWindow]
) -> Segments:
    """Choose the rows of one set for the night of ``as_of``.

    Parameters
    ----------
    observations
        observation_id, event_timestamp and the column ``entity``.
    entity
        Column of the entity's key: it counts once a week.
    window
        Gives the training window for the last day of the recent week; what lies within the two weeks is not of it.
    """
    days = observations.select(
        "observation_id",
        pl.col(entity).alias("entity"),
        "event_timestamp",
        day=pl.col("event_timestamp").dt.date(),
    ).filter(pl.col("day") <= as_of)
    last = days["day"].max()
    if not isinstance(last, dt.date):
        nothing = pl.DataFrame(schema={"observation_id": pl.String, "place": pl.Int64})
        return Segments(None, window(as_of), nothing, 0, 0, 0, np.empty(0, np.int32))
    trained_in = window(last)
    recent = _once(days.filter(pl.col("day") > last - WEEK * ONE_DAY), "entity")
    before = _once(
        days.filter(pl.col("day").is_between(last - (2 * WEEK - 1) * ONE_DAY, last - WEEK * ONE_DAY)),
        "entity",
    )
    trained = days.filter(
        pl.col("day").is_between(trained_in.first, min(trained_in.last, last - 2 * WEEK * ONE_DAY))
    ).with_columns(week=((pl.col("day") - trained_in.first).dt.total_days() // WEEK).cast(pl.Int32))
    trained = _once(trained, "entity", "week").sort("week", "observation_id")
    ids = pl.concat([one.select("observation_id") for one in (recent, before, trained)])
    rows = ids.with_columns(place=pl.int_range(len(ids), dtype=pl.Int64))
    return Segments(
        last, trained_in, rows, len(recent), len(before), len(trained), trained["week"].to_numpy()
    )


def _once(rows: pl.DataFrame, *by: str) -> pl.DataFrame:
    """The newest row of each, sorted by observation_id."""
    newest = rows.sort("event_timestamp", "observation_id").unique(list(by), keep="last")
    return newest.sort("observation_id")
