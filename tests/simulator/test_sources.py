"""Keys as each vendor sends them, times in order, the planted shares, and people who cannot exist."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from bluemirror.contracts import read_contracts
from bluemirror.mart import ingest_source
from bluemirror.workspace import Workspace
from simulator.assumptions import DEFAULT
from simulator.identities import check_digit

Lines = Callable[[str], pl.DataFrame]


def md5(value: str) -> str:
    return hashlib.md5(value.encode(), usedforsecurity=False).hexdigest()


def sha256(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


@pytest.fixture(scope="session")
def customers(lines: Lines) -> pl.DataFrame:
    return lines("own_customer")


@pytest.fixture(scope="session")
def calls(lines: Lines) -> pl.DataFrame:
    return lines("source_call").with_columns(pl.col("request_ts", "response_ts").str.to_datetime())


def test_nobody_is_real(customers: pl.DataFrame) -> None:
    for number in customers["id_no"].unique():
        assert number.startswith("99")
        assert number[17] == check_digit(number[:17])
    assert customers["id_no"].n_unique() == customers["person_id"].n_unique()
    assert customers["phone"].str.starts_with("12").all()
    assert customers["phone"].str.len_chars().eq(11).all()
    assert customers["name"].str.slice(0, 1).is_in(list("测虚拟样仿")).all()
    assert customers["address"].str.contains("虚构市|样例").all()
    assert customers["employer"].drop_nulls().str.contains("样例").all()


def test_every_vendor_sends_its_own_form_of_hash(
    lines: Lines, customers: pl.DataFrame, calls: pl.DataFrame
) -> None:
    ids, phones = customers["id_no"].unique(), customers["phone"].unique()
    devices = lines("own_apply")["device_id"].unique()
    apply = lines("ml_apply")
    assert set(apply["id_hash"]) <= {md5(number) for number in ids}
    assert set(apply["cell_hash"]) <= {md5(number) for number in phones}
    assert set(apply["device_hash"]) <= {md5(number) for number in devices}
    overdue = lines("ml_overdue")
    assert set(overdue["id_hash"]) <= {sha256(number) for number in ids}
    assert set(overdue["cell_hash"]) <= {sha256(number) for number in phones}
    assert set(lines("telco_tenure")["cell_hash"]) <= {sha256(number) for number in phones}
    assert set(calls["key_hash"]) <= {sha256(number) for number in ids}


def test_an_application_is_complete_when_its_last_answer_came(lines: Lines, calls: pl.DataFrame) -> None:
    last = calls.group_by("apply_id").agg(pl.col("response_ts").max())
    done = lines("own_apply").filter(pl.col("complete_ts").is_not_null()).unique("apply_id")
    both = done.join(last, on="apply_id")
    assert both.height == done.height
    assert (both["complete_ts"].str.to_datetime() == both["response_ts"]).all()


def test_calls_are_paid_once_and_cached_within_their_days(landed: Workspace, calls: pl.DataFrame) -> None:
    contracts = read_contracts(landed.contracts_dir)
    cached = calls.filter(pl.col("cached") == "true")
    assert cached.height > 5
    assert cached["cost"].cast(float).eq(0).all()
    asked = calls.filter(pl.col("cached") == "false").select("source", "req_id", asked=pl.col("response_ts"))
    both = cached.join(asked, on=["source", "req_id"])
    assert both.height == cached.height
    for source, valid in ((source, contract.answer_valid_days) for source, contract in contracts.items()):
        if valid is not None:
            ages = (
                both.filter(pl.col("source") == source)
                .select(pl.col("request_ts") - pl.col("asked"))
                .to_series()
            )
            assert all(age.days < valid for age in ages)
    hits = calls.filter(
        (pl.col("cached") == "false") & (pl.col("result") == "hit") & (pl.col("source") == "pboc_person")
    )
    assert hits["cost"].cast(float).eq(contracts["pboc_person"].price_by_result["hit"]).all()
    assert {"hit", "no_hit", "error"} <= set(calls["result"])


def test_answers_and_ledger_name_each_other(
    landed: Workspace, lines: Lines, calls: pl.DataFrame, reports: list[Any]
) -> None:
    asked = calls.filter((pl.col("cached") == "false") & pl.col("req_id").is_not_null())
    for source in ("ml_apply", "telco_tenure", "ml_overdue"):
        mine = asked.filter(pl.col("source") == source)
        assert set(mine["req_id"]) == set(lines(source)["req_id"])
    numbers = {report["PRH"]["PA01"]["PA01A"]["PA01AI01"] for report in reports}
    mine = asked.filter((pl.col("source") == "pboc_person") & (pl.col("result") == "hit"))
    assert set(mine["req_id"]) == numbers
    files = [path.stem for path in (landed.landing / "pboc_person").glob("*/[0-9]*")]
    assert numbers > set(files)  # the others share a file


def test_the_session_of_an_application_is_known_when_it_is_decided(lines: Lines) -> None:
    done = lines("own_apply").filter(pl.col("complete_ts").is_not_null()).unique("apply_id")
    done = done.select("person_id", pl.col("apply_ts", "complete_ts").str.to_datetime())
    sent = lines("app_event").filter(pl.col("event_type") == "submit")
    both = done.join(sent, left_on=["person_id", "apply_ts"], right_on=["user_id", "ts"])
    assert both.height >= done.height * 0.97  # the rest is late or spoiled
    assert (both["received_ts"] <= both["complete_ts"]).all()


def test_some_rows_come_late_and_some_again(landed: Workspace) -> None:
    late = 0
    for path in sorted((landed.landing / "own_txn").glob("*/*.parquet")):
        frame = pl.read_parquet(path)
        day = pl.lit(path.parent.name).str.to_date()
        start = day.dt.month_start() if path.parent.name < "2025-12" else day - pl.duration(days=1)
        late += frame.filter(
            (pl.col("op") == "c") & (pl.col("change_date") < start - pl.duration(days=1))
        ).height
    assert late > 0
    rows = pl.concat([pl.read_parquet(path) for path in (landed.landing / "own_txn").glob("*/*.parquet")])
    again = rows.filter(pl.col("op") != "c")
    assert 0.2 < again.height / rows.height / DEFAULT.restated_share < 2
    assert set(again["op"]) == {"u", "d"}


def test_only_what_was_planted_is_quarantined(landed: Workspace, tmp_path: Any) -> None:
    """The real gate over every source: the rest of the files keeps every rule of the contracts."""
    bank = Workspace(
        root=landed.root,
        name=landed.name,
        data=tmp_path / "data",
        landing=landed.landing,
        land_hook=landed.land_hook,
    )
    planted = json.loads((landed.data / "truth" / "simulation.json").read_text())["planted"]
    held = {}
    for source in read_contracts(bank.contracts_dir):
        report = ingest_source(bank, source)
        assert report.in_ == report.accepted + report.quarantined
        held[source] = report.quarantined
    assert held == {source: planted.get(source, 0) for source in held}
    assert sum(held.values()) > 10


def test_rings_share_devices_and_do_not_pay(landed: Workspace) -> None:
    truth = landed.data / "truth"
    people, applications = (
        pl.read_parquet(truth / "persons.parquet"),
        pl.read_parquet(truth / "applications.parquet"),
    )
    rings = people.filter(pl.col("ring") >= 0)
    assert 0.005 < rings.height / people.height < 0.06
    shared = (
        applications.group_by("device").agg(pl.col("person_id").n_unique()).filter(pl.col("person_id") > 1)
    )
    assert shared.height > 0


@pytest.mark.slow
def test_ten_thousand_customers_with_the_aggregates_of_the_assumptions(fresh: Workspace) -> None:
    from simulator import land

    land(fresh)
    truth = fresh.data / "truth"
    applications = pl.read_parquet(truth / "applications.parquet")
    decided = applications.filter(~pl.col("cancelled"))
    assert abs(decided["approved"].mean() - DEFAULT.approval_target) < 0.03
    loans = pl.read_parquet(truth / "loans.parquet").join(applications, on="apply_id")
    matured = loans.filter(
        pl.col("apply_ts").is_between(pl.datetime(2025, 1, 1), pl.datetime(2025, 6, 30, 23, 59))
    )
    bad = matured.filter(pl.col("first_dpd30") <= pl.col("loan_date").dt.offset_by("6mo")).height
    assert bad >= 200
    assert 0.10 < bad / matured.height < 0.16
