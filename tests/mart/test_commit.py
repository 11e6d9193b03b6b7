"""Commits: all or nothing, once, and never again."""

from __future__ import annotations

import datetime as dt
import os

import polars as pl
import pytest

import bluemirror
from bluemirror.errors import WorkspaceError
from bluemirror.mart import committing, ingest, manifests
from bluemirror.mart.ingest import ingest_source
from bluemirror.mart.manifests import keep_snapshot, read_manifest, read_snapshot
from tests.mart.samples import people_csv, person, sums

DAY = "2024-01-02"


def test_second_run_changes_nothing(workspace, deliver):
    deliver("people", DAY, {"a.csv": people_csv([person(1), person(2, city="xx")])}, {"a.csv": 2})
    first = ingest_source(workspace, "people")
    before = {
        path: path.stat().st_mtime_ns
        for path in workspace.data.rglob("*")
        if path.suffix in {".json", ".parquet"}
    }
    second = ingest_source(workspace, "people")
    after = {
        path: path.stat().st_mtime_ns
        for path in workspace.data.rglob("*")
        if path.suffix in {".json", ".parquet"}
    }
    assert (first.changed, second.changed) == (True, False)
    assert before == after


def test_same_input_gives_the_same_folder_and_rows(workspace, deliver, tmp_path, monkeypatch):
    from dataclasses import replace

    deliver("people", DAY, {"a.csv": people_csv([person(1), person(2)])}, {"a.csv": 2})
    ingest_source(workspace, "people")
    other = replace(workspace, data=tmp_path / "elsewhere")
    ingest_source(other, "people")
    assert read_snapshot(workspace).id == read_snapshot(other).id
    ours, theirs = (read_snapshot(w).files(w, "people") for w in (workspace, other))
    assert pl.read_parquet(ours[0]).equals(pl.read_parquet(theirs[0]))


def test_touched_files_are_looked_at_again_and_pass(workspace, deliver):
    folder = deliver("people", DAY, {"a.csv": people_csv([person(1)])}, {"a.csv": 1})
    ingest_source(workspace, "people")
    os.utime(folder / "a.csv", (1, 1))
    report = ingest_source(workspace, "people")
    assert (report.changed, report.errors) == (False, ())


def test_changed_delivery_is_an_error_and_not_rewritten(workspace, deliver):
    deliver("people", DAY, {"a.csv": people_csv([person(1)])}, {"a.csv": 1})
    ingest_source(workspace, "people")
    state = read_snapshot(workspace).id
    deliver("people", DAY, {"a.csv": people_csv([person(1), person(2)])}, {"a.csv": 2})
    report = ingest_source(workspace, "people")
    assert "a committed delivery changed: a.csv" in report.errors[0]
    assert "fix:   put the files back; corrections come as a new delivery" in report.errors[0]
    assert not report.changed
    assert read_snapshot(workspace).id == state


@pytest.mark.parametrize("point", ["os.rename", "commit"])
def test_crash_between_write_and_rename_leaves_no_trace(workspace, deliver, monkeypatch, point):
    deliver("people", DAY, {"a.csv": people_csv([person(1), person(9, city="xx")])}, {"a.csv": 2})
    ingest_source(workspace, "people")
    seen = read_snapshot(workspace)
    reader = bluemirror.connect(workspace)
    deliver("people", "2024-01-03", {"a.csv": people_csv([person(2), person(3)])}, {"a.csv": 2})

    def crash(*_):
        raise OSError("the machine went away")

    with monkeypatch.context() as broken:
        if point == "commit":
            broken.setattr(ingest, "commit", crash)
        else:
            broken.setattr("bluemirror.atomic.os.rename", crash)
        with pytest.raises(OSError, match="went away"):
            ingest_source(workspace, "people")
    assert read_snapshot(workspace).id == seen.id
    assert reader.sql("SELECT count(*) FROM people").fetchall() == [(1,)]
    assert bluemirror.connect(workspace).sql("SELECT count(*) FROM people").fetchall() == [(1,)]
    assert not list(workspace.mart.rglob("*.draft"))
    report = ingest_source(workspace, "people")
    assert report.accepted == 2
    assert sums(workspace, "people") == (4, 3, 1)
    # The old reader still sees what it saw.
    assert reader.sql("SELECT count(*) FROM people").fetchall() == [(1,)]


def test_earlier_snapshot_can_be_read(workspace, deliver):
    deliver("people", DAY, {"a.csv": people_csv([person(1)])}, {"a.csv": 1})
    ingest_source(workspace, "people")
    old = keep_snapshot(workspace)
    deliver("people", "2024-01-03", {"a.csv": people_csv([person(2)])}, {"a.csv": 1})
    ingest_source(workspace, "people")
    assert bluemirror.connect(workspace).sql("SELECT count(*) FROM people").fetchall() == [(2,)]
    assert bluemirror.connect(workspace, old).sql("SELECT count(*) FROM people").fetchall() == [(1,)]
    with pytest.raises(WorkspaceError, match="there is no snapshot 'nonsense'"):
        bluemirror.connect(workspace, "nonsense")


def test_manifest_says_what_went_in_and_came_out(workspace, deliver):
    deliver("people", DAY, {"a.csv": people_csv([person(1), person(2, city="xx")])}, {"a.csv": 2})
    ingest_source(workspace, "people")
    manifest = read_manifest(workspace, read_snapshot(workspace).of("people")[DAY])
    assert manifest["records"] == {"in": 2, "accepted": 1, "quarantined": 1}
    assert manifest["tables"]["people"] == {"in": 2, "accepted": 1, "quarantined": 1}
    assert manifest["rejected_by_rule"] == {"codes": 1}
    assert manifest["contract_version"] == "1.0.0"
    assert len(manifest["files"]["a.csv"]["sha256"]) == 64


def test_another_key_is_refused(workspace, deliver, monkeypatch):
    deliver("people", DAY, {"a.csv": people_csv([person(1)])}, {"a.csv": 1})
    ingest_source(workspace, "people")
    deliver("people", "2024-01-03", {"a.csv": people_csv([person(2)])}, {"a.csv": 1})
    monkeypatch.setenv("BLUEMIRROR_KEY", "another key")
    with pytest.raises(WorkspaceError, match="the hash key is not the one"):
        ingest_source(workspace, "people")


def test_batches_give_what_single_deliveries_give(workspace, deliver, tmp_path, monkeypatch):
    """Whether deliveries are worked on together or one by one is not to be seen in the mart."""
    from dataclasses import replace

    for n in range(4):
        rows = [person(10 * n + k, recorded_ts=f"2024-01-0{n + 2}T10:00:00") for k in range(3)]
        deliver("people", f"2024-01-0{n + 2}", {"a.csv": people_csv(rows)}, {"a.csv": 3})
    ingest_source(workspace, "people")
    other = replace(workspace, data=tmp_path / "elsewhere")
    monkeypatch.setattr(ingest, "CHUNK_BYTES", 1)
    ingest_source(other, "people")
    assert read_snapshot(workspace).id == read_snapshot(other).id
    frames = [
        pl.concat([pl.read_parquet(path) for path in read_snapshot(w).files(w, "people")])
        for w in (workspace, other)
    ]
    assert frames[0].equals(frames[1])
    assert [entry.day for entry in read_snapshot(workspace).of("people").values()] == [
        dt.date(2024, 1, d) for d in range(2, 6)
    ]


def test_two_sources_committed_at_once_both_stay(workspace):
    entries = [manifests.Committed(s, dt.date(2024, 1, 2), "f", {"in": 0}, {}, None, "1") for s in ("a", "b")]
    for entry in entries:
        manifests.commit(workspace, [entry])
    assert set(read_snapshot(workspace).deliveries) == {"a", "b"}
    assert committing.key_id(b"x") != committing.key_id(b"y")
