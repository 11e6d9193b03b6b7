"""What each source holds about an applicant at the moment of an application, and the arithmetic over it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from statistics import fmean
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
