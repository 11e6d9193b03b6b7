"""Great Expectations over all rows of the mart."""

from __future__ import annotations

import json
import os

import polars as pl
import pytest

from bluemirror.mart.ingest import ingest_source
from bluemirror.mart.manifests import read_snapshot
from tests.mart.samples import answer, lines, people_csv, person, report_xml

DAY = "2024-01-02"


def check(workspace, source):
    from bluemirror.mart.check import check_source

    return check_source(workspace, source)


def test_accepted_rows_pass(workspace, deliver, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    deliver(
        "people",
        DAY,
        {"a.csv": people_csv([person(1), person(2, city="xx"), person(3, income="900000")])},
        {"a.csv": 3},
    )
    deliver("report", DAY, {"1.xml": report_xml(1), "2.xml": report_xml(2)}, {"1.xml": 1, "2.xml": 1})
    for source in ("people", "report"):
        ingest_source(workspace, source)
        report = check(workspace, source)
        assert report.passed, report.failures
        assert report.rows == sum(
            sum(c.tables.values()) for c in read_snapshot(workspace).of(source).values()
        )
        assert all(result.severity == "warning" for result in report.failures)
        assert not [result for result in report.results if result.error]
    assert not [path for path in tmp_path.iterdir() if path.name != "bank"], "it writes no project files"
    assert os.environ["GX_ANALYTICS_ENABLED"] == "false"


def test_a_warning_does_not_block(workspace, deliver):
    deliver("people", DAY, {"a.csv": people_csv([person(1, income="900000"), person(2)])}, {"a.csv": 2})
    ingest_source(workspace, "people")
    report = check(workspace, "people")
    assert report.passed
    failed = {result.expectation: result.failed for result in report.failures}
    assert failed == {"rich": 1}


def test_the_same_rows_are_not_checked_twice_but_new_ones_are(workspace, deliver):
    deliver("people", DAY, {"a.csv": people_csv([person(1), person(2)])}, {"a.csv": 2})
    ingest_source(workspace, "people")
    first = check(workspace, "people")
    again = check(workspace, "people")
    assert not first.recalled
    assert again.recalled
    assert again.results == first.results
    deliver("people", "2024-01-03", {"a.csv": people_csv([person(3)])}, {"a.csv": 1})
    ingest_source(workspace, "people")
    later = check(workspace, "people")
    assert not later.recalled
    assert later.rows == first.rows + 1


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (pl.lit("xx").alias("city"), "codes: city"),
        (pl.lit(-5, dtype=pl.Int64).alias("income"), "bounds: income"),
        (pl.lit("13800000000").alias("phone_plain"), "keyed hash: phone"),
        (pl.lit(None, dtype=pl.String).alias("person_id"), "required: person_id"),
        (pl.lit("P1").alias("person_id"), "one version at a time"),
        (pl.col("recorded_ts") - pl.duration(days=9), "recorded_after"),
    ],
)
def test_a_hole_in_the_gate_is_seen(workspace, deliver, change, rule):
    """Rows that are changed behind the gate's back are found, each by its own rule, over every row."""
    deliver("people", DAY, {"a.csv": people_csv([person(n) for n in range(50)])}, {"a.csv": 50})
    ingest_source(workspace, "people")
    path = read_snapshot(workspace).files(workspace, "people")[0]
    frame = pl.read_parquet(path)
    pl.concat([frame[:48], frame[48:].with_columns(change)]).write_parquet(path)
    report = check(workspace, "people")
    assert not report.passed
    failed = [result for result in report.failures if result.severity == "error"]
    assert rule in {result.expectation for result in failed}
    assert not [result for result in failed if result.error]


def test_document_rules_are_asked_too(workspace, deliver):
    deliver("asked", DAY, {"a.jsonl": lines([answer(1, 2), answer(2, 3)])}, {"a.jsonl": 2})
    ingest_source(workspace, "asked")
    path = read_snapshot(workspace).files(workspace, "asked_record")[0]
    pl.read_parquet(path)[1:].write_parquet(path)
    report = check(workspace, "asked")
    assert {result.expectation for result in report.failures} == {"record_count_agrees"}
    assert [tuple(result)[2:] for result in report.failures] == [(2, 1, False)]


def test_nothing_delivered_passes(workspace):
    report = check(workspace, "people")
    assert (report.passed, report.rows, report.results) == (True, 0, ())


def test_result_rows_are_plain(workspace, deliver):
    deliver("people", DAY, {"a.csv": people_csv([person(1)])}, {"a.csv": 1})
    ingest_source(workspace, "people")
    results = [list(result) for result in check(workspace, "people").results]
    assert json.loads(json.dumps(results)) == results
