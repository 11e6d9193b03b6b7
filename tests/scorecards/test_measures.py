"""The measures against their slow, obvious versions."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from bluemirror.scorecards import measures

_spec = importlib.util.spec_from_file_location("slow_measures", Path(__file__).with_name("slow_measures.py"))
slow = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(slow)


@pytest.fixture(params=range(5))
def sample(request):
    random = np.random.default_rng(request.param)
    rows = int(random.integers(30, 120))
    bad = (random.random(rows) < 0.3).astype(int)
    bad[:2] = [0, 1]
    risk = np.round(random.normal(size=rows) + bad * 0.7, 1)  # with ties
    return bad, risk, random


def test_woe_and_information_value(sample):
    bad, _, random = sample
    codes = random.integers(0, 9, bad.size)
    good_counts = np.bincount(codes, weights=1 - bad, minlength=9)
    bad_counts = np.bincount(codes, weights=bad, minlength=9)
    weights, value = slow.woe_and_iv(codes.tolist(), bad.tolist())
    fast = measures.woe(good_counts, bad_counts)
    assert {c: fast[c] for c in weights} == pytest.approx(weights)
    assert measures.information_value(good_counts, bad_counts) == pytest.approx(value)
    assert all(fast[c] == 0 for c in range(9) if c not in weights)


def test_information_value_of_many_columns_at_once():
    random = np.random.default_rng(1)
    good, bad = random.integers(0, 50, (4, 6)), random.integers(0, 20, (4, 6))
    one_by_one = [measures.information_value(good[i], bad[i]) for i in range(4)]
    assert measures.information_value(good, bad) == pytest.approx(one_by_one)


def test_chance_information_value_is_what_noise_shows():
    random = np.random.default_rng(2)
    bad = np.arange(4000) % 10 == 0
    found = []
    for _ in range(200):
        codes = random.integers(0, 10, bad.size)
        found.append(
            measures.information_value(
                np.bincount(codes[~bad], minlength=10), np.bincount(codes[bad], minlength=10)
            )
        )
    assert np.mean(found) == pytest.approx(measures.chance_information_value(10, 3600, 400), rel=0.1)


def test_auc_and_ks(sample):
    bad, risk, _ = sample
    assert measures.auc(bad, risk) == pytest.approx(slow.auc(bad.tolist(), risk.tolist()))
    assert measures.ks(bad, risk) == pytest.approx(slow.ks(bad.tolist(), risk.tolist()))


def test_auc_interval_is_delongs(sample):
    bad, risk, _ = sample
    low, high = measures.auc_interval(bad, risk)
    area = slow.auc(bad.tolist(), risk.tolist())
    half = 1.959964 * slow.delong_variance(bad.tolist(), risk.tolist()) ** 0.5
    assert (low, high) == pytest.approx((max(0, area - half), min(1, area + half)), abs=1e-6)


def test_psi(sample):
    _, _, random = sample
    expected, actual = random.integers(0, 30, 8), random.integers(0, 30, 8)
    assert measures.psi(expected, actual) == pytest.approx(slow.psi(expected.tolist(), actual.tolist()))


def test_psi_of_values_sees_missing_as_a_bin():
    before, after = np.arange(1000.0), np.arange(1000.0)
    assert measures.psi_of_values(before, after) == 0
    after = after.copy()
    after[:500] = np.nan
    assert measures.psi_of_values(before, after) > 1


def test_brier_and_hosmer_lemeshow():
    random = np.random.default_rng(3)
    probability = random.uniform(0.02, 0.6, 3000)
    bad = (random.random(3000) < probability).astype(int)
    assert measures.brier(bad, probability) == pytest.approx(
        slow.calibration_distance(bad.tolist(), probability.tolist())
    )
    assert measures.hosmer_lemeshow(bad, probability)[1] > 0.01
    assert measures.hosmer_lemeshow(bad, probability * 0.6)[1] < 1e-6


def test_bands_keep_equal_risks_together():
    bands = measures.bands([0.1, 0.1, 0.1, 0.1, 0.5, 0.9], 3)
    assert bands[0] == bands[1] == bands[2] == bands[3] < bands[5]
