"""A night of a quiet bank tells nothing; a vendor that breaks is one alert that names it; all of it by an oracle."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import bluemirror
from bluemirror.errors import WorkspaceError
from bluemirror.health import night, publish
from bluemirror.health.alerts import POPULATION
from bluemirror.health.nightly import manifest_path, read_night, table_part
from bluemirror.health.tables import ALERTS, BLOCKS, QUANTILES, REASON_COLUMNS, VARIABLES
from bluemirror.scorecards.cutting import CODES
from bluemirror.variables.store import read_variables
from bluemirror.workspace import Workspace
from tests.health import oracle
from tests.health.conftest import apart
from tests.health.world import BLOCKS as ALL
from tests.health.world import LAST, SET, Fault, write

WEEK = dt.timedelta(days=7)


def test_weeks_of_a_quiet_bank_tell_nothing(quiet: Workspace, record_property: pytest.RecordProperty) -> None:
    """Ten sources with 1,100 variables, seventeen weeks, the rhythm of the month among them."""
    nights = [LAST - back * WEEK for back in range(17)]
    told = [(day, row) for day in nights for row in night(quiet, day).alerts.iter_rows(named=True)]
    record_property("false alarms", len(told))
    assert not told
    assert night(quiet, LAST).variables["psi_week"].null_count() == 0


@pytest.mark.parametrize("kind", ["all_miss", "down", "scale", "shift"])
@pytest.mark.parametrize("source", ["device_fp", "face_live"])
def test_a_vendor_that_breaks_is_one_alert_that_names_it(
    tmp_path: Path, quiet_once: Workspace, source: str, kind: str
) -> None:
    broken = write(tmp_path / "bank", {source: Fault(kind, LAST - dt.timedelta(days=5))}, quiet_once)
    found = night(broken).alerts
    assert found["source"].to_list() == [source]
    row = found.row(0, named=True)
    assert row["severity"] == "error"
    assert row["kind"] == ("silent" if kind in ("all_miss", "down") else "broke")
    assert row["moved_week"] > 50
    assert all(name.startswith(source) for name in row["moved"])
    before = night(broken, LAST - WEEK).alerts
    assert not len(before)


def test_a_vendor_that_answers_few_is_told_as_well(tmp_path: Path, quiet_once: Workspace) -> None:
    """Of a source with zeros for a miss, answers alone fall away."""
    broken = write(
        tmp_path / "bank", {"court_enforce": Fault("down", LAST - dt.timedelta(days=6))}, quiet_once
    )
    found = night(broken).alerts
    assert found["source"].to_list() == ["court_enforce"]
    assert found["kind"].to_list() == ["silent"]


def test_two_vendors_are_two_alerts(tmp_path: Path, quiet_once: Workspace) -> None:
    first = LAST - dt.timedelta(days=6)
    broken = write(
        tmp_path / "bank", {"face_live": Fault("down", first), "ip_risk": Fault("scale", first)}, quiet_once
    )
    assert sorted(night(broken).alerts["source"]) == ["face_live", "ip_risk"]


def test_most_sources_at_once_are_one_alert(tmp_path: Path, quiet_once: Workspace) -> None:
    first = LAST - dt.timedelta(days=6)
    broken = write(tmp_path / "bank", {block: Fault("shift", first) for block in ALL[:8]}, quiet_once)
    found = night(broken).alerts
    assert found["source"].to_list() == [POPULATION]
    assert set(ALL[:6]) <= set(found["together"][0])


def test_an_alert_goes_on_since_it_began(tmp_path: Path, quiet_once: Workspace) -> None:
    broken = write(tmp_path / "bank", {"face_live": Fault("down", LAST - dt.timedelta(days=5))}, quiet_once)
    first = publish(broken, LAST - dt.timedelta(days=1)).night.alerts
    second = publish(broken, LAST).night.alerts
    assert first["since"].to_list() == [LAST - dt.timedelta(days=1)]
    assert second["since"].to_list() == [LAST - dt.timedelta(days=1)]


def test_every_figure_of_every_variable_by_the_oracle(quiet: Workspace) -> None:
    made = night(quiet)
    of = made.manifest["sets"][SET]
    stored = pl.read_parquet(list((quiet.variables / SET / "observations").resolve().glob("*.parquet")))
    day = pl.col("as_of").dt.date()
    week = stored.filter(day > LAST - WEEK).sort("as_of").unique("person_id", keep="last")
    assert of["recent"] == len(week)
    values = read_variables(quiet, SET, observation_ids=week["observation_id"])
    for row in made.variables.iter_rows(named=True):
        block = row["block"]
        column = values[row["variable"]].fill_null(np.nan).to_numpy()
        if row["variable"] == f"{block}__reason":
            continue
        expected = oracle.described(column, np.zeros(len(column)))
        assert row["observations"] == len(column)
        assert row["coverage"] == pytest.approx(expected["present"] / len(column), rel=1e-6)
        lost = sum(row[name] for name in row if name.startswith("missing_"))
        assert lost == len(column) - expected["present"]
        if expected["present"]:
            assert row["mean"] == pytest.approx(expected["mean"], rel=1e-5, abs=1e-6)
            assert row["std"] == pytest.approx(expected["std"], rel=1e-5, abs=1e-6)
            assert row["zero_share"] == pytest.approx(expected["zeros"] / expected["present"], rel=1e-6)
            told = [row[name] for name in QUANTILES]
            assert told == pytest.approx(expected["quantiles"], rel=1e-6, abs=1e-6)


def test_missing_is_told_by_reason(quiet: Workspace) -> None:
    made = night(quiet)
    for block in made.blocks.iter_rows(named=True):
        rows = made.variables.filter(pl.col("block") == block["block"])
        zero_for_miss = block["block"] in ("court_enforce", "fraud_list")
        assert sum(block[name] for name in REASON_COLUMNS) == block["observations"]
        assert (rows["missing_not_queried"] == block["not_queried"]).all()
        assert (rows["missing_error"] == block["error"]).all()
        assert (rows["missing_no_hit"] == (0 if zero_for_miss else block["no_hit"])).all()
    # What the variable itself says of its null, though the source answered.
    never = made.variables.filter(pl.col("variable").str.ends_with("_age_days"))
    assert (never["missing_zero_denominator"] == 0).all()
    assert made.variables["missing_zero_denominator"].sum() > 0
    assert made.variables["missing_not_applicable"].sum() > 0


def test_what_was_kept_gives_what_is_computed_anew(
    quiet: Workspace, quiet_once: Workspace, tmp_path: Path
) -> None:
    """The night with last week's counts and the kept reference, and the same night with neither."""
    publish(quiet, LAST - WEEK)
    kept = night(quiet, LAST)
    anew = night(apart(quiet_once, tmp_path / "other"), LAST)
    assert kept.variables.equals(anew.variables)
    assert kept.blocks.equals(anew.blocks)


def test_kept_counts_of_other_rows_are_not_used(quiet: Workspace) -> None:
    """A week whose night was looked at when half of its rows were not there yet is counted again."""
    publish(quiet, LAST - WEEK)
    path = manifest_path(quiet, LAST - WEEK)
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["sets"][SET]["recent_digest"] = "other rows"
    path.write_text(json.dumps(manifest), encoding="utf-8")
    part = table_part(quiet, VARIABLES, LAST - WEEK)
    frame = pl.read_parquet(part)
    nothing = pl.Series("counts", np.zeros((len(frame), CODES), np.uint32), dtype=frame.schema["counts"])
    frame.with_columns(nothing).write_parquet(part)
    assert night(quiet, LAST).variables["psi_week"].null_count() == 0


def test_a_second_night_changes_nothing(quiet: Workspace) -> None:
    first = publish(quiet)
    files = {path: path.stat().st_mtime_ns for path in quiet.data.rglob("*") if path.is_file()}
    second = publish(quiet)
    assert first.changed
    assert not second.changed
    assert {path: path.stat().st_mtime_ns for path in quiet.data.rglob("*") if path.is_file()} == files


def test_the_mart_keeps_a_row_a_variable_a_night(quiet: Workspace) -> None:
    for day in (LAST - WEEK, LAST):
        publish(quiet, day)
    with bluemirror.connect(quiet) as connection:
        nights = connection.sql(
            f"SELECT as_of, count(*), count(DISTINCT variable) FROM {VARIABLES} GROUP BY as_of ORDER BY as_of"
        ).fetchall()
        blocks = connection.sql(f"SELECT count(*) FROM {BLOCKS} WHERE as_of = DATE '{LAST}'").fetchall()
        alerts = connection.sql(f"SELECT count(*) FROM {ALERTS}").fetchall()
    assert [day for day, _, _ in nights] == [LAST - WEEK, LAST]
    assert all(rows == names > 1000 for _, rows, names in nights)
    assert blocks == [(len(ALL),)]
    assert alerts == [(0,)]
    manifest = json.loads(manifest_path(quiet, LAST).read_text(encoding="utf-8"))
    assert manifest["sets"][SET]["recent"] > 100
    assert set(manifest["sets"][SET]["blocks"]) == set(ALL)
    again = read_night(quiet, LAST)
    assert again is not None
    assert again.variables.equals(night(quiet, LAST).variables)


def test_a_day_before_anything_was_described_has_rows_and_no_figures(quiet: Workspace) -> None:
    made = night(quiet, dt.date(2023, 5, 1))
    assert made.observations == 0
    assert not len(made.alerts)
    assert made.variables["mean"].null_count() == len(made.variables)


def test_what_is_no_day_or_not_there_is_told(quiet: Workspace, flagship_declarations: Workspace) -> None:
    with pytest.raises(WorkspaceError, match="write it like"):
        night(quiet, "yesterday")
    with pytest.raises(WorkspaceError, match="bluemirror features"):
        night(flagship_declarations)
