"""A file that lands after its rows were known: stored values that lack them are computed again, no others are."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from bluemirror.mart import ingest_source
from bluemirror.variables import build, read_variables
from bluemirror.workspace import Workspace

MOVES = Path(__file__).parents[1] / "mart" / "contracts" / "moves.odcs.yaml"
OWNER = (
    "      - {name: owner_id, logicalType: string, required: true, description: owner, "
    "customProperties: [{property: nameZh, value: 户主}]}\n"
)
SPINE = """
entities: {person: {key: person_id}}
observations: {moment: {entity: person, sql: observations/moment.sql}}
"""
MOMENTS = """
SELECT * FROM (VALUES
    ('early', 'p', TIMESTAMP '2024-01-02 12:00:00'),
    ('late', 'p', TIMESTAMP '2024-01-10 12:00:00')
) AS t (observation_id, person_id, as_of)
"""
FAMILY = """
block: moves
entity: person
source: moves
label: {zh: 流水, en: movements}
families:
  - family: m
    label: {zh: 流水, en: movements}
    table: moves
    match: {owner_id: person_id}
    windows: {days: [30]}
    measures: [{agg: count}]
"""
COUNT = "moves_m_30d_cnt"
Land = Callable[[str, str, str], None]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("BLUEMIRROR_KEY", "a key for tests")
    monkeypatch.delenv("BLUEMIRROR_DATA", raising=False)
    for name, text in {
        "workspace.yaml": "name: late\n",
        "data_contracts/moves.odcs.yaml": MOVES.read_text(encoding="utf-8").replace(
            "      - {name: moved_ts", OWNER + "      - {name: moved_ts", 1
        ),
        "feature_repo/spine.yaml": SPINE,
        "feature_repo/observations/moment.sql": MOMENTS,
        "feature_repo/families/moves.yaml": FAMILY,
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Workspace.open(tmp_path)


@pytest.fixture
def land(workspace: Workspace) -> Land:
    def write(day: str, move: str, booked: str) -> None:
        folder = workspace.landing / "moves" / day
        folder.mkdir(parents=True)
        date = dt.date.fromisoformat(booked)
        pl.DataFrame(
            {
                "move_id": [move],
                "owner_id": ["p"],
                "moved_ts": [dt.datetime.combine(date, dt.time(9))],
                "book_date": [date],
                "amount": [12.5],
                "reversed": [False],
            }
        ).write_parquet(folder / "a.parquet")
        (folder / "_DONE.json").write_text(json.dumps({"files": {"a.parquet": {"rows": 1}}}))
        report = ingest_source(workspace, "moves")
        assert (report.accepted, report.quarantined) == (1, 0), report.warnings

    return write


def counts(workspace: Workspace) -> dict[str, float]:
    return dict(read_variables(workspace, "moment", [COUNT]).iter_rows())


def test_only_what_a_late_file_touches_is_computed_again(workspace: Workspace, land: Land) -> None:
    land("2024-01-04", "m1", "2024-01-01")  # known at the end of 2 January
    assert build(workspace, "moment").values == 2
    assert counts(workspace) == {"early": 0, "late": 1}

    land("2024-01-12", "m2", "2024-01-03")  # known at the end of 4 January, landed eight days later
    again = build(workspace, "moment")
    assert again.changed
    assert again.values == 1, "the early observation could not know of it"
    assert counts(workspace) == {"early": 0, "late": 2}

    land("2024-01-14", "m3", "2024-01-12")  # known after both
    untouched = build(workspace, "moment")
    assert (untouched.changed, untouched.values) == (False, 0)
    assert not build(workspace, "moment").changed
    assert counts(workspace) == {"early": 0, "late": 2}


def test_built_before_anything_arrived(workspace: Workspace, land: Land) -> None:
    build(workspace, "moment")
    assert counts(workspace) == {"early": 0, "late": 0}
    land("2024-01-04", "m1", "2024-01-01")
    assert build(workspace, "moment").values == 1
    assert counts(workspace) == {"early": 0, "late": 1}


def test_a_reader_keeps_what_it_opened(workspace: Workspace, land: Land) -> None:
    from bluemirror.variables import variable_files

    land("2024-01-04", "m1", "2024-01-01")
    build(workspace, "moment")
    opened = variable_files(workspace, "moment", "moves")
    land("2024-01-12", "m2", "2024-01-03")
    build(workspace, "moment")
    assert pl.read_parquet(opened)[COUNT].to_list() == [0, 1]
