"""Two versions of a contract in one mart: refused before anything lands, or both readable side by side."""

from __future__ import annotations

import json

import pytest

import bluemirror
from bluemirror.cli.main import main
from bluemirror.errors import ContractError
from bluemirror.mart.adopted import adopted
from bluemirror.mart.check import check_source
from bluemirror.mart.ingest import ingest_source
from bluemirror.mart.manifests import keep_snapshot, read_snapshot
from tests.mart.samples import answer, lines, people_csv, person

DAYS = ("2024-01-02", "2024-01-03", "2024-01-04")


def change(workspace, *pairs, version, source="people"):
    """Write another version of a contract; ``pairs`` are (old text, new text)."""
    path = workspace.contracts_dir / f"{source}.odcs.yaml"
    text = path.read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    lines = [f"version: {version}" if line.startswith("version:") else line for line in text.splitlines()]
    path.write_text("\n".join(lines) + "\n")


def day(workspace, deliver, number, text, rows=1):
    deliver("people", DAYS[number], {"a.csv": text}, {"a.csv": rows})
    return ingest_source(workspace, "people")


def rows(workspace, sql, snapshot=None):
    connection = bluemirror.connect(workspace, snapshot)
    try:
        return connection.sql(sql).fetchall()
    finally:
        connection.close()


def later(number, **changes):
    return person(number, recorded_ts="2024-01-03T10:00:00", **changes)


def test_a_break_is_refused_before_it_lands(workspace, deliver):
    day(workspace, deliver, 0, people_csv([person(1)]))
    before = read_snapshot(workspace).id
    change(workspace, ("{name: city,", "{name: town,"), version="1.1.0")
    deliver("people", DAYS[1], {"a.csv": people_csv([later(2)]).replace("city", "town")}, {"a.csv": 1})
    with pytest.raises(ContractError) as caught:
        ingest_source(workspace, "people")
    text = str(caught.value)
    assert "version 1.1.0 of people breaks version 1.0.0" in text
    assert "people.city: field renamed" in text
    assert "file:  " in text
    assert "people.odcs.yaml" in text
    assert "rule:  a contract that breaks what was agreed has a new major version" in text
    assert "write version: 2.0.0" in text
    # nothing was read: no snapshot, no quarantine, no kept contract
    assert read_snapshot(workspace).id == before
    assert len(adopted(workspace, "people")) == 1
    change(workspace, version="2.0.0")
    assert ingest_source(workspace, "people").accepted == 1
    assert [one.version for one in adopted(workspace, "people").values()] == ["1.0.0", "2.0.0"]


def test_nothing_pending_refuses_nothing(workspace, deliver):
    """A contract in the making does not stop a night on which nothing came; the check tells of it."""
    day(workspace, deliver, 0, people_csv([person(1)]))
    change(workspace, ("{name: city,", "{name: town,"), version="1.1.0")
    assert not ingest_source(workspace, "people").changed


def test_a_version_that_nothing_came_under_binds_nobody(workspace, deliver):
    """Read under the first 2.0.0 was nothing, because a pattern failed; so 2.0.0 may still be changed."""
    day(workspace, deliver, 0, people_csv([person(1)]))
    broken = "{name: town, logicalTypeOptions: {pattern: '(?!x)'},"
    change(workspace, ("{name: city,", broken), version="2.0.0")
    with pytest.raises(ContractError, match="the pattern of 'town' cannot be used"):
        day(workspace, deliver, 1, people_csv([later(2)]).replace("city", "town"))
    assert len(adopted(workspace, "people")) == 2
    change(workspace, (broken, "{name: place,"), version="2.0.0")
    (workspace.landing / "people" / DAYS[1] / "a.csv").write_text(
        people_csv([later(2)]).replace("city", "place")
    )
    assert ingest_source(workspace, "people").accepted == 1
    assert len(adopted(workspace, "people")) == 2


def test_compatible_changes_pass_and_say_so(workspace, deliver):
    day(workspace, deliver, 0, people_csv([person(1)]))
    # a field more; the file of before still comes, and one with the new column
    added = "      - {name: note, logicalType: string, description: note, customProperties: [{property: nameZh, value: 备注}]}\n"
    change(workspace, ("    quality:\n", added + "    quality:\n"), version="1.0.0")
    report = day(workspace, deliver, 1, people_csv([later(2)]))
    assert report.accepted == 1
    assert "is still 1.0.0; call it 1.1.0" in report.warnings[0]
    change(workspace, version="1.1.0")
    text = (
        people_csv([later(3)]).replace("income\n", "income,note\n", 1).replace("1234.56\n", "1234.56,new\n")
    )
    assert day(workspace, deliver, 2, text).warnings == ()
    assert rows(workspace, "SELECT person_id, note, city FROM people ORDER BY 1") == [
        ("P1", None, "sh"),
        ("P2", None, "sh"),
        ("P3", "new", "sh"),
    ]


def test_old_and_new_rows_side_by_side(workspace, deliver):
    """Renamed, removed, retyped and widened: every value of before is found, and told what became of it."""
    day(workspace, deliver, 0, people_csv([person(1, city="sh", income="10.50")]))
    old = keep_snapshot(workspace)
    at_first = rows(workspace, "SELECT * EXCLUDE (_doc) FROM people")
    change(
        workspace,
        ("{name: city,", "{name: town,"),
        ("logicalType: number, physicalType: amount", "logicalType: string"),
        ("logicalTypeOptions: {minimum: 0, maximum: 1000000}, ", ""),
        ('"income < 50000000"', '"income <> town"'),
        version="2.0.0",
    )
    text = people_csv([later(2, city="bj", income="about 20")]).replace("city", "town")
    assert day(workspace, deliver, 1, text).accepted == 1
    found = rows(workspace, "SELECT person_id, town, city, income, income_v1 FROM people ORDER BY 1")
    assert found == [("P1", None, "sh", None, 1050), ("P2", "bj", None, "about 20", None)]
    # the snapshot of before is what it was, under its own names, and has the new ones too
    assert rows(workspace, "SELECT city, income_v1, town, income FROM people", old) == [
        ("sh", 1050, None, None)
    ]
    assert len(rows(workspace, "SELECT * FROM people", old)) == len(at_first)
    told = dict(
        rows(workspace, "SELECT column_name, comment FROM duckdb_columns() WHERE table_name = 'people'")
    )
    assert told["city"] == told["town"] == "field renamed in 2.0.0 (city -> town)"
    assert "type changed in 2.0.0 (amount -> string)" in told["income"]
    assert told["person_id"] is None


def test_types_widen(workspace, deliver):
    path = workspace.contracts_dir / "asked.odcs.yaml"
    assert "name: record_count, logicalType: integer" in path.read_text()
    deliver("asked", DAYS[0], {"a.jsonl": lines([answer(1)])}, {"a.jsonl": 1})
    ingest_source(workspace, "asked")
    change(
        workspace,
        ("record_count, logicalType: integer", "record_count, logicalType: number"),
        version="1.1.0",
        source="asked",
    )
    second = answer(2, record_count=1.0, report_ts="2024-01-03T10:00:00")
    deliver("asked", DAYS[1], {"a.jsonl": lines([second])}, {"a.jsonl": 1})
    assert ingest_source(workspace, "asked").accepted == 1
    assert rows(workspace, "SELECT record_count, typeof(record_count) FROM asked ORDER BY req_id") == [
        (1.0, "DOUBLE"),
        (1.0, "DOUBLE"),
    ]


def test_a_table_that_is_gone_is_still_there(workspace, deliver):
    deliver("asked", DAYS[0], {"a.jsonl": lines([answer(1, records=2)])}, {"a.jsonl": 1})
    ingest_source(workspace, "asked")
    path = workspace.contracts_dir / "asked.odcs.yaml"
    text = path.read_text()
    child, rule = text.index("  - name: asked_record"), text.index("    quality:")
    path.write_text(text[: min(child, rule)].replace("version: 1.0.0", "version: 2.0.0"))
    assert len(rows(workspace, "SELECT * FROM asked_record")) == 2
    comment = rows(workspace, "SELECT comment FROM duckdb_views() WHERE view_name = 'asked_record'")
    assert comment[0][0].startswith("table removed in 2.0.0")


def test_a_source_whose_contract_is_gone_is_still_there(workspace, deliver):
    day(workspace, deliver, 0, people_csv([person(1)]))
    (workspace.contracts_dir / "people.odcs.yaml").unlink()
    assert rows(workspace, "SELECT person_id FROM people") == [("P1",)]


def test_old_rows_are_not_checked_by_new_rules(workspace, deliver):
    """What came under an earlier major version was right by its rules; its key may be of another type or name."""
    day(workspace, deliver, 0, people_csv([person(1, city="sh"), person(2, city="bj")]), rows=2)
    change(
        workspace,
        ("{name: person_id,", "{name: customer_id,"),
        ("{name: city,", "{name: city, required: true, logicalTypeOptions: {pattern: '^b'},"),
        version="2.0.0",
    )
    text = people_csv([later(1, city="bj"), later(2, city="sh")]).replace("person_id", "customer_id")
    report = day(workspace, deliver, 1, text, rows=2)
    assert (report.accepted, report.quarantined) == (1, 1)
    checked = check_source(workspace, "people")
    assert checked.passed, checked.failures
    assert checked.rows == 1


def test_deliveries_from_before_contracts_were_kept(workspace, deliver):
    """A mart that is older than this knowledge: nothing to compare with, and every row readable."""
    day(workspace, deliver, 0, people_csv([person(1)]))
    (workspace.mart / "people" / "contracts.json").unlink()
    (ledger,) = (workspace.mart / "people" / "_ledgers").iterdir()
    deliveries = json.loads(ledger.read_text())["deliveries"]
    for entry in deliveries.values():
        del entry["contract"]
    ledger.unlink()
    (workspace.mart / "current.json").write_text(
        json.dumps({"id": "x", "deliveries": {"people": deliveries}})
    )
    change(workspace, ("{name: city,", "{name: town,"), version="1.1.0")
    assert day(workspace, deliver, 1, people_csv([later(2)]).replace("city", "town")).accepted == 1
    assert rows(workspace, "SELECT town, city FROM people ORDER BY person_id") == [(None, "sh"), ("sh", None)]


def run(capsys, *argv):
    status = main([*argv, "--json"])
    out, err = capsys.readouterr()
    return status, json.loads(out.splitlines()[-1]) if out.strip() else None, err


def test_the_command_line(workspace, deliver, tmp_path, capsys):
    day(workspace, deliver, 0, people_csv([person(1)]))
    where = ("--workspace", str(workspace.root), "contracts")
    old = tmp_path / "before.yaml"
    old.write_text((workspace.contracts_dir / "people.odcs.yaml").read_text())
    status, result, _ = run(capsys, *where, "check")
    assert status == 0
    assert {row["source"]: row["held_version"] for row in result["sources"]}["people"] == "1.0.0"
    change(workspace, ("{name: city,", "{name: town,"), version="1.1.0")
    status, result, err = run(capsys, *where, "check")
    assert status == 2
    assert result["refused"] == 1
    assert "people 1.0.0 -> 1.1.0: breaking, needs 2.0.0 (ingestion refuses it)" in err
    new = str(workspace.contracts_dir / "people.odcs.yaml")
    status, result, err = run(capsys, *where, "diff", str(old), new)
    assert (status, result["verdict"], result["least_version"]) == (2, "breaking", "2.0.0")
    assert result["changes"][0]["what"] == "field renamed"
    change(workspace, version="2.0.0")
    status, result, err = run(capsys, *where, "diff", str(old), new)
    assert (status, result["follows"]) == (0, True)
    day(workspace, deliver, 1, people_csv([later(2)]).replace("city", "town"))
    status, result, err = run(capsys, *where, "history", "people")
    assert [one["version"] for one in result["versions"]] == ["1.0.0", "2.0.0"]
    assert "people.city: field renamed in 2.0.0" in err
    assert run(capsys, *where, "diff", new)[0] == 2
    assert run(capsys, *where, "check", "peeple")[0] == 2
