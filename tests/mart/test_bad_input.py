"""Each bad input of the trade: what the reader is told, and that no record is lost on the way."""

from __future__ import annotations

import json
import shutil

import polars as pl
import pytest

from bluemirror.errors import LandingError, WorkspaceError
from bluemirror.mart import ingest, writing
from bluemirror.mart.ingest import ingest_source
from bluemirror.mart.manifests import read_snapshot
from bluemirror.mart.quarantine import read_quarantine
from tests.mart.samples import (
    PEOPLE_HEADER,
    answer,
    lines,
    moves,
    people_csv,
    person,
    report_json,
    report_xml,
    sums,
)

DAY = "2024-01-02"


def quarantined(workspace, source):
    return read_quarantine(read_snapshot(workspace).quarantine_files(workspace, source))


def whole(workspace, source, expected):
    counted = sums(workspace, source)
    assert counted == expected
    assert counted[0] == counted[1] + counted[2]
    # What is told is what is there.
    committed = read_snapshot(workspace).of(source).values()
    told = [sum(one.counts[name] for one in committed) for name in ("in", "accepted", "quarantined")]
    assert tuple(told) == expected


def test_missing_landing_folder(workspace):
    shutil.rmtree(workspace.landing)
    with pytest.raises(LandingError) as caught:
        ingest_source(workspace, "people")
    text = str(caught.value)
    assert "the landing folder does not exist" in text
    assert str(workspace.landing) in text
    assert "rule:" in text
    assert "fix:   create it and put deliveries there, or run: bluemirror simulate" in text


def test_source_that_never_delivered(workspace):
    report = ingest_source(workspace, "people")
    assert (report.in_, report.changed) == (0, False)
    assert "nothing has arrived from people" in report.warnings[0]
    assert "fix:" in report.warnings[0]


def test_unknown_source(workspace):
    with pytest.raises(WorkspaceError, match="there is no source 'peeple'"):
        ingest_source(workspace, "peeple")


def test_delivery_folder_without_a_date(workspace, deliver):
    deliver("people", "yesterday", {"a.csv": people_csv([person(1)])}, {"a.csv": 1})
    with pytest.raises(LandingError, match="not named by a date"):
        ingest_source(workspace, "people")


def test_unreadable_xml(workspace, deliver):
    files = {"1.xml": report_xml(1), "2.xml": report_xml(2)[:200], "3.xml": report_xml(3)}
    deliver("report", DAY, files, dict.fromkeys(files, 1))
    report = ingest_source(workspace, "report")
    assert "not well-formed XML at line 1, column 201" in report.warnings[0]
    assert "file:  report/2024-01-02/2.xml" in report.warnings[0]
    assert "rule:  readable_xml" in report.warnings[0]
    assert "fix:   ask the source to deliver the document again" in report.warnings[0]
    whole(workspace, "report", (3, 2, 1))


def test_json_report_cut_in_the_middle(workspace, deliver):
    text = json.dumps(report_json(2))
    files = {"1.json": json.dumps(report_json(1)), "2.json": text[: len(text) // 2]}
    deliver("report", DAY, files, dict.fromkeys(files, 1))
    report = ingest_source(workspace, "report")
    assert "not JSON at line 1, column" in report.warnings[0]
    assert "report/2024-01-02/2.json" in report.warnings[0]
    assert "Somebody" not in report.warnings[0]
    whole(workspace, "report", (2, 1, 1))


def test_json_line_cut_in_the_middle(workspace, deliver):
    text = lines([answer(1), answer(2), answer(3)])
    broken = text.replace('"req_id": "R2"', '"req_id": "R2', 1)
    deliver("asked", DAY, {"a.jsonl": broken}, {"a.jsonl": 3})
    ingest_source(workspace, "asked")
    rows = quarantined(workspace, "asked").to_dicts()
    assert [(row["line"], row["rule"]) for row in rows] == [(2, "readable_json")]
    assert rows[0]["value"].startswith("not JSON at line 1, column")
    whole(workspace, "asked", (3, 2, 1))


def test_csv_with_a_changed_column(workspace, deliver):
    text = people_csv([person(1), person(2)]).replace("city", "town", 1)
    deliver("people", DAY, {"a.csv": text, "b.csv": people_csv([person(3)])}, {"a.csv": 2, "b.csv": 1})
    report = ingest_source(workspace, "people")
    assert "the columns changed (missing: city; not in the contract: town)" in report.warnings[0]
    assert "file:  people/2024-01-02/a.csv" in report.warnings[0]
    assert "field: city" in report.warnings[0]
    assert "fix:   ask for the agreed columns, or agree a new contract version" in report.warnings[0]
    whole(workspace, "people", (3, 1, 2))


def test_files_older_than_an_added_field(workspace, deliver):
    """A field that a later version added may be missing from a whole file, and from no row else."""
    file = workspace.contracts_dir / "people.odcs.yaml"
    added = (
        "      - {name: town, logicalType: string, description: town, "
        'customProperties: [{property: nameZh, value: 镇}, {property: since, value: "1.1.0"}]}\n'
    )
    text = file.read_text().replace("version: 1.0.0", "version: 1.1.0")
    start = text.index("      - {name: city")
    file.write_text(text[:start] + added + text[start:])
    new = people_csv([person(2)]).replace("city,", "town,city,", 1).replace(",sh,", ",old town,sh,")
    deliver("people", DAY, {"a.csv": people_csv([person(1)]), "b.csv": new}, {"a.csv": 1, "b.csv": 1})
    assert not ingest_source(workspace, "people").warnings
    whole(workspace, "people", (2, 2, 0))
    rows = pl.read_parquet(read_snapshot(workspace).files(workspace, "people")).sort("person_id")
    assert rows["town"].to_list() == [None, "old town"]
    assert rows["city"].to_list() == ["sh", "sh"]


def test_csv_with_an_open_quote(workspace, deliver):
    text = people_csv([person(1), person(2, city='"sh')])
    deliver("people", DAY, {"a.csv": text}, {"a.csv": 2})
    report = ingest_source(workspace, "people")
    assert "rule:  readable_csv" in report.warnings[0]
    whole(workspace, "people", (2, 0, 2))


def test_parquet_with_a_changed_type(workspace, deliver):
    frame = moves(3).with_columns(pl.col("amount").cast(pl.String))
    deliver("moves", DAY, {"a.parquet": frame}, {"a.parquet": 3})
    report = ingest_source(workspace, "moves")
    assert "column 'amount' is String, the contract says amount" in report.warnings[0]
    assert "field: amount" in report.warnings[0]
    assert "rule:  types" in report.warnings[0]
    assert "fix:   ask for 'amount' as decimal or integer or float" in report.warnings[0]
    whole(workspace, "moves", (3, 0, 3))


def test_parquet_that_is_not_whole(workspace, deliver, tmp_path):
    moves(3).write_parquet(tmp_path / "x")
    deliver("moves", DAY, {"a.parquet": (tmp_path / "x").read_bytes()[:100]}, {"a.parquet": 3})
    report = ingest_source(workspace, "moves")
    assert "not a whole Parquet file" in report.warnings[0]
    whole(workspace, "moves", (3, 0, 3))


def test_unknown_code(workspace, deliver):
    deliver("people", DAY, {"a.csv": people_csv([person(1), person(2, city="xx")])}, {"a.csv": 2})
    report = ingest_source(workspace, "people")
    assert "1 records quarantined by their own rules (codes 1)" in report.warnings[0]
    row = quarantined(workspace, "people").to_dicts()[0]
    assert (row["line"], row["field"], row["rule"], row["value"]) == (2, "city", "codes", "xx")
    assert row["fix"] == "ask the source for a listed code, or add the code to the contract"
    whole(workspace, "people", (2, 1, 1))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"since": "2024-01-03", "recorded_ts": "2024-01-03T09:00:00"}, "recorded_ts"),
        ({"recorded_ts": "2024-01-03T00:00:00"}, "recorded_ts"),
        ({"since": "2034-01-02"}, "since"),
    ],
)
def test_date_in_the_future(workspace, deliver, changes, field):
    deliver("people", DAY, {"a.csv": people_csv([person(1), person(2, **changes)])}, {"a.csv": 2})
    ingest_source(workspace, "people")
    rows = [row for row in quarantined(workspace, "people").to_dicts() if row["rule"] == "not_in_future"]
    assert field in {row["field"] for row in rows}
    assert "no time may lie after the day of delivery" in rows[0]["fix"]
    whole(workspace, "people", (2, 1, 1))


def test_last_moment_of_the_delivery_day_is_not_the_future(workspace, deliver):
    deliver(
        "people",
        DAY,
        {"a.csv": people_csv([person(1, recorded_ts="2024-01-02T23:59:59.999999")])},
        {"a.csv": 1},
    )
    assert ingest_source(workspace, "people").accepted == 1


def test_duplicate_delivery(workspace, deliver):
    text = people_csv([person(1), person(2)])
    deliver("people", DAY, {"a.csv": text}, {"a.csv": 2})
    ingest_source(workspace, "people")
    deliver("people", "2024-01-03", {"b.csv": text}, {"b.csv": 2})
    report = ingest_source(workspace, "people")
    assert "the same content came as people/2024-01-02/a.csv" in report.warnings[0]
    assert "rule:  duplicate_delivery" in report.warnings[0]
    whole(workspace, "people", (4, 2, 2))


def test_rows_delivered_twice(workspace, deliver):
    """Not the same file, but a row of it again; and a restated row, which is a new version."""
    again = person(1)
    restated = person(2, recorded_ts="2024-01-03T08:00:00")
    deliver("people", DAY, {"a.csv": people_csv([person(1), person(2), person(1)])}, {"a.csv": 3})
    deliver("people", "2024-01-03", {"a.csv": people_csv([again, restated])}, {"a.csv": 2})
    ingest_source(workspace, "people")
    rows = quarantined(workspace, "people").select("delivery", "line", "rule").rows()
    assert [(str(day), line, rule) for day, line, rule in rows] == [
        (DAY, 3, "duplicate"),
        ("2024-01-03", 1, "duplicate"),
    ]
    whole(workspace, "people", (5, 3, 2))


def test_duplicates_of_what_is_still_being_written(workspace, deliver, monkeypatch):
    """Deliveries that are worked on one by one: the one before is being written when the next is checked."""
    monkeypatch.setattr(ingest, "CHUNK_BYTES", 1)
    text = people_csv([person(1), person(2)])
    deliver("people", DAY, {"a.csv": text}, {"a.csv": 2})
    deliver("people", "2024-01-03", {"b.csv": text}, {"b.csv": 2})
    deliver("people", "2024-01-04", {"c.csv": people_csv([person(2), person(3)])}, {"c.csv": 2})
    report = ingest_source(workspace, "people")
    assert "the same content came as people/2024-01-02/a.csv" in report.warnings[0]
    rows = quarantined(workspace, "people").select("delivery", "line", "rule").rows()
    assert [(str(day), line, rule) for day, line, rule in rows] == [
        ("2024-01-03", None, "duplicate_delivery"),
        ("2024-01-04", 1, "duplicate"),
    ]
    whole(workspace, "people", (6, 3, 3))


def test_what_cannot_be_written_is_not_committed(workspace, deliver, monkeypatch):
    """A disk that is full is found on another thread; what was committed before stays, and the rest comes next time."""
    monkeypatch.setattr(ingest, "CHUNK_BYTES", 1)
    for n in range(3):
        deliver("people", f"2024-01-0{n + 2}", {"a.csv": people_csv([person(n)])}, {"a.csv": 1})
    written = writing.write_dir

    def full(target):
        if "2024-01-03" in target.name:
            raise OSError(28, "No space left on device")
        return written(target)

    monkeypatch.setattr(writing, "write_dir", full)
    with pytest.raises(OSError, match="No space"):
        ingest_source(workspace, "people")
    whole(workspace, "people", (1, 1, 0))
    monkeypatch.setattr(writing, "write_dir", written)
    ingest_source(workspace, "people")
    whole(workspace, "people", (3, 3, 0))


def test_duplicate_of_an_earlier_run(workspace, deliver):
    deliver("people", DAY, {"a.csv": people_csv([person(1)])}, {"a.csv": 1})
    ingest_source(workspace, "people")
    deliver("people", "2024-01-03", {"a.csv": people_csv([person(1), person(3)])}, {"a.csv": 2})
    ingest_source(workspace, "people")
    assert quarantined(workspace, "people")["rule"].to_list() == ["duplicate"]
    whole(workspace, "people", (3, 2, 1))


def test_customer_without_a_report(workspace, deliver):
    """A document with nothing in it, and one with a head only: the first is refused, the second is a thin file."""
    thin = {"HEAD": report_json(2)["HEAD"], "SUM": None, "ACCS": "--"}
    files = {"1.json": "{}", "2.json": json.dumps(thin)}
    deliver("report", DAY, files, dict.fromkeys(files, 1))
    ingest_source(workspace, "report")
    rows = quarantined(workspace, "report")
    assert set(rows["rule"]) == {"required"}
    assert set(rows["field"]) == {"report_id", "report_time", "subject"}
    assert set(rows["file"]) == {"report/2024-01-02/1.json"}
    whole(workspace, "report", (2, 1, 1))


def test_empty_day(workspace, deliver):
    """Two empty days have the same content and are no duplicates of each other."""
    for day in (DAY, "2024-01-03"):
        deliver("people", day, {"a.csv": PEOPLE_HEADER + "\n"}, {"a.csv": 0})
        deliver("asked", day, {"a.jsonl": ""}, {"a.jsonl": 0})
        deliver("moves", day, {"a.parquet": moves(0)}, {"a.parquet": 0})
        deliver("report", day, {}, {})
    for source in ("people", "asked", "moves", "report"):
        report = ingest_source(workspace, source)
        assert len(report.new_deliveries) == 2
        assert (report.in_, report.warnings) == (0, ())
        whole(workspace, source, (0, 0, 0))


@pytest.mark.parametrize(("declared", "rows"), [({"a.csv": 3}, 2), ({"a.csv": 1}, 2)])
def test_row_count_differs(workspace, deliver, declared, rows):
    deliver("people", DAY, {"a.csv": people_csv([person(1), person(2)])}, declared)
    report = ingest_source(workspace, "people")
    assert f"2 records, the completing file says {declared['a.csv']}" in report.warnings[0]
    assert "rule:  row_count" in report.warnings[0]
    whole(workspace, "people", (rows, 0, rows))


def test_missing_and_undeclared_files(workspace, deliver):
    deliver("people", DAY, {"b.csv": people_csv([person(1)])}, {"a.csv": 5})
    report = ingest_source(workspace, "people")
    text = "\n".join(report.warnings)
    assert "the completing file names it, but it is not in the delivery" in text
    assert "the completing file does not name it" in text
    whole(workspace, "people", (6, 0, 6))


def test_another_format(workspace, deliver):
    deliver("people", DAY, {"a.txt": "hello"}, {"a.txt": 1})
    report = ingest_source(workspace, "people")
    assert "the contract's formats are csv" in report.warnings[0]
    whole(workspace, "people", (1, 0, 1))


def test_waiting_delivery(workspace, deliver):
    deliver("people", DAY, {"a.csv": people_csv([person(1)])}, None)
    report = ingest_source(workspace, "people")
    assert [str(day) for day in report.waiting] == [DAY]
    assert (report.changed, report.in_) == (False, 0)
    assert "waiting, _DONE.json is not there yet" in report.warnings[0]


def test_completing_file_cut_in_the_middle(workspace, deliver):
    folder = deliver("people", DAY, {"a.csv": people_csv([person(1)])}, {"a.csv": 1})
    (folder / "_DONE.json").write_text('{"files": {"a.c')
    report = ingest_source(workspace, "people")
    assert len(report.waiting) == 1
    assert "does not read as" in report.warnings[0]


def test_a_rule_that_stumbles_over_a_record_rejects_that_record(workspace, deliver):
    """A cast in a rule fails on one record: the others are asked as ever, and the night goes on."""
    file = workspace.contracts_dir / "people.odcs.yaml"
    text = file.read_text().replace('"recorded_ts >= since"', '"CAST(right(person_id, 1) AS INTEGER) < 5"')
    file.write_text(text)
    rows = [person(1), person(7), person(2, person_id="Pz"), person(3)]
    deliver("people", DAY, {"a.csv": people_csv(rows)}, {"a.csv": 4})
    ingest_source(workspace, "people")
    found = quarantined(workspace, "people")
    assert [(row["line"], row["rule"]) for row in found.to_dicts()] == [
        (2, "recorded_after"),
        (3, "recorded_after"),
    ]
    whole(workspace, "people", (4, 2, 2))


def test_a_document_rule_that_stumbles_rejects_those_documents(workspace, deliver):
    file = workspace.contracts_dir / "asked.odcs.yaml"
    text = file.read_text()
    broken = text.replace(
        "WHERE h.record_count <> coalesce(r.n, 0)", "WHERE CAST(right(h.req_id, 1) AS INTEGER) > 5"
    )
    assert broken != text
    file.write_text(broken)
    rows = [answer(1), answer(2, req_id="Rx"), answer(9), answer(3), answer(4, req_id="Ry"), answer(5)]
    deliver("asked", DAY, {"a.jsonl": lines(rows)}, {"a.jsonl": 6})
    ingest_source(workspace, "asked")
    found = quarantined(workspace, "asked")
    assert found["line"].to_list() == [2, 3, 5]
    assert set(found["rule"]) == {"record_count_agrees"}
    whole(workspace, "asked", (6, 3, 3))


def test_document_rule_takes_the_whole_document(workspace, deliver):
    text = report_xml(1).replace("<COUNT>2</COUNT>", "<COUNT>3</COUNT>")
    files = {"1.xml": text, "2.xml": report_xml(2)}
    deliver("report", DAY, files, dict.fromkeys(files, 1))
    ingest_source(workspace, "report")
    assert quarantined(workspace, "report")["rule"].to_list() == ["account_count_agrees"]
    whole(workspace, "report", (2, 1, 1))
    for table in ("report", "phone", "account", "account_month"):
        for path in read_snapshot(workspace).files(workspace, table):
            assert set(pl.read_parquet(path)["_file"]) == {"report/2024-01-02/2.xml"}


def test_child_row_takes_the_whole_line(workspace, deliver):
    bad = answer(2, 2)
    bad["records"][1]["lender"] = "nobody"
    late = answer(3, 1)
    late["records"][0]["apply_ts"] = "2024-01-02T11:00:00"
    deliver("asked", DAY, {"a.jsonl": lines([answer(1), bad, late])}, {"a.jsonl": 3})
    ingest_source(workspace, "asked")
    assert quarantined(workspace, "asked").select("line", "rule").rows() == [
        (2, "codes"),
        (3, "before_answer"),
    ]
    whole(workspace, "asked", (3, 1, 2))


def test_warning_is_counted_and_the_row_stays(workspace, deliver):
    deliver("people", DAY, {"a.csv": people_csv([person(1, income="900000")])}, {"a.csv": 1})
    report = ingest_source(workspace, "people")
    assert report.accepted == 1
    assert report.warnings == ("people 2024-01-02: 1 rows against rules of severity warning (people.rich 1)",)


def test_many_days_are_one_line(workspace, deliver):
    for n in range(2, 5):
        rows = [person(n), person(n + 10, city="xx"), person(n + 20, since="2034-01-01")]
        deliver("people", f"2024-01-0{n}", {"a.csv": people_csv(rows)}, {"a.csv": 3})
    report = ingest_source(workspace, "people")
    assert report.warnings[0] == (
        "people 3 deliveries from 2024-01-02 to 2024-01-04: 6 records quarantined by their own rules"
        " (codes 3, not_in_future 3)"
    )
