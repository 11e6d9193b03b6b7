"""A day's files follow from the seed alone: not from the run, and not from how far the simulation goes on."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import pytest

from bluemirror.errors import WorkspaceError
from bluemirror.workspace import Workspace
from simulator import land
from simulator.assumptions import DEFAULT
from simulator.rules import read_rules


def digests(landing: Path) -> dict[str, str]:
    """Hash of every file below ``landing``."""
    return {
        str(path.relative_to(landing)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in landing.rglob("*")
        if path.is_file()
    }


def days(files: dict[str, str]) -> set[str]:
    return {name.split("/")[1] for name in files}


@pytest.fixture(scope="session")
def whole(landed: Workspace) -> dict[str, str]:
    return digests(landed.landing)


def test_same_seed_same_bytes_other_seed_other_bytes(tmp_path: Path, fresh: Workspace) -> None:
    land(fresh, customers=60, months=3, seed=3)
    first = digests(fresh.landing)
    moved = tmp_path / "first"
    fresh.landing.rename(moved)
    land(fresh, customers=60, months=3, seed=3)
    assert digests(fresh.landing) == first
    land(fresh, customers=60, months=3, seed=4)
    other = digests(fresh.landing)
    parquet = [name for name in first if name.endswith(".parquet")]
    assert parquet
    assert all(first[name] != other.get(name) for name in parquet)


def test_shorter_horizon_gives_the_same_days_byte_for_byte(fresh: Workspace, whole: dict[str, str]) -> None:
    land(fresh, customers=260, months=30, seed=11)
    short = digests(fresh.landing)
    assert max(days(short)) == "2025-06-30"
    assert short == {name: digest for name, digest in whole.items() if name.split("/")[1] <= "2025-06-30"}


def test_nights_one_after_the_other_add_what_the_whole_holds(fresh: Workspace, whole: dict[str, str]) -> None:
    land(fresh, customers=260, months=36, seed=11, until=dt.date(2025, 12, 9))
    assert max(days(digests(fresh.landing))) == "2025-12-09"
    land(fresh, customers=260, months=36, seed=11, until="2025-12-11")
    files = digests(fresh.landing)
    assert files == {name: digest for name, digest in whole.items() if name.split("/")[1] <= "2025-12-11"}


def test_deliveries_are_monthly_up_to_go_live_then_as_often_as_promised(
    landed: Workspace, whole: dict[str, str]
) -> None:
    rules = read_rules(landed)
    for source in {name.split("/")[0] for name in whole}:
        mine = sorted(days({name: "" for name in whole if name.startswith(source + "/")}))
        every = rules[source].every
        if every > 0:
            assert len(mine) == 36 // every
            continue
        if every < 0:
            assert mine[35:] == ["2025-12-07", "2025-12-14", "2025-12-21", "2025-12-28"]
            continue
        missed = {
            f"2025-12-{day:02d}"
            for day in range(1, 32)
            for name, first, last in DEFAULT.unpunctual
            if name == source and first <= f"2025-12-{day:02d}" <= last
        }
        assert len(mine) == 35 + 31 - len(missed)
        assert all((dt.date.fromisoformat(day) + dt.timedelta(days=1)).day == 1 for day in mine[:35])
        assert mine[35:] == [
            f"2025-12-{day:02d}" for day in range(1, 32) if f"2025-12-{day:02d}" not in missed
        ]


def test_a_second_call_finds_everything_and_writes_nothing(landed: Workspace) -> None:
    before = {path: path.stat().st_mtime_ns for path in landed.landing.rglob("*")}
    said: list[str] = []
    counts = land(landed, customers=260, months=36, seed=11, log=said.append)
    assert "nothing to do" in said[0]
    assert counts["pboc_person"] > 100
    assert {path: path.stat().st_mtime_ns for path in landed.landing.rglob("*")} == before


def test_a_lost_file_is_written_again(fresh: Workspace) -> None:
    land(fresh, customers=60, months=2, seed=3)
    files = digests(fresh.landing)
    lost = next(name for name in sorted(files) if name.endswith(".parquet"))
    (fresh.landing / lost).unlink()
    land(fresh, customers=60, months=2, seed=3)
    assert digests(fresh.landing) == files


def test_a_shorter_simulation_leaves_no_later_delivery(fresh: Workspace) -> None:
    land(fresh, customers=60, months=3, seed=3)
    land(fresh, customers=60, months=2, seed=3)
    assert max(days(digests(fresh.landing))) == "2023-02-28"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"customers": 10}, "customers"),
        ({"months": 0}, "months"),
        ({"until": "next week"}, "until"),
        ({"until": "2022-12-31"}, "until"),
    ],
)
def test_impossible_wishes_are_refused(fresh: Workspace, options: dict[str, object], field: str) -> None:
    with pytest.raises(WorkspaceError) as error:
        land(fresh, **options)
    assert error.value.field == field
    assert not fresh.landing.exists()
