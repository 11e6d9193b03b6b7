"""The seam of the outside sources: found by being there, told apart, in trouble when the assumptions say so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from bluemirror.contracts import read_contracts
from bluemirror.workspace import Workspace
from simulator.assumptions import DEFAULT, Outage
from simulator.calls import HIT, RESULTS, Line, empty_cache, place_calls
from simulator.rules import SourceRules, read_rules
from simulator.sources import AskedSource, outside_sources
from simulator.streams import Streams

Lines = Callable[[str], pl.DataFrame]


def test_every_module_is_a_source_under_contract(landed: Workspace) -> None:
    contracts = read_contracts(landed.contracts_dir)
    assert set(outside_sources()) <= set(contracts)


def test_an_asked_source_keeps_the_response_time_that_its_contract_promises(landed: Workspace) -> None:
    contracts = read_contracts(landed.contracts_dir)
    for name, source in outside_sources().items():
        if isinstance(source, AskedSource):
            promised = contracts[name].promised("responseTimeP99")
            assert promised is not None, name
            assert source.latency[1] <= float(promised.value), name


def test_the_ledger_has_every_asked_source(landed: Workspace, lines: Lines) -> None:
    asked = {name for name, source in outside_sources().items() if isinstance(source, AskedSource)}
    ledger = lines("source_call")
    assert asked <= set(ledger["source"].unique())
    assert ledger["call_id"].is_unique().all()
    assert set(ledger["stage"].unique()) == {"pre", "mid"}


RULES = SourceRules(
    formats=("jsonl",), columns=(), price=dict.fromkeys((*RESULTS, "cached"), 1.0), stated=("hit",), monthly_fee=0.0,
    valid_days=None,
)  # fmt: skip


def calls_on(day: str, kind: str) -> Any:
    n = 2000
    assume = replace(DEFAULT, outages=(Outage("there", "2025-06-10", "2025-06-11", kind),))
    return place_calls(
        Line("there", "TH", 100, 500, 3000), np.arange(n), np.ones(n, bool),
        np.full(n, np.datetime64(f"{day}T10:00:00", "ms")), np.full(n, HIT), np.arange(n), np.arange(n),
        empty_cache(n), RULES, Streams(1), 89, "0", assume,
    )  # fmt: skip


def test_outages_are_seen_on_their_days_and_on_no_other() -> None:
    for kind in ("down", "all_miss", "slow"):
        fine = calls_on("2025-06-12", kind)
        assert fine.failed.mean() < 0.02
        assert (fine.result == HIT).mean() > 0.98
    assert calls_on("2025-06-10", "down").failed.mean() > 0.8
    assert (calls_on("2025-06-11", "all_miss").result == HIT).sum() == 0
    assert np.median(calls_on("2025-06-10", "slow").latency_ms) > 4 * np.median(
        calls_on("2025-06-09", "slow").latency_ms
    )


def test_bills_charge_what_the_ledger_counts_but_for_the_planned_errors(
    landed: Workspace, lines: Lines
) -> None:
    rules = read_rules(landed)
    ledger = lines("source_call").filter(pl.col("cached") == "false", pl.col("result") != "maybe")
    calls = ledger.group_by("source", pl.col("request_ts").str.slice(0, 7).alias("month"), "result").len()
    bill = lines("source_bill").filter(pl.col("result_class") != "subscription")
    # the ledger's own few broken codes are missing from the count, so only other sources are compared
    broken = lines("source_call").filter(pl.col("result") == "maybe")["source"].unique().to_list()
    planned = {(source, month) for source, month, _ in DEFAULT.billing}
    compared = 0
    both = bill.join(
        calls, left_on=["source", "month", "result_class"], right_on=["source", "month", "result"], how="left"
    )
    for row in both.iter_rows(named=True):
        if row["source"] in broken or (row["source"], row["month"]) in planned:
            continue
        assert int(row["calls_billed"]) == row["len"], row
        assert float(row["unit_price"]) == rules[row["source"]].price[row["result_class"]]
        compared += 1
    assert compared > 100
