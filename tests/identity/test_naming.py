"""Names over time: held against looking at every moment anew."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from bluemirror.identity.naming import name_over_time

MOMENTS = 12
Tie = tuple[int, int, int, int | None]


@st.composite
def worlds(draw) -> tuple[list[int], list[Tie]]:
    size = draw(st.integers(1, 8))
    known = draw(st.lists(st.integers(0, MOMENTS - 1), min_size=size, max_size=size))
    ties: list[Tie] = []
    for _ in range(draw(st.integers(0, 10))):
        a, b = draw(st.integers(0, size - 1)), draw(st.integers(0, size - 1))
        if a == b:
            continue
        since = draw(st.integers(max(known[a], known[b]), MOMENTS))
        until = draw(st.none() | st.integers(since + 1, MOMENTS + 2)) if draw(st.booleans()) else None
        ties.append((a, b, since, until))
    return known, ties


def by_looking(known: list[int], ties: list[Tie], moment: int) -> dict[int, int]:
    """The lowest number that each node known at ``moment`` can be reached from."""
    alive = [(a, b) for a, b, since, until in ties if since <= moment and (until is None or moment < until)]
    found = {}
    for node in range(len(known)):
        if known[node] > moment:
            continue
        reached, stack = {node}, [node]
        while stack:
            here = stack.pop()
            for a, b in alive:
                other = b if a == here else a if b == here else None
                if other is not None and other not in reached:
                    reached.add(other)
                    stack.append(other)
        found[node] = min(reached)
    return found


def named(known: list[int], ties: list[Tie]) -> pl.DataFrame:
    schema = {"a": pl.Int64, "b": pl.Int64, "known": pl.Int64, "until": pl.Int64}
    return name_over_time(np.array(known, dtype=np.int64), pl.DataFrame(ties, schema=schema, orient="row"))


def at(frame: pl.DataFrame, moment: int) -> dict[int, int]:
    rows = frame.filter(
        (pl.col("known") <= moment) & (pl.col("until").is_null() | (pl.col("until") > moment))
    )
    assert rows["node"].is_unique().all(), "a node has one name at a time"
    return dict(rows.select("node", "name").iter_rows())


@given(worlds())
@settings(max_examples=200, deadline=None)
def test_every_moment_sees_what_it_would_find_by_looking(world):
    known, ties = world
    frame = named(known, ties)
    for moment in range(-1, MOMENTS + 4):
        assert at(frame, moment) == by_looking(known, ties, moment)


@given(worlds(), st.integers(0, MOMENTS))
@settings(max_examples=100, deadline=None)
def test_what_becomes_known_later_changes_nothing_before(world, cut):
    known, ties = world
    later = named(known, ties)
    early = named(
        known,
        [
            (a, b, since, None if until is None or until > cut else until)
            for a, b, since, until in ties
            if since <= cut
        ],
    )
    for moment in range(cut + 1):
        assert at(later, moment) == at(early, moment)


def test_nothing():
    assert named([], []).height == 0
