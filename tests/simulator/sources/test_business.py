"""Companies from many sides: the register, invoices, tax, merchants, deliveries, the enterprise report; and farmers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from bluemirror.workspace import Workspace


@pytest.fixture(scope="module")
def truth(landed: Workspace) -> Callable[[str], pl.DataFrame]:
    return lambda name: pl.read_parquet(landed.data / "truth" / f"{name}.parquet")


@pytest.fixture(scope="module")
def register(lines: Callable[[str], Any]) -> pl.DataFrame:
    return lines("biz_reg")


def test_states_of_an_entry_follow_one_another(register: pl.DataFrame) -> None:
    newest = (
        register.sort("report_ts")
        .unique(["SHXYDM", "valid_from"], keep="last")
        .sort("SHXYDM", "valid_from")
        .with_columns(next=pl.col("valid_from").shift(-1).over("SHXYDM"))
    )
    followed = newest.filter(pl.col("next").is_not_null())
    assert followed.height > 20
    assert (followed["valid_to"] == followed["next"]).all()
    assert newest.filter(pl.col("next").is_null())["valid_to"].is_null().all()


def test_the_register_is_asked_for_business_loans_and_finds_the_companies(
    register: pl.DataFrame, lines: Callable[[str], Any]
) -> None:
    calls = lines("source_call").filter(pl.col("source") == "biz_reg")
    assert calls.height > 20
    answered = calls.filter(pl.col("result").is_in(["hit", "no_hit"]))
    assert (answered["result"] == "hit").mean() > 0.9
    applications = lines("own_apply").filter(pl.col("company_code").is_not_null())
    assert (applications["product"] == "business").all()
    assert set(calls["apply_id"]) <= set(applications["apply_id"])
    assert set(answered.filter(pl.col("result") == "hit")["req_id"]) == set(register["req_id"].drop_nulls())


def test_people_of_the_register_are_met_by_the_hash_of_their_number(
    register: pl.DataFrame, truth: Callable[[str], pl.DataFrame]
) -> None:
    """Owners hold shares, a fifth of all customers have a part somewhere, and rings put their own into sham companies."""
    import hashlib

    persons, companies, roles = truth("persons"), truth("companies"), truth("company_roles")
    hashes = {hashlib.sha256(text.encode()).hexdigest(): text for text in persons["id_no"].to_list()}
    told = register.select("SHXYDM", "roles").explode("roles").unnest("roles")
    assert told["person_id_hash"].is_in(list(hashes)).mean() > 0.7
    assert 0.12 < roles["person_id"].drop_nulls().n_unique() / persons.height < 0.3
    rings = dict(zip(persons["person_id"], persons["ring"], strict=True))
    sham = companies.filter(pl.col("shell") >= 0)
    assert sham.height >= 1
    for code, shell in sham.select("code", "shell").iter_rows():
        parties = roles.filter((pl.col("code") == code) & pl.col("person_id").is_not_null())["person_id"]
        assert {rings[person] for person in parties} == {shell}


def test_invoices_come_with_versions_and_both_sides_agree(
    lines: Callable[[str], Any], truth: Callable[[str], pl.DataFrame]
) -> None:
    invoices = lines("invoice")
    key = ["invoice_code", "invoice_number", "direction"]
    newest = invoices.sort("collect_ts").unique(key, keep="last")
    assert newest.height < invoices.height
    assert (newest["taxpayer_no"] == pl.select(
        pl.when(newest["direction"] == "out").then(newest["seller_tax_no"]).otherwise(newest["buyer_tax_no"])
    ).to_series()).all()  # fmt: skip
    red = newest.filter(pl.col("orig_number").is_not_null())
    reversed_ones = newest.filter(pl.col("invoice_status").is_in(["red", "partial_red"]))
    assert red.height > 20
    assert set(zip(red["orig_code"], red["orig_number"], strict=True)) <= set(
        zip(reversed_ones["invoice_code"], reversed_ones["invoice_number"], strict=True)
    )
    both = newest.filter(pl.col("direction") == "out").join(
        newest.filter(pl.col("direction") == "in"), on=key[:2], suffix="_in"
    )
    assert (both["amount"] == both["amount_in"]).all()
    assert set(newest["taxpayer_no"]) <= set(truth("companies")["code"])


def test_acquirer_and_invoices_see_one_business(
    lines: Callable[[str], Any], truth: Callable[[str], pl.DataFrame]
) -> None:
    """What a shop takes, and what its company invoices, follow the size of the business, each with noise of its own."""
    import hashlib

    companies = truth("companies").filter(pl.col("shell") < 0)
    companies = companies.with_columns(
        hash=pl.Series([hashlib.sha256(code.encode()).hexdigest() for code in companies["code"]])
    )
    invoiced = (
        lines("invoice")
        .sort("collect_ts")
        .unique(["invoice_code", "invoice_number", "direction"], keep="last")
        .filter((pl.col("direction") == "out") & (pl.col("invoice_status") == "normal"))
        .group_by(pl.col("taxpayer_no").alias("code"), pl.col("invoice_date").dt.strftime("%Y-%m"))
        .agg(pl.col("amount").sum())
        .group_by("code")
        .agg(pl.col("amount").mean())
        .join(companies, on="code")
    )
    assert invoiced.height > 8
    assert invoiced.select(pl.corr(pl.col("amount").log(), pl.col("scale").log())).item() > 0.6
    taken = (
        lines("pos_merchant")
        .filter((pl.col("op") == "n") & (pl.col("txn_type") == "sale") & pl.col("company_hash").is_not_null())
        .group_by(pl.col("company_hash").alias("hash"), pl.col("txn_ts").dt.strftime("%Y-%m"))
        .agg(pl.col("amount").sum())
        .group_by("hash")
        .agg(pl.col("amount").mean())
        .join(companies, on="hash")
    )
    share = taken["amount"] / (taken["scale"] * taken["carded"])
    assert 0.3 < share.median() < 3


def test_merchants_settle_for_customers_and_owners_draw_cash(
    lines: Callable[[str], Any], truth: Callable[[str], pl.DataFrame]
) -> None:
    import hashlib

    rows, persons = lines("pos_merchant"), truth("persons")
    hashes = {hashlib.sha256(text.encode()).hexdigest() for text in persons["id_no"].to_list()}
    assert set(rows["owner_id_hash"]) <= hashes
    assert set(rows["op"]) == {"n", "c", "d"}
    assert 0.002 < rows["txn_type"].is_in(["refund", "reversal"]).mean() < 0.06
    large = rows.filter(
        (pl.col("payer_card_type") == "credit") & (pl.col("channel") == "card") & (pl.col("amount") >= 4_500)
    )
    night = pl.col("txn_ts").dt.hour() >= 21
    assert large.select(night.mean()).item() > rows.select(night.mean()).item()
