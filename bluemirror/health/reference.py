"""The training window of a block: the edges that stay, the counts between them, and what its weeks usually do.

Edges are kept, so that every night needs one pass only and nights can be compared. A month has its own rhythm
(paydays, reports on the first), so the weeks of the training window are held against the others and against the one
before: a night must differ by more than any of them did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bluemirror.health.kernel import count_weeks
from bluemirror.health.merging import merged_psi
from bluemirror.health.profile import REASONS, Profile
from bluemirror.scorecards.cutting import CODES, VALUE_CODES, quantile_edges

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]

LEAST_WEEK = 50
"""Rows of a week from which on it says how weeks differ."""

PSI_CHUNK = 256
"""Variables whose weeks are compared at a time."""


@dataclass(frozen=True)
class Reference:
    """What a night's block is held against.

    Parameters
    ----------
    edges
        Shape (variables, VALUE_CODES): the quantiles of the training window as screening cuts them, then infinities.
    profile
        The training window as a whole.
    usual_training, usual_week
        Shape (variables,): the highest PSI of one of its weeks against the others, and of one against the week before
        it; 0 where the window has too few rows a week to tell.
    reasons
        Shape (REASONS,): training rows by the reason of the block's source, 0 where it answered.
    """

    edges: Floats32
    profile: Profile
    usual_training: Floats
    usual_week: Floats
    reasons: NDArray[np.int64]

    @classmethod
    def empty(cls, variables: int, rows: int) -> Reference:
        """Room for the reference of ``variables``."""
        return cls(
            np.full((variables, VALUE_CODES), np.inf, np.float32),
            Profile.empty(variables, rows),
            np.zeros(variables),
            np.zeros(variables),
            np.zeros(REASONS, np.int64),
        )

    def fill(self, first: int, columns: Floats32, reason: NDArray[np.int8], week: NDArray[np.int32]) -> None:
        """Compute the variables ``first`` and on from the training rows; arrays as in :meth:`Profile.fill`."""
        last = first + len(columns)
        for column, into in zip(columns, self.edges[first:last], strict=True):
            ordered = np.sort(column[~np.isnan(column)])
            if len(ordered):
                edges = quantile_edges(ordered)
                into[: len(edges)] = edges
        self.profile.fill(first, columns, reason, self.edges[first:last])
        for start in range(first, last, PSI_CHUNK):
            chosen = slice(start, min(start + PSI_CHUNK, last))
            inside = slice(chosen.start - first, chosen.stop - first)
            weekly = _weekly(columns[inside], reason, week, self.edges[chosen])
            self.usual_training[chosen], self.usual_week[chosen] = usual(weekly)

    def save(self, path: Path, names: Sequence[str]) -> None:
        """Write it as Parquet, a row a variable, in one step."""
        import os
        import uuid

        columns: dict[str, Any] = {"variable": list(names), "rows": np.full(len(names), self.profile.rows)}
        for one in _FIELDS:
            columns[one] = getattr(self.profile, one)
        columns |= {one: getattr(self, one) for one in ("edges", "usual_training", "usual_week")}
        # The same in every row: one file holds all of it.
        columns["reasons"] = np.tile(self.reasons, (len(names), 1))
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.parent / f".{uuid.uuid4().hex[:8]}.draft"
        try:
            pl.DataFrame(columns).write_parquet(draft)
            os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path, names: Sequence[str]) -> Reference | None:
        """Read what :meth:`save` wrote; None if it is absent or of other variables."""
        if not path.is_file():
            return None
        frame = pl.read_parquet(path)
        if frame["variable"].to_list() != list(names):
            return None
        kept = {one: frame[one].to_numpy() for one in _FIELDS}
        profile = Profile(int(frame["rows"].max() or 0), **kept)  # type: ignore[arg-type]
        edges, training, week = (frame[one].to_numpy() for one in ("edges", "usual_training", "usual_week"))
        reasons = frame["reasons"].to_numpy()[0] if len(frame) else np.zeros(REASONS, np.int64)
        return cls(edges, profile, training, week, reasons)


_FIELDS = tuple(one.name for one in fields(Profile) if one.name != "rows")


def _weekly(
    columns: Floats32, reason: NDArray[np.int8], week: NDArray[np.int32], edges: Floats32
) -> NDArray[np.int64]:
    """Counts of shape (variables, weeks, CODES)."""
    weeks = int(week.max(initial=-1)) + 1
    counts = np.zeros((len(columns), weeks, CODES), np.int64)
    for into, column, edge in zip(counts, columns, edges, strict=True):
        count_weeks(column, reason, week, edge, into)
    return counts


def usual(weekly: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """The highest PSI of a week against all others, and against the week before it.

    Parameters
    ----------
    weekly
        Counts of shape (variables, weeks, CODES); a week with fewer than :data:`LEAST_WEEK` rows is not compared.
    """
    variables, weeks, _ = weekly.shape
    judged = weekly[0].sum(axis=1) >= LEAST_WEEK if variables else np.zeros(weeks, bool)
    if judged.sum() < 2:
        return np.zeros(variables), np.zeros(variables)
    others = weekly.sum(axis=1, keepdims=True) - weekly
    against_others = _highest(others[:, judged], weekly[:, judged])
    follows = np.flatnonzero(judged[1:] & judged[:-1])
    return against_others, _highest(weekly[:, follows], weekly[:, follows + 1])


def _highest(earlier: NDArray[np.int64], now: NDArray[np.int64]) -> Floats:
    """The highest PSI of any week; counts of shape (variables, weeks, CODES)."""
    highest = np.zeros(len(now))
    for week in range(now.shape[1]):
        index, _ = merged_psi(earlier[:, week], now[:, week], VALUE_CODES)
        np.maximum(highest, index, out=highest)
    return highest
