"""A variable of each of the 59 blocks and one more, drawn by a seed, each by hand from the landing files.

The names were drawn once, from the catalogue as it then was (27,787 variables): ``generator = random.Random(59)``; of
each block in the order of names ``generator.choice`` of its sorted names that are not among the first sixty; then one of
all others. None was skipped.
"""

from __future__ import annotations

from statistics import fmean, pstdev

from tests.hand.applicant import when
from tests.hand.landing_files import at, many, number
from tests.hand.sources import (
    BAD,
    BANDS,
    CARD,
    COURT,
    ENFORCE,
    IDENTITY,
    INCOME,
    MICRO,
    PROPERTY,
    Value,
    answers,
    back,
    by_date,
    contacts,
    days,
    device_entries,
    documents,
    ended,
    entry,
    events,
    faces,
    highest,
    idle_cards,
    in_last,
    income_slope,
    insured_run,
    invoices,
    largest_agreement,
    ledger,
    listed,
    money_in,
    named,
    of,
    orders,
    overdue,
    overdue_less_bureau,
    parcels,
    parcels_of_land,
    penalties,
    prepaid,
    ratio,
    report,
    sales,
    sessions,
    shopping,
    spending,
    stays,
    subsidies,
    tenth,
    told,
    whole_months,
    worst_by_loan,
)

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
