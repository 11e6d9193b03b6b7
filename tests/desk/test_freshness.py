"""When a delivery is due: days, weeks, months of the calendar; which days are missing."""

from __future__ import annotations

import datetime as dt

import pytest

from bluemirror.contracts import read_contract
from bluemirror.desk.arrival import arrival
from bluemirror.desk.freshness import freshness, next_due
from tests.desk.declarations import declare, feed
from tests.desk.world import AS_OF

DAY = dt.timedelta(days=1)


def contract_with(tmp_path, value=1, unit="d", policy="go_on"):
    text = feed("f_any", policy)
    text["slaProperties"][1] |= {"value": value, "unit": unit}
    declare(tmp_path / "bank", [text])
    return read_contract(tmp_path / "bank" / "data_contracts" / "f_any.odcs.yaml")


@pytest.mark.parametrize(
    ("value", "unit", "last", "due"),
    [
        (1, "d", "2025-03-31", "2025-04-01"),
        (1, "h", "2025-03-31", "2025-04-01"),
        (1, "week", "2025-03-31", "2025-04-07"),
        (1, "month", "2025-01-31", "2025-02-28"),
        (1, "month", "2025-02-28", "2025-03-31"),
        (1, "month", "2025-02-14", "2025-03-14"),
        (3, "month", "2025-03-31", "2025-06-30"),
        (1, "year", "2024-02-29", "2025-02-28"),
        (2, "d", "2025-03-31", "2025-04-02"),
    ],
)
def test_next_due(tmp_path, value, unit, last, due):
    contract = contract_with(tmp_path, value, unit)
    assert next_due(contract, dt.date.fromisoformat(last)) == dt.date.fromisoformat(due)


@pytest.mark.parametrize(
    ("behind", "late", "state"), [(0, 0, "fresh"), (1, 0, "fresh"), (2, 24, "due"), (3, 48, "late")]
)
def test_late_by_the_hour_of_the_contract(tmp_path, behind, late, state):
    found = freshness(contract_with(tmp_path), [AS_OF - behind * DAY], AS_OF)
    assert (found.age_days, found.late_hours, found.state) == (behind, late, state)


def test_only_its_policy_blocks(tmp_path):
    late = [AS_OF - 9 * DAY]
    assert not freshness(contract_with(tmp_path), late, AS_OF).blocks
    blocking = contract_with(tmp_path / "other", policy="block")
    assert freshness(blocking, late, AS_OF).blocks
    assert not freshness(blocking, [AS_OF - 2 * DAY], AS_OF).blocks
    assert not freshness(blocking, [], AS_OF).blocks


def test_missing_days_are_named_and_long_gaps_are_not(tmp_path):
    contract = contract_with(tmp_path)
    came = [AS_OF - n * DAY for n in (0, 1, 4, 5, 20)]
    assert freshness(contract, came, AS_OF).missing == (AS_OF - 3 * DAY, AS_OF - 2 * DAY)


def test_a_late_delivery_takes_the_place_of_the_due_one(tmp_path):
    contract = contract_with(tmp_path, 1, "week")
    came = [AS_OF - 16 * DAY, AS_OF - 7 * DAY, AS_OF]
    assert freshness(contract, came, AS_OF).missing == ()
    assert freshness(contract, [AS_OF - 21 * DAY, AS_OF - 7 * DAY], AS_OF).missing == (AS_OF - 14 * DAY,)


def test_later_deliveries_do_not_count(tmp_path):
    found = freshness(contract_with(tmp_path), [AS_OF - DAY, AS_OF + DAY], AS_OF)
    assert found.last == AS_OF - DAY


def test_the_night_looks_at_what_has_landed_anywhere(tmp_path):
    """A source is late against the others, even while these are not read yet."""
    from bluemirror.mart import ingest_source
    from bluemirror.workspace import Workspace

    contract = contract_with(tmp_path, policy="block")
    root = tmp_path / "bank"
    for source, day in (("f_any", AS_OF - 5 * DAY), ("f_other", AS_OF)):
        folder = root / "landing" / source / str(day)
        folder.mkdir(parents=True)
        (folder / "_DONE.json").write_text('{"files": {}}', encoding="utf-8")
    workspace = Workspace.open(root)
    ingest_source(workspace, "f_any")
    found = arrival(workspace, contract)
    assert (found.last, found.late_hours, found.blocks) == (AS_OF - 5 * DAY, 96.0, True)
