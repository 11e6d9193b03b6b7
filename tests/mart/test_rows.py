"""Rows of the mart: types, times, system columns, keys; and the counting property."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bluemirror
from bluemirror.mart.ingest import ingest_source
from tests.mart.samples import (
    answer,
    collapsed,
    lines,
    moves,
    people_csv,
    person,
    report_json,
    report_xml,
    sums,
)

DAY = "2024-01-02"


def table(workspace, name):
    return pl.DataFrame(
        bluemirror.connect(workspace)
        .sql(f"SELECT * FROM {name} ORDER BY _file, _line, _seq")
        .to_arrow_table()
    )


def test_types_and_system_columns(workspace, deliver):
    deliver(
        "people",
        DAY,
        {"a.csv": people_csv([person(1, income='"1,234.56"'), person(2, income="--")])},
        {"a.csv": 2},
    )
    ingest_source(workspace, "people")
    frame = table(workspace, "people")
    assert frame["income"].to_list() == [123456, None]
    assert frame["event_time"].to_list()[0] == dt.datetime(2024, 1, 2)
    assert frame["known_time"].to_list()[0] == dt.datetime(2024, 1, 2, 10)
    assert frame["_delivery"].to_list() == [dt.date(2024, 1, 2)] * 2
    assert frame["_file"].to_list() == ["people/2024-01-02/a.csv"] * 2
    assert frame["_line"].to_list() == [1, 2]
    assert frame["_seq"].to_list() == [0, 0]
    assert frame["_parent"].to_list() == [None, None]
    assert frame["_doc"].n_unique() == 2
    assert (frame["_doc"] > 0).all()
    assert "email" not in frame.columns
    assert "id_no" not in frame.columns
    assert {"id_no_plain", "id_no_md5", "id_no_sha256", "phone_plain", "phone_md5"} <= set(frame.columns)
    assert frame.schema["known_time"] == pl.Datetime("us")


def test_known_time_at_the_end_of_a_date_plus_a_day(workspace, deliver):
    deliver("moves", DAY, {"a.parquet": moves(1)}, {"a.parquet": 1})
    ingest_source(workspace, "moves")
    assert table(workspace, "moves")["known_time"].to_list() == [dt.datetime(2024, 1, 2, 23, 59, 59, 999999)]
    assert table(workspace, "moves")["amount"].to_list() == [1025]


def test_children_inherit_times_and_name_their_parent(workspace, deliver):
    deliver("report", DAY, {"1.xml": report_xml(1, accounts=2, months=2)}, {"1.xml": 1})
    ingest_source(workspace, "report")
    months, phones = table(workspace, "account_month"), table(workspace, "phone")
    assert months["_seq"].to_list() == [0, 1, 2, 3]
    assert months["_parent"].to_list() == [0, 0, 1, 1]
    assert months["event_time"].to_list()[:2] == [dt.datetime(2023, 1, 1), dt.datetime(2023, 2, 1)]
    assert set(months["known_time"]) == {dt.datetime(2024, 1, 2, 8)}
    assert phones["event_time"].to_list() == [dt.datetime(2024, 1, 2, 8)]
    assert phones["_parent"].to_list() == [0]
    assert table(workspace, "account")["balance"].to_list() == [100000, 110000]


def test_tombstone_needs_only_its_key(workspace, deliver):
    gone = person(1, op="d", recorded_ts="2024-01-03T10:00:00", id_no="", phone="", city="", income="")
    deliver("people", DAY, {"a.csv": people_csv([person(1)])}, {"a.csv": 1})
    deliver("people", "2024-01-03", {"a.csv": people_csv([gone])}, {"a.csv": 1})
    ingest_source(workspace, "people")
    assert table(workspace, "people")["_deleted"].to_list() == [False, True]


def test_xml_and_both_json_spellings_give_identical_tables(workspace, deliver):
    shapes = {"a": (1, 1), "b": (2, 3), "c": (0, 0), "d": (1, 0)}
    spellings = {
        "xml": report_xml,
        "lists": lambda n, a, m: json.dumps(report_json(n, a, m)),
        "collapsed": lambda n, a, m: json.dumps({"Document": collapsed(report_json(n, a, m))}),
    }
    found = []
    for spelling, write in spellings.items():
        bank = replace(workspace, landing=workspace.root / spelling, data=workspace.root / f"data-{spelling}")
        folder = bank.landing / "report" / DAY
        folder.mkdir(parents=True)
        suffix = "xml" if spelling == "xml" else "json"
        for number, (name, (accounts, months)) in enumerate(shapes.items()):
            (folder / f"{name}.{suffix}").write_text(write(number, accounts, months))
        rows = {"files": {f"{name}.{suffix}": {"rows": 1} for name in shapes}}
        (folder / "_DONE.json").write_text(json.dumps(rows))
        report = ingest_source(bank, "report")
        assert (report.in_, report.accepted) == (4, 4), report.warnings
        names = ("report", "phone", "account", "account_month")
        found.append([table(bank, name).drop("_doc", "_file") for name in names])
    for other in found[1:]:
        assert all(mine.equals(theirs) for mine, theirs in zip(found[0], other, strict=True))
    assert found[0][3].height == 1 + 6


def test_processes_give_what_one_process_gives(workspace, deliver, monkeypatch):
    from bluemirror.landing import read

    files = {f"{n}.xml": report_xml(n) for n in range(6)} | {
        f"{n}.json": json.dumps(report_json(n)) for n in range(6, 12)
    }
    deliver("report", DAY, files, dict.fromkeys(files, 1))
    ingest_source(workspace, "report", workers=1)
    other = replace(workspace, data=workspace.root / "data-processes")
    monkeypatch.setattr(read, "POOL_FROM_BYTES", 0)
    monkeypatch.setattr(read, "BATCH_BYTES", 2000)
    ingest_source(other, "report", workers=2)
    for name in ("report", "phone", "account", "account_month"):
        assert table(workspace, name).equals(table(other, name))


def test_empty_tables_are_views_with_their_columns(workspace):
    connection = bluemirror.connect(workspace)
    columns = [name for name, *_ in connection.sql("DESCRIBE account_month").fetchall()]
    assert columns[:2] == ["month", "status"]
    assert columns[-1] == "_deleted"
    assert connection.sql("SELECT count(*) FROM account_month").fetchall() == [(0,)]


VALUES = st.fixed_dictionaries(
    {
        "number": st.integers(1, 6),
        "city": st.sampled_from(["sh", "bj", "xx", "", "--"]),
        "income": st.sampled_from(["1", "0", "-1", "12.345", "abc", "", "2000000"]),
        "since": st.sampled_from(["2024-01-01", "2024-01-02", "2024-01-09", "2024-13-01", ""]),
        "id_no": st.sampled_from(["110101199001010001", "11010119900101000X", "bad", ""]),
    }
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(VALUES, max_size=8), min_size=1, max_size=3), st.integers(0, 2))
def test_in_is_accepted_plus_quarantined(workspace, days, wrong):
    """Whatever the rows are, each is either in the mart or in quarantine, in every delivery."""
    with tempfile.TemporaryDirectory() as folder:
        bank = replace(workspace, landing=Path(folder) / "landing", data=Path(folder) / "data")
        total = 0
        for index, rows in enumerate(days):
            day = f"2024-01-0{index + 2}"
            landed = bank.landing / "people" / day
            landed.mkdir(parents=True)
            text = people_csv(
                [person(row["number"], **{k: v for k, v in row.items() if k != "number"}) for row in rows]
            )
            (landed / "a.csv").write_text(text)
            count = len(rows) + (1 if index == wrong else 0)
            (landed / "_DONE.json").write_text(json.dumps({"files": {"a.csv": {"rows": count}}}))
            total += len(rows)
        report = ingest_source(bank, "people")
        came, accepted, quarantined = sums(bank, "people")
        assert came == accepted + quarantined == total
        assert (report.in_, report.accepted, report.quarantined) == (came, accepted, quarantined)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.integers(1, 4), st.integers(0, 2), st.sampled_from(["ok", "cut", "code", "count", "list"])
        ),
        max_size=6,
    )
)
def test_nested_lines_are_counted_too(workspace, rows):
    with tempfile.TemporaryDirectory() as folder:
        bank = replace(workspace, landing=Path(folder) / "landing", data=Path(folder) / "data")
        text = []
        for number, records, how in rows:
            line = answer(number, records)
            if how == "code":
                line["hit"] = "7"
            if how == "count":
                line["record_count"] = 9
            if how == "list":
                line["records"] = "nonsense"
            written = lines([line]).strip()
            text.append(written[:-9] if how == "cut" else written)
        landed = bank.landing / "asked" / DAY
        landed.mkdir(parents=True)
        (landed / "a.jsonl").write_text("\n".join(text))
        (landed / "_DONE.json").write_text(json.dumps({"files": {"a.jsonl": {"rows": len(rows)}}}))
        ingest_source(bank, "asked")
        came, accepted, quarantined = sums(bank, "asked")
        assert came == accepted + quarantined == len(rows)
