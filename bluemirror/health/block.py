"""One block in one pass: the recent week, what it is held against, and the reasons of its source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bluemirror.health.profile import REASONS, Profile
from bluemirror.health.reference import Reference
from bluemirror.variables.stored_columns import StoredBlock

if TYPE_CHECKING:
    from bluemirror.health.windows import Segments

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Before:
    """The week before: counts of shape (variables, CODES), and rows by reason, (REASONS,)."""

    counts: Ints
    reasons: Ints


@dataclass(frozen=True)
class BlockHealth:
    """What a pass over a block gives.

    Parameters
    ----------
    recent
        The week of the night.
    before
        The week before it.
    reference
        The training window.
    reasons
        Shape (REASONS,): rows of the recent week by the reason of the block's source, 0 where it answered.
    """

    recent: Profile
    before: Before
    reference: Reference
    reasons: Ints


def block_health(
    files: Sequence[Path],
    block: str,
    names: Sequence[str],
    segments: Segments,
    kept: Reference | None = None,
    before: Before | None = None,
) -> BlockHealth:
    """Read the wanted rows of a block once and compute all of its variables.

    Parameters
    ----------
    files, block, names
        Its stored parts, its name, its variables.
    segments
        Which rows.
    kept
        The reference of an earlier night: the training window is not read again.
    before
        The week before as an earlier night counted it: it is not read again either.
    """
    wanted, cuts = _wanted(segments, kept is None, before is None)
    stored = StoredBlock(files, block, wanted)
    recent, last_week, trained = (slice(cuts[place], cuts[place + 1]) for place in range(3))
    reference = Reference.empty(len(names), segments.reference) if kept is None else kept
    now = Profile.empty(len(names), segments.recent)
    counted = Profile.empty(len(names), segments.before)
    for chosen, columns in stored.batches(names):
        if kept is None:
            reference.fill(chosen.start, columns[:, trained], stored.reason[trained], segments.week)
        edges = reference.edges[chosen]
        now.fill(chosen.start, columns[:, recent], stored.reason[recent], edges)
        if before is None:
            counted.fill(chosen.start, columns[:, last_week], stored.reason[last_week], edges)
    if kept is None:
        reference.reasons[:] = _by_reason(stored.reason[trained])
    if before is None:
        before = Before(counted.counts, _by_reason(stored.reason[last_week]))
    return BlockHealth(now, before, reference, _by_reason(stored.reason[recent]))


def _wanted(segments: Segments, reference: bool, before: bool) -> tuple[pl.DataFrame, list[int]]:
    """The rows to read, placed anew, and where the three segments begin and end."""
    starts = [0, segments.recent, segments.recent + segments.before]
    lengths = [segments.recent, segments.before if before else 0, segments.reference if reference else 0]
    parts = [segments.rows[start : start + length] for start, length in zip(starts, lengths, strict=True)]
    rows = pl.concat(parts).select("observation_id")
    placed = rows.with_columns(place=pl.int_range(len(rows), dtype=pl.Int64))
    return placed, [0, *np.cumsum(lengths).tolist()]


def _by_reason(reason: NDArray[np.int8]) -> Ints:
    return np.bincount(reason, minlength=REASONS)
