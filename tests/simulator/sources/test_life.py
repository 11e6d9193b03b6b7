"""Household bills and parcels: paid or left lying, delivered where people live, told again when something changed."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from bluemirror.contracts import read_contracts
from bluemirror.workspace import Workspace
from simulator import identities

Lines = Callable[[str], pl.DataFrame]


@pytest.fixture(scope="session")
def parcels(lines: Lines) -> pl.DataFrame:
    return lines("logistics").filter(pl.col("hit") == "1")


@pytest.mark.parametrize("source", ["logistics", "utility"])
def test_as_many_are_found_as_was_promised(landed: Workspace, lines: Lines, source: str) -> None:
    frame = lines(source).unique("req_id")
    band = read_contracts(landed.contracts_dir)[source].promised("hitRate")
    found = (frame["hit"] == "1").mean()
    assert frame.height > 50
    slack = 3 * math.sqrt(0.25 / frame.height)
    assert band.value - slack < found < band.upper + slack


def test_who_is_under_strain_leaves_bills_lying(answers: Callable[[str], pl.DataFrame]) -> None:
    bills = answers("utility").explode("bills").select("person_id", "risk", pl.col("bills").struct.unnest())
    assert bills.height > 500
    late = bills.with_columns(late=pl.col("late_days") > 0)
    assert 0.01 < late["late"].mean() < 0.25
    assert late.select(pl.corr("late", "risk", method="spearman")).item() > 0.03


def test_one_account_a_dwelling_and_kind(landed: Workspace, answers: Callable[[str], pl.DataFrame]) -> None:
    bills = answers("utility").explode("bills").select("person_id", pl.col("bills").struct.unnest())
    assert bills.group_by("account_hash").agg(pl.col("addr_hash").n_unique())["addr_hash"].max() == 1
    months = pl.read_parquet(landed.data / "truth" / "person_months.parquet")
    homes = {
        hashlib.sha256(identities.address(number).encode()).hexdigest()
        for number in months["address"].unique()
    }
    assert bills["addr_hash"].is_in(list(homes)).mean() > 0.6  # the rest are homes from before the simulation


def test_an_answer_about_a_phone_knows_the_customers_phones(lines: Lines, parcels: pl.DataFrame) -> None:
    phones = lines("own_customer")["phone"].unique()
    known = {hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() for text in phones}
    assert set(lines("logistics")["cell_hash"]) <= known
    people = parcels.filter(~pl.col("is_merchant"))
    assert 0.1 < people.height / parcels.height < 0.5
    assert people["party_hash"].is_in(list(known)).mean() > 0.3  # the others' phones are not on file


def test_a_parcel_comes_again_when_it_has_arrived(parcels: pl.DataFrame) -> None:
    versions = parcels.sort("report_ts").group_by("cell_hash", "waybill", maintain_order=True).agg(
        pl.len(), pl.col("ts").n_unique(), pl.col("status").alias("states")
    )  # fmt: skip
    assert versions["ts"].max() == 1
    again = versions.filter(pl.col("len") > 1)
    assert again.height > 20
    ends = versions.select(first=pl.col("states").list.first(), last=pl.col("states").list.last())
    assert "transit" in set(ends["first"])
    assert ends.filter((pl.col("first") != "transit") & (pl.col("last") == "transit")).is_empty()


def test_corrections_and_withdrawals_come_later_than_what_they_correct(
    landed: Workspace, parcels: pl.DataFrame
) -> None:
    told = parcels.filter(pl.col("op") == "c").select("req_id", "waybill", told="report_ts")
    later = parcels.filter(pl.col("op") != "c").join(told, on=["req_id", "waybill"])
    assert later.height > 0
    waited = (later["report_ts"] - later["told"]).dt.total_hours()
    assert waited.is_between(24, 240).all()
    paths = sorted(Path(landed.landing / "logistics").glob("*/*.parquet"))
    assert len(paths) > 30
    for path in paths:
        assert str(pl.read_parquet(path)["report_ts"].dt.date().max()) <= path.parent.name
