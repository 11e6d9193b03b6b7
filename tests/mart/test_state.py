"""State of the sources, the door to the mart, and tables written back."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import polars as pl
import pytest

import bluemirror
from bluemirror.errors import BluemirrorError
from bluemirror.mart.ingest import ingest_source
from bluemirror.mart.state import source_state
from bluemirror.mart.writeback import write_table
from tests.mart.samples import people_csv, person

DAY = "2024-01-02"


def test_state_of_a_workspace_without_anything(workspace):
    states = source_state(workspace)
    assert set(states) == {"asked", "moves", "people", "report"}
    assert (states["people"].in_, states["people"].last_delivery) == (0, None)


def test_state_counts_over_all_deliveries(workspace, deliver):
    deliver(
        "people",
        DAY,
        {"a.csv": people_csv([person(1), person(2, city="xx"), person(3, income="900000")])},
        {"a.csv": 3},
    )
    deliver("people", "2024-01-03", {"b.csv": people_csv([person(4)])}, {"b.csv": 2})
    deliver("people", "2024-01-04", {"c.csv": people_csv([person(5)])}, None)
    ingest_source(workspace, "people")
    state = source_state(workspace)["people"]
    assert (state.in_, state.accepted, state.quarantined) == (4, 2, 2)
    assert (state.deliveries, state.waiting, state.last_delivery) == (2, 1, dt.date(2024, 1, 3))
    assert state.rejected_by_rule == {"codes": 1, "row_count": 1}
    assert state.warnings == {"people.rich": 1}


def test_written_back_rows_replace_their_equals(workspace):
    first = pl.DataFrame({"id": ["a", "b"], "score": [1, 2]})
    path = write_table(workspace, "model_score", first, ["id"])
    write_table(workspace, "model_score", pl.DataFrame({"id": ["b", "c"], "score": [20, 30]}), "id")
    rows = bluemirror.connect(workspace).sql("SELECT id, score FROM model_score ORDER BY id").fetchall()
    assert rows == [("a", 1), ("b", 20), ("c", 30)]
    assert [entry.name for entry in path.parent.iterdir()] == ["part-0.parquet"]


def test_a_table_in_parts_replaces_one_part_only(workspace):
    for day, score in (("2024-01-01", 1), ("2024-01-02", 2), ("2024-01-02", 3)):
        frame = pl.DataFrame({"day": [day], "score": [score]})
        path = write_table(workspace, "daily", frame, "day", part=day)
    assert sorted(each.name for each in path.parent.iterdir()) == [
        "part-2024-01-01.parquet",
        "part-2024-01-02.parquet",
    ]
    rows = bluemirror.connect(workspace).sql("SELECT day, score FROM daily ORDER BY 1").fetchall()
    assert rows == [("2024-01-01", 1), ("2024-01-02", 3)]
    with pytest.raises(BluemirrorError, match="no name of a part"):
        write_table(workspace, "daily", frame, "day", part="../elsewhere")


@pytest.mark.parametrize(
    ("name", "frame", "key", "text"),
    [
        ("people", {"id": ["a"]}, "id", "cannot be written back"),
        ("Model Score", {"id": ["a"]}, "id", "cannot be written back"),
        ("scores", {"id": ["a", "a"]}, "id", "no usable key"),
        ("scores", {"id": ["a"]}, "person", "no usable key"),
    ],
)
def test_what_cannot_be_written_back(workspace, name, frame, key, text):
    with pytest.raises(BluemirrorError, match=text):
        write_table(workspace, name, pl.DataFrame(frame), key)


def test_crash_while_writing_back_keeps_the_old_rows(workspace, monkeypatch):
    write_table(workspace, "scores", pl.DataFrame({"id": ["a"], "s": [1]}), "id")

    def crash(*_):
        raise OSError("the machine went away")

    with monkeypatch.context() as broken:
        broken.setattr("bluemirror.mart.writeback.os.replace", crash)
        with pytest.raises(OSError, match="went away"):
            write_table(workspace, "scores", pl.DataFrame({"id": ["a"], "s": [2]}), "id")
    assert bluemirror.connect(workspace).sql("SELECT s FROM scores").fetchall() == [(1,)]
    folder = workspace.mart / "_written" / "scores"
    assert [entry.name for entry in folder.iterdir()] == ["part-0.parquet"]


def test_readers_and_writer_do_not_wait_for_each_other(workspace, deliver):
    """An open notebook does not block the night: a reader holds nothing."""
    readers = [bluemirror.connect(workspace) for _ in range(3)]
    deliver("people", DAY, {"a.csv": people_csv([person(1)])}, {"a.csv": 1})
    assert ingest_source(workspace, "people").accepted == 1
    assert all(reader.sql("SELECT count(*) FROM people").fetchall() == [(0,)] for reader in readers)


def test_contract_version_may_add_a_column(workspace, deliver):
    """Old deliveries show null in a column that a later version of the contract brought."""
    deliver("people", DAY, {"a.csv": people_csv([person(1)])}, {"a.csv": 1})
    ingest_source(workspace, "people")
    path = workspace.contracts_dir / "people.odcs.yaml"
    line = "      - {name: note, logicalType: string, description: note, customProperties: [{property: nameZh, value: 备注}]}\n"
    text = (
        path.read_text()
        .replace("version: 1.0.0", "version: 1.1.0")
        .replace("    quality:\n", line + "    quality:\n", 1)
    )
    path.write_text(text)
    later = (
        people_csv([person(2)])
        .replace("income\n", "income,note\n", 1)
        .replace("1234.56\n", "1234.56,hello\n")
    )
    deliver("people", "2024-01-03", {"a.csv": later}, {"a.csv": 1})
    assert ingest_source(workspace, "people").accepted == 1
    rows = (
        bluemirror.connect(replace(workspace)).sql("SELECT person_id, note FROM people ORDER BY 1").fetchall()
    )
    assert rows == [("P1", None), ("P2", "hello")]
