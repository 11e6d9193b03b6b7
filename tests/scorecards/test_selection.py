"""Which variables enter: a limit on paid sources, and the choice by an L1 penalty."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from bluemirror.scorecards.scorecard import ScorecardClassifier
from bluemirror.scorecards.selection import l1_columns

NAMES = [f"v{i}" for i in range(8)]


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(23)
    X = random.normal(size=(8000, 8))
    weights = np.array([1.0, 0.8, 0.7, 0.6, 0.5, 0, 0, 0])
    bad = random.random(8000) < 1 / (1 + np.exp(2 - X @ weights))
    return pl.DataFrame(X, schema=NAMES), bad


def test_no_more_paid_sources_than_allowed(rows):
    paid = {"v0": "bureau", "v1": "vendor", "v2": "bureau", "v3": "other"}
    free = ScorecardClassifier(paid_sources=paid).fit(*rows)
    assert {"v0", "v1", "v2", "v3", "v4"} <= set(free.variables_)
    one = ScorecardClassifier(paid_sources=paid, max_paid_sources=1).fit(*rows)
    assert {"v0", "v2", "v4"} <= set(one.variables_)
    assert {one.dropped_["v1"], one.dropped_["v3"]} == {"source not bought"}
    none = ScorecardClassifier(paid_sources=paid, max_paid_sources=0).fit(*rows)
    assert set(none.variables_) & set(paid) == set()
    assert "v4" in none.variables_


def test_a_penalty_finds_the_ones_that_matter(rows):
    frame, bad = rows
    card = ScorecardClassifier(selection="l1", max_variables=5).fit(frame, bad)
    assert set(card.variables_) == {"v0", "v1", "v2", "v3", "v4"}
    assert {card.dropped_[n] for n in NAMES[5:]} <= {"penalised away", "constant"}
    few = ScorecardClassifier(selection="l1", max_variables=2).fit(frame, bad)
    assert set(few.variables_) == {"v0", "v1"}
    again = ScorecardClassifier.from_text(few.to_text())
    assert again.selection == "l1"


def test_the_penalty_is_the_weakest_that_leaves_so_few(rows):
    frame, bad = rows
    unit = -frame.to_numpy()
    unit = (unit - unit.mean(0)) / unit.std(0)
    for most in (1, 3, 5):
        assert l1_columns(unit, bad.astype(float), most).size == most


def test_another_selection_is_refused(rows):
    with pytest.raises(ValueError, match="forward, l1"):
        ScorecardClassifier(selection="backward").fit(*rows)
