"""What authorities and papers say of incomes: rows arrive, hashes meet the master, the same wage is seen from each side."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable

import polars as pl
import pytest

from bluemirror.contracts import read_contracts
from bluemirror.workspace import Workspace

Lines = Callable[[str], pl.DataFrame]
FORMS = {"education": "md5", "housing_fund": "sha256", "social_sec": "sm3"}


@pytest.fixture(scope="session")
def truth(landed: Workspace) -> pl.DataFrame:
    people = pl.read_parquet(landed.data / "truth" / "persons.parquet")
    hashes = {
        form: pl.Series([hashlib.new(form, text.encode()).hexdigest() for text in people["id_no"]])
        for form in set(FORMS.values())
    }
    return people.with_columns(**hashes)


@pytest.fixture(scope="session")
def answers(lines: Lines, truth: pl.DataFrame) -> Callable[[str], pl.DataFrame]:
    """The answers of a source with the truth about whom they are about; only those that found something."""

    def read(source: str) -> pl.DataFrame:
        frame = lines(source).with_columns(pl.col("hit").cast(pl.String)).filter(pl.col("hit") == "1")
        joined = frame.join(truth, left_on="id_hash", right_on=FORMS[source])
        assert joined.height == frame.height  # every hash is of somebody, in the vendor's own form
        return joined

    return read


@pytest.mark.parametrize("source", sorted(FORMS))
def test_as_many_are_found_as_was_promised(landed: Workspace, lines: Lines, source: str) -> None:
    frame = lines(source)
    band = read_contracts(landed.contracts_dir)[source].promised("hitRate")
    found = (frame["hit"].cast(pl.String) == "1").mean()
    assert frame.height > 40
    slack = 3 * math.sqrt(0.25 / frame.height)
    assert band.value - slack < found < band.upper + slack


@pytest.mark.parametrize("source", sorted(FORMS))
def test_ledger_and_answers_name_each_other(lines: Lines, source: str) -> None:
    asked = lines("source_call").filter(
        (pl.col("source") == source)
        & (pl.col("cached") == "false")
        & pl.col("result").is_in(["hit", "no_hit"])
    )
    both = asked.join(lines(source), on="req_id")
    assert both.height == asked.height == lines(source).height
    assert ((both["result"] == "hit") == (both["hit"].cast(pl.String) == "1")).mean() > 0.99


def test_fund_and_insurance_reckon_from_the_same_wage(answers: Callable[[str], pl.DataFrame]) -> None:
    fund = answers("housing_fund")
    insurance = answers("social_sec").select(
        "person_id", insured=pl.col("records").list.eval(pl.element().struct.field("base_amount")).list.max()
    )
    both = fund.join(insurance, on="person_id")
    assert both.height > 5
    assert both.select(pl.corr("base_amount", "insured", method="spearman")).item() > 0.6
    assert fund.select(pl.corr("base_amount", "income", method="spearman")).item() > 0.3


def test_the_insurance_of_a_month_is_told_alike_each_time(answers: Callable[[str], pl.DataFrame]) -> None:
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


def test_employers_meet_the_customer_master(lines: Lines, answers: Callable[[str], pl.DataFrame]) -> None:
    known = {
        hashlib.sha256(text.encode()).hexdigest() for text in lines("own_customer")["employer"].drop_nulls()
    }
    paying = answers("housing_fund")["employer_hash"].drop_nulls()
    assert paying.is_in(list(known)).mean() > 0.3  # the rest is spelt otherwise, or was left long ago


def test_a_degree_goes_with_income_and_dropping_out_with_risk(answers: Callable[[str], pl.DataFrame]) -> None:
    degrees = answers("education").with_columns(pl.col("level").cast(pl.Int64, strict=False))
    assert degrees.select(pl.corr("level", "income", method="spearman")).item() < -0.05
    graduated = degrees["status"] == "graduated"
    assert graduated.mean() > 0.8
    assert degrees.filter(graduated)["grad_date"].null_count() == 0
