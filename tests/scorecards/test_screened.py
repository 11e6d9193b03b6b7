"""The screening of a declared model, from its stored variables to what the terminal shows; the bench on a small scale."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from bluemirror.cli.bench_screen import draw, exact_iv, measure
from bluemirror.cli.main import main
from bluemirror.cli.screening import cut, lines
from bluemirror.scorecards import screen_model
from bluemirror.scorecards.cutting import quantile_edges
from bluemirror.scorecards.measures import information_value
from bluemirror.scorecards.population import TRAIN
from bluemirror.scorecards.screened import first_deliveries, late_rows
from bluemirror.scorecards.spec import read_specs
from bluemirror.variables import read_variables


@pytest.fixture(scope="module")
def model(computed):
    return next(iter(read_specs(computed)))


@pytest.fixture(scope="module")
def found(computed, model):
    return screen_model(computed, model)


def test_what_is_screened_is_what_is_stored(computed, found):
    rows = found.population.side(TRAIN)
    table = found.report.table.filter(pl.col("missing") == pl.col("undefined"))
    name = table["variable"][0]  # missing for one reason only, so that two codes tell all
    stored = read_variables(computed, found.spec.observation_set, [name])
    values = rows.join(stored, on="observation_id", how="left", maintain_order="left")[name].to_numpy()
    line = found.report.table.filter(pl.col("variable") == name).row(0, named=True)
    present = values[~np.isnan(values)].astype(np.float32)
    code = np.where(np.isnan(values), -1, np.searchsorted(quantile_edges(np.sort(present)), values)) + 1
    bad = rows["bad"].to_numpy()
    counts = [np.bincount(code[bad == b], minlength=30) for b in (0, 1)]
    assert line["iv"] == pytest.approx(float(information_value(*counts)))
    assert line["missing"] == pytest.approx(np.isnan(values).mean())
    assert line["cost"] == found.candidates.variables[name].cost_yuan


def test_the_terminal_shows_it_in_eighty_columns(found):
    told = lines(found, 10)
    assert max(map(len, told)) <= 80
    assert any(cut(found.report.kept[0], 38) in line for line in told)
    long = cut("a_block_family_group_window_measure_and_one_more_aggregate", 38)
    assert len(long) == 38
    assert long.startswith("a_block")
    assert long.endswith("aggregate")


def test_the_notebook_shows_verdicts_and_variables(found):
    shown = found._repr_html_()
    assert "speaks for its cluster" in shown
    assert found.report.kept[0] in shown


def test_the_verb_writes_every_line(computed, model, found, tmp_path, capsys):
    out = tmp_path / "all.csv"
    assert main(["--workspace", str(computed.root), "screen", model, "--out", str(out), "--json"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["kept"] == list(found.report.kept)
    assert sum(result["counts"].values()) == result["variables"] == pl.read_csv(out).height
    assert main(["--workspace", str(computed.root), "screen", model, "--out", str(tmp_path / "all.xls")]) == 2
    assert ".csv or .parquet" in capsys.readouterr().err


def test_late_rows_are_those_whose_outcome_was_known_when_the_source_began():
    rows = pl.DataFrame(
        {
            "as_of": [dt.datetime(2024, 1, 1, 12), dt.datetime(2024, 5, 1), dt.datetime(2024, 9, 1)],
            "matured_on": [dt.date(2024, 7, 1), dt.date(2024, 11, 1), dt.date(2025, 3, 1)],
        }
    )
    late = late_rows(rows, {"vendor": dt.date(2024, 8, 1)}, {"block": "vendor", "other": "nobody"})
    assert late("block").tolist() == [True, False, False]
    assert late("other") is None
    assert late("unheard of") is None


def test_first_deliveries_are_the_marts(computed):
    first = first_deliveries(computed)
    assert set(first) == {
        p.name.removesuffix(".odcs.yaml") for p in computed.contracts_dir.glob("*.odcs.yaml")
    }


def test_the_bench_draws_and_screens_what_it_says(computed, model, tmp_path):
    scratch = replace(computed, data=tmp_path)
    drawn = draw(computed, scratch, model, 5, 5000)
    assert drawn.count == 5
    assert len(drawn.rows) == drawn.rows["observation_id"].n_unique() == 5000
    done = measure(scratch, drawn, 2)
    assert sum(done.counts.values()) == 5
    shutil.rmtree(tmp_path)


def test_the_oracle_of_the_bench_is_right_about_a_known_value():
    values = np.repeat(np.array([1, 2, np.nan], np.float32), 100)
    bad = np.r_[np.arange(100) < 10, np.arange(100) < 30, np.arange(100) < 20].astype(int)
    good_share, bad_share = np.array([90, 70, 80]) / 240, np.array([10, 30, 20]) / 60
    expected = ((good_share - bad_share) * np.log(good_share / bad_share)).sum()
    assert exact_iv(values, np.zeros(300, np.int8), bad) == pytest.approx(expected)
