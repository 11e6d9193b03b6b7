"""The validation pack and its pictures."""

from __future__ import annotations

import numpy as np
import pytest

from bluemirror.scorecards.measures import auc, psi_of_values
from bluemirror.scorecards.plots import validation_plots
from bluemirror.scorecards.validate import Judged, validate


@pytest.fixture(scope="module")
def sides():
    random = np.random.default_rng(11)

    def side(start, months, rows):
        probability = random.beta(1.5, 9, rows)
        bad = (random.random(rows) < probability).astype(int)
        day = np.datetime64(start, "M") + random.integers(0, months, rows).astype("timedelta64[M]")
        return Judged(probability, bad, day.astype("datetime64[us]"))

    return side("2024-01", 12, 5000), side("2025-01", 6, 2500)


def test_pack(sides):
    train, oot = sides
    inputs = {
        "steady": (np.arange(100.0), np.arange(100.0)),
        "moved": (np.arange(100.0), np.arange(100.0) + 50),
    }
    pack = validate(train, oot, inputs)
    m = pack.metrics
    assert m["auc"] == auc(oot.bad, oot.probability)
    assert m["auc_low"] < m["auc"] < m["auc_high"]
    assert m["gini"] == pytest.approx(2 * m["auc"] - 1)
    assert m["psi"] == psi_of_values(train.probability, oot.probability) < 0.05
    assert m["hosmer_lemeshow_p"] > 0.001
    assert pack.by_band["oot_rows"].sum() == 2500
    assert pack.by_band["train_bads"].sum() == train.bad.sum()
    assert pack.by_band["train_probability"].is_sorted()
    assert pack.by_month["rows"].sum() == 7500
    assert pack.by_month["month"].to_list()[0] == "2024-01"
    assert pack.calibration["rows"].sum() == 2500
    assert (pack.calibration["observed_low"] <= pack.calibration["observed"]).all()
    assert pack.variable_psi["variable"].to_list() == ["moved", "steady"]
    assert "auc_high" in pack._repr_html_()


def test_pictures_are_drawn_and_named(sides, tmp_path):
    figures = validation_plots("Card", *sides, validate(*sides))
    assert set(figures) == {"roc", "calibration", "bands", "stability", "distribution"}
    for name, figure in figures.items():
        figure.savefig(tmp_path / f"{name}.png")
        axes = figure.axes[0]
        assert axes.get_ylabel()
        assert (tmp_path / f"{name}.png").stat().st_size > 5000
