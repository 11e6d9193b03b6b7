"""Operators, card banks and the phone network: who is asked, what comes back, and which way it points."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from bluemirror.contracts import read_contract
from bluemirror.workspace import Workspace
from simulator import identities
from simulator.identities import hashed

Lines = Callable[[str], pl.DataFrame]
Told = Callable[[str], pl.DataFrame]
ASKED = ("telco3", "card4", "phone_risk", "ip_risk", "addr_risk", "fraud_list")


@pytest.fixture(scope="session")
def ledger(lines: Lines) -> pl.DataFrame:
    """Calls that reached a source: source, request, person, result."""
    calls = lines("source_call").filter((pl.col("cached") == "false") & pl.col("req_id").is_not_null())
    return calls.select("source", "req_id", "person_id", ledger_result="result")


@pytest.mark.parametrize("source", ASKED)
def test_every_answer_is_in_the_ledger_and_the_hit_rate_is_as_promised(
    source: str, landed: Workspace, lines: Lines, ledger: pl.DataFrame
) -> None:
    rows, calls = lines(source), ledger.filter(pl.col("source") == source)
    assert rows.height > 300
    assert set(rows["req_id"].drop_nulls()) == set(calls["req_id"])
    promised = read_contract(landed.contracts_dir / f"{source}.odcs.yaml").promised("hitRate")
    assert promised is not None
    found = calls["ledger_result"].is_in(["hit", "match", "mismatch"]).mean()
    assert isinstance(found, float)
    # 260 customers: a share of some 400 calls is known to about two hundredths
    assert promised.value - 0.05 < found <= float(promised.upper) + 0.05


def test_hashes_are_of_customers_each_in_its_own_form(lines: Lines) -> None:
    customers = lines("own_customer")
    for source, field, of, form in (
        ("telco3", "cell_hash", "phone", "sm3"),
        ("telco3", "id_no_hash", "id_no", "sm3"),
        ("card4", "id_no_hash", "id_no", "sha256"),
        ("card4", "cell_hash", "phone", "sha256"),
        ("phone_risk", "cell_hash", "phone", "md5"),
    ):
        known = {hashed(text, form) for text in customers[of].unique()}
        assert set(lines(source)[field]) <= known, (source, field)


def test_card_numbers_name_their_bank(lines: Lines) -> None:
    known = {identities.card(number) for number in range(4 * 260)}
    assert all(len(text) == 19 and text.startswith("9999") for text in known)
    by_hash = {hashed(text, "sha256"): text for text in known}
    told = lines("card4").filter(pl.col("card_bin").is_not_null())
    assert all(by_hash[row["card_hash"]][:6] == row["card_bin"] for row in told.iter_rows(named=True))
    banks = told.group_by("card_bin").agg(pl.col("bank_code").n_unique())
    assert banks["bank_code"].max() == 1
    shares = np.bincount(identities.card_bank(np.arange(50_000)), minlength=identities.BANKS)
    assert shares.min() > 0
    assert shares[0] > 5 * shares[-1]


def test_a_phone_has_one_answer_for_good(lines: Lines) -> None:
    told = lines("telco3").group_by("cell_hash", "id_no_hash").agg(pl.col("carrier").n_unique())
    assert told["carrier"].max() <= 2  # one of them planted
    assert (told["carrier"] == 1).mean() > 0.97


def test_phones_given_up_are_rarely_confirmed(landed: Workspace, lines: Lines, ledger: pl.DataFrame) -> None:
    """The phone on file that its owner gave up belongs to somebody else, or to nobody."""
    months = pl.read_parquet(landed.data / "truth" / "person_months.parquet").select(
        "person_id", "month", "phone"
    )
    told = lines("telco3").join(ledger, on="req_id").select(
        "person_id", "cell_hash", "result", month=pl.col("report_ts").str.slice(0, 7)
    )  # fmt: skip
    both = told.join(months, on=["person_id", "month"])
    present = pl.Series([hashed(identities.phone(number), "sm3") for number in both["phone"].to_list()])
    gone = both.filter(both["cell_hash"] != present)["result"].to_list()
    kept = both.filter(both["cell_hash"] == present)["result"].to_list()
    assert gone
    assert gone.count("1") / len(gone) < kept.count("1") / len(kept) - 0.15


def test_a_shared_card_proves_nothing_alone(told: Told) -> None:
    """Rings bring one card, and so do some households."""
    users = told("card4").group_by("card_hash").agg(pl.len().alias("users"), pl.col("ring").max())
    shared = users.filter(pl.col("users") > 1)
    assert shared.filter(pl.col("ring") >= 0).height >= 3
    assert shared.filter(pl.col("ring") < 0).height > shared.filter(pl.col("ring") >= 0).height


@pytest.mark.parametrize(
    ("source", "sign", "trait"),
    [
        ("telco3", pl.col("result") == "2", "fraud"),
        ("telco3", pl.col("result") == "2", "risk"),
        ("card4", pl.col("result_code").is_in(["1", "3", "5"]), "fraud"),
        ("card4", pl.col("account_class") == "2", "fraud"),
        ("card4", pl.col("card_age_band") != "36+", "risk"),
        ("phone_risk", pl.col("risk_level") >= 3, "fraud"),
        ("phone_risk", pl.col("sms_platform_flag"), "fraud"),
        ("phone_risk", pl.col("reg_platform_cnt_90d") >= 5, "risk"),
    ],
    ids=lambda value: value if isinstance(value, str) else "sign",
)
def test_bad_signs_point_to_the_bad_and_decide_nothing(
    source: str, sign: pl.Expr, trait: str, told: Told
) -> None:
    rows = told(source).with_columns(sign=sign.fill_null(value=False).cast(pl.Float64))
    strength = rows.select(pl.corr("sign", trait, method="spearman")).item()
    assert 0.03 < strength < 0.4
