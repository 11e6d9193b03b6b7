"""Courts, penalties, lists, contacts, debts, positions, collections: that they come, join, and point the right way."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import md5, sha256

import polars as pl
import pytest

from bluemirror.workspace import Workspace

Lines = Callable[[str], pl.DataFrame]


@pytest.fixture(scope="module")
def persons(landed: Workspace) -> pl.DataFrame:
    frame = pl.read_parquet(landed.data / "truth" / "persons.parquet")
    return frame.with_columns(
        id_sha256=pl.Series([sha256(text.encode()).hexdigest() for text in frame["id_no"]]),
        id_md5=pl.Series([md5(text.encode()).hexdigest() for text in frame["id_no"]]),
    )


@pytest.mark.parametrize(
    ("source", "low", "high"),
    [("court_enforce", 0.01, 0.15), ("court_case", 0.04, 0.3), ("ml_debt", 0.25, 0.8)],
)
def test_hit_rates_are_of_the_order_that_the_domain_tells(
    lines: Lines, source: str, low: float, high: float
) -> None:
    frame = lines(source)
    assert low < (frame["hit"] == "1").mean() < high
    assert (frame["record_count"] == frame["records"].list.len()).all()


def test_who_owes_more_is_found_in_court_more_often(lines: Lines, persons: pl.DataFrame) -> None:
    seen = lines("court_case").join(persons, left_on="id_hash", right_on="id_sha256")
    assert seen.height == lines("court_case").height
    hit = pl.col("hit") == "1"
    assert seen.filter(hit)["risk"].mean() > seen.filter(~hit)["risk"].mean()


def test_debts_end_settled_or_in_silence(lines: Lines, persons: pl.DataFrame) -> None:
    answers = lines("ml_debt")
    assert answers.join(persons, left_on="id_hash", right_on="id_md5").height == answers.height
    events = answers.explode("records").drop_nulls("records").unnest("records")
    assert set(events["event_type"].unique()) == {"loan", "repay_ok", "repay_fail", "settle"}
    assert (events["event_date"].cast(pl.String) < events["report_ts"]).all()


def test_companies_of_customers_are_in_the_penalties_file(lines: Lines, landed: Workspace) -> None:
    companies = pl.read_parquet(landed.data / "truth" / "companies.parquet")
    entries = lines("admin_pen")
    own = entries.filter(pl.col("SHXYDM").is_in(companies["code"].implode()))
    assert 0 < own.height < entries.height
    lifted = entries.filter(pl.col("ISMOVE") == "true")
    assert set(lifted["PENDECNO"]) <= set(entries.filter(pl.col("ISMOVE") == "false")["PENDECNO"])


def test_forbidden_keys_are_mostly_of_strangers(lines: Lines, persons: pl.DataFrame) -> None:
    listed = lines("aml_scam").drop_nulls("id_hash")
    own = listed.join(persons, left_on="id_hash", right_on="id_sha256")
    assert own.height < 0.05 * listed.height


def test_contacts_belong_to_an_application_and_rings_name_each_other(
    lines: Lines, persons: pl.DataFrame
) -> None:
    contacts = lines("contact_rel")
    assert set(contacts["apply_id"]) == set(lines("own_apply")["apply_id"])
    ring = persons.filter(pl.col("ring") >= 0).select("person_id", "ring")
    named = contacts.join(ring, on="person_id").drop_nulls("contact_person_id")
    inside = named.join(ring, left_on="contact_person_id", right_on="person_id", suffix="_named")
    assert (inside["ring"] == inside["ring_named"]).sum() > 0


def test_people_spend_their_nights_where_they_live(lines: Lines, persons: pl.DataFrame) -> None:
    stays = lines("lbs")
    share = stays["user_id"].n_unique() / persons.filter(pl.col("registered")).height
    assert 0.3 < share < 0.7
    home = stays.filter(pl.col("place_type") == "home", ~pl.col("is_mock"))
    cells = home.group_by("user_id").agg(pl.col("grid_id").mode().first(), pl.len().alias("n"))
    usual = home.join(cells, on="user_id")
    assert (usual["grid_id"] == usual["grid_id_right"]).mean() > 0.6


def test_collections_get_sterner_with_the_days(lines: Lines) -> None:
    calls = lines("coll_call")
    reached = calls.group_by("stage").agg(
        agent=(pl.col("channel") == "agent").mean(), reached=pl.col("right_party").mean()
    )
    by = {row["stage"]: row for row in reached.iter_rows(named=True)}
    assert by["M1"]["agent"] < by["M2"]["agent"]
    assert set(by) == {"M0", "M1", "M2", "M3+"}
    versions = calls.group_by("call_id").len()
    assert versions["len"].max() == 2
