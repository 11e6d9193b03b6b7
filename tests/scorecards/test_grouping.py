"""Categories of like risk become one ordered number; unseen ones are not guessed."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from bluemirror.errors import ModelError
from bluemirror.scorecards.grouping import RARE, CategoryGroups, group_categories
from bluemirror.scorecards.scorecard import ScorecardClassifier

RISK = {"clerk": 0.05, "teacher": 0.05, "driver": 0.15, "cook": 0.15, "gambler": 0.4}


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(31)
    values = random.choice([*RISK, "astronaut", "diver"], 8000, p=[0.25, 0.2, 0.25, 0.2, 0.09, 0.005, 0.005])
    bad = (random.random(values.size) < [RISK.get(v, 0.15) for v in values]).astype(int)
    values = [None if random.random() < 0.1 else str(v) for v in values]
    return values, bad


@pytest.fixture(scope="module")
def groups(rows):
    return group_categories("job", *rows)


def test_like_risk_is_one_group_and_groups_are_ordered(rows, groups):
    together = [set(g.categories) for g in groups.groups]
    assert {"clerk", "teacher"} in together
    assert {"gambler"} in together
    rates = [g.bads / g.rows for g in groups.groups]
    assert rates == sorted(rates)
    values, bad = rows
    codes = groups.codes(values)
    assert np.isnan(codes).sum() == sum(v is None for v in values)
    for g in groups.groups:
        assert ((codes == g.place).sum(), bad[codes == g.place].sum()) == (g.rows, g.bads)


def test_rare_and_unseen_share_a_group(groups):
    (rare,) = [g for g in groups.groups if RARE in g.categories]
    assert {"astronaut", "diver"} <= set(rare.categories)
    assert groups.codes(["astronaut", "alchemist"]).tolist() == [rare.place] * 2
    without = group_categories("x", ["a", "b"] * 50, [0, 1] * 50)
    assert np.isnan(without.codes(["c", None, float("nan")])).all()
    assert group_categories("x", ["a"] * 9, [0, 1, 0] * 3).groups[0].categories == ("a",)


def test_text_round_trip_and_edits(groups):
    assert CategoryGroups.from_text(groups.to_text()) == groups
    moved = groups.to_text().replace("gambler", "gamblers")
    assert "gamblers" in CategoryGroups.from_text(moved).groups[-1].categories
    with pytest.raises(ModelError, match="do not fit together"):
        CategoryGroups.from_text(groups.to_text().replace("teacher", "gambler"))
    for wrong in ("format: else", "[]", "format: bluemirror groups 1\ncolumn: a\ngroups: [{place: x}]"):
        with pytest.raises(ModelError, match="does not hold groups"):
            CategoryGroups.from_text(wrong)
    with pytest.raises(ModelError, match="no value"):
        group_categories("job", [None, None], [0, 1])
    assert "gambler" in groups._repr_html_()


def test_a_card_bins_the_codes(rows, groups):
    values, bad = rows
    frame = pl.DataFrame({"job": groups.codes(values)})
    card = ScorecardClassifier(monotone={"job": 1}).fit(frame, bad)
    table = card.tables_["job"]
    assert table.trend == "ascending"
    points = card.contributions(pl.DataFrame({"job": groups.codes(["clerk", "gambler", None])}))[:, 0]
    assert points[0] > points[1]
    assert table.bins[-1].rows == sum(v is None for v in values)
