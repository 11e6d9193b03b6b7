"""Values of one column: from its contract, with the lines that families draw as the places to be on either side of."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bluemirror.contracts import Field
from bluemirror.variables.ages import MICROSECONDS_A_DAY
from bluemirror.variables.generated.patterns import texts_of

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

EMPTY = 0.08
"""Share of nulls in a column that may be empty."""
TEXTS = 40
"""Different texts of a column without codes."""
USUAL = 0.35
"""Share of an owner's rows that have the code that is usual for that owner."""
NARROW = 1000.0
"""Width of a range up to which every number is as likely as another."""
WIDE = 5e7
"""Largest number of a column without a maximum."""


@dataclass(frozen=True)
class Rows:
    """What a column's values may depend on.

    Attributes
    ----------
    owner
        (rows,) number of the entity that the row is about.
    moment
        (rows,) microseconds: the row's own time.
    owners
        How many entities there are.
    """

    owner: Ints
    moment: Ints
    owners: int

    def __len__(self) -> int:
        return len(self.owner)


def generator(seed: int, *names: str) -> np.random.Generator:
    """Random numbers of their own for each column, so that a new family does not move the values of the others."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


def emptied(values: pl.Series, required: bool, rng: np.random.Generator) -> pl.Series:
    """Put nulls where the contract allows them."""
    if required:
        return values
    return values.set(pl.Series(rng.random(len(values)) < EMPTY), None)


def spread(count: int, days: Sequence[float], rng: np.random.Generator, after: float = 0.03) -> Ints:
    """Ages in microseconds such that each stretch between two lengths of windows is as likely as another.

    Some fall on the very edge of a window, and a share ``after`` lies after the reference (negative).
    """
    edges = np.array(sorted({0.0, *days}) if days else [0.0, 30.0, 180.0, 400.0])
    edges = np.append(edges, edges[-1] * 2 + 30)
    at = rng.integers(0, len(edges) - 1, count)
    age = edges[at] + rng.random(count) * (edges[at + 1] - edges[at])
    exact = rng.random(count) < 0.03
    age[exact] = edges[at[exact]]
    late = rng.random(count) < after
    age[late] = -(10 ** rng.uniform(-1, 1.8, int(late.sum())))
    return np.round(age * MICROSECONDS_A_DAY).astype(np.int64)


def draw_key(pool: str, rows: Rows, required: bool, faithful: float, rng: np.random.Generator) -> pl.Series:
    """A key: mostly the owner's own, else a near neighbour's, so that things are shared."""
    which = rows.owner.copy()
    strange = rng.random(len(rows)) >= faithful
    count = int(strange.sum())
    # Near neighbours share things; now and then anybody does, so that more than ten meet in one place.
    away = np.where(rng.random(count) < 0.6, rng.integers(1, 9, count), rng.integers(0, rows.owners, count))
    which[strange] = (which[strange] + away) % rows.owners
    values = pl.Series([f"{pool}-{number:05d}" for number in range(rows.owners)]).gather(which)
    return emptied(values, required, rng)


def draw_codes(
    codes: Sequence[str], named: set[str], rows: Rows, required: bool, rng: np.random.Generator
) -> pl.Series:
    """Codes: every one, those that families name more often, and for each owner one that is usual.

    What is usual lets rare codes of several columns meet in many rows of somebody.
    """
    order = {code: position for position, code in enumerate(codes)}
    favoured = np.array([order[code] for code in codes if code in named] or list(order.values()))

    def any_of(count: int) -> Ints:
        every = rng.integers(0, len(order), count)
        return np.where(rng.random(count) < 0.5, every, favoured[rng.integers(0, len(favoured), count)])

    usual = any_of(rows.owners)[rows.owner]
    which = np.where(rng.random(len(rows)) < USUAL, usual, any_of(len(rows)))
    return emptied(pl.Series(list(codes)).gather(which), required, rng)


def draw_text(
    field: Field, named: set[str], rows: Rows, owned: bool, seed: int, rng: np.random.Generator
) -> pl.Series:
    """Texts without a list of codes: those that families name, some of the owner's own, some of everybody's."""
    if field.pattern is not None:
        pool = _patterned(field.pattern, named, seed)
    else:
        pool = [*sorted(named), *(f"{field.name}-{number}" for number in range(TEXTS))]
        if len(named) > TEXTS // 2:
            pool = sorted(named)
    count = len(rows)
    anybody = pl.Series(pool).gather((len(pool) * rng.random(count) ** 1.5).astype(np.int64))
    if named and field.pattern is None:
        some = pl.Series(sorted(named)).gather(rng.integers(0, len(named), count))
        anybody = anybody.zip_with(pl.Series(rng.random(count) < 0.5), some)
    if field.pattern is None and not named and owned:
        number = rng.integers(0, 5, count)
        own = pl.select(
            pl.concat_str(
                pl.lit(f"{field.name}-"),
                pl.Series(rows.owner).cast(pl.String),
                pl.lit("-"),
                pl.Series(number),
            )
        ).to_series()
        return emptied(own, field.required, rng)
    # Things that recur: half of the rows repeat what is usual for their owner.
    usual = pl.Series(pool).gather((rows.owner * 7 + rng.integers(0, 2, count)) % len(pool))
    return emptied(anybody.zip_with(pl.Series(rng.random(count) < 0.6), usual), field.required, rng)


def _patterned(pattern: str, named: set[str], seed: int) -> list[str]:
    pool = texts_of(pattern, TEXTS, generator(seed, pattern))
    for position, text in enumerate(sorted(named)):
        # What a family compares may be the whole value or how it begins.
        tail = pool[position % len(pool)][len(text) :]
        for candidate in (text, text + tail):
            if re.search(pattern, candidate):
                pool.insert(0, candidate)
                break
    return list(dict.fromkeys(pool))


def draw_numbers(field: Field, lines: set[float], rows: Rows, rng: np.random.Generator) -> pl.Series:
    """Numbers: between any two lines, on the lines, zero, and over the whole range that the contract allows.

    Calendar years lie from the row's own back over decades, the near ones more often.
    """
    if field.unit == "year":
        own = rows.moment.astype("datetime64[us]").astype("datetime64[Y]").astype(np.int64) + 1970
        back = np.floor(10 ** rng.uniform(0, 1.5, len(rows))).astype(np.int64) - 1
        return emptied(pl.Series(own - back), field.required, rng)
    low, high = field.bounds
    count = len(rows)
    least = 0.0 if low is None else float(low)
    most = WIDE if high is None else float(high)
    whole = field.type in ("int", "amount")
    values = _ranged(least, min(most, WIDE), count, rng)
    edges = np.array(sorted(line for line in lines if least <= line <= most))
    if len(edges):
        stretched = np.unique(np.concatenate(([least], edges, [min(most, edges[-1] * 3 + 10)])))
        at = rng.integers(0, max(len(stretched) - 1, 1), count)
        inside = stretched[at] + rng.random(count) * (
            stretched[np.minimum(at + 1, len(stretched) - 1)] - stretched[at]
        )
        on = rng.random(count) < 0.12
        inside[on] = edges[rng.integers(0, len(edges), int(on.sum()))]
        values = np.where(rng.random(count) < 0.6, inside, values)
    if most - least > NARROW:
        # Amounts of one row are of one size, a little more or less: what is used of a limit, what is paid of a bill.
        size = 10 ** np.random.default_rng(count).uniform(2, 6.5, count)
        part = np.where(rng.random(count) < 0.5, rng.uniform(0.0, 1.3, count), rng.uniform(0.8, 1.1, count))
        values = np.where(rng.random(count) < 0.5, np.clip(size * part, least, most), values)
    if least <= 0:
        values[rng.random(count) < 0.06] = 0.0
    if whole:
        numbers = pl.Series(np.clip(np.round(values), np.ceil(least), np.floor(most)).astype(np.int64))
    else:
        numbers = pl.Series(np.clip(np.round(values, 4), least, most))
    return emptied(numbers, field.required, rng)


def _ranged(least: float, most: float, count: int, rng: np.random.Generator) -> Floats:
    """A narrow range evenly; of a wide one the small numbers as often as the large, by their logarithm."""
    if most - least <= NARROW:
        return rng.uniform(least, most, count) if most > least else np.full(count, least)
    size = 10 ** rng.uniform(0, np.log10(most - max(least, 0.0)), count)
    values = max(least, 0.0) + size
    if least < 0:
        values *= np.where(rng.random(count) < 0.3, -1.0, 1.0)
    return np.clip(values, least, most)


def draw_times(field: Field, days: Sequence[float], rows: Rows, rng: np.random.Generator) -> pl.Series:
    """Times around the row's own: over its windows, over decades, on the same day, and in the future."""
    count = len(rows)
    age = spread(count, days, rng, after=0.0)
    pick = rng.random(count)
    far = 10 ** rng.uniform(0, 3.6, count)
    age = np.where(pick < 0.35, (far * MICROSECONDS_A_DAY).astype(np.int64), age)
    age = np.where(
        (pick >= 0.35) & (pick < 0.5), (rng.random(count) * 31_000).astype(np.int64) * MICROSECONDS_A_DAY, age
    )
    age = np.where((pick >= 0.5) & (pick < 0.7), -(far * MICROSECONDS_A_DAY).astype(np.int64), age)
    age = np.where((pick >= 0.7) & (pick < 0.8), -age, age)
    age = np.where(pick > 0.97, 0, age)
    return emptied(as_kind(rows.moment - age, field.type), field.required, rng)


def as_kind(moments: Ints, kind: str) -> pl.Series:
    """Microseconds as a timestamp, a date, or the first day of a month."""
    times = pl.Series(moments).cast(pl.Datetime("us"))
    if kind == "timestamp":
        return times
    days = times.cast(pl.Date)
    return days.dt.month_start() if kind == "month" else days


def draw_flags(field: Field, rows: Rows, rng: np.random.Generator) -> pl.Series:
    """True or false."""
    return emptied(pl.Series(rng.random(len(rows)) < 0.4), field.required, rng)
