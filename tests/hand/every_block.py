"""A variable of each of the 59 blocks and one more, drawn by a seed, each by hand from the landing files.

The names were drawn once, from the catalogue as it then was (27,787 variables): ``generator = random.Random(59)``; of
each block in the order of names ``generator.choice`` of its sorted names that are not among the first sixty; then one of
all others. None was skipped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from statistics import fmean, pstdev
from typing import Any

from tests.hand.applicant import Applicant, end_of, end_of_month, when
from tests.hand.customers import DAY, end_of_next_day, months_earlier
from tests.hand.landing_files import Record, at, day, many, number

Value = Callable[[Applicant], float | None]

BAD = ("1", "2", "3", "4", "5", "6", "7", "B", "G", "D", "Z")
MICRO = ("51", "25")
BANDS = {"lt1k": 0, "1k_5k": 1000, "5k_10k": 5000, "10k_50k": 10000, "50k_200k": 50000, "ge200k": 200000}


def of(
    ask: Callable[[Applicant], Record | None], compute: Callable[..., Any], *, zero: bool = False
) -> Value:
    """``compute`` over what ``ask`` gives; nothing where it gives none, or no record unless that means zero."""

    def value(c: Applicant) -> float | None:
        answer = ask(c)
        return None if answer is None or (not answer and not zero) else compute(c, answer)

    return value


def ledger(source: str) -> Callable[[Applicant], Record | None]:
    """What the ledger says of a source that sends no answers of its own."""
    return lambda c: {"hit": {"said": "hit"}, "no_hit": {}}.get(c.said(source) or "")


def report(c: Applicant) -> Record | None:
    return c.report


def highest(values: Iterable[float | None]) -> float | None:
    return max((one for one in values if one is not None), default=None)


def ratio(a: float, b: float) -> float | None:
    return a / b if b else None


def days(rows: Iterable[Record], field: str, end: Any, most: int) -> list[Record]:
    """Rows of the last ``most`` days before ``end``."""
    return [row for row in rows if end - most * DAY < when(row[field]) <= end]


def by_date(rows: Iterable[Record], field: str, end: Any, months: int) -> list[Record]:
    """Rows of the last ``months`` months before the date of ``end``."""
    start = months_earlier(end.date(), months)
    return [row for row in rows if when(row[field]).date() > start and when(row[field]) <= end]


def back(month: str, end: Any) -> int:
    """Calendar months between a month and the month of ``end``."""
    first = when(month)
    return (end.year - first.year) * 12 + end.month - first.month


def whole_months(rows: Iterable[Record], field: str, end: Any, months: int) -> list[Record]:
    """Rows of whole months that had ended by ``end``, at most ``months`` back."""
    return [row for row in rows if end_of_month(row[field]) <= end and back(row[field], end) <= months]


def place(month: str, end: Any) -> int:
    """Which month of a series a month is: the running one and the one before are the first."""
    return max(back(month, end) - 1, 0)


def slope(series: list[float]) -> float:
    """Least squares, a month; the series begins with the newest."""
    middle = (len(series) - 1) / 2
    mean = fmean(series)
    rise = sum((i - middle) * (one - mean) for i, one in enumerate(reversed(series)))
    return rise / sum((i - middle) ** 2 for i in range(len(series)))


def longest(held: set[int], size: int) -> float:
    best = run = 0
    for month in range(size):
        run = run + 1 if month in held else 0
        best = max(best, run)
    return float(best)


def tenth(values: list[float]) -> float | None:
    """The 10th percentile, between two values in proportion."""
    if not values:
        return None
    ordered = sorted(values)
    low, rest = divmod((len(ordered) - 1) * 10, 100)
    above = ordered[min(low + 1, len(ordered) - 1)]
    return ordered[low] + (above - ordered[low]) * rest / 100


# What each source holds about an applicant ------------------------------------------------------------------------------


def penalties(c: Applicant) -> list[Record]:
    rows = c.landed.where("admin_pen", "SHXYDM", c.company)
    return c.known("admin_pen", rows, ("PENDECNO",), "event_date", lambda row: end_of(row["batch_date"]))


def subsidies(c: Applicant) -> list[Record]:
    rows = c.landed.where("agri_subsidy", "id_hash", c.id_no("sha256"))
    key = ("household_id", "year", "subsidy_type")
    return c.known("agri_subsidy", rows, key, "pay_date", lambda row: end_of(row["batch_date"]))


def listed(c: Applicant) -> list[Record]:
    rows = c.landed.where("aml_scam", "id_hash", c.id_no("sha256"))
    key = ("entry_no", "effective_date")
    known = c.known("aml_scam", rows, key, "effective_date", lambda row: end_of(row["batch_date"]))
    return [row for row in known if row["key_type"] == "id"]


def events(c: Applicant, most: int) -> list[Record]:
    rows = c.landed.where("app_event", "user_id", c.person)
    return days(c.known("app_event", rows, ("event_id",), "ts", "received_ts"), "ts", c.at, most)


def entry(c: Applicant) -> Record | None:
    """The register's entry of the company that holds."""
    rows = c.landed.where("biz_reg", "SHXYDM", c.company)
    known = c.known("biz_reg", rows, ("SHXYDM", "valid_from"), "valid_from", "report_ts")
    holding = [row for row in known if row["valid_to"] is None or when(row["valid_to"]) > c.at]
    return holding[-1] if holding else None


def contacts(c: Applicant, most: int) -> list[Record]:
    rows = c.landed.where("coll_call", "person_id", c.person)
    return days(c.known("coll_call", rows, ("call_id",), "start_ts", "updated_ts"), "start_ts", c.at, most)


def named(c: Applicant, most: int) -> list[Record]:
    rows = c.landed.where("contact_rel", "person_id", c.person)
    known = c.known("contact_rel", rows, ("apply_id", "contact_no"), "created_ts", "created_ts")
    return days(known, "created_ts", c.at, most)


def sessions(c: Applicant, most: int) -> list[Record]:
    rows = c.landed.where("device_fp", "person_id", c.person)
    return days(c.known("device_fp", rows, ("session_id",), "event_ts", "event_ts"), "event_ts", c.at, most)


def faces(c: Applicant, most: int) -> list[Record]:
    rows = c.landed.where("face_live", "id_no_hash", c.id_no("sha256"))
    return days(c.known("face_live", rows, ("req_id",), "query_ts", "report_ts"), "query_ts", c.at, most)


def documents(c: Applicant, most: int) -> list[Record]:
    rows = c.landed.where("ocr_doc", "id_no_hash", c.id_no("sha256"))
    return days(c.known("ocr_doc", rows, ("req_id",), "query_ts", "report_ts"), "query_ts", c.at, most)


def device_entries(c: Applicant) -> list[Record]:
    if c.device is None:
        return []
    rows = c.landed.where("fraud_list", "device_hash", hashlib.md5(c.device.encode()).hexdigest())
    known = c.known(
        "fraud_list", rows, ("list_id", "id_hash"),
        lambda row: when(row["first_date"] or row["report_ts"]), "report_ts",
    )  # fmt: skip
    return [
        row
        for row in known
        if row["status"] != "removed" and row["hit"] == "1" and row["key_type"] == "device"
    ]


def invoices(c: Applicant, months: int) -> list[Record]:
    rows = c.landed.where("invoice", "taxpayer_no", c.company)
    key = ("invoice_code", "invoice_number", "direction")
    known = c.known("invoice", rows, key, "invoice_date", "collect_ts")
    return [row for row in by_date(known, "invoice_date", c.at, months) if row["invoice_status"] != "void"]


def parcels_of_land(c: Applicant) -> list[Record]:
    """Land rights that have not ended."""
    rows = c.landed.where("land_right", "id_hash", c.id_no("sha256"))
    key = ("parcel_id", "valid_from")
    known = c.known("land_right", rows, key, "valid_from", lambda row: end_of(row["batch_date"]))
    return [row for row in known if row["valid_to"] is None or day(row["valid_to"]) >= c.at.date()]


def stays(c: Applicant) -> list[Record]:
    rows = c.landed.where("lbs", "user_id", c.person)
    return c.known("lbs", rows, ("user_id", "ts"), "ts", "received_ts")


def parcels(c: Applicant, most: int) -> list[Record]:
    def moment(row: Record) -> Any:
        return row["ts"] or row["report_ts"]

    rows = c.landed.where("logistics", "cell_hash", c.phone("md5"))
    known = c.known("logistics", rows, ("cell_hash", "waybill"), moment, "report_ts")
    living = [row for row in known if row["op"] != "d" and row["hit"] == "1" and row["waybill"] is not None]
    return [row for row in living if moment(row) > c.at - most * DAY]


def overdue(c: Applicant, most: int) -> list[Record]:
    rows = c.landed.where("ml_overdue", "id_hash", c.id_no("sha256"))
    key = ("id_hash", "org_masked", "first_overdue")
    known = c.known(
        "ml_overdue", rows, key, lambda row: when(row["first_overdue"] or row["report_ts"]), "report_ts"
    )
    return days([row for row in known if row["hit"] == "1"], "first_overdue", c.at, most)


def instalments(c: Applicant, months: int) -> list[Record]:
    rows = c.landed.where("own_repay", "person_id", c.person)
    known = c.known(
        "own_repay",
        rows,
        ("loan_id", "term_no"),
        "due_date",
        lambda row: end_of_next_day(row["snapshot_date"]),
    )
    return by_date(known, "due_date", c.at, months)


def money_in(c: Applicant, most: int) -> list[Record]:
    rows = c.landed.where("own_txn", "person_id", c.person)
    known = c.known("own_txn", rows, ("txn_id",), "txn_ts", lambda row: end_of_next_day(row["change_date"]))
    living = [row for row in known if row["op"] != "d" and not row["reversal_flag"]]
    return [row for row in days(living, "txn_ts", c.at, most) if row["direction"] == "in"]


def sales(c: Applicant, most: int) -> list[Record]:
    rows = c.landed.where("pos_merchant", "company_hash", c.code("sha256"))
    known = c.known("pos_merchant", rows, ("txn_no",), "txn_ts", lambda row: end_of(row["file_date"]))
    living = [row for row in known if row["op"] != "d" and row["txn_type"] == "sale"]
    return days(living, "txn_ts", c.at, most)


def orders(c: Applicant, months: int) -> list[Record]:
    rows = c.landed.where("supply_chain", "supplier_id", c.company)
    known = c.known("supply_chain", rows, ("order_no",), "order_date", lambda row: end_of(row["batch_date"]))
    return by_date(known, "order_date", c.at, months)


def answers(
    source: str, field: str, form: str, most: int, **hit: Any
) -> Callable[[Applicant], Record | None]:
    """The newest answer of a source that knows people by a hash of the identity number."""
    return lambda c: c.answer(source, field, c.id_no(form), most, **hit)


COURT = answers("court_case", "id_hash", "sha256", 30)
ENFORCE = answers("court_enforce", "id_hash", "sha256", 30)
INCOME = answers("income_tax", "id_hash", "sha256", 90)
PROPERTY = answers("property", "id_hash", "sm3", 180)
CARD = answers("card4", "id_no_hash", "sha256", 30, hit="result_code", hits=("0", "1", "3", "5"))
IDENTITY = answers("id2_verify", "id_no_hash", "sha256", 90, hit="result", hits=("1", "2"))


def told(answer: Record, path: str, event: Callable[[Record], Any] | None = None) -> list[Record]:
    """The list under an answer, without what is dated after it."""
    rows = (answer or {}).get(path) or []
    end = when(answer["report_ts"]) if answer else None
    return [row for row in rows if event is None or event(row) <= end]


def ended(answer: Record) -> Any:
    """The moment of an answer: its windows end there, not today."""
    return when(answer["report_ts"])


def income_slope(_: Applicant, answer: Record) -> float:
    end = ended(answer)
    series = [0.0] * 24
    for row in told(answer, "records", lambda row: end_of(row["declare_date"])):
        if (
            row["income_type"] == "other"
            and when(row["tax_month"]) <= end
            and back(row["tax_month"], end) <= 24
        ):
            series[place(row["tax_month"], end)] += row["income"] or 0.0
    return slope(series)


def shopping(_: Applicant, answer: Record) -> float | None:
    home = [row for row in answer["records"] if row["category"] == "home"]
    year, two = (
        sum(row["order_amt"] for row in whole_months(home, "month", ended(answer), months))
        for months in (12, 24)
    )
    return ratio(year, two)


def spending(_: Applicant, answer: Record) -> float | None:
    rows = [row for row in answer["records"] if row["direction"] == "out"]
    recent = whole_months(rows, "month", ended(answer), 6)
    part = sum(row["txn_amt"] for row in recent if row["mcc_group"] == "digital")
    return ratio(part, sum(row["txn_amt"] for row in recent))


def insured_run(_: Applicant, answer: Record) -> float:
    rows = [
        row
        for row in answer["records"]
        if row["insurance"] == "pension" and row["status"] in ("paid", "backpay")
    ]
    held = {
        place(row["pay_month"], ended(answer)) for row in whole_months(rows, "pay_month", ended(answer), 12)
    }
    return longest(held, 12)


def months_overdue(c: Applicant) -> float | None:
    """Months of 24 in which any account was overdue."""
    if c.report is None:
        return None
    found = {max(ago - 1, 0) for row in c.accounts() for ago, status in c.months(row, 24) if status in BAD}
    return float(len(found))


def overdue_less_bureau(c: Applicant) -> float | None:
    months = months_overdue(c)
    return (
        None
        if months is None or c.said("ml_overdue") not in ("hit", "no_hit")
        else len(overdue(c, 720)) - months
    )


def largest_agreement(c: Applicant, _: Record) -> float | None:
    limits: dict[str, float] = {}
    for row in many(c.report, "PCA/PD02"):
        org, limit = at(row, "PD02A/PD02AI02"), number(at(row, "PD02A/PD02AJ01"))
        if org and limit and limit > 0 and when(at(row, "PD02A/PD02AR01")) <= c.report_time:
            limits[org] = limits.get(org, 0.0) + limit
    return max(limits.values()) / sum(limits.values()) if limits else None


def idle_cards(c: Applicant, _: Record) -> float | None:
    issuers: dict[str | None, int] = {}
    for row in c.accounts("R2", "R3"):
        if not at(row, "PD01C/PD01CD01"):
            continue
        org = at(row, "PD01A/PD01AI02")
        limit = number(at(row, "PD01A/PD01AJ02"))
        used = number(at(row, "PD01C/PD01CJ02") or at(row, "PD01C/PD01CJ01"))
        idle = bool(limit) and used is not None and used / limit < 0.01
        issuers[org] = issuers.get(org, 0) + idle
    return max(issuers.values(), default=None)


def in_last(c: Applicant, path: str, field: str, months: int) -> list[Record]:
    """Parts of the report within ``months`` before it."""
    start = months_earlier(c.report_time.date(), months)
    return [row for row in many(c.report, path) if day(at(row, field)) > start]


def prepaid(c: Applicant, _: Record) -> float:
    start = months_earlier(c.report_time.date(), 60)
    return sum(
        number(at(trade, "PD01FJ01")) or 0.0
        for row in c.accounts()
        for trade in many(row, "PD01F/PD01FH")
        if at(trade, "PD01FD01") == "4" and day(at(trade, "PD01FR01")) > start
    )


def worst_by_loan(c: Applicant) -> float | None:
    loans: dict[str, int] = {}
    for row in instalments(c, 12):
        if row["product"] == "cash":
            loans[row["loan_id"]] = max(loans.get(row["loan_id"], 0), row["dpd"])
    return fmean(loans.values()) if loans else None


EVERY_BLOCK: dict[str, Value] = {
    "addr_risk_at_home_applies_max": of(
        lambda c: c.answer("addr_risk", "person_id", c.person, 60),
        lambda _, a: highest(row["apply_cnt_90d"] for row in a["addresses"] if row["addr_type"] == "home"),
    ),
    "admin_pen_act_ad_720d_fine_sum": lambda c: sum(
        float(row["penalty_amount"] or 0)
        for row in days(penalties(c), "event_date", c.at, 720)
        if row["ILLEGACTTYPE"] == "ad"
    ),
    "agri_subsidy_pay_relief_36m_cnt": lambda c: sum(
        row["subsidy_type"] == "relief" for row in by_date(subsidies(c), "pay_date", c.at, 36)
    ),
    "aml_scam_idever_all_cnt": lambda c: len(listed(c)),
    "app_event_ev_90d_key_ms_p10": lambda c: tenth(
        [row["key_interval_ms"] for row in events(c, 90) if row["key_interval_ms"] is not None]
    ),
    "biz_reg_entry_type_9500": of(
        ledger("biz_reg"),
        lambda c, _: float(entry(c)["ENTTYPE"] == "9500") if entry(c) and entry(c)["ENTTYPE"] else None,
    ),
    "biz_role_past_all_companies": of(
        ledger("biz_reg"), lambda c, _: len({row["SHXYDM"] for row in c.registers()})
    ),
    "card4_ask_30d_cnt": of(CARD, lambda c, _: len(c.calls_to("card4", 30))),
    "coll_call_touch_sms_90d_cnt": lambda c: sum(row["channel"] == "sms" for row in contacts(c, 90)),
    "contact_rel_named_1d_cnt": lambda c: len(named(c, 1)),
    "court_case_doc_private_plaintiff_1080d_amt_sum": of(
        COURT,
        lambda _, a: sum(
            row["amount"] or 0.0
            for row in days(told(a, "records"), "publish_date", ended(a) if a else None, 1080)
            if row["cause_group"] == "private_loan" and row["party_role"] == "plaintiff"
        ),
        zero=True,
    ),
    "court_enforce_rec_limit_720d_cnt": of(
        ENFORCE,
        lambda _, a: sum(
            row["recordType"] == "limit"
            for row in days(told(a, "records"), "publishDate", ended(a) if a else None, 720)
        ),
        zero=True,
    ),
    "cross_overdue_rec_less_bureau": overdue_less_bureau,
    "device_fp_own_root_7d_cnt": lambda c: sum(bool(row["root"]) for row in sessions(c, 7)),
    "ecommerce_shop_home_amt_sum_r_12_24": of(answers("ecommerce", "id_hash", "md5", 30), shopping),
    "education_edu_level_2": of(
        answers("education", "id_hash", "md5", 365),
        lambda _, a: float(a["level"] == "2") if a["level"] else None,
    ),
    "ewallet_txn_wealth_90d_amt_max": of(
        answers("ewallet", "id_hash", "sha256", 90),
        lambda _, a: highest(
            row["amount"]
            for row in days(a["records"], "txn_ts", ended(a), 90)
            if row["txn_type"] == "wealth" and row["status"] not in (None, "failed")
        ),
    ),
    "face_live_shot_night_90d_cnt": of(
        ledger("face_live"), lambda c, _: sum(when(row["query_ts"]).hour < 6 for row in faces(c, 90))
    ),
    "fraud_list_device_level4_all_cnt": of(
        ledger("fraud_list"),
        lambda c, _: sum(int(row["level"] or 0) >= 4 for row in device_entries(c)),
        zero=True,
    ),
    "housing_fund_post_withdraw_3m_cnt": of(
        answers("housing_fund", "id_hash", "sha256", 90),
        lambda _, a: sum(
            row["txn_type"] == "withdraw" for row in whole_months(a["records"], "txn_month", ended(a), 3)
        ),
    ),
    "id2_verify_ask_90d_cnt": of(IDENTITY, lambda c, _: len(c.calls_to("id2_verify", 90))),
    "income_tax_inc_other_24m_income_month_slope": of(INCOME, income_slope),
    "invoice_inv_out_spec_36m_cnt_share": of(
        ledger("invoice"),
        lambda c, _: ratio(
            sum(row["direction"] == "out" and row["invoice_type"] in ("01", "08") for row in invoices(c, 36)),
            sum(row["direction"] == "out" for row in invoices(c, 36)),
        ),
    ),
    "ip_risk_apply_7d_persons": of(
        lambda c: c.answer("ip_risk", "ip", c.ip, 1),
        lambda c, _: len(
            {row["person_id"] for row in days(c.applications_by("ip", c.ip), "apply_ts", c.at, 7)}
        ),
    ),
    "land_right_held_disputed_area_sum": lambda c: sum(
        float(row["area_mu"]) for row in parcels_of_land(c) if row["dispute_flag"] == "true"
    ),
    "lbs_stay_other_since_first": lambda c: highest(
        (c.at.date() - row["ts"].date()).days for row in stays(c) if row["place_type"] == "other"
    ),
    "logistics_parcel_cod_90d_cnt": of(
        ledger("logistics"), lambda c, _: sum((row["cod_amount"] or 0) > 0 for row in parcels(c, 90))
    ),
    "ml_apply_app_id_nmicro_360d_cnt": of(
        answers("ml_apply", "id_hash", "md5", 30),
        lambda _, a: sum(
            row["id_hash"] is not None and row["lender_type"] == "net_micro"
            for row in days(a["records"], "apply_ts", ended(a), 360)
        ),
    ),
    "ml_debt_loan_micro_90d_amt_max": of(
        answers("ml_debt", "id_hash", "md5", 30),
        lambda _, a: highest(
            BANDS.get(row["amount_band"])
            for row in days(a["records"], "event_date", ended(a), 90)
            if row["event_type"] == "loan" and row["lender_type"] == "licensed_micro"
        ),
    ),
    "ml_overdue_rec_cf_m2p_360d_cnt": of(
        ledger("ml_overdue"),
        lambda c, _: sum(
            row["lender_type"] == "consumer_fin" and row["overdue_level"] in ("M2", "M3", "M4+")
            for row in overdue(c, 360)
        ),
        zero=True,
    ),
    "ocr_doc_doc_30d_forged_max": of(
        ledger("ocr_doc"),
        lambda c, _: highest(
            row[name] for row in documents(c, 30) for name in ("ps_score", "copy_score", "reshot_score")
        ),
    ),
    "own_apply_app_90d_amt_max": lambda c: highest(
        float(row["amount"]) for row in days(c.applications_by("person_id", c.person), "apply_ts", c.at, 90)
    ),
    "own_customer_change_90d_cnt": lambda c: len(days(c.states, "valid_from", c.at, 90)),
    "own_repay_loan_cash_12m_dpd_max_mean": worst_by_loan,
    "own_txn_in_othin_30d_amt_mean": lambda c: (
        fmean(amounts)
        if (amounts := [row["amount"] for row in money_in(c, 30) if row["txn_class"] == "other"])
        else None
    ),
    "pboc_account_now_r4_ovd60_max": of(
        report,
        lambda c, _: highest(
            number(at(row, "PD01C/PD01CJ07")) for row in c.accounts("R4") if at(row, "PD01C/PD01CD01")
        ),
    ),
    "pboc_agreement_given_all_limit_org_top1": of(report, largest_agreement),
    "pboc_enterprise_ent_disposed_balance": of(
        lambda c: c.enterprise(), lambda _, a: number(at(a, "EBB/EB02/EB02A/EB02AJ01"))
    ),
    "pboc_identity_job_foreign_all_any": of(
        report, lambda c, _: float(any(at(row, "PB040D02") == "30" for row in many(c.report, "POM/PB04")))
    ),
    "pboc_liability_resp_12m_cnt": of(report, lambda c, _: len(in_last(c, "PCR/PD03", "PD03A/PD03AR01", 12))),
    "pboc_public_bill_util_due_cnt": of(
        report,
        lambda c, _: sum(
            at(row, "PE01A/PE01AD01") == "UE" and (number(at(row, "PE01A/PE01AJ01")) or 0) > 0
            for row in many(c.report, "PND/PE01")
        ),
    ),
    "pboc_query_inq_limit_12m_orgs": of(
        report, lambda c, _: len({at(row, "PH010Q02") for row in c.queries(12, ["26"])} - {None})
    ),
    "pboc_ratio_micro_opened_per_query_24m": of(
        report,
        lambda c, _: ratio(
            sum(at(row, "PD01A/PD01AD02") in MICRO for row in c.opened(24, "D1", "R4", "R1")),
            len(c.queries(24, ["02"], MICRO)),
        ),
    ),
    "pboc_repay_acc_cf_m2p_6m_months_sum": of(
        report,
        lambda c, _: sum(
            status in BAD[1:]
            for row in c.accounts()
            if at(row, "PD01A/PD01AD02") == "24"
            for _, status in c.months(row, 6)
        ),
    ),
    "pboc_special_trade_prepay_60m_amt_sum": of(report, prepaid),
    "pboc_summary_rep_job_11": of(
        report,
        lambda _, a: (
            float(at(a, "PIM/PB01/PB01A/PB01AD04") == "11") if at(a, "PIM/PB01/PB01A/PB01AD04") else None
        ),
    ),
    "pboc_use_issuer_idle_cards_max": of(report, idle_cards),
    "phone_risk_ask_hit_30d_cnt": of(
        lambda c: c.answer("phone_risk", "cell_hash", c.phone("md5"), 15),
        lambda c, _: sum(row["result"] == "hit" for row in c.calls_to("phone_risk", 30)),
    ),
    "pos_merchant_sale_qr_30d_amt_std": lambda c: (
        pstdev(amounts)
        if (amounts := [row["amount"] for row in sales(c, 30) if row["channel"] == "qr"])
        else None
    ),
    "property_unit_all_price_min": of(
        PROPERTY,
        lambda _, a: min(
            (
                row["est_price_sqm"]
                for row in told(a, "units", lambda row: when(row["reg_date"]))
                if row["est_price_sqm"] is not None
            ),
            default=None,
        ),
    ),
    "property_unit_since_last": of(
        PROPERTY,
        lambda _, a: min(
            (back(row["reg_date"], ended(a)) for row in told(a, "units", lambda row: when(row["reg_date"]))),
            default=None,
        ),
    ),
    "social_sec_ins_paid_pension_12m_run_max": of(answers("social_sec", "id_hash", "sm3", 90), insured_run),
    "source_call_src_miss_ip_risk_90d_any": lambda c: float(
        any(
            row["source"] == "ip_risk" and row["result"] == "no_hit"
            for row in days(c.asked(), "request_ts", c.at, 90)
        )
    ),
    "supply_chain_ord_24m_amt_std": lambda c: (
        pstdev(amounts) if (amounts := [row["order_amt"] for row in orders(c, 24)]) else None
    ),
    "tax_ent_dec_property_owing_12m_cnt": of(
        lambda c: c.answer("tax_ent", "tax_no_hash", c.code("sha256"), 90),
        lambda _, a: sum(
            row["tax_type"] == "property" and (row["owed"] or 0) > 0
            for row in by_date(a["declarations"], "declare_date", ended(a), 12)
        ),
    ),
    "telco3_phone_mismatch_name": of(
        lambda c: c.answer("telco3", "cell_hash", c.phone("sm3"), 30, "result", ("1", "2")),
        lambda _, a: float(a["mismatch_item"] == "name") if a["mismatch_item"] else None,
    ),
    "telco_tenure_net_status_6": of(
        lambda c: c.answer("telco_tenure", "cell_hash", c.phone("sha256"), 90),
        lambda _, a: float(a["status"] == "6") if a["status"] else None,
    ),
    "unionpay_txn_spend_digital_6m_amt_sum_share": of(
        answers("unionpay_txn", "id_hash", "sha256", 30), spending
    ),
    "utility_bill_late_broadband_12m_cnt": of(
        answers("utility", "id_hash", "md5", 90),
        lambda _, a: sum(
            row["type"] == "broadband" and (row["late_days"] or 0) >= 1
            for row in whole_months(a["bills"], "bill_month", ended(a), 12)
        ),
    ),
    "vehicle_car_all_claims_max": of(
        answers("vehicle", "id_hash", "md5", 180),
        lambda _, a: highest(
            row["claim_cnt"] for row in told(a, "vehicles", lambda row: when(row["reg_date"]))
        ),
    ),
}
