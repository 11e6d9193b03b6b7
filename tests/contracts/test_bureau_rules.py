"""The consistency rules of the bureau's report: a whole report keeps them all, each broken place breaks its own.

All reports lie in one database as documents of their own, so that every rule is asked once, as an ingestion asks it.
"""

from __future__ import annotations

import copy
import datetime as dt
from pathlib import Path

import duckdb
import polars as pl
import pytest

from bluemirror.contracts import DUCKDB_TYPES, read_contract

CONTRACT = read_contract(Path(__file__).resolve().parents[2] / "data_contracts" / "pboc_person.odcs.yaml")


def months(first, count):
    year, month = first
    return [dt.date(year + (month - 1 + i) // 12, (month - 1 + i) % 12 + 1, 1) for i in range(count)]


def history(first, statuses, amounts):
    """Rows of the five-year history: one character a month; amounts (fen) of the overdue months in order."""
    left = iter(amounts)
    return [
        {"month": month, "status": status, "overdue_amount": next(left) if status in "1234567BDG" else None}
        for month, status in zip(months(first, len(statuses)), statuses, strict=True)
    ]


def account(rows, number, **values):
    span = (
        {"m60_from": rows[0]["month"], "m60_to": rows[-1]["month"], "m60_months": len(rows)} if rows else {}
    )
    base = {"acct_no": str(number), "org_type": "11", "org": "AB", "currency": "CNY", **span, **values}
    return base, rows


def more_units():
    """An agreement, guarantees for two relatives, post-paid accounts, public records of every kind, a statement."""
    day, noted = (
        dt.date(2023, 4, 5),
        {"annotation_type": "3", "added_date": dt.date(2024, 2, 2), "_parent": 0},
    )
    guarantee = {
        "borrower_class": "1", "org_type": "11", "org": "QR", "biz_kind": "41", "open_date": day,
        "maturity_date": dt.date(2026, 4, 5), "resp_type": "2", "currency": "CNY", "repay_status": "N",
        "report_date": dt.date(2024, 5, 31),
    }  # fmt: skip
    phone = {"billing_month": dt.date(2024, 5, 1), "start_date": dt.date(2020, 1, 1)}
    penalty = {"start_date": day, "amount": 10_000}
    return {
        "pboc_agreement": [
            {
                "agreement_no": "1", "org_type": "11", "org": "CD", "agreement_key": "G1", "limit_usage": "31",
                "credit_limit": 2_000_000, "start_date": dt.date(2024, 3, 3), "end_date": dt.date(2029, 3, 3),
                "limit_cap": 9_000_000, "limit_cap_no": "X1",
            },
            {
                "agreement_no": "2", "org_type": "11", "org": "CD", "agreement_key": "G2", "limit_usage": "10",
                "credit_limit": 1_000_000, "start_date": dt.date(2024, 3, 3), "annotation_count": 1,
            },
        ],
        "pboc_agreement_annotation": [{**noted, "_parent": 1}],
        "pboc_responsibility": [
            {**guarantee, "resp_amount": 400_000, "balance": 300_000},
            {**guarantee, "resp_amount": 300_000, "balance": 200_000, "annotation_count": 1},
        ],
        "pboc_responsibility_annotation": [{**noted, "annotation_type": "1", "_parent": 1}],
        "pboc_postpaid": [
            {"acct_type": "TE", "arrears": 12_000, "last_24_months": "N" * 22 + "01", **phone},
            {"acct_type": "UE", "arrears": 0, "last_24_months": "*" * 12 + "N" * 12, **phone},
        ],
        "pboc_tax_arrears": [{"stat_date": day, "amount": 700_000}],
        "pboc_judgment": [{"filed_date": day, "effective_date": dt.date(2023, 8, 1), "amount": 5_000_000}],
        "pboc_enforcement": [
            {
                "filed_date": dt.date(2023, 9, 1), "closed_date": dt.date(2024, 1, 1), "amount": 5_000_000,
                "executed_amount": 1_000_000,
            }
        ],
        "pboc_penalty": [{**penalty, "end_date": dt.date(2023, 6, 1)}, {**penalty, "amount": 20_000}],
        "pboc_housing_fund": [
            {
                "enrol_date": dt.date(2019, 8, 20), "first_month": dt.date(2019, 8, 1),
                "paid_to_month": dt.date(2024, 5, 1), "update_date": dt.date(2024, 6, 3),
            }
        ],
        "pboc_relief": [
            {"applied_date": day, "approved_date": dt.date(2023, 5, 1), "update_date": dt.date(2023, 5, 2)}
        ],
        "pboc_qualification": [{"obtained_month": dt.date(2018, 3, 1), "expires_month": dt.date(2028, 3, 1)}],
        "pboc_award": [{"start_month": dt.date(2022, 3, 1), "end_month": dt.date(2025, 3, 1)}],
        "pboc_statement": [{"object_type": "1", "object_id": "1", "annotation_count": 1}],
        "pboc_statement_annotation": [noted],
    }  # fmt: skip


def report():
    """A report with a loan in arrears, a card, a settled loan, a recovery, a quasi-card and a bad debt."""
    loan = history((2023, 3), "*NNNNNNNNNNNN12", [10_000, 25_000])
    card = history((2024, 3), "NNN", [])
    settled = history((2021, 10), "NNNC", [])
    quasi = history((2024, 3), "N12", [500, 600])
    bad = history((2022, 1), "N1234567B", [100, 200, 300, 400, 500, 600, 700, 800])
    money = {"biz_kind": "91", "repay_method": "11", "repay_freq": "03"}
    accounts = [
        account(
            loan, 1, acct_type="D1", acct_key="K1", open_date=dt.date(2023, 3, 10), loan_amount=1_000_000, month=dt.date(2024, 5, 1),
            maturity_date=dt.date(2025, 3, 10), month_status="2", balance=600_000, overdue_terms=2, overdue_amount=25_000,
            overdue_31_60=9_000, annotation_count=1, m24_from=dt.date(2022, 6, 1), m24_to=dt.date(2024, 5, 1), **money,
        ),
        account(
            card, 2, acct_type="R2", acct_key="K2", agreement_key="G1", open_date=dt.date(2024, 3, 3), credit_limit=2_000_000, month=dt.date(2024, 5, 1),
            month_status="1", biz_kind="81", org="CD", special_event_count=1, instalment_count=1, used_limit=300_000, avg_used_6m=200_000, balance=300_000,
        ),
        account(
            settled, 3, acct_type="D1", open_date=dt.date(2021, 10, 5), loan_amount=100_000, latest_status="3",
            close_date=dt.date(2022, 1, 20), latest_balance=0, special_trade_count=1, **money,
        ),
        account(
            [], 4, acct_type="C1", open_date=dt.date(2021, 2, 1), loan_amount=500_000, latest_status="1",
            latest_balance=400_000, transfer_status="7", biz_kind="B1",
        ),
        account(
            quasi, 5, acct_type="R3", open_date=dt.date(2024, 3, 9), credit_limit=100_000, month=dt.date(2024, 5, 1),
            month_status="1", org="EF", balance=600, avg_overdraft_6m=400,
        ),
        account(
            bad, 6, acct_type="D1", open_date=dt.date(2022, 1, 2), loan_amount=400_000, latest_status="4",
            latest_balance=300_000, **money,
        ),
    ]  # fmt: skip
    before = [{"month": month, "status": "/"} for month in months((2022, 6), 9)]
    return {
        "pboc_report": [
            {
                "report_id": "2" * 22, "report_time": dt.datetime(2024, 6, 15, 10), "birth_date": dt.date(1990, 1, 1),
                "phone_count": 1, "account_count": 5, "hint_count": 3,
                "fraud_alert": "1", "fraud_alert_from": dt.date(2024, 1, 1), "fraud_alert_to": dt.date(2026, 1, 1),
                "other_id_count": 1, "dispute_count": 2, "score": 612, "score_reason_count": 2,
                "score_reasons": "01,10", "postpaid_types": 1, "public_types": 4,
                "recovery_accounts": 1, "recovery_balance": 400_000, "recovery_types": 1,
                "bad_debt_accounts": 1, "bad_debt_balance": 300_000, "overdue_types": 1,
                "d1_orgs": 1, "d1_accounts": 1, "d1_granted": 1_000_000, "d1_balance": 600_000,
                "r2_orgs": 1, "r2_accounts": 1, "r2_limit": 2_000_000, "r2_max_org_limit": 2_000_000,
                "r2_min_org_limit": 2_000_000, "r2_used": 300_000, "r2_avg_used_6m": 200_000,
                "r3_orgs": 1, "r3_accounts": 1, "r3_limit": 100_000, "r3_max_org_limit": 100_000,
                "r3_min_org_limit": 100_000, "r3_used": 600, "r3_avg_used_6m": 400, "liability_types": 1,
                "last_query_date": dt.date(2024, 6, 1), "last_query_org_type": "11", "last_query_org": "AB",
                "last_query_reason": "02", "loan_query_orgs_1m": 1, "card_query_orgs_1m": 0, "loan_queries_1m": 2,
                "card_queries_1m": 0, "self_queries_1m": 3, "post_loan_queries_24m": 1, "guarantee_queries_24m": 0,
                "merchant_queries_24m": 0,
            }
        ],
        "pboc_other_id": [{"id_type": "2", "other_id_no": "ZZ90001"}],
        "pboc_phone": [{"update_date": dt.date(2024, 1, 1)}],
        "pboc_spouse": [{"marital": "20", "spouse_name": "x", "spouse_id_type": "10", "spouse_id_no": "y"}],
        "pboc_residence": [{"residence": "1", "update_date": dt.date(2023, 5, 1)}],
        "pboc_occupation": [{"employment": "17", "joined_year": 2019, "update_date": dt.date(2023, 5, 1)}],
        "pboc_hint": [
            {"biz_type": "19", "biz_class": "1", "accounts": 3, "first_month": dt.date(2021, 10, 1)},
            {"biz_type": "21", "biz_class": "2", "accounts": 1, "first_month": dt.date(2024, 3, 1)},
            {"biz_type": "22", "biz_class": "2", "accounts": 1, "first_month": dt.date(2024, 3, 1)},
        ],
        "pboc_recovery_summary": [{"biz_type": "2", "accounts": 1, "balance": 400_000}],
        # the loan is overdue for 2 months, the bad debt for 7; B is no overdue month, nor are 1 and 2 of an R3
        "pboc_overdue_summary": [
            {"acct_type": "1", "accounts": 2, "months": 9, "max_month_amount": 25_000, "longest_months": 7}
        ],
        "pboc_liability_summary": [
            {"borrower_class": "1", "resp_type": "2", "accounts": 2, "amount": 700_000, "balance": 500_000}
        ],
        "pboc_postpaid_summary": [{"biz_type": "1", "accounts": 1, "amount": 12_000}],
        "pboc_public_summary": [
            {"record_type": "1", "records": 1, "amount": 700_000},
            {"record_type": "2", "records": 1, "amount": 5_000_000},
            {"record_type": "3", "records": 1, "amount": 5_000_000},
            {"record_type": "4", "records": 2, "amount": 30_000},
        ],
        "pboc_account": [values for values, _ in accounts],
        "pboc_account_month60": [{**row, "_parent": i} for i, (_, rows) in enumerate(accounts) for row in rows],
        "pboc_account_month24": [
            {"month": row["month"], "status": row["status"], "_parent": 0} for row in [*before, *loan]
        ],
        "pboc_special_trade": [{"trade_type": "5", "trade_date": dt.date(2022, 1, 20), "_parent": 2}],
        "pboc_special_event": [{"month": dt.date(2024, 4, 1), "event_type": "11", "_parent": 1}],
        "pboc_instalment": [
            {"instalment_limit": 1, "start_date": dt.date(2024, 3, 3), "end_date": dt.date(2026, 3, 3), "_parent": 1}
        ],
        "pboc_annotation": [{"annotation_type": "1", "added_date": dt.date(2024, 2, 1), "_parent": 0}],
        **more_units(),
        "pboc_inquiry": [
            {"query_date": dt.date(2024, 6, 1), "org_type": "11", "org": "AB", "reason": "02"},
            {"query_date": dt.date(2024, 5, 16), "org_type": "11", "org": "AB", "reason": "02"},
            {"query_date": dt.date(2024, 5, 15), "org_type": "11", "org": "CD", "reason": "03"},
            {"query_date": dt.date(2023, 1, 5), "org_type": "24", "org": "EF", "reason": "01"},
        ],
    }  # fmt: skip


def broken(reports):
    """Names of the rules that each of some reports breaks."""
    with duckdb.connect() as connection:
        for table in CONTRACT.tables:
            columns = {**{name: DUCKDB_TYPES[kind] for name, kind in table.columns}, "_doc": "BIGINT"}
            columns |= {"_seq": "INTEGER", "_parent": "INTEGER"}
            listed = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
            connection.execute(f"CREATE TABLE {table.name} ({listed})")
            rows = [
                {"_doc": doc, "_seq": i, **row}
                for doc, tables in enumerate(reports)
                for i, row in enumerate(tables.get(table.name, []))
            ]
            if rows:
                given = pl.DataFrame(rows, infer_schema_length=None)
                connection.register("given", given.to_arrow())
                connection.execute(f"INSERT INTO {table.name} BY NAME SELECT * FROM given")
                connection.unregister("given")
        found = [set() for _ in reports]
        for table in CONTRACT.tables:
            for rule in table.rules:
                query = rule.expression
                if rule.kind == "sql":
                    query = f"SELECT _doc FROM {table.rule_rows()} WHERE NOT ({rule.expression})"
                # counted, as a check does: the plan then differs, and no row may fail to compute in either
                counted = connection.execute(f"SELECT count(*) FROM ({query})").fetchone()[0]
                documents = connection.execute(query).fetchall()
                assert counted == len(documents)
                for (doc,) in documents:
                    found[doc].add(f"{table.name}.{rule.name}")
        return found


def change(table, row, **values):
    def apply(tables):
        tables[table][row].update(values)

    return apply


def add(table, **row):
    def apply(tables):
        tables.setdefault(table, []).append(row)

    return apply


def note(parent, day):
    """An annotation of ``day`` on the first row of a unit, counted there."""

    def apply(tables):
        above = tables.setdefault(parent, [{}])[0]
        above["annotation_count"] = above.get("annotation_count", 0) + 1
        row = {"annotation_type": "3", "added_date": day, "_parent": 0}
        tables.setdefault(f"{parent}_annotation", []).append(row)

    return apply


def remove(table, row):
    def apply(tables):
        del tables[table][row]

    return apply


PARENTS = [table.parent for table in CONTRACT.tables if table.name == f"{table.parent}_annotation"]
"""Tables with annotations of their own, accounts apart."""
BREAKS = [
    (change("pboc_report", 0, account_count=6), "pboc_report.account_count"),
    (change("pboc_report", 0, hint_count=2), "pboc_report.account_count"),
    (change("pboc_hint", 0, first_month=dt.date(2021, 9, 1)), "pboc_report.hint_rows"),
    (change("pboc_hint", 0, biz_type="11"), "pboc_report.hint_rows"),
    (change("pboc_report", 0, recovery_balance=1), "pboc_report.recovery_summary"),
    (change("pboc_recovery_summary", 0, biz_type="1"), "pboc_report.recovery_summary"),
    (change("pboc_report", 0, bad_debt_accounts=None), "pboc_report.bad_debt_summary"),
    (change("pboc_overdue_summary", 0, months=10), "pboc_report.overdue_summary"),
    (change("pboc_overdue_summary", 0, accounts=1), "pboc_report.overdue_summary"),
    (change("pboc_overdue_summary", 0, longest_months=8), "pboc_report.overdue_summary"),
    (change("pboc_overdue_summary", 0, max_month_amount=35_000), "pboc_report.overdue_summary"),
    (
        add(
            "pboc_overdue_summary",
            acct_type="5",
            accounts=1,
            months=2,
            max_month_amount=600,
            longest_months=2,
        ),
        "pboc_report.overdue_summary",
    ),
    (change("pboc_report", 0, d1_accounts=2), "pboc_report.open_loans"),
    (change("pboc_report", 0, r4_accounts=1), "pboc_report.open_loans"),
    (change("pboc_report", 0, d1_balance=0), "pboc_report.open_loans"),
    (change("pboc_report", 0, r2_used=1), "pboc_report.open_cards"),
    (change("pboc_report", 0, r3_min_org_limit=1), "pboc_report.open_cards"),
    (change("pboc_report", 0, liability_types=0), "pboc_report.liability_rows"),
    (change("pboc_report", 0, card_queries_1m=1), "pboc_report.query_summary"),
    (change("pboc_report", 0, loan_query_orgs_1m=2), "pboc_report.query_summary"),
    (change("pboc_report", 0, post_loan_queries_24m=0), "pboc_report.query_summary"),
    (change("pboc_inquiry", 2, query_date=dt.date(2024, 5, 17)), "pboc_report.query_summary"),
    (change("pboc_report", 0, last_query_date=dt.date(2024, 5, 16)), "pboc_report.last_query"),
    (change("pboc_report", 0, last_query_org="XY"), "pboc_report.last_query"),
    (change("pboc_report", 0, last_query_reason=None), "pboc_report.last_query_whole"),
    (change("pboc_report", 0, phone_count=2), "pboc_report.phone_count"),
    (change("pboc_report", 0, birth_date=dt.date(2024, 6, 15)), "pboc_report.born_before_report"),
    (change("pboc_account", 0, latest_status="3"), "pboc_account.status_or_month"),
    (change("pboc_account", 2, latest_status=None), "pboc_account.status_or_month"),
    (change("pboc_account", 3, latest_status="3"), "pboc_account.status_of_type"),
    (change("pboc_account", 0, month_status="31"), "pboc_account.month_status_of_type"),
    (change("pboc_account", 1, loan_amount=1), "pboc_account.amount_of_type"),
    (change("pboc_account", 1, maturity_date=dt.date(2030, 1, 1)), "pboc_account.items_of_type"),
    (change("pboc_account", 0, max_overdraft=1), "pboc_account.items_of_type"),
    (change("pboc_account", 2, close_date=None), "pboc_account.closed_has_date"),
    (change("pboc_account", 2, close_date=dt.date(2024, 6, 16)), "pboc_account.dates_in_order"),
    (change("pboc_account", 0, repay_method="90", repay_freq="01"), "pboc_account.merged_small_loans"),
    (change("pboc_account", 0, overdue_terms=0), "pboc_account.overdue_terms_and_amount"),
    (change("pboc_account", 0, month_status="1"), "pboc_account.overdue_status"),
    (change("pboc_account", 0, overdue_31_60=25_001), "pboc_account.ageing_within_overdue"),
    (change("pboc_account", 0, m24_from=dt.date(2022, 7, 1)), "pboc_account.m24_is_24_months"),
    (change("pboc_account", 0, m60_months=14), "pboc_account.m60_counts_months"),
    (remove("pboc_account_month24", 3), "pboc_account.m24_rows"),
    (remove("pboc_account_month60", 3), "pboc_account.m60_rows"),
    (change("pboc_account_month24", 12, status="M"), "pboc_account.histories_agree"),
    (change("pboc_account_month60", 14, status="3"), "pboc_account.steps_of_delinquency"),
    (
        change("pboc_account_month60", 13, status="N", overdue_amount=None),
        "pboc_account.steps_of_delinquency",
    ),
    (change("pboc_account_month60", 19, status="C"), "pboc_account.closed_stays_closed"),
    (change("pboc_account", 2, special_trade_count=None), "pboc_account.counts_of_parts"),
    (change("pboc_account", 1, acct_no="1"), "pboc_account.same_key_once"),
    (change("pboc_account_month60", 2, overdue_amount=1), "pboc_account_month60.amount_only_when_overdue"),
    (change("pboc_account_month60", 13, overdue_amount=0), "pboc_account_month60.overdue_has_amount"),
    (
        change("pboc_account_month60", 2, status="#", overdue_amount=0),
        "pboc_account_month60.unknown_has_no_amount",
    ),
    (change("pboc_inquiry", 0, query_date=dt.date(2024, 6, 16)), "pboc_inquiry.not_in_future"),
    (change("pboc_inquiry", 3, query_date=dt.date(2022, 6, 15)), "pboc_inquiry.within_24_months"),
    (change("pboc_phone", 0, update_date=dt.date(2024, 6, 16)), "pboc_phone.not_in_future"),
    (change("pboc_special_trade", 0, trade_date=dt.date(2024, 6, 16)), "pboc_special_trade.not_in_future"),
    (change("pboc_special_event", 0, month=dt.date(2024, 7, 1)), "pboc_special_event.not_in_future"),
    (change("pboc_instalment", 0, end_date=dt.date(2024, 3, 2)), "pboc_instalment.dates_in_order"),
    (change("pboc_annotation", 0, added_date=dt.date(2024, 6, 16)), "pboc_annotation.not_in_future"),
    (change("pboc_report", 0, fraud_alert_to=dt.date(2023, 12, 31)), "pboc_report.alert_dates"),
    (
        change("pboc_account", 3, latest_status=None, month=dt.date(2024, 5, 1)),
        "pboc_account.recovery_has_status",
    ),
    (change("pboc_account", 3, m60_from=dt.date(2024, 5, 1)), "pboc_account.recovery_has_no_history"),
    (change("pboc_account", 1, acct_key="K1"), "pboc_account.account_key_once"),
    (change("pboc_report", 0, report_time=dt.datetime(2026, 11, 1, 9)), "pboc_account.five_years_shown"),
    (change("pboc_account_month24", 12, month=dt.date(2024, 7, 1)), "pboc_account_month24.not_in_future"),
    (change("pboc_account_month60", 12, month=dt.date(2024, 7, 1)), "pboc_account_month60.not_in_future"),
    (change("pboc_report", 0, other_id_count=0), "pboc_report.other_ids_and_summary_rows"),
    (change("pboc_report", 0, postpaid_types=2), "pboc_report.other_ids_and_summary_rows"),
    (change("pboc_report", 0, public_types=None), "pboc_report.other_ids_and_summary_rows"),
    (change("pboc_report", 0, score_reasons="01,17"), "pboc_report.score_reasons_known"),
    (change("pboc_report", 0, score_reason_count=1), "pboc_report.score_reasons_counted"),
    (change("pboc_report", 0, score=None), "pboc_report.score_or_why_not"),
    (change("pboc_report", 0, score_reasons="01,91"), "pboc_report.score_or_why_not"),
    (change("pboc_liability_summary", 0, balance=500_001), "pboc_report.liability_summary"),
    (change("pboc_liability_summary", 0, resp_type="1"), "pboc_report.liability_summary"),
    (change("pboc_responsibility", 0, resp_amount=1), "pboc_report.liability_summary"),
    (change("pboc_postpaid_summary", 0, amount=11_900), "pboc_report.postpaid_summary"),
    (change("pboc_postpaid_summary", 0, biz_type="2"), "pboc_report.postpaid_summary"),
    (change("pboc_public_summary", 3, records=1), "pboc_report.public_summary"),
    (change("pboc_judgment", 0, amount=1), "pboc_report.public_summary"),
    (remove("pboc_tax_arrears", 0), "pboc_report.public_summary"),
    (change("pboc_report", 0, dispute_count=None), "pboc_report.dispute_count"),
    (change("pboc_statement_annotation", 0, annotation_type="1"), "pboc_report.dispute_count"),
    (change("pboc_agreement", 1, annotation_count=2), "pboc_report.annotation_counts"),
    (change("pboc_responsibility_annotation", 0, _parent=0), "pboc_report.annotation_counts"),
    (remove("pboc_statement_annotation", 0), "pboc_report.annotation_counts"),
    (add("pboc_spouse", marital="20"), "pboc_spouse.one_spouse"),
    (change("pboc_spouse", 0, spouse_id_type=None), "pboc_spouse.id_comes_whole"),
    (change("pboc_spouse", 0, marital="10"), "pboc_spouse.spouse_of_the_married"),
    (change("pboc_residence", 0, update_date=dt.date(2024, 6, 16)), "pboc_residence.not_in_future"),
    (change("pboc_occupation", 0, update_date=dt.date(2024, 6, 16)), "pboc_occupation.not_in_future"),
    (change("pboc_occupation", 0, joined_year=2025), "pboc_occupation.joined_before_report"),
    (change("pboc_agreement", 0, end_date=dt.date(2024, 3, 2)), "pboc_agreement.dates_in_order"),
    (change("pboc_agreement", 0, limit_cap_no=None), "pboc_agreement.cap_comes_whole"),
    (change("pboc_agreement", 1, agreement_key="G1"), "pboc_agreement.agreement_key_once"),
    (change("pboc_account", 1, agreement_key="G3"), "pboc_agreement.agreement_of_live_account"),
    (change("pboc_agreement", 0, org="EF"), "pboc_agreement.agreement_of_live_account"),
    (change("pboc_responsibility", 0, open_date=dt.date(2026, 4, 6)), "pboc_responsibility.dates_in_order"),
    (change("pboc_responsibility", 0, overdue_months=1), "pboc_responsibility.items_of_borrower"),
    (change("pboc_responsibility", 0, biz_kind="16"), "pboc_responsibility.items_of_borrower"),
    (change("pboc_postpaid", 0, billing_month=dt.date(2024, 7, 1)), "pboc_postpaid.not_in_future"),
    (change("pboc_postpaid", 0, start_date=dt.date(2024, 6, 1)), "pboc_postpaid.starts_before_billing"),
    (change("pboc_postpaid", 1, last_24_months="N" * 23 + "2"), "pboc_postpaid.last_month_tells_arrears"),
    (change("pboc_judgment", 0, effective_date=dt.date(2023, 4, 4)), "pboc_judgment.dates_in_order"),
    (
        change("pboc_judgment", 0, filed_date=dt.date(2018, 4, 4), effective_date=dt.date(2019, 4, 4)),
        "pboc_judgment.within_five_years",
    ),
    (change("pboc_enforcement", 0, closed_date=dt.date(2024, 6, 16)), "pboc_enforcement.dates_in_order"),
    (change("pboc_enforcement", 0, executed_amount=5_000_001), "pboc_enforcement.executed_within_applied"),
    (
        change("pboc_enforcement", 0, filed_date=dt.date(2019, 1, 2), closed_date=None),
        "pboc_enforcement.within_five_years",
    ),
    (change("pboc_penalty", 0, end_date=dt.date(2023, 4, 4)), "pboc_penalty.dates_in_order"),
    (change("pboc_penalty", 1, start_date=dt.date(2019, 6, 15)), "pboc_penalty.within_five_years"),
    (change("pboc_housing_fund", 0, update_date=dt.date(2024, 6, 16)), "pboc_housing_fund.not_in_future"),
    (change("pboc_housing_fund", 0, paid_to_month=dt.date(2019, 7, 1)), "pboc_housing_fund.months_in_order"),
    (
        change("pboc_housing_fund", 0, enrol_date=dt.date(2019, 9, 1)),
        "pboc_housing_fund.enrolled_before_paying",
    ),
    (change("pboc_relief", 0, update_date=dt.date(2024, 6, 16)), "pboc_relief.not_in_future"),
    (change("pboc_relief", 0, applied_date=dt.date(2023, 5, 2)), "pboc_relief.dates_in_order"),
    (
        change("pboc_qualification", 0, expires_month=dt.date(2018, 2, 1)),
        "pboc_qualification.months_in_order",
    ),
    (
        change("pboc_qualification", 0, obtained_month=dt.date(2024, 7, 1)),
        "pboc_qualification.not_in_future",
    ),
    (change("pboc_award", 0, end_month=dt.date(2022, 2, 1)), "pboc_award.months_in_order"),
    (change("pboc_award", 0, start_month=dt.date(2024, 7, 1)), "pboc_award.not_in_future"),
    *((note(parent, dt.date(2024, 6, 16)), "pboc_report.notes_not_in_future") for parent in PARENTS),
    (change("pboc_tax_arrears", 0, stat_date=dt.date(2024, 6, 16)), "pboc_tax_arrears.not_in_future"),
    (change("pboc_tax_arrears", 0, stat_date=dt.date(2019, 6, 15)), "pboc_tax_arrears.within_five_years"),
]


SAME_PLACE = {
    "pboc_report.last_query_whole": {"pboc_report.last_query"},
    "pboc_account.status_or_month": {"pboc_report.open_loans", "pboc_account.closed_has_date"},
    "pboc_account.status_of_type": {"pboc_report.recovery_summary"},
    "pboc_account.m24_is_24_months": {"pboc_account.m24_rows"},
    "pboc_account.m60_counts_months": {"pboc_account.m60_rows"},
    "pboc_account.steps_of_delinquency": {"pboc_account.histories_agree", "pboc_report.overdue_summary"},
    "pboc_account.recovery_has_status": {
        "pboc_account.month_status_of_type",
        "pboc_report.recovery_summary",
    },
    "pboc_account.recovery_has_no_history": {"pboc_account.m60_rows"},
    "pboc_account.five_years_shown": {"pboc_inquiry.within_24_months", "pboc_report.query_summary"},
    "pboc_account_month24.not_in_future": {"pboc_account.m24_rows"},
    "pboc_account_month60.not_in_future": {"pboc_account.m60_rows"},
    "pboc_account_month60.unknown_has_no_amount": {"pboc_account.histories_agree"},
    "pboc_inquiry.not_in_future": {"pboc_report.last_query"},
    "pboc_inquiry.within_24_months": {"pboc_report.query_summary"},
}
"""Rules that look at the same place as another and may break with it; everywhere else one place breaks one rule."""


@pytest.fixture(scope="module")
def verdicts():
    """What each broken report breaks, in the order of BREAKS, then what the whole one breaks."""
    reports = [copy.deepcopy(report()) for _ in range(len(BREAKS) + 1)]
    for (break_it, _), tables in zip(BREAKS, reports, strict=False):
        break_it(tables)
    return broken(reports)


def test_a_whole_report_keeps_every_rule(verdicts):
    assert verdicts[-1] == set()


def test_a_person_without_any_credit_has_a_valid_report():
    counts = dict.fromkeys(
        ("loan_query_orgs_1m", "card_query_orgs_1m", "loan_queries_1m", "card_queries_1m", "self_queries_1m",
         "post_loan_queries_24m", "guarantee_queries_24m", "merchant_queries_24m"), 0,
    )  # fmt: skip
    row = {"report_id": "3" * 22, "report_time": dt.datetime(2024, 6, 15, 10), **counts}
    assert broken([{"pboc_report": [row]}]) == [set()]


def test_every_rule_is_broken_once():
    rules = {f"{table.name}.{rule.name}" for table in CONTRACT.tables for rule in table.rules}
    assert {rule for _, rule in BREAKS} == rules


@pytest.mark.parametrize(
    "number", range(len(BREAKS)), ids=[f"{i}-{rule.split('.')[1]}" for i, (_, rule) in enumerate(BREAKS)]
)
def test_a_broken_place_breaks_its_rule(verdicts, number):
    rule = BREAKS[number][1]
    assert rule in verdicts[number]
    assert verdicts[number] - {rule} <= SAME_PLACE.get(rule, set())
