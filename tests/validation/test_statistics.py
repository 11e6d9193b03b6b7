"""Each statistic against an independent way to the same number: a library's, or loops from the definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
import slow_statistics as slow
from scipy import stats
from sklearn import metrics
from sklearn.linear_model import LogisticRegression

from bluemirror.validation import calibrating, comparing, ranking
from bluemirror.validation.benchmark import approved


@pytest.fixture(params=["smooth", "tied"])
def drawn(request):
    rng = np.random.default_rng(3)
    p = 1 / (1 + np.exp(1.5 - rng.normal(size=240)))
    other = np.clip(p + 0.1 * rng.normal(size=240), 0.01, 0.99)
    if request.param == "tied":
        p, other = np.round(p, 1) * 0.9 + 0.05, np.round(other, 1) * 0.9 + 0.05
    return (rng.random(240) < p).astype(int), p, other


def test_auc_ks_and_roc(drawn):
    bad, p, _ = drawn
    area = ranking.auc(bad, p)
    assert area.value == pytest.approx(metrics.roc_auc_score(bad, p), abs=1e-12)
    assert area.value == pytest.approx(slow.auc(bad, p), abs=1e-12)
    assert area.error == pytest.approx(math.sqrt(slow.delong_covariance(bad, p, p)), rel=1e-9)
    low, high = area.interval()
    assert (high - low) / 2 == pytest.approx(stats.norm.ppf(0.975) * area.error)
    assert ranking.ks(bad, p) == pytest.approx(stats.ks_2samp(p[bad == 1], p[bad == 0]).statistic, abs=1e-12)
    false_rate, true_rate, _ = metrics.roc_curve(bad, p, drop_intermediate=False)
    goods, bads = ranking.roc(bad, p)
    assert goods == pytest.approx(false_rate)
    assert bads == pytest.approx(true_rate)


def test_auc_cannot_be_told_without_both():
    assert math.isnan(ranking.auc(np.zeros(5), np.arange(5)).value)
    assert math.isnan(ranking.ks(np.ones(5), np.arange(5)))
    assert ranking.two_sided(math.nan, 1) == 1
    assert ranking.two_sided(0, 0) == 1
    assert ranking.two_sided(0.1, 0) == 0


def test_paired_difference_is_delongs(drawn):
    bad, p, other = drawn
    difference, error, p_value = ranking.auc_difference(bad, p, other)
    variance = (
        slow.delong_covariance(bad, p, p)
        + slow.delong_covariance(bad, other, other)
        - 2 * slow.delong_covariance(bad, p, other)
    )
    assert difference == pytest.approx(slow.auc(bad, p) - slow.auc(bad, other))
    assert error == pytest.approx(math.sqrt(variance))
    assert p_value == pytest.approx(2 * stats.norm.sf(abs(difference) / error))


def test_brier_and_spiegelhalter(drawn):
    bad, p, _ = drawn
    assert calibrating.brier(bad, p) == pytest.approx(metrics.brier_score_loss(bad, p))
    z, p_value = calibrating.spiegelhalter(bad, p)
    assert z == pytest.approx(slow.spiegelhalter(bad, p))
    assert p_value == pytest.approx(2 * stats.norm.sf(abs(z)))


def test_hosmer_lemeshow_is_that_of_the_definition():
    rng = np.random.default_rng(5)
    p = rng.uniform(0.02, 0.6, 500)
    bad = (rng.random(500) < p).astype(int)
    statistic, p_value = calibrating.hosmer_lemeshow(bad, p, 10)
    assert statistic == pytest.approx(slow.hosmer_lemeshow(bad, p, 10))
    assert p_value == pytest.approx(stats.chi2.sf(statistic, 10))
    rows, seen, expected = calibrating.by_quantile(bad, p, 10)
    assert (rows.sum(), seen.sum()) == (500, bad.sum())
    assert expected.sum() == pytest.approx(p.sum())


def test_slope_is_that_of_a_logistic_regression(drawn):
    bad, p, _ = drawn
    logit = np.log(p / (1 - p))
    found = calibrating.slope(bad, p)
    other = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(logit[:, None], bad)
    assert found[:2] == pytest.approx((other.intercept_[0], other.coef_[0, 0]), abs=1e-5)
    # Standard errors from the curvature of the likelihood, by differences.
    at = np.array(found[:2])

    def likelihood(w):
        line = w[0] + w[1] * logit
        return float(np.sum(bad * line - np.logaddexp(0, line)))

    h = 1e-3
    curvature = np.empty((2, 2))
    for i in range(2):
        for j in range(2):
            a, b = np.eye(2)[i] * h, np.eye(2)[j] * h
            curvature[i, j] = (
                likelihood(at + a + b)
                - likelihood(at + a - b)
                - likelihood(at - a + b)
                + likelihood(at - a - b)
            ) / (4 * h * h)
    assert found[2:] == pytest.approx(np.sqrt(np.diag(np.linalg.inv(-curvature))), rel=1e-4)
    assert all(math.isnan(one) for one in calibrating.slope(bad, np.full(bad.size, 0.1)))


def test_level_of_all_rows(drawn):
    bad, p, _ = drawn
    difference, p_value = calibrating.in_the_large(bad, p)
    z = (bad.sum() - p.sum()) / math.sqrt(sum(q * (1 - q) for q in p))
    assert difference == pytest.approx(bad.mean() - p.mean())
    assert p_value == pytest.approx(2 * stats.norm.sf(abs(z)))
    assert calibrating.in_the_large(bad, p, bad.size)[1] == pytest.approx(
        2 * stats.norm.sf(abs(z) / math.sqrt(2))
    )


@pytest.mark.parametrize(("bads", "rows", "p"), [(0, 20, 0.1), (3, 20, 0.1), (9, 30, 0.12), (20, 20, 0.7)])
def test_tests_of_a_grade(bads, rows, p):
    tail = float(calibrating.binomial_tail(bads, rows, p))
    assert tail == pytest.approx(slow.binomial_tail(bads, rows, p))
    assert tail == pytest.approx(stats.binomtest(bads, rows, p, alternative="greater").pvalue)
    assert float(calibrating.jeffreys(bads, rows, p)) == pytest.approx(
        stats.beta.cdf(p, bads + 0.5, rows - bads + 0.5)
    )
    low, high = calibrating.wilson(bads, rows)
    other = stats.binomtest(bads, rows).proportion_ci(method="wilson")
    assert (float(low), float(high)) == pytest.approx((other.low, other.high), abs=1e-6)


def test_psi_and_its_chance():
    expected, actual = [120, 80, 0, 40, 0], [60, 70, 5, 0, 0]
    value = comparing.psi(expected, actual)
    assert value == pytest.approx(slow.psi(expected, actual))
    freedom = 3
    assert comparing.psi_p_value(0.05, expected, actual) == pytest.approx(
        stats.chi2.sf(0.05 / (1 / 240 + 1 / 135), freedom)
    )
    assert comparing.psi_p_value(0.0, [5, 0], [7, 0]) == 1


def test_codes_give_missing_values_a_bin_of_their_own():
    values = np.array([1.0, 2.0, np.nan, 3.0, 10.0])
    edges = comparing.cuts(values, 2)
    assert edges.tolist() == [2.5]
    assert comparing.codes(values, edges).tolist() == [0, 0, 2, 1, 1]
    assert comparing.counts(values, edges).tolist() == [2, 2, 1]
    assert comparing.cuts(np.array([np.nan])).size == 0


def test_shares_against_chi_square():
    p = comparing.shares_p_value(30, 400, 55, 420)
    table = [[30, 370], [55, 365]]
    assert p == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue)
    assert comparing.shares_p_value(0, 0, 1, 2) == 1
    assert comparing.shares_p_value(0, 5, 0, 2) == 1


def test_concentration_and_migration():
    assert comparing.herfindahl([25, 25, 25, 25]) == pytest.approx(0.25)
    assert comparing.herfindahl([0, 9]) == 1
    before, after = np.array([0, 0, 1, 2, 2]), np.array([0, 1, 1, 0, 2])
    assert (comparing.migration(before, after, 3) == metrics.confusion_matrix(before, after)).all()


def test_approval_takes_the_safest():
    p = np.array([0.4, 0.1, 0.3, 0.2])
    assert approved(p, 0.5).tolist() == [False, True, False, True]
