"""Wallets, cards and online orders: statements add up unless somebody wrote into them, months are told alike."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable

import polars as pl
import pytest

from bluemirror.contracts import read_contracts
from bluemirror.workspace import Workspace
from simulator import identities

Lines = Callable[[str], pl.DataFrame]
Answers = Callable[[str], pl.DataFrame]
ASKED = ("ecommerce", "ewallet", "unionpay_txn")


@pytest.fixture(scope="session")
def transactions(answers: Answers) -> pl.DataFrame:
    """Every transaction of every wallet statement; ``broken`` where the balance does not follow from the one before."""
    head = answers("ewallet").select("req_id", "person_id", "income", "fraud", "records")
    rows = head.explode("records").select(
        "req_id", "person_id", "income", "fraud", pl.col("records").struct.unnest()
    )
    moved = (pl.col("txn_type") == "withdraw") | pl.col("pay_method").is_in(["balance", "fund"])
    change = (
        pl.when(pl.col("status") == "failed").then(0.0)
        .when(pl.col("direction") == "in").then(pl.col("amount"))
        .when(moved).then(-pl.col("amount")).otherwise(0.0)
    )  # fmt: skip
    step = pl.col("balance").diff().over("req_id")
    return rows.with_columns(broken=((step - change).abs() > 0.01).fill_null(value=False))


@pytest.mark.parametrize("source", ASKED)
def test_as_many_are_found_as_was_promised(landed: Workspace, lines: Lines, source: str) -> None:
    frame = lines(source)
    band = read_contracts(landed.contracts_dir)[source].promised("hitRate")
    found = (frame["hit"] == "1").mean()
    assert frame.height > 100
    slack = 3 * math.sqrt(0.25 / frame.height)
    assert band.value - slack < found < band.upper + slack


def test_a_statement_has_the_size_of_a_statement(answers: Answers) -> None:
    counts = answers("ewallet")["record_count"]
    assert 80 < counts.mean() < 150
    assert counts.max() < 250


def test_balances_add_up_unless_a_wage_was_written_in(transactions: pl.DataFrame) -> None:
    wages = pl.col("remark_tag") == "salary"
    honest = transactions.filter(~wages)
    assert honest.height > 5_000
    assert not honest["broken"].any()
    forged = transactions.filter(pl.col("broken"))
    assert forged.height > 0
    assert forged["fraud"].mean() > transactions["fraud"].mean()
    assert (forged["amount"] > 1.2 * forged["income"]).all()


def test_a_month_of_a_wallet_is_told_alike_each_time(transactions: pl.DataFrame) -> None:
    key = ["person_id", "txn_ts", "txn_type", "amount"]
    told = transactions.unique([*key, "req_id"]).group_by(key).agg(pl.len(), pl.col("balance").n_unique())
    again = told.filter(pl.col("len") > 1)
    assert again.height > 50
    assert again["balance"].max() == 1


def test_what_comes_in_goes_with_income(transactions: pl.DataFrame, answers: Answers) -> None:
    came = pl.col("amount").filter((pl.col("direction") == "in") & (pl.col("remark_tag") != "sweep")).sum()
    wallet = transactions.group_by("req_id").agg(came, pl.col("income").first())
    assert wallet.select(pl.corr("amount", "income", method="spearman")).item() > 0.3
    spent = answers("unionpay_txn").with_columns(
        spent=pl.col("records").list.eval(pl.element().struct.field("txn_amt")).list.sum()
    )
    assert spent.select(pl.corr("spent", "income", method="spearman")).item() > 0.4


def test_payments_fail_where_there_is_risk(answers: Answers) -> None:
    cards = answers("unionpay_txn").with_columns(
        fails=pl.col("records").list.eval(pl.element().struct.field("fail_cnt")).list.sum()
    )
    assert cards.select(pl.corr("fails", "risk", method="spearman")).item() > 0.05


def test_cards_are_those_of_the_customers(lines: Lines, truth: pl.DataFrame) -> None:
    known = {hashlib.sha256(identities.card(4 * who).encode()).hexdigest() for who in range(truth.height)}
    assert set(lines("unionpay_txn")["card_hash"]) <= known


def test_parcels_go_to_the_home_that_the_bank_knows(landed: Workspace, answers: Answers) -> None:
    """Most customers have their address on file among those of their orders, whatever its spelling."""
    meant = pl.read_parquet(landed.data / "truth" / "spellings.parquet").filter(
        pl.col("meant").str.starts_with("address:")
    )
    months = pl.read_parquet(landed.data / "truth" / "person_months.parquet")
    homes = months.select("person_id", home=pl.format("address:{}", "address")).unique()
    listed = (
        answers("ecommerce")
        .explode("addresses")
        .select("req_id", "person_id", pl.col("addresses").struct.unnest())
    )
    assert listed.height > 60
    both = listed.join(meant, left_on="address", right_on="text").join(homes, on="person_id")
    at_home = both.filter(pl.col("meant") == pl.col("home"))
    assert (
        at_home["req_id"].n_unique() / listed["req_id"].n_unique() > 0.6
    )  # the rest lived elsewhere before the simulation
    assert listed.group_by("req_id").agg(pl.col("is_default").sum())["is_default"].max() == 1
