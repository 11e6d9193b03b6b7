"""Documents, faces, farms, land, orders: that they come, join, and change as they should."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import polars as pl

from bluemirror.workspace import Workspace

Lines = Callable[[str], pl.DataFrame]


def test_a_face_is_tried_until_it_passes(lines: Lines) -> None:
    tries = lines("face_live").with_columns(call=pl.col("req_id").str.head(18))
    per_call = tries.group_by("call").agg(pl.len(), pl.col("retry_no").max(), passes=pl.col("pass").sum())
    assert (per_call["len"] == per_call["retry_no"]).all()
    assert per_call["passes"].max() == 1
    assert (per_call["passes"] == 1).mean() > 0.95
    assert 0.85 < tries["pass"].mean() < 1
    assert per_call["len"].max() > 1
    assert not tries.filter(pl.col("pass"), pl.col("attack_type") != "none").height


def test_documents_read_what_is_on_them(lines: Lines, landed: Workspace) -> None:
    read = lines("ocr_doc")
    persons = pl.read_parquet(landed.data / "truth" / "persons.parquet")
    front = read.filter(pl.col("doc_type") == "id_front")
    told = pl.Series([sha256(text.encode()).hexdigest() for text in front["no_ocr"]])
    right = told == front["id_no_hash"]
    assert 0.9 < right.mean() < 1
    assert (front.filter(~right)["manual_edit_fields"] > 0).all()
    assert set(front["name_ocr"]) <= set(persons["name"])
    assert set(read["doc_type"].unique()) >= {"id_front", "id_back", "bank_card", "business_license"}


def test_farms_get_their_subsidies_year_after_year(lines: Lines) -> None:
    paid = lines("agri_subsidy")
    assert paid["subsidy_type"].n_unique() == 8
    assert paid.group_by("household_id").agg(pl.col("year").n_unique())["year"].max() >= 5
    insured = paid.filter(pl.col("insured_flag") == "true")
    assert insured["premium"].null_count() == 0


def test_a_parcel_holds_one_entry_at_a_time(lines: Lines) -> None:
    entries = lines("land_right")
    ended = entries.filter(pl.col("valid_to").is_not_null())
    assert ended.height > 0
    follows = ended.join(entries, left_on=["parcel_id", "valid_to"], right_on=["parcel_id", "valid_from"])
    assert follows.height >= ended.height
    assert set(lines("agri_subsidy")["household_id"]) & set(entries["household_id"])


def test_an_order_moves_on_and_what_is_owed_with_it(lines: Lines) -> None:
    orders = lines("supply_chain").sort("order_no", "batch_date")
    versions = orders.group_by("order_no").agg(pl.len(), pl.col("receivable_bal"))
    assert versions["len"].max() == 3
    whole = versions.filter(pl.col("len") == 3)["receivable_bal"].to_list()
    assert all(owed[0] == 0 and owed[1] > 0 and owed[2] == 0 for owed in whole)


def test_companies_declare_what_they_pay_or_owe(lines: Lines) -> None:
    answers = lines("tax_ent")
    assert answers.filter(pl.col("hit") == "1").height > 0
    declared = answers.explode("declarations").drop_nulls("declarations").unnest("declarations")
    assert ((declared["declared"] - declared["paid"] - declared["owed"]).abs() < 0.005).all()
    assert (declared["declare_date"].cast(pl.String) < declared["report_ts"]).all()
    filed = answers.explode("statements").drop_nulls("statements").unnest("statements")
    assert (filed["filed_date"].cast(pl.String) < filed["report_ts"]).all()
