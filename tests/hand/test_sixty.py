"""Sixty variables by hand, straight from the landing files of twelve applications.

The sixty were drawn once, ``random.Random(60).sample(sorted(names), 60)``, from the catalogue as it then was. Each is
one expression over the customer's raw records. Nothing of the library computes here: the parsers are
``landing_files.py``, what was known is ``customers.py``; the library is only asked for the stored values, and for which
landed lines it rejected.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import os
import random
from collections import Counter
from collections.abc import Callable
from statistics import fmean, median, pstdev
from typing import Any

import pytest

from bluemirror.variables import read_variables, variable_files
from bluemirror.workspace import Workspace
from tests.hand.customers import DAY, Customer, gaps, months_earlier
from tests.hand.landing_files import at, day, many, moment, number, records

SOURCES = (
    "own_customer", "own_apply", "own_repay", "own_txn", "source_call", "ml_apply", "ml_overdue", "device_fp",
    "app_event", "pboc_person",
)  # fmt: skip
BANK = ("11", "12", "14", "15")
HARD = ("02", "03", "24", "16")
NON_BANK = ("consumer_fin", "licensed_micro", "net_micro", "auto_fin", "leasing", "guarantee", "other_nb")
LOAN = ("D1", "R4", "R1")
BAD = {"1": 1, "2": 2, "3": 3, "4": 4, "5": 5, "6": 6, "7": 7, "B": 7, "G": 7, "D": 3, "Z": 3}


def ratio(a: float | None, b: float | None) -> float | None:
    return None if a is None or not b else a / b


def mean(values: list[float]) -> float | None:
    return fmean(values) if values else None


def hhi(values: list[str]) -> float | None:
    return sum((count / len(values)) ** 2 for count in Counter(values).values()) if values else None


def longest_run(months: set[int], size: int) -> float:
    longest = run = 0
    for month in range(size):
        run = run + 1 if month in months else 0
        longest = max(longest, run)
    return float(longest)


def ago(c: Customer, days: int) -> dt.datetime:
    return c.at - days * DAY


def orgs(rows: list[dict[str, Any]]) -> float:
    return float(len({row["org_masked"] for row in rows}))


def applied(c: Customer, days: int) -> list[dict[str, Any]]:
    return [row for row in c.applications if moment(row["apply_ts"]) > ago(c, days)]


def due(c: Customer, months: int | None) -> list[dict[str, Any]]:
    start = dt.date.min if months is None else months_earlier(c.at.date(), months)
    rows = [row for row in c.instalments if row["due_date"] > start]
    return sorted(rows, key=lambda row: row["due_date"])


def early(row: dict[str, Any]) -> bool:
    return row["settled"] and row["repay_date"] < row["due_date"]


def partly(row: dict[str, Any]) -> bool:
    return not row["settled"] and row["repay_pri"] + row["repay_int"] > 0


def worst_by_loan(rows: list[dict[str, Any]]) -> list[int]:
    loans: dict[str, int] = {}
    for row in rows:
        loans[row["loan_id"]] = max(loans.get(row["loan_id"], 0), row["dpd"])
    return list(loans.values())


def happened(c: Customer, days: int, *types: str) -> list[dict[str, Any]]:
    return [row for row in c.events if row["ts"] > ago(c, days) and (not types or row["event_type"] in types)]


def paid(c: Customer, days: int, **wanted: Any) -> list[dict[str, Any]]:
    return [
        row
        for row in c.transactions
        if row["txn_ts"] > ago(c, days) and all(row[name] == value for name, value in wanted.items())
    ]


def overdue_since(
    c: Customer, *, levels: tuple[str, ...] = (), lenders: tuple[str, ...] = ()
) -> float | None:
    rows = [
        row
        for row in c.overdue
        if (not levels or row["overdue_level"] in levels) and (not lenders or row["lender_type"] in lenders)
    ]
    return max(((c.at.date() - day(row["first_overdue"])).days for row in rows), default=None)


def opening_days(accounts: list[dict[str, Any]]) -> list[dt.date]:
    return [day(at(row, "PD01A/PD01AR01")) for row in accounts]


def bank(account: dict[str, Any]) -> bool:
    return at(account, "PD01A/PD01AD02") in BANK


def card_use(c: Customer) -> list[float]:
    """Use over limit of each live credit card."""
    found = []
    for row in c.accounts("R2"):
        limit = number(at(row, "PD01A/PD01AJ02"))
        used = at(row, "PD01C/PD01CJ02") or at(row, "PD01C/PD01CJ01")
        if at(row, "PD01C/PD01CD01") and limit and used is not None:
            found.append(number(used) / limit)
    return found


def query_days(c: Customer, months: int | None, reasons: tuple[str, ...] = ()) -> list[dt.date]:
    return [day(at(row, "PH010R01")) for row in c.queries(months, reasons)]


def by_month(c: Customer, days: list[dt.date], months: int) -> list[int]:
    """How many of ``days`` fall into each of the months before the report."""
    edges = [months_earlier(c.report_time.date(), back) for back in range(months + 1)]
    return [
        sum(edges[back + 1] < one and (back == 0 or one <= edges[back]) for one in days)
        for back in range(months)
    ]


def m(account: dict[str, Any], c: Customer, window: int, least: int) -> list[int]:
    """Months back of an account's months at least ``least`` overdue."""
    return [back for back, status in c.months(account, window) if BAD.get(status, 0) >= least]


BY_HAND: dict[str, Callable[[Customer], float | None]] = {
    "app_event_ev_7d_sessions": lambda c: len({row["session_id"] for row in happened(c, 7)}),
    "app_event_ev_calc_90d_days": lambda c: len({row["ts"].date() for row in happened(c, 90, "calculator")}),
    "app_event_ev_submit_cnt_r_7_30": lambda c: ratio(
        len(happened(c, 7, "submit")), len(happened(c, 30, "submit"))
    ),
    "device_fp_own_30d_boot_last": lambda c: (
        [
            row["boot_hours"] / 24
            for row in c.sessions
            if row["event_ts"] > ago(c, 30) and row["boot_hours"] is not None
        ]
        or [None]
    )[-1],
    "device_fp_own_30d_ips": lambda c: len(
        {row["ip"] for row in c.sessions if row["event_ts"] > ago(c, 30)} - {None}
    ),
    "device_fp_peer_app_360d_cnt": lambda c: sum(moment(row["apply_ts"]) > ago(c, 360) for row in c.others),
    "ml_apply_app_360d_reject_rate": lambda c: ratio(
        len(c.records(360, decision=["reject"])), len(c.records(360))
    ),
    "ml_apply_app_cell_90d_cnt": lambda c: sum(row["cell_hash"] is not None for row in c.records(90)),
    "ml_apply_app_cf_360d_orgs": lambda c: orgs(c.records(360, lender_type=["consumer_fin"])),
    "ml_apply_app_device_cnt_r_15_60": lambda c: ratio(
        sum(row["device_hash"] is not None for row in c.records(15)),
        sum(row["device_hash"] is not None for row in c.records(60)),
    ),
    "ml_apply_app_device_nbank_180d_cnt": lambda c: sum(
        row["device_hash"] is not None for row in c.records(180, lender_type=NON_BANK)
    ),
    "ml_apply_app_id_nbank_cnt_r_90_180": lambda c: ratio(
        sum(row["id_hash"] is not None for row in c.records(90, lender_type=NON_BANK)),
        sum(row["id_hash"] is not None for row in c.records(180, lender_type=NON_BANK)),
    ),
    "ml_apply_app_id_nbank_orgs_r_90_360": lambda c: ratio(
        orgs([row for row in c.records(90, lender_type=NON_BANK) if row["id_hash"]]),
        orgs([row for row in c.records(360, lender_type=NON_BANK) if row["id_hash"]]),
    ),
    "ml_apply_app_lmicro_30d_cnt_share": lambda c: ratio(
        len(c.records(30, lender_type=["licensed_micro"])), len(c.records(30))
    ),
    "ml_apply_app_lmicro_360d_cnt": lambda c: len(c.records(360, lender_type=["licensed_micro"])),
    "ml_apply_app_nmicro_90d_orgs": lambda c: orgs(c.records(90, lender_type=["net_micro"])),
    "ml_overdue_rec_720d_cnt": lambda c: sum(
        dt.datetime.combine(day(row["first_overdue"]), dt.time()) > ago(c, 720) for row in c.overdue
    ),
    "ml_overdue_rec_m2p_since_first": lambda c: overdue_since(c, levels=("M2", "M3", "M4+")),
    "ml_overdue_rec_nbank_since_first": lambda c: overdue_since(c, lenders=NON_BANK),
    "own_apply_app_all_granted_to_asked": lambda c: ratio(
        sum(float(row["approve_amt"] or 0) for row in c.applications),
        sum(float(row["amount"]) for row in c.applications if row["status"] == "approved"),
    ),
    "own_apply_app_all_score_median": lambda c: (
        median(scores)
        if (scores := [float(row["score"]) for row in c.applications if row["score"]])
        else None
    ),
    "own_apply_app_approved_rev_all_cnt": lambda c: sum(
        row["status"] == "approved" and row["product"] == "revolving" for row in c.applications
    ),
    "own_apply_app_ge5w_360d_cnt": lambda c: sum(float(row["amount"]) >= 50_000 for row in applied(c, 360)),
    "own_apply_app_night_360d_cnt": lambda c: sum(
        moment(row["apply_ts"]).hour < 6 for row in applied(c, 360)
    ),
    "own_customer_change_90d_employers": lambda c: len(
        {row["employer"] for row in c.states if ago(c, 90) < moment(row["valid_from"]) <= c.at} - {None}
    ),
    "own_repay_inst_12m_dpd_median": lambda c: (
        median(days) if (days := [row["dpd"] for row in due(c, 12)]) else None
    ),
    "own_repay_inst_24m_dpd_std": lambda c: (
        pstdev(days) if (days := [row["dpd"] for row in due(c, 24)]) else None
    ),
    "own_repay_inst_all_loans": lambda c: len({row["loan_id"] for row in due(c, None)}),
    "own_repay_inst_dpd1_cnt_r_3_12": lambda c: ratio(
        sum(row["dpd"] >= 1 for row in due(c, 3)), sum(row["dpd"] >= 1 for row in due(c, 12))
    ),
    "own_repay_inst_dpd8_all_cnt": lambda c: sum(row["dpd"] >= 8 for row in due(c, None)),
    "own_repay_inst_early_3m_cnt_share": lambda c: ratio(sum(map(early, due(c, 3))), len(due(c, 3))),
    "own_repay_inst_failed3_12m_cnt": lambda c: sum(row["autopay_fail_cnt"] >= 3 for row in due(c, 12)),
    "own_repay_inst_partial_12m_cnt": lambda c: sum(map(partly, due(c, 12))),
    "own_repay_loan_cash_all_dpd_max_mean": lambda c: mean(
        worst_by_loan([row for row in due(c, None) if row["product"] == "cash"])
    ),
    "own_txn_txn_consume_180d_run_max": lambda c: longest_run(
        {(c.at - row["txn_ts"]) // (30 * DAY) for row in paid(c, 180, txn_class="consume", direction="out")},
        6,
    ),
    "own_txn_txn_inperson_360d_cnt": lambda c: len(paid(c, 360, direction="in", counter_name_tag="person")),
    "own_txn_txn_out_90d_parties": lambda c: len(
        {row["counter_acct_hash"] for row in paid(c, 90, direction="out")} - {None}
    ),
    "pboc_account_acc_card_24m_gap_min": lambda c: min(
        gaps(opening_days(c.opened(24, "R2", "R3"))), default=None
    ),
    "pboc_account_acc_loan_24m_gap_std": lambda c: (
        pstdev(days) if (days := gaps(opening_days(c.opened(24, *LOAN)))) else None
    ),
    "pboc_account_acc_r4_24m_gap_mean": lambda c: mean(gaps(opening_days(c.opened(24, "R4")))),
    "pboc_account_acc_r4_cf_6m_cnt": lambda c: sum(
        at(row, "PD01A/PD01AD02") == "24" for row in c.opened(6, "R4")
    ),
    "pboc_account_card_all_use_max": lambda c: max(card_use(c), default=None),
    "pboc_account_now_r1_org_hhi": lambda c: hhi(
        [at(row, "PD01A/PD01AI02") for row in c.accounts("R1") if at(row, "PD01C/PD01CD01")]
    ),
    "pboc_account_trade_12m_cnt": lambda c: sum(
        day(at(trade, "PD01FR01")) > months_earlier(c.report_time.date(), 12)
        for row in c.accounts()
        for trade in many(row, "PD01F/PD01FH")
    ),
    "pboc_query_inq_12m_org_types": lambda c: len({at(row, "PH010D01") for row in c.queries(12)}),
    "pboc_query_inq_24m_org_hhi": lambda c: hhi([at(row, "PH010Q02") for row in c.queries(24)]),
    "pboc_query_inq_hard_12m_gap_mean": lambda c: mean(gaps(query_days(c, 12, HARD))),
    "pboc_query_inq_hard_12m_month_max": lambda c: max(by_month(c, query_days(c, 12, HARD), 12)),
    "pboc_query_inq_hard_cf_1m_cnt": lambda c: len(c.queries(1, HARD, ["24"])),
    "pboc_query_inq_hard_share_3m": lambda c: ratio(len(c.queries(3, HARD)), len(c.queries(3))),
    "pboc_query_inq_loan_12m_orgs": lambda c: len({at(row, "PH010Q02") for row in c.queries(12, ["02"])}),
    "pboc_query_inq_since_last": lambda c: min(
        (
            c.report_time.year * 12 + c.report_time.month - one.year * 12 - one.month
            for one in query_days(c, None)
        ),
        default=None,
    ),
    "pboc_repay_acc_60m_level_max_max": lambda c: max(
        (BAD.get(status, 0) for row in c.accounts() for _, status in c.months(row, 60)), default=None
    ),
    "pboc_repay_acc_bank_m3p_24m_months_any": lambda c: sum(
        bool(m(row, c, 24, 3)) for row in c.accounts() if bank(row)
    ),
    "pboc_repay_acc_card_m1p_24m_months_max": lambda c: max(
        (len(m(row, c, 24, 1)) for row in c.accounts("R2", "R3")), default=None
    ),
    "pboc_repay_acc_m2p_12m_months_sum": lambda c: sum(len(m(row, c, 12, 2)) for row in c.accounts()),
    "pboc_repay_acc_nbank_m1p_24m_run_max_max": lambda c: max(
        (
            longest_run({max(back - 1, 0) for back in m(row, c, 24, 1)}, 24)
            for row in c.accounts()
            if not bank(row)
        ),
        default=None,
    ),
    "pboc_summary_ovd_loan_months_sum": lambda c: sum(
        number(at(row, "PC02DS03"))
        for row in many(c.report, "PCO/PC02/PC02D/PC02DH")
        if at(row, "PC02DD01") in ("1", "2", "3")
    ),
    "source_call_call_90d_latency_mean": lambda c: mean(
        [
            float(row["latency_ms"])
            for row in c.calls
            if moment(row["request_ts"]) > ago(c, 90) and row["apply_id"] != c.apply_id
        ]
    ),
    "source_call_call_hit_since_last": lambda c: min(
        (
            (c.at.date() - moment(row["request_ts"]).date()).days
            for row in c.calls
            if row["result"] == "hit" and row["apply_id"] != c.apply_id
        ),
        default=None,
    ),
}


def by_hand(name: str, c: Customer) -> float | None:
    """The value, or nothing where the source said nothing."""
    if name.startswith("pboc_") and c.report is None:
        return None
    if name.startswith("ml_apply_") and (c.answer is None or c.answer["hit"] != "1"):
        return None
    if name.startswith("ml_overdue_") and c.last_call("ml_overdue") not in ("hit", "no_hit"):
        return None
    return BY_HAND[name](c)


@pytest.fixture(scope="session")
def raw(flagship: Workspace) -> dict[str, list[dict[str, Any]]]:
    import pyarrow.parquet as pq

    found = {}
    for source in SOURCES:
        rejected = {
            (row["file"], row["line"])
            for path in (flagship.quarantine / source).glob("*.parquet")
            for row in pq.read_table(path, columns=["file", "line"]).to_pylist()
        }
        found[source] = records(flagship.landing, source, rejected)
    return found


@pytest.fixture(scope="session")
def customers(flagship: Workspace, raw: dict[str, list[dict[str, Any]]]) -> list[Customer]:
    """The applicants of twelve applications: six with a report and an answer, drawn by the same seed, and six others."""
    names = read_variables(flagship, "application", ["pboc_query__reason", "ml_apply__reason"])
    rich = names.filter((names["pboc_query__reason"] == 0) & (names["ml_apply__reason"] == 0))[
        "observation_id"
    ]
    generator = random.Random(60)
    chosen = generator.sample(sorted(rich.to_list()), 8)
    others = sorted(set(names["observation_id"].to_list()) - set(chosen))
    return [Customer(raw, one) for one in [*chosen, *generator.sample(others, 4)]]


def test_there_are_sixty() -> None:
    assert len(BY_HAND) == 60


@pytest.mark.parametrize("name", sorted(BY_HAND))
def test_by_hand(flagship: Workspace, customers: list[Customer], name: str) -> None:
    stored = {
        row["observation_id"]: row[name]
        for row in read_variables(flagship, "application", [name]).iter_rows(named=True)
    }
    for customer in customers:
        ours, theirs = by_hand(name, customer), stored[customer.apply_id]
        if ours is None or theirs is None:
            assert ours is theirs, (customer.apply_id, ours, theirs)
        else:
            assert theirs == pytest.approx(ours, rel=1e-5, abs=1e-6), (customer.apply_id, ours, theirs)


def test_most_of_them_say_something(flagship: Workspace, customers: list[Customer]) -> None:
    """The comparison is no idle one: most of the sixty are neither null nor zero for at least one of the twelve."""
    telling = [name for name in BY_HAND if any(by_hand(name, customer) for customer in customers)]
    assert len(telling) >= 40, sorted(set(BY_HAND) - set(telling))


def test_the_keys_are_keyed_hashes(flagship: Workspace, raw: dict[str, list[dict[str, Any]]]) -> None:
    """What stands in for an identity number is HMAC-SHA-256 of entity, form and value, cut to 32 digits."""
    import pyarrow.parquet as pq

    key = os.environ["BLUEMIRROR_KEY"].encode()
    people = {row["person_id"]: row["id_no"] for row in raw["own_customer"]}
    path = variable_files(flagship, "application", "observations")[0]
    for row in pq.read_table(path).slice(0, 20).to_pylist():
        value = hashlib.md5(people[row["person_id"]].strip().encode()).hexdigest()
        digest = hmac.new(key, f"id_no:md5:{value}".encode(), hashlib.sha256).hexdigest()[:32]
        assert row["id_no_md5"] == digest
