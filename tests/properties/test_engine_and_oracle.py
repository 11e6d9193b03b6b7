"""The engine against the oracle on random small tables: exact for counts, 1e-5 relative for everything else."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.oracles.family import combination, expected
from tests.oracles.known import Row, known
from tests.properties.small_world import (
    OBSERVATIONS,
    SQL,
    declared,
    documents,
    engine,
    events,
    ledgers,
    links,
    oracle_tables,
    registers,
    states,
    world,
)

thorough = settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
quick = settings(thorough, max_examples=20)
few = settings(thorough, max_examples=10)


def computed(name: str, rows: dict[str, list[Row]], **more: Any) -> dict[str, dict[str, float | None]]:
    frame = engine(name, rows, **more).compute()
    return {row.pop("observation_id"): row for row in frame.to_dicts()}


def same(name: str, ours: float | None, theirs: float | None) -> bool:
    if ours is None or theirs is None:
        return ours is None and theirs is None
    if name.endswith(
        ("_cnt", "_orgs", "_persons", "_cities", "_months_active", "_run_max", "_any", "_tints")
    ):
        return ours == theirs
    # Spread and slope are differences of larger numbers; what is rounding there is nothing here.
    return abs(ours - theirs) <= 1e-5 * max(abs(ours), abs(theirs)) + 1e-6


def compare(name: str, rows: dict[str, list[Row]], *, ledger: bool = False) -> None:
    tables, block = oracle_tables(rows), declared(name)
    ours = computed(name, rows, ledger=ledger)
    for seen in OBSERVATIONS:
        outcome = None
        if ledger and any(row["source"] == block["source"] for row in rows["ledger"]):
            calls = [
                row
                for row in known(tables["ledger"], seen["as_of"])
                if row["person"] == seen["person"] is not None and row["source"] == block["source"]
            ]
            outcome = calls[-1]["result"] if calls else "not_queried"
        theirs = expected(block, tables, SQL, seen, outcome)
        mine = {
            key: value
            for key, value in ours[seen["observation_id"]].items()
            if not key.endswith("__reason") and key != "event_timestamp"
        }
        assert set(mine) == set(theirs)
        different = {key: (mine[key], theirs[key]) for key in mine if not same(key, mine[key], theirs[key])}
        assert not different, (seen, different)


@thorough
@given(events())
def test_windows_of_days(rows: list[Row]) -> None:
    compare("days", world(ev=rows))


@thorough
@given(events())
def test_windows_of_months(rows: list[Row]) -> None:
    compare("months", world(ev=rows))


@thorough
@given(events())
def test_windows_along_another_date(rows: list[Row]) -> None:
    compare("dates", world(ev=rows))


@thorough
@given(documents())
def test_answers_and_two_levels(rows: dict[str, list[Row]]) -> None:
    compare("documents", world(**rows))


@quick
@given(documents())
def test_answers_found_by_a_list_in_them(rows: dict[str, list[Row]]) -> None:
    compare("marks", world(**rows))


@quick
@given(registers())
def test_states(rows: dict[str, list[Row]]) -> None:
    compare("states", world(**rows))


@thorough
@given(events(), links())
def test_relations(rows: list[Row], linked: list[Row]) -> None:
    compare("relations", world(ev=rows, link=linked))


@quick
@given(events(), links(), ledgers())
def test_a_ledger_tells_silence_from_zero(rows: list[Row], linked: list[Row], calls: list[Row]) -> None:
    compare("relations", world(ev=rows, link=linked, ledger=calls), ledger=True)


@quick
@given(documents(), ledgers())
def test_a_ledger_beside_answers(rows: dict[str, list[Row]], calls: list[Row]) -> None:
    compare("documents", world(**rows, ledger=calls), ledger=True)


@quick
@given(events(), states(), documents())
def test_across_sources(rows: list[Row], held: list[Row], reports: dict[str, list[Row]]) -> None:
    """A comparison is what the oracle makes of what it says of each side."""
    everything = world(ev=rows, state=held, **reports)
    ours, tables = computed("across", everything), oracle_tables(everything)
    for seen in OBSERVATIONS:
        sides = [expected(declared(one), tables, SQL, seen) for one in ("days", "states", "documents")]
        known = {name: value for side in sides for name, value in side.items()}
        theirs = {f"x_{one['name']}": combination(one, known) for one in declared("across")["combinations"]}
        mine = ours[seen["observation_id"]]
        assert {"observation_id", "event_timestamp", "x__reason", *theirs} == {"observation_id", *mine}
        assert all(same(name, mine[name], value) for name, value in theirs.items()), (seen, mine, theirs)


@few
@given(events(), events(), documents(), documents(), links(), links())
def test_no_future_row_changes_a_value(
    past: list[Row],
    future: list[Row],
    reports: dict[str, list[Row]],
    later: dict[str, list[Row]],
    linked: list[Row],
    linking: list[Row],
) -> None:
    """What happens, or becomes known, after the last as_of of all changes nothing, whatever it says."""
    end = max(seen["as_of"] for seen in OBSERVATIONS)

    def shifted(rows: list[Row]) -> list[Row]:
        result = []
        for number, row in enumerate(rows):
            # Half of them happen later; the other half happened already and become known later.
            moved = row | {"_doc": row["_doc"] + 1000, "_line": row["_line"] + 1000}
            moved["known_time"] = end + dt.timedelta(microseconds=1, days=number)
            if number % 2:
                moved["event_time"] = end + dt.timedelta(microseconds=1, hours=number)
            result.append(moved)
        return result

    before = world(ev=past, link=linked, **reports)
    headers = shifted(later["report"])
    after = world(
        ev=past + shifted(future),
        link=linked + shifted(linking),
        report=reports["report"] + headers,
        mark=reports["mark"] + [row | {"_doc": row["_doc"] + 1000} for row in later["mark"]],
        account=reports["account"] + [row | {"_doc": row["_doc"] + 1000} for row in later["account"]],
        month=reports["month"] + [row | {"_doc": row["_doc"] + 1000} for row in later["month"]],
    )
    for name in ("days", "documents", "marks", "relations"):
        assert computed(name, before) == computed(name, after)


@few
@given(events(most=16), st.integers(1, 4))
def test_shards_and_threads_do_not_change_values(rows: list[Row], size: int) -> None:
    whole = engine("days", world(ev=rows))
    frame = whole.compute()
    with ThreadPoolExecutor(2) as pool:
        starts = range(0, len(frame), size)
        parts = list(pool.map(lambda start: whole.compute(start, min(start + size, len(frame))), starts))
    assert [row for part in parts for row in part.rows()] == frame.rows()


@few
@given(events(), links(), ledgers())
def test_one_applicant_is_a_shard_of_one(rows: list[Row], linked: list[Row], calls: list[Row]) -> None:
    """Loaded alone, an observation has the values and the reason that it has among others."""
    everything = world(ev=rows, link=linked, ledger=calls)
    together = computed("relations", everything, ledger=True)
    for seen in OBSERVATIONS:
        alone = computed("relations", everything, observations=[seen], ledger=True)
        assert alone[seen["observation_id"]] == together[seen["observation_id"]]


@pytest.mark.parametrize("name", ["days", "months", "dates", "documents", "marks", "states", "relations"])
def test_no_rows_at_all(name: str) -> None:
    compare(name, world())
