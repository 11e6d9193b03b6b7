"""A training set is made again to the value: after more has arrived, after rows were restated, after an erasure."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path

import polars as pl
import pytest

import bluemirror
from bluemirror.cli.main import main
from bluemirror.errors import BluemirrorError, ModelError, StoreError
from bluemirror.features import TrainingSet, reproduce, training_set
from bluemirror.features.content import content
from bluemirror.features.erasing import erase
from bluemirror.mart.erasing import read_erasures
from bluemirror.mart.ingest import ingest_source
from bluemirror.variables import build, variable_files
from bluemirror.variables.catalogue import catalogue
from bluemirror.workspace import Workspace

SOURCE = "loan_instalment"
ERASED = "P00003"


def _observations(workspace: Workspace) -> pl.DataFrame:
    held = pl.read_parquet(variable_files(workspace, "month", "observations"))
    return held.filter(pl.col("as_of") < dt.datetime(2025, 3, 1)).select(
        "person_id", "as_of", bad=pl.col("person_id").str.slice(5).cast(pl.Int64) % 2
    )


def _made(workspace: Workspace) -> TrainingSet:
    return training_set(
        [variable.name for variable in catalogue(workspace)], _observations(workspace), workspace=workspace
    )


def _land(workspace: Workspace, day: str, rows: list[tuple[object, ...]]) -> None:
    folder = workspace.landing / SOURCE / day
    folder.mkdir(parents=True)
    with (folder / "instalments.csv").open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(
            ("loan_id", "person_id", "due_date", "amount_due", "amount_paid", "days_late", "channel")
        )
        writer.writerows(rows)
    (folder / "_DONE.json").write_text(json.dumps({"files": {"instalments.csv": {"rows": len(rows)}}}))
    report = ingest_source(workspace, SOURCE)
    assert (report.accepted, report.quarantined) == (len(rows), 0)


def _restated(day: str, late: int) -> list[tuple[object, ...]]:
    return [(f"L{n:05d}", f"P{n:05d}", day, 1000, 500, late, "app") for n in range(150)]


def test_to_the_value_after_late_data_restated_rows_and_an_erasure(copied: Workspace) -> None:
    made = _made(copied)
    again = reproduce(made.folder, workspace=copied)
    assert (again.identical, again.differing, again.erased, again.notes) == (True, {}, 0, ())
    assert again.frame.equals(made.frame, null_equal=True)

    # An instalment that had not been told, and another opinion of told ones, landed late: known before most moments.
    _land(copied, "2024-08-20", _restated("2024-08-01", 41))
    _land(copied, "2024-08-21", _restated("2024-05-05", 50))
    # And what comes on the next month's end.
    _land(copied, "2025-06-30", _restated("2025-05-05", 0))
    now = _made(copied)
    assert now.computed > 0
    assert now.manifest.content != made.manifest.content, "what landed late would have been seen"
    assert now.manifest.snapshot != made.manifest.snapshot

    again = reproduce(made.folder / "manifest.json", workspace=copied)
    assert (again.identical, again.differing) == (True, {})
    assert reproduce(now.folder, workspace=copied).identical

    build(copied, "month")
    done = erase(copied, ERASED)
    whose = int((made.frame["person_id"] == ERASED).sum())
    assert whose == 1
    assert done.training_sets == {made.manifest.id: 1, now.manifest.id: 1}
    assert done.rows[SOURCE] > 10
    for one in (made, now):
        again = reproduce(one.folder, workspace=copied)
        assert (again.identical, again.differing, again.erased) == (True, {}, 1)
        assert again.rows == one.manifest.rows - 1
        left = one.frame.filter(pl.col("person_id") != ERASED)
        assert again.frame.equals(left, null_equal=True)
    _nothing_holds(copied, ERASED)
    entry = read_erasures(copied)[-1]
    assert entry["training_sets"] == done.training_sets
    assert ERASED not in json.dumps(entry)
    with pytest.raises(StoreError, match="nobody of the entity person has this key"):
        erase(copied, ERASED)
    assert not build(copied, "month").changed, "what is left is not computed again"


def _nothing_holds(workspace: Workspace, person: str) -> None:
    with bluemirror.connect(workspace) as connection:
        held = connection.execute("SELECT count(*) FROM loan_instalment WHERE person_id = ?", [person])
        assert held.fetchall() == [(0,)]
    for path in workspace.data.rglob("*.parquet"):
        frame = pl.read_parquet(path)
        for column in frame.columns:
            if frame.schema[column] == pl.String:
                hits = frame[column].str.contains(person, literal=True).sum()
                assert not hits, f"{path} still holds the person in {column}"


def test_after_the_meaning_changed(copied: Workspace) -> None:
    made = _made(copied)
    family = next(copied.families_dir.glob("*.yaml"))
    text = family.read_text(encoding="utf-8")
    family.write_text(text.replace("d7p: [7, null]", "d7p: [9, null]"), encoding="utf-8")
    again = reproduce(made.folder, workspace=copied)
    assert (again.identical, again.differing) == (True, {})
    assert any("mean something else today" in note for note in again.notes)


def test_what_differs_is_said(copied: Workspace) -> None:
    made = _made(copied)
    name = made.variables[3]
    changed = made.frame.with_columns(pl.lit(7.5, pl.Float32).alias(name))
    changed.write_parquet(made.folder / "rows.parquet")
    again = reproduce(made.folder, workspace=copied)
    assert again.identical, "the values can be made again, whatever became of the file"
    assert again.kept_rows_changed
    assert again.differing == {name: len(made.frame)}

    told = json.loads((made.folder / "manifest.json").read_text(encoding="utf-8"))
    told["content"] = "0" * 32
    (made.folder / "manifest.json").write_text(json.dumps(told), encoding="utf-8")
    assert not reproduce(made.folder, workspace=copied).identical


def test_what_is_gone_is_named(copied: Workspace, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no such manifest"):
        reproduce(tmp_path / "nowhere", workspace=copied)
    (tmp_path / "manifest.json").write_text("[1]", encoding="utf-8")
    with pytest.raises(ModelError, match="this is no manifest of a training set"):
        reproduce(tmp_path, workspace=copied)
    made = _made(copied)
    kept = copied.mart / "_snapshots" / f"{made.manifest.snapshot}.json"
    kept.rename(kept.with_suffix(".away"))
    with pytest.raises(BluemirrorError, match="there is no snapshot"):
        reproduce(made.folder, workspace=copied)
    kept.with_suffix(".away").rename(kept)
    (made.folder / "observations.parquet").unlink()
    with pytest.raises(ModelError, match="is gone or cannot be read") as error:
        reproduce(made.folder, workspace=copied)
    assert "observations.parquet" in str(error.value)


def test_content_is_of_values_and_not_of_their_order() -> None:
    frame = pl.DataFrame(
        {"id": ["a", "b", "c"], "x": [1.0, None, 3.0], "y": [float("nan"), 2.0, 0.0]},
        schema={"id": pl.String, "x": pl.Float32, "y": pl.Float32},
    )
    whole = content(frame, ["x", "y"])
    assert whole == content(frame.reverse(), ["x", "y"])
    assert whole == content(frame.with_columns(pl.col("y").fill_nan(None)), ["x", "y"])
    parts = [content(frame.filter(pl.col("id") == name), ["x", "y"]) for name in ("a", "b", "c")]
    assert whole == sum(parts) % (1 << 128)
    assert whole != content(frame.with_columns(pl.col("x").fill_null(0)), ["x", "y"])
    swapped = frame.with_columns(id=pl.Series(["b", "a", "c"]))
    assert whole != content(swapped, ["x", "y"])


def test_the_command_line_says_it(copied: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    made = _made(copied)
    run = ["--workspace", str(copied.root)]
    assert main([*run, "erase", ERASED, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["training_sets"] == {made.manifest.id: 1}
    assert main([*run, "reproduce", str(made.folder)]) == 0
    told = capsys.readouterr().out
    assert "1 rows are gone: whom they describe was erased since" in told
    assert "Identical where it is still there." in told
    assert main([*run, "erase", "nobody"]) == 2
    assert "nobody of the entity person has this key" in capsys.readouterr().err
    manifest = json.loads((made.folder / "manifest.json").read_text(encoding="utf-8"))
    (made.folder / "manifest.json").write_text(json.dumps(manifest | {"content": "0" * 32}), encoding="utf-8")
    assert main([*run, "reproduce", str(made.folder)]) == 2
    assert "is not what its manifest tells" in capsys.readouterr().err
