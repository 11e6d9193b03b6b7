"""Rows of one table: whom they are about, when they happened, when they were known, which version of what they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from bluemirror.contracts import Table, TimeRule
from bluemirror.variables.ages import MICROSECONDS_A_DAY
from bluemirror.variables.generated.draws import Ints, as_kind, spread

RESTATED, REMOVED, TIED = 0.15, 0.04, 0.05
"""Shares of rows that are restated, removed by a tombstone, and dated exactly as the row before."""

BUSY = (0.0, 0.1, 0.5, 0.8, 0.8, 1.0, 1.0, 1.0, 1.0, 4.0)
"""How much more or less than the mean of its kind of table entities have."""
CROWDED = (0.2, 0.5, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 6.0)
"""The same of the rows under a parent: the rarest cross of groups must meet itself somewhere."""


@dataclass(frozen=True)
class Moments:
    """Moments at which entities are observed: (owners, times) microseconds, ascending along the second axis."""

    as_of: Ints

    @property
    def owners(self) -> int:
        """How many entities there are."""
        return len(self.as_of)


@dataclass(frozen=True)
class Heads:
    """Rows at the top of documents, before their columns are drawn.

    Attributes
    ----------
    owner, moment
        (rows,) entity of the row, and the observation of that entity near which it lies.
    event, known
        (rows,) microseconds at which it happens and is known, as far as the contract's time rules allow.
    origin
        (rows,) number of the row whose later version it is; its own number for a first version.
    removed
        (rows,) whether it is a tombstone.
    """

    owner: Ints
    moment: Ints
    event: Ints
    known: Ints
    origin: Ints
    removed: Ints


def draw_heads(
    table: Table,
    days: Sequence[float],
    valid_days: int | None,
    each: float,
    at: Moments,
    rng: np.random.Generator,
) -> Heads:
    """Rows of ``table``: ``each`` an entity, and the later versions of some of them."""
    # Some entities have nothing, most have some, a few have something every week.
    counts = rng.poisson(each * rng.choice(BUSY, at.owners))
    owner = np.repeat(np.arange(at.owners), counts)
    moment = rng.integers(0, at.as_of.shape[1], len(owner))
    reference = at.as_of[owner, moment]
    if table.kind == "answer":
        # Most are valid when they are looked at; twice as many days old, some no longer are.
        lengths = [0.5, 0.5 * (valid_days or 90), float(valid_days or 90)]
        age = spread(len(owner), lengths, rng, after=0.1)
    else:
        lengths = list(days) or [30.0, 365.0]
        age = spread(len(owner), lengths, rng, after=0.05)
    event = reference - age
    tied = np.flatnonzero(rng.random(len(owner)) < TIED)
    tied = tied[(tied > 0) & (owner[tied] == owner[tied - 1])]
    event[tied] = event[tied - 1]
    known = event + _lag(len(owner), rng)
    again = np.flatnonzero(rng.random(len(owner)) < RESTATED)
    gone = np.flatnonzero(rng.random(len(owner)) < (REMOVED if table.tombstone else 0.0))
    later = np.concatenate((again, gone))
    moved = np.where(
        (rng.random(len(later)) < 0.3) & (table.kind != "state"), _days(rng.normal(0, 20, len(later))), 0
    )
    every = np.concatenate((np.arange(len(owner)), later))
    return Heads(
        owner[every],
        moment[every],
        np.concatenate((event, event[later] + moved)),
        np.concatenate((known, known[later] + _days(10 ** rng.uniform(-1, 2.3, len(later))))),
        every,
        np.concatenate((np.zeros(len(owner) + len(again)), np.ones(len(gone)))).astype(np.int64),
    )


def _days(days: np.ndarray) -> Ints:
    return np.round(days * MICROSECONDS_A_DAY).astype(np.int64)


def _lag(count: int, rng: np.random.Generator) -> Ints:
    """From happening to being known: at once, within hours, within days, months late."""
    kind = rng.random(count)
    lag = np.where(kind < 0.4, 0.0, 10 ** rng.uniform(-3, 0, count))
    lag = np.where((kind > 0.8) & (kind <= 0.93), rng.uniform(1, 10, count), lag)
    return _days(np.where(kind > 0.93, rng.uniform(10, 120, count), lag))


def time_fields(
    table: Table, rule: TimeRule | None, at: Ints, rng: np.random.Generator
) -> dict[str, pl.Series]:
    """Values of the fields from which ``rule`` takes a time, such that it gives ``at`` (or that day)."""
    if rule is None or rule.field is None:
        return {}
    shifted = at - rule.plus_days * MICROSECONDS_A_DAY
    values = as_kind(shifted, table.field(rule.field).type)
    found = {rule.field: values}
    if rule.or_else is not None:
        found[rule.field] = values.set(pl.Series(rng.random(len(at)) < 0.2), None)
        found[rule.or_else] = as_kind(at, table.field(rule.or_else).type)
    return found


def time_of(table: Table, rule: TimeRule, columns: Mapping[str, pl.Series], otherwise: Ints) -> Ints:
    """The time that ``rule`` gives for rows with these columns, microseconds; a delivery comes at its day's end."""
    if rule.field is None:
        return (otherwise // MICROSECONDS_A_DAY + 1 + rule.plus_days) * MICROSECONDS_A_DAY - 1
    values = columns[rule.field]
    last = values.dt.month_end() if table.field(rule.field).type == "month" and rule.at == "end" else values
    moment = last.cast(pl.Datetime("us")).dt.timestamp("us")
    if values.dtype == pl.Date and rule.at == "end":
        moment = moment + (MICROSECONDS_A_DAY - 1)
    moment = moment + rule.plus_days * MICROSECONDS_A_DAY
    if rule.or_else is not None:
        moment = moment.fill_null(columns[rule.or_else].cast(pl.Datetime("us")).dt.timestamp("us"))
    return moment.fill_null(pl.Series(otherwise)).to_numpy()


def children(count: int, mean: float, rng: np.random.Generator) -> Ints:
    """How many rows hang under each parent: none, one, around ``mean``, or many times that: (count,)."""
    number = rng.poisson(mean * rng.choice(CROWDED, count))
    kind = rng.random(count)
    return np.where(kind < 0.1, 0, np.where(kind < 0.18, 1, number)).astype(np.int64)
