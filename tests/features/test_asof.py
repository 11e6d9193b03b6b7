"""The point-in-time match against the slow, obvious way: look at every row for every question."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bluemirror.features.asof import NONE, match

ROW = st.tuples(st.integers(0, 3), st.integers(0, 6), st.integers(0, 8))
QUESTION = st.tuples(st.integers(-1, 3), st.integers(-1, 8))


@given(
    rows=st.lists(ROW, max_size=25),
    questions=st.lists(QUESTION, max_size=12),
    ttl=st.one_of(st.none(), st.integers(0, 4)),
    known=st.booleans(),
)
@settings(max_examples=400, deadline=None)
def test_equals_looking_at_every_row(rows: list, questions: list, ttl: int | None, known: bool) -> None:
    columns = np.array(rows, np.int64).reshape(-1, 3).T
    asked = np.array(questions, np.int64).reshape(-1, 2).T
    found = match(columns[0], columns[1], columns[2], asked[0], asked[1], ttl=ttl, known=known)
    for (key, moment), number in zip(questions, found, strict=True):
        count = [
            (happened, created, at)
            for at, (row_key, happened, created) in enumerate(rows)
            if row_key == key and happened <= moment and (not known or created <= moment)
        ]
        best = max(count, default=None)
        if best is None or (ttl is not None and best[0] + ttl < moment):
            assert number == NONE
        else:
            assert number == best[2]
