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
