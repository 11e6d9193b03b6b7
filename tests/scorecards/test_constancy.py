"""A view of risk that holds, fades, turns or was written afterwards; and how often chance looks like it."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from bluemirror.scorecards.constancy import chi_square_tail, slopes, tells_late_only
from bluemirror.scorecards.measures import woe
from bluemirror.scorecards.screen import LATE_ONLY, TOO_GOOD, Chunk, screen
from bluemirror.scorecards.spec import Screening

N = 12_000


@pytest.fixture(scope="module")
def world():
    random = np.random.default_rng(3)
    x = random.normal(size=N)
    month = np.arange(N) * 12 // N
    bad = random.random(N) < 1 / (1 + np.exp(2 - 0.8 * x))
    return random, x, month, bad


def verdicts(report):
    return {
        name: (verdict, suspicion)
        for name, verdict, suspicion in report.table.select("variable", "verdict", "suspicion").iter_rows()
    }


def test_the_slope_is_that_of_a_logistic_regression_in_the_part():
    random = np.random.default_rng(4)
    codes = random.integers(0, 5, 40_000)
    part = random.integers(0, 2, codes.size)
    bad = random.random(codes.size) < 1 / (1 + np.exp(2 - 0.1 * codes * (1 + part)))
    counts = np.zeros((1, 2, 2, 5))
    np.add.at(counts, (0, part, bad.astype(int), codes), 1)
    weights = woe(counts[:, :, 0].sum(1), counts[:, :, 1].sum(1))
    found = slopes(counts[:, :, 0], counts[:, :, 1], weights)
    for p in (0, 1):
        view = -weights[0][codes[part == p]].reshape(-1, 1)
        exact = LogisticRegression(C=np.inf).fit(view, bad[part == p]).coef_[0, 0]
        # one step of Newton's method from 0 instead of all
        assert found.slope[0, p] == pytest.approx(exact, rel=0.12)
    assert found.homogeneity()[0] < 1e-6


def test_the_tail_of_chi_square_is_scipys():
    from scipy.stats import chi2

    value = np.r_[np.linspace(0, 60, 61), 200.0]
    for freedom in range(1, 26):
        assert chi_square_tail(value, freedom) == pytest.approx(chi2.sf(value, freedom), rel=1e-9)
    mixed = np.arange(62) % 25 + 1
    assert chi_square_tail(value, mixed) == pytest.approx(chi2.sf(value, mixed), rel=1e-9)


def test_chance_rarely_looks_like_a_turn():
    random = np.random.default_rng(5)
    month = np.arange(3000) * 12 // 3000
    bad = random.random(3000) < 0.12
    X = (random.normal(size=(2000, 3000)) + 0.5 * bad).astype(np.float32)
    report = screen([Chunk(tuple(f"v{i}" for i in range(2000)), X)], bad, month, Screening(max_correlation=1))
    tested = report.table["month_p"].to_numpy()
    # 1 in 20 and 1 in 10,000 by the definition of a p-value; bins were cut on the same rows
    assert np.mean(tested < 0.05) < 0.10
    assert report.counts.get("turning", 0) <= 3


def test_a_view_that_turns_is_told(world):
    _, x, month, bad = world
    turned = np.where(month >= 8, -x, x).astype(np.float32)
    report = screen([Chunk(("holds", "turns"), np.stack([x.astype(np.float32), turned]))], bad, month)
    assert verdicts(report) == {"holds": ("kept", None), "turns": ("turning", None)}
    line = report.table.filter(report.table["variable"] == "holds").row(0, named=True)
    assert 0 < line["iv_month_min"] < line["iv_net"] < line["iv_month_max"]


def test_what_knows_the_outcome_is_suspected(world):
    random, x, month, bad = world
    late = month < 5
    leak = (x * 0 + random.normal(size=N) + 3 * bad).astype(np.float32)
    afterwards = (random.normal(size=N) + 1.2 * (bad & late)).astype(np.float32)
    honest = x.astype(np.float32)
    values = np.stack([leak, afterwards, honest])
    names = ("leak", "afterwards", "honest")
    report = screen([Chunk(names, values, None, late)], bad, month)
    assert verdicts(report) == {
        "leak": ("suspect", TOO_GOOD),
        "afterwards": ("suspect", LATE_ONLY),
        "honest": ("kept", None),
    }
    unknown = screen([Chunk(names, values)], bad, month)
    assert verdicts(unknown)["afterwards"] == ("turning", None)


def test_early_news_is_no_leak(world):
    # the other way round: history of which the source kept less than it knows today
    random, x, month, bad = world
    late = month < 5
    poor_history = np.where(late, random.normal(size=N), x).astype(np.float32)
    report = screen([Chunk(("poor_history",), poor_history[None], None, late)], bad, month)
    assert verdicts(report)["poor_history"][1] is None


def test_without_cases_nothing_is_claimed():
    found = slopes(np.zeros((2, 2, 3)), np.zeros((2, 2, 3)), np.ones((2, 3)))
    assert not tells_late_only(found).any()
    assert found.homogeneity().tolist() == [1.0, 1.0]
