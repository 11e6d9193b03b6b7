"""The spine: vendors' hashes meet, corrections withdraw, and no moment sees what became known after it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bluemirror.identity.declared import Declared
from bluemirror.identity.spine import ENTITY, KEY, LINK, make_spine
from tests.identity.small_bank import answer, at, client, declare, known, mart, visit

NOW = dt.datetime(2027, 1, 1)
PAIR = "from_id, to_id, role, source, valid_from, valid_to, evidence"


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Declared:
    return declare(tmp_path_factory.mktemp("small") / "bank")


def spine(declared: Declared, rows: list[dict[str, Any]], until: dt.datetime | None = None):
    connection = mart(declared, rows, until)
    make_spine(connection, declared)
    return connection


def test_a_vendors_hash_is_the_client_from_the_day_on_which_that_is_known(declared):
    rows = [*answer(1, "7", 3, [("55", "own", 2)]), client("P1", 5, None, 6, "7", "55")]
    made = spine(declared, rows)
    before = known(made, LINK, at(5), PAIR).rows()
    assert before == [("id-md5-7", "phone-md5-55", "own", "vendor", at(2), at(32), 1)]
    after = known(made, LINK, at(6), PAIR).rows()
    assert after == [
        ("P1", "phone-plain-55", "own", "vendor", at(2), at(32), 1),
        ("P1", "phone-plain-55", None, "clients", at(5), None, 1),
    ]
    assert known(made, ENTITY, at(5), "entity, entity_id").rows() == [
        ("person", "id-md5-7"),
        ("phone", "phone-md5-55"),
    ]
    assert known(made, ENTITY, at(6), "entity, entity_id, first_seen").rows() == [
        ("person", "P1", at(2).date()),
        ("phone", "phone-plain-55", at(2).date()),
    ]
    assert known(made, KEY, NOW, "form, key, entity_id").rows() == [
        ("md5", "id-md5-7", "P1"),
        ("md5", "phone-md5-55", "phone-plain-55"),
        ("own", "P1", "P1"),
        ("plain", "id-plain-7", "P1"),
        ("plain", "phone-plain-55", "phone-plain-55"),
    ]


def test_a_state_that_ends_is_known_to_end_from_its_second_recording_on(declared):
    rows = [
        client("P1", 0, None, 0, "7", "55"),
        client("P1", 0, 10, 12, "7", "55"),
        client("P1", 10, None, 12, "7", "66"),
    ]
    made = spine(declared, rows)
    assert known(made, LINK, at(11), PAIR).rows() == [
        ("P1", "phone-plain-55", None, "clients", at(0), None, 1)
    ]
    assert known(made, LINK, at(12), PAIR).rows() == [
        ("P1", "phone-plain-55", None, "clients", at(0), at(10), 1),
        ("P1", "phone-plain-66", None, "clients", at(10), None, 1),
    ]


def test_a_corrected_identity_number_lets_go_of_what_it_held(declared):
    rows = [
        client("P1", 0, None, 1, "7", "55"),
        client("P1", 0, None, 5, "8", "55"),
        *answer(1, "7", 3, [("99", None, 3)]),
    ]
    made = spine(declared, rows)
    assert ("P1", "phone-plain-55") in known(made, LINK, at(4), "from_id, to_id").rows()
    assert ("P1", "phone-md5-99") in known(made, LINK, at(4), "from_id, to_id").rows()
    assert ("id-plain-7", "phone-md5-99") in known(made, LINK, at(5), "from_id, to_id").rows()
    assert known(made, KEY, at(5), "key, entity_id").filter(entity_id="P1")["key"].to_list() == [
        "P1",
        "id-md5-8",
        "id-plain-8",
    ]


def test_a_deleted_visit_is_no_evidence_any_more(declared):
    rows = [
        visit("V1", "P1", "d", 1, 1),
        visit("V2", "P1", "d", 2, 2),
        visit("V2", "P1", "d", 2, 6, deleted=True),
        visit("V1", "P1", "d", 1, 4),
    ]
    made = spine(declared, rows)
    seen = [known(made, LINK, at(day), "evidence, last_seen").rows() for day in (1, 2, 5, 6)]
    assert seen == [[(1, at(1))], [(2, at(2))], [(2, at(2))], [(1, at(1))]]
    assert made.sql(f"SELECT count(*) FROM {LINK} WHERE known_time = TIMESTAMP '{at(4)}'").fetchall() == [
        (0,)
    ]


def test_spellings_with_one_normal_form_are_one_address(declared):
    rows = [client("P1", 0, None, 0, "7", "55", "home a"), client("P2", 1, None, 1, "8", "66", "home a")]
    made = spine(declared, rows)
    found = known(made, LINK, NOW, "link, from_id, to_id").filter(link="person_address")
    assert found.select("from_id", "to_id").rows() == [("P1", "home a"), ("P2", "home a")]


days = st.integers(0, 12)
few = st.sampled_from(["7", "8", "9"])


@st.composite
def worlds(draw) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(0, 4))):
        start = draw(days)
        end = draw(st.none() | st.integers(start + 1, 15))
        recorded = draw(st.integers(start, 14))
        rows.append(
            client(draw(st.sampled_from(["P1", "P2"])), start, end, recorded, draw(few), draw(few), draw(few))
        )
    for number in range(draw(st.integers(0, 3))):
        answered = draw(days)
        phones = draw(
            st.lists(st.tuples(few, st.sampled_from([None, "own"]), st.integers(0, answered)), max_size=2)
        )
        rows += answer(number, draw(few), answered, phones)
    for _ in range(draw(st.integers(0, 4))):
        happened = draw(days)
        rows.append(
            visit(
                draw(st.sampled_from(["V1", "V2"])), draw(st.sampled_from(["P1", "P2"])), draw(few), happened,
                draw(st.integers(happened, 14)), draw(st.booleans()),
            )
        )  # fmt: skip
    return rows


@given(worlds(), st.integers(0, 14))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_delivered_later_changes_no_earlier_moment(declared, rows, cut):
    whole, early = spine(declared, rows), spine(declared, rows, until=at(cut))
    for moment in {at(cut), at(cut / 2)}:
        assert moment is not None
        for table in (LINK, KEY, ENTITY):
            one, other = known(whole, table, moment), known(early, table, moment)
            assert one.rows() == other.rows(), f"{table} at {moment}"
    ends = whole.sql(f"""
        SELECT count(*) FROM {LINK} l WHERE NOT EXISTS (
          SELECT 1 FROM {ENTITY} e WHERE e.entity = l.from_entity AND e.entity_id = l.from_id
            AND e.known_time <= l.known_time AND (e.superseded_time IS NULL OR e.superseded_time > l.known_time))
    """).fetchall()
    assert ends == [(0,)], "an end of a tie is an entity at the same moment"
    whole.close()
    early.close()
