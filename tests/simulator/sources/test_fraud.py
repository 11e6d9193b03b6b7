"""Lists, networks, addresses and devices: what hangs together, and how a ring shows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from bluemirror.workspace import Workspace
from simulator import identities
from simulator.networks import KINDS, kind_of
from simulator.timeline import START
from simulator.world import World

Lines = Callable[[str], pl.DataFrame]
Told = Callable[[str], pl.DataFrame]
MONTH = START + 18


def test_an_application_comes_from_one_network(lines: Lines) -> None:
    """The application, the session's fingerprint and the question about the network name one address."""
    applied = (
        lines("own_apply").unique("apply_id").select("apply_id", "device_id", "ip", "person_id", "apply_ts")
    )
    calls = lines("source_call").filter(pl.col("source") == "ip_risk").select("req_id", "apply_id")
    asked = (
        lines("ip_risk").select("req_id", asked="ip").join(calls, on="req_id").join(applied, on="apply_id")
    )
    assert asked.height > 300
    assert (asked["asked"] == asked["ip"]).all()
    prints = lines("device_fp").select("person_id", "device_id", "ip", "event_ts")
    seen = applied.join(prints, on=["person_id", "device_id", "ip"]).with_columns(
        away=pl.col("apply_ts").str.to_datetime() - pl.col("event_ts")
    )
    close = seen.filter(pl.col("away").is_between(pl.duration(seconds=0), pl.duration(hours=1)))
    assert close["apply_id"].n_unique() > 0.95 * applied.height


def test_networks_are_private_and_shared_as_in_life(crowd: World, told: Told) -> None:
    rows = told("ip_risk")
    assert rows["ip"].str.starts_with("10.").all()
    users = rows.group_by("ip").agg(pl.len().alias("users"), pl.col("ip_type").first())
    means = dict(users.group_by("ip_type").agg(pl.col("users").mean()).rows())
    assert means["mobile"] > 5
    assert 1 < means["home"] < 2
    assert KINDS[kind_of(np.array([10_000_003]))[0]] == "idc"
    assert crowd.people.address.max() < 8_000_000  # a home's network never runs into a carrier's


def test_fingerprints_collide_ids_change_and_some_is_missing(lines: Lines, landed: Workspace) -> None:
    rows = lines("device_fp").filter(pl.col("os") != "symbian")
    by_print = rows.group_by("fingerprint_id").agg(pl.col("device_id").n_unique(), pl.col("id_changed").any())
    # two ids of one fingerprint: a reset, or two devices that cannot be told apart
    twice = by_print.filter(pl.col("device_id") > 1)
    assert twice.filter("id_changed").height > 0
    assert twice.filter(~pl.col("id_changed")).height > 0
    before = rows.filter(pl.col("prev_device_id").is_not_null())
    assert 0 < before.height < rows.height * 0.3
    assert (before["prev_device_id"] != before["device_id"]).all()
    assert 0.9 < (rows["collect_level"] == "full").mean() < 0.99
    assert (rows["battery"].is_null() <= (rows["collect_level"] != "full")).all()
    sessions = lines("app_event")["session_id"].n_unique()
    assert 0.98 < rows["session_id"].n_unique() / sessions < 1.0
    months = pl.read_parquet(landed.data / "truth" / "person_months.parquet")
    assert months.group_by("month").agg(pl.col("device").n_unique())["device"].max() < 260  # homes share some


def test_a_list_entry_lives_and_dies_once(lines: Lines) -> None:
    rows = lines("fraud_list").with_columns(pl.col("report_ts").str.to_datetime())
    filed = rows.filter(pl.col("channel") == "file").sort("report_ts")
    assert {"active", "appeal", "removed"} == set(filed["status"])
    lives = filed.group_by("list_id").agg(
        pl.col("status"), pl.col("report_ts").is_sorted().alias("ordered"), pl.col("key_hash").n_unique()
    )
    assert lives["key_hash"].max() == 1
    assert all(states[0] == "active" and states.count("removed") <= 1 for states in lives["status"].to_list())
    assert all("removed" not in states[:-1] for states in lives["status"].to_list())
    # an answer tells of entries that the file has, and of none after its removal
    born = filed.group_by("list_id").agg(pl.col("report_ts").min().alias("born"))
    gone = filed.filter(pl.col("status") == "removed").select("list_id", gone="report_ts")
    answers = rows.filter((pl.col("channel") == "api") & (pl.col("hit") == "1"))
    assert answers.height > 3
    known = answers.join(born, on="list_id").join(gone, on="list_id", how="left")
    assert known.height == answers.height
    assert (known["report_ts"] > known["born"]).all()
    assert (known["gone"].is_null() | (known["gone"] > known["report_ts"])).all()


def test_listed_keys_meet_the_other_sources(crowd: World, told: Told) -> None:
    """A listed address has the hash of the standard spelling that the address source sends, and so on."""
    listed = told("fraud_list").filter(pl.col("hit") == "1")
    assert {"id", "phone", "card"} <= set(listed["key_type"])
    people = crowd.people
    known = {
        "id": people.ids, "addr": [identities.address(number) for number in set(people.address.tolist())],
        "phone": [identities.phone(number) for number in people.phone.tolist()],
        "card": [identities.card(number * 4) for number in range(people.size)],
        "device": [people.device_id(number) for number in people.device.tolist()],
    }  # fmt: skip
    for kind, texts in known.items():
        hashes = {identities.md5(text) for text in texts}
        assert set(listed.filter(pl.col("key_type") == kind)["key_hash"]) <= hashes, kind
    homes = told("addr_risk").explode("addresses").unnest("addresses").filter(pl.col("addr_type") == "home")
    assert set(homes["std_addr"].drop_nulls()) <= set(known["addr"])
    assert (homes["addr_raw"] != homes["std_addr"]).mean() > 0.1  # people write as they like


@pytest.mark.parametrize(
    ("source", "sign", "trait"),
    [
        ("ip_risk", pl.col("risk_score") >= 25, "fraud"),
        ("fraud_list", pl.col("hit") == "1", "fraud"),
        ("fraud_list", pl.col("hit") == "1", "risk"),
        ("addr_risk", pl.col("addresses").list.eval(pl.element().struct.field("apply_cnt_90d")).list.first() >= 2, "risk"),
        ("addr_risk", pl.col("hit") == "0", "fraud"),
    ],
    ids=lambda value: value if isinstance(value, str) else "sign",
)  # fmt: skip
def test_bad_signs_point_to_the_bad_and_decide_nothing(
    source: str, sign: pl.Expr, trait: str, told: Told
) -> None:
    rows = told(source).with_columns(sign=sign.fill_null(value=False).cast(pl.Float64))
    strength = rows.select(pl.corr("sign", trait, method="spearman")).item()
    assert 0.03 < strength < 0.4


def test_a_ring_shows_in_several_sources_and_in_none_alone(crowd: World, told: Told) -> None:
    """Each sign is more frequent among a ring's members, misses some of them, and is met more often elsewhere."""
    people = crowd.people
    at_work = (people.ring >= 0) & (np.abs(MONTH - people.ring_start - 1) <= 3)
    assert at_work.sum() > 8
    card = told("card4").with_columns(pl.len().over("card_hash").alias("users"))
    home = pl.col("addresses").list.eval(pl.element().struct.field("apply_cnt_90d")).list.first()
    signs = {
        "card": card.filter(pl.col("users") > 1),
        "phone in another name": told("telco3").filter(pl.col("result") == "2"),
        "phone": told("phone_risk").filter(pl.col("risk_level") >= 3),
        "network": told("ip_risk").filter(pl.col("ip_type") == "idc"),
        "home": told("addr_risk").filter(home >= 2),
    }
    device, users = np.unique(people.device, return_counts=True)
    shared = np.isin(people.device, device[users > 1])
    marks = {name: np.isin(np.arange(people.size), rows["cust"].to_numpy()) for name, rows in signs.items()}
    marks["device"] = shared
    frequent = 0
    for name, mark in marks.items():
        assert mark[at_work].mean() < 0.98 or name == "device", name
        assert mark[~at_work].sum() > mark[at_work].sum(), name
        frequent += mark[at_work].mean() > 2 * mark[~at_work].mean()
    assert frequent >= 4
    total = np.sum(list(marks.values()), axis=0)
    assert total[at_work].mean() > 2.5 * total[~at_work].mean()


def test_the_graph_sees_what_is_shared_a_month_late(landed: Workspace, lines: Lines) -> None:
    """No more neighbours than the truth has, and many of them; neighbours are in the group."""
    rows = lines("fraud_group").filter(pl.col("relation") == "addr", pl.col("hop") == 1)
    truth = pl.read_parquet(landed.data / "truth" / "person_months.parquet")
    truth = truth.with_columns(pl.len().over("month", "address").alias("there")).select(
        "person_id", pl.col("there") - 1, month=pl.col("month").str.to_date("%Y-%m").dt.offset_by("1mo")
    )
    both = rows.with_columns(month=pl.col("snapshot_date").dt.month_start()).join(
        truth, on=["person_id", "month"]
    )
    assert both.height > 50
    assert (both["neighbor_cnt"] <= both["there"]).all()
    assert (both["neighbor_cnt"] == both["there"]).mean() > 0.3
    groups = rows.filter(pl.col("neighbor_cnt") > 0)
    assert (groups["community_size"] > groups["neighbor_cnt"]).all()
    assert groups["density"].is_between(0, 1).all()
