"""What was known: from a table's rows to those that count for a moment.

A row counts only if its event time and its known time are not after ``as_of``, and no newer version of it was known
by then. Of answers and states only the newest one counts. Everything here is a comparison on sorted arrays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bluemirror.variables.ages import MICROSECONDS_A_DAY
from bluemirror.variables.grouped import Grouped, Ints


@dataclass(frozen=True)
class Moments:
    """Moments at which a key's past is asked for: (moments,) group of the key (-1: no key) and as_of."""

    group: Ints
    as_of: Ints


@dataclass(frozen=True)
class Resolved:
    """Rows that count: (rows,) position of the moment, ascending, and row in the loaded table."""

    owner: Ints
    row: Ints

    def newest(self, moments: int) -> Ints:
        """The last row of each moment, -1 where there is none: (moments,)."""
        result = np.full(moments, -1, dtype=np.int64)
        result[self.owner] = self.row
        return result


def known_rows(rows: Grouped, moments: Moments) -> Resolved:
    """Rows that happened and were known by as_of, in the version then newest; sorted by time within a moment."""
    owner, row = rows.expand(moments.group)
    as_of = moments.as_of[owner]
    keep = (rows.columns["event_time"][row] <= as_of) & (rows.columns["known_time"][row] <= as_of)
    if "_superseded" in rows.columns:
        keep &= rows.columns["_superseded"][row] > as_of
    return Resolved(owner[keep], row[keep])


def current_states(rows: Grouped, moments: Moments) -> Resolved:
    """The newest state of each moment that has begun and not ended: at most one row a moment."""
    found = known_rows(rows, moments)
    if "_valid_to" in rows.columns:
        keep = rows.columns["_valid_to"][found.row] > moments.as_of[found.owner]
        found = Resolved(found.owner[keep], found.row[keep])
    return _last(found)


def newest_answers(rows: Grouped, moments: Moments, valid_days: int | None) -> Resolved:
    """The newest answer of each moment, if it is within its valid days: at most one row a moment."""
    found = _last(known_rows(rows, moments))
    if valid_days is None:
        return found
    age = moments.as_of[found.owner] - rows.columns["event_time"][found.row]
    keep = age < valid_days * MICROSECONDS_A_DAY
    return Resolved(found.owner[keep], found.row[keep])


def _last(found: Resolved) -> Resolved:
    if not len(found.owner):
        return found
    last: NDArray[np.bool_] = np.append(found.owner[1:] != found.owner[:-1], True)
    return Resolved(found.owner[last], found.row[last])


def times_of(rows: Grouped, row: Ints, otherwise: Ints) -> Ints:
    """Event time of each of ``row``, or ``otherwise`` where there is none (-1)."""
    result = otherwise.copy()
    present = row >= 0
    result[present] = rows.columns["event_time"][row[present]]
    return result


def below(rows: Grouped, parents: Ints, reference: Ints) -> Resolved:
    """Rows that hang under ``parents`` (-1: none) and are not dated after the parent's ``reference``."""
    owner, row = rows.expand(parents)
    keep = rows.columns["event_time"][row] <= reference[owner]
    return Resolved(owner[keep], row[keep])


def neighbours(by_from: Grouped, by_through: Grouped, moments: Moments) -> tuple[Ints, Ints]:
    """Pairs (moment, neighbour's group) linked through anything both used, as known at as_of; never oneself.

    Both ``Grouped`` hold the links' times and the columns ``through`` and ``to`` (groups; -1 for null).
    """
    found = known_rows(by_from, moments)
    through = by_from.columns["through"][found.row].astype(np.int64)
    keys = np.unique(np.stack((found.owner, through))[:, through >= 0], axis=1)
    owner, value = keys[0], keys[1]
    linked = known_rows(by_through, Moments(value, moments.as_of[owner]))
    to = by_through.columns["to"][linked.row].astype(np.int64)
    who = owner[linked.owner]
    other = (to >= 0) & (to != moments.group[who])
    pairs = np.unique(np.stack((who[other], to[other])), axis=1)
    return pairs[0], pairs[1]
