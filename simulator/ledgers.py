"""Rows of the bank's own systems: application versions, the call ledger, instalment versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from simulator import applications as ap
from simulator.applications import Applications
from simulator.asking import Asking
from simulator.calls import RESULTS, TIMED_OUT, Calls, Line, costs
from simulator.companies import Companies
from simulator.customers import Master
from simulator.deliveries import ARRIVES, ORDER, moment
from simulator.loans import CHANNELS, LoanBook
from simulator.networks import network_address
from simulator.population import Population
from simulator.rules import SourceRules
from simulator.timeline import add_months, day_of_month, month_of


def call_rows(
    placed: Sequence[tuple[Calls, Line]], asking: Asking, master: Master, rules: Mapping[str, SourceRules]
) -> pl.DataFrame:
    """The call ledger's rows of a batch, of all sources at once, in the columns of the ledger's contract."""
    asked = [np.flatnonzero(calls.asked) for calls, _ in placed]
    sizes = [len(which) for which in asked]
    which = np.concatenate(asked)

    def gathered(name: str) -> np.ndarray:
        return np.concatenate(
            [getattr(calls, name)[at] for (calls, _), at in zip(placed, asked, strict=True)]
        )

    def each(texts: list[str]) -> pl.Series:
        return pl.Series(np.repeat(np.array(texts), sizes), dtype=pl.String)

    cust, result, asked_at = asking.cust[which], gathered("result"), gathered("request_ts")
    answered_at = gathered("response_ts")
    failed = pl.Series(gathered("failed"))
    nothing = pl.Series([None] * len(which), dtype=pl.String)
    code = np.where(result == TIMED_OUT, "TIMEOUT", "E5" + np.char.mod("%02d", which % 7))
    requests = [
        calls.request[at] for (calls, _), ats in zip(placed, asked, strict=True) for at in ats.tolist()
    ]
    person = pl.Series(master.person).gather(cust)
    applied = asking.apply_ids
    apply_id = nothing if applied is None else pl.Series(applied, dtype=pl.String).gather(which)
    of_company = np.repeat([line.entity == "company" for _, line in placed], sizes)
    company = asking.company_sha256(which).zip_with(pl.Series(of_company), nothing)
    cost = [costs(calls, rules[calls.source])[at] for (calls, _), at in zip(placed, asked, strict=True)]
    frame = pl.DataFrame(
        {
            "call_id": "C" + each([line.prefix for _, line in placed])
            + pl.Series(np.char.mod("%08d", asking.number[which].astype(np.int64))),
            "source": each([calls.source for calls, _ in placed]),
            "req_id": pl.Series(requests, dtype=pl.String).zip_with(~failed, nothing),
            "person_id": person,
            "apply_id": apply_id,
            "stage": np.full(len(which), asking.stage),
            "entity": each([line.entity for _, line in placed]),
            "key_hash": pl.Series(master.id_sha256).gather(cust),
            "company_hash": company,
            "request_ts": asked_at,
            "response_ts": answered_at,
            "result": np.array(RESULTS)[result],
            "error_code": pl.Series(code, dtype=pl.String).zip_with(failed, nothing),
            "cached": gathered("cached"),
            "cost": np.concatenate(cost),
            "latency_ms": gathered("latency_ms"),
            "authorisation_id": "Z" + (apply_id.str.slice(1) if applied is not None else "M" + person),
            ARRIVES: answered_at.astype("datetime64[D]"),
            ORDER: asked_at.astype("datetime64[us]"),
        }
    )  # fmt: skip
    columns = rules["source_call"].columns
    return frame.with_columns(moment("request_ts"), moment("response_ts")).select(*columns, ARRIVES, ORDER)


def application_rows(
    apps: Applications,
    network: np.ndarray,
    people: Population,
    master: Master,
    companies: Companies,
    complete: np.ndarray,
    decided: np.ndarray,
    cancelled: np.ndarray,
    approved: np.ndarray,
    reason: np.ndarray,
    score: np.ndarray,
    granted: np.ndarray,
    rate: np.ndarray,
) -> pl.DataFrame:
    """Versions of the applications, sent over ``network``: submitted, inputs complete, decided or cancelled."""
    n = len(apps.cust)
    ids = apps.ids
    owned = people.company[apps.cust]
    for_company = (
        (np.array(ap.PRODUCTS)[apps.product] == "business")
        & (owned >= 0)
        & companies.alive(owned, month_of(apps.apply_ts))
    )
    base = pl.DataFrame(
        {
            "apply_id": ids,
            "person_id": pl.Series(master.person).gather(apps.cust),
            "product": np.array(ap.PRODUCTS)[apps.product],
            "channel": np.array(ap.CHANNELS)[apps.channel],
            "apply_ts": apps.apply_ts,
            "complete_ts": complete,
            "amount": apps.amount,
            "term": apps.term,
            "stated_income": master.stated_income[apps.cust],
            "device_id": [people.device_id(number) for number in apps.device.tolist()],
            "ip": network_address(network),
            "decide_ts": decided,
            "company_code": pl.Series(companies.code)
            .gather(np.maximum(owned, 0))
            .zip_with(pl.Series(for_company), pl.Series([None] * n, dtype=pl.String)),
            "approved": approved,
            "cancelled": cancelled,
            "reject_codes": np.array([*ap.CODES, ""])[reason],
            "reject_cat": np.array([*ap.CATEGORIES, ""])[reason],
            "approve_amt": granted,
            "approve_rate": rate,
            "score": np.round(score, 2),
            "strategy_ver": np.full(n, "naive-1"),
        }
    )
    nothing = pl.lit(None)
    late_fields = (
        "reject_codes",
        "reject_cat",
        "approve_amt",
        "approve_rate",
        "score",
        "strategy_ver",
        "decide_ts",
    )
    empty = {name: nothing.cast(base.schema[name]) for name in late_fields}
    submitted = base.with_columns(
        op=pl.lit("c"), status=pl.lit("submitted"), updated_ts=pl.col("apply_ts"),
        complete_ts=nothing.cast(base.schema["complete_ts"]), **empty,
    )  # fmt: skip
    whole = base.filter(~pl.col("cancelled")).with_columns(
        op=pl.lit("u"), status=pl.lit("complete"), updated_ts=pl.col("complete_ts"), **empty
    )
    yes = pl.col("approved")
    final = base.filter(~pl.col("cancelled")).with_columns(
        op=pl.lit("u"), updated_ts=pl.col("decide_ts"),
        status=pl.when(yes).then(pl.lit("approved")).otherwise(pl.lit("rejected")),
        reject_codes=pl.when(~yes).then("reject_codes"), reject_cat=pl.when(~yes).then("reject_cat"),
        approve_amt=pl.when(yes).then("approve_amt"), approve_rate=pl.when(yes).then("approve_rate"),
    )  # fmt: skip
    given_up = base.filter("cancelled").with_columns(
        op=pl.lit("u"),
        status=pl.lit("cancelled"),
        updated_ts=pl.col("complete_ts") + pl.duration(hours=2),
        **empty,
    )
    columns = [
        "apply_id", "op", "updated_ts", "person_id", "product", "channel", "apply_ts", "complete_ts", "amount", "term",
        "stated_income", "device_id", "ip", "status", "reject_codes", "reject_cat", "approve_amt", "approve_rate",
        "score", "strategy_ver", "decide_ts", "company_code",
    ]  # fmt: skip
    rows = pl.concat(
        [part.select(columns) for part in (submitted, whole, final, given_up)], how="vertical_relaxed"
    )
    return rows.with_columns(
        pl.col("updated_ts").dt.date().alias(ARRIVES),
        pl.col("updated_ts").cast(pl.Datetime("us")).alias(ORDER),
    ).with_columns(moment("updated_ts"), moment("apply_ts"), moment("complete_ts"), moment("decide_ts"))


def instalment_rows(
    versions: dict[str, np.ndarray], book: LoanBook, master: Master, apply_ids: list[str]
) -> pl.DataFrame:
    """Instalment versions as the loan system delivers them; ``apply_ids`` by loan number."""
    loan = {name: column[versions["loan"]] for name, column in book.loan.items()}
    snapshot, settled, dpd = versions["snapshot_date"], versions["settled"], versions["dpd"]
    months = (
        month_of(snapshot) - month_of(loan["date"]) - (day_of_month(snapshot) < day_of_month(loan["date"]))
    )
    whole = add_months(loan["date"], np.maximum(months + 1, 0)) <= snapshot
    mob = np.maximum(months + whole, 0)
    n = len(dpd)
    overdue = ~settled & (dpd > 0)
    grade = np.select([~overdue, dpd <= 60, dpd <= 90, dpd <= 150], ["1", "2", "3", "4"], "5")
    nothing = pl.Series([None] * n, dtype=pl.String)
    return pl.DataFrame(
        {
            "loan_id": [f"L{number:09d}" for number in (versions["loan"] + 1).tolist()],
            "term_no": versions["term_no"],
            "person_id": pl.Series(master.person).gather(loan["cust"]),
            "apply_id": pl.Series(apply_ids, dtype=pl.String).gather(versions["loan"]),
            "product": np.array(ap.PRODUCTS)[loan["product"]],
            "loan_date": loan["date"],
            "mob": mob,
            "due_date": versions["due_date"],
            "due_pri": versions["due_pri"] / 100,
            "due_int": versions["due_int"] / 100,
            "due_fee": np.zeros(n),
            "repay_date": versions["repay_date"],
            "repay_pri": versions["repay_pri"] / 100,
            "repay_int": versions["repay_int"] / 100,
            "repay_channel": pl.Series(np.array([*CHANNELS, ""])[versions["channel"]]).zip_with(
                pl.Series(versions["channel"] >= 0), nothing
            ),
            "autopay_fail_cnt": versions["autopay_fail_cnt"],
            "dpd": dpd,
            "ovd_pri": np.where(overdue, versions["due_pri"] - versions["repay_pri"], 0) / 100,
            "balance": versions["balance"] / 100,
            "limit": loan["amount"] / 100,
            "five_class": grade,
            "settled": settled,
            "snapshot_date": snapshot,
            ARRIVES: snapshot + np.timedelta64(1, "D"),
            ORDER: snapshot.astype("datetime64[us]"),
        }
    ).sort(ORDER, "loan_id", "term_no", "dpd")
