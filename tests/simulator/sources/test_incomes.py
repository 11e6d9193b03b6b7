"""What authorities and papers say of incomes and assets: the same wage is seen from each side, and not by all."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable

import polars as pl
import pytest

from bluemirror.contracts import read_contracts
from bluemirror.workspace import Workspace

Lines = Callable[[str], pl.DataFrame]
Answers = Callable[[str], pl.DataFrame]
ASKED = ("education", "housing_fund", "income_tax", "property", "social_sec", "vehicle")


@pytest.mark.parametrize("source", ASKED)
def test_as_many_are_found_as_was_promised(landed: Workspace, lines: Lines, source: str) -> None:
    frame = lines(source)
    band = read_contracts(landed.contracts_dir)[source].promised("hitRate")
    found = (frame["hit"].cast(pl.String) == "1").mean()
    assert frame.height > 30
    slack = 3 * math.sqrt(0.25 / frame.height)
    assert band.value - slack < found < band.upper + slack


@pytest.mark.parametrize("source", ASKED)
def test_ledger_and_answers_name_each_other(lines: Lines, source: str) -> None:
    asked = lines("source_call").filter(
        (pl.col("source") == source)
        & (pl.col("cached") == "false")
        & pl.col("result").is_in(["hit", "no_hit"])
    )
    both = asked.join(lines(source), on="req_id")
    assert both.height == asked.height == lines(source).height
    assert ((both["result"] == "hit") == (both["hit"].cast(pl.String) == "1")).mean() > 0.99


def test_fund_and_insurance_reckon_from_the_same_wage(answers: Answers) -> None:
    fund = answers("housing_fund")
    insurance = answers("social_sec").select(
        "person_id", insured=pl.col("records").list.eval(pl.element().struct.field("base_amount")).list.max()
    )
    both = fund.join(insurance, on="person_id")
    assert both.height > 5
    assert both.select(pl.corr("base_amount", "insured", method="spearman")).item() > 0.6
    assert fund.select(pl.corr("base_amount", "income", method="spearman")).item() > 0.3


def test_the_insurance_of_a_month_is_told_alike_each_time(answers: Answers) -> None:
    told = (
        answers("social_sec").select("person_id", "report_ts", "records").explode("records").unnest("records")
    )
    told = told.filter(pl.col("status") == "paid")
    versions = told.group_by("person_id", "insurance", "pay_month").agg(
        pl.len(), pl.col("base_amount").n_unique(), pl.col("employer_hash").n_unique().alias("employers")
    )
    again = versions.filter(pl.col("len") > 1)
    assert again.height > 0
    assert again["base_amount"].max() == 1
    assert again["employers"].max() == 1


def test_employers_meet_the_customer_master(lines: Lines, answers: Answers) -> None:
    known = {
        hashlib.sha256(text.encode()).hexdigest() for text in lines("own_customer")["employer"].drop_nulls()
    }
    paying = answers("housing_fund")["employer_hash"].drop_nulls()
    assert paying.is_in(list(known)).mean() > 0.3  # the rest is spelt otherwise, or was left long ago


def test_a_degree_goes_with_income_and_dropping_out_with_risk(answers: Answers) -> None:
    degrees = answers("education").with_columns(pl.col("level").cast(pl.Int64, strict=False))
    assert degrees.select(pl.corr("level", "income", method="spearman")).item() < -0.05
    graduated = degrees["status"] == "graduated"
    assert graduated.mean() > 0.8
    assert degrees.filter(graduated)["grad_date"].null_count() == 0


def test_tax_is_withheld_as_the_law_says(answers: Answers) -> None:
    """The marginal rates of a year's cumulative income lie between 0 and 45 percent, most at 3 or 10."""
    records = answers("income_tax").explode("records").select("person_id", pl.col("records").struct.unnest())
    wages = records.filter((pl.col("income_type") == "wage") & (pl.col("income") > 0))
    assert wages.height > 100
    year = wages.group_by("person_id", pl.col("tax_month").str.slice(0, 4)).agg(
        pl.len(), pl.col("income", "deduction", "tax_paid").sum()
    )
    whole = year.filter(pl.col("len") == 12).with_columns(taxable=pl.col("income") - pl.col("deduction"))
    free = whole.filter(pl.col("taxable") < -5_000)
    assert whole.height > 5
    assert (whole.filter(pl.col("taxable") > 36_000)["tax_paid"] > 1_080).all()
    assert free.filter(pl.col("tax_paid") > 0.05 * pl.col("income")).is_empty()


def test_papers_of_those_who_overstate_show_more_than_they_earn(answers: Answers) -> None:
    wage = pl.element().struct.field("income").filter(pl.element().struct.field("income_type") == "wage")
    shown = answers("income_tax").with_columns(wages=pl.col("records").list.eval(wage))
    # a bonus month is three wages: only statements of some length tell the usual one; what the source mistakes for
    # good is known to the truth and taken out
    shown = shown.filter(pl.col("wages").list.len() > 5).with_columns(
        ratio=pl.col("wages").list.median() / pl.col("income") / (0.35 * pl.col("noise_income_tax")).exp()
    )
    assert shown.height > 10
    assert shown.filter(pl.col("source") == "api")["ratio"].is_between(0.6, 1.4).all()
    assert shown.filter(pl.col("source") == "pdf")["ratio"].max() > 1.45


def test_what_is_owned_stays_what_it_is(answers: Answers) -> None:
    cars = answers("vehicle").explode("vehicles").select("person_id", pl.col("vehicles").struct.unnest())
    assert cars.height > 15
    same = cars.group_by("vin_hash").agg(
        pl.col("reg_date", "brand_tier", "person_id").n_unique(), pl.len().alias("times")
    )
    assert same.select(pl.max("reg_date", "brand_tier", "person_id")).row(0) == (1, 1, 1)
    assert same["times"].max() > 1


def test_units_owned_together_show_with_both(answers: Answers) -> None:
    units = (
        answers("property").explode("units").select("household", "person_id", pl.col("units").struct.unnest())
    )
    assert units.height > 8
    owners = units.group_by("unit_no_hash").agg(
        pl.col("household", "city", "area_sqm", "right_type").n_unique(),
        pl.col("person_id").n_unique().alias("owners"),
    )
    assert owners.select(pl.max("household", "city", "area_sqm", "right_type")).row(0) == (1, 1, 1, 1)
    assert (units.filter(pl.col("right_type") == "sole")["share_ratio"] == 1).all()
