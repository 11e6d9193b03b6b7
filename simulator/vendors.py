"""What the vendors answer: telco tenure, applications elsewhere, overdue list; each with its own hashes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator import identities, lookups
from simulator.calls import HIT, Calls
from simulator.customers import Master
from simulator.deliveries import ARRIVES, ORDER, moment
from simulator.lookups import Log, masked_lender
from simulator.population import Population
from simulator.streams import Streams, sigmoid

TENURE = ("0-3", "3-6", "6-12", "12-24", "24+")
KEPT_DAYS = 720
"""How far back the multi-lender vendor's answers reach."""
LIST_LAG = 3
"""Days until another lender reports an overdue loan to the list."""


@dataclass
class Asked:
    """The applications of a batch: customer, device number, number of the application."""

    cust: np.ndarray
    device: np.ndarray
    number: np.ndarray


def _days(moments: np.ndarray) -> np.ndarray:
    return moments.astype("datetime64[D]")


def telco_rows(
    calls: Calls,
    asked: Asked,
    people: Population,
    master: Master,
    noise: np.ndarray,
    month: int,
    wave: int,
    streams: Streams,
) -> tuple[pl.DataFrame, np.ndarray]:
    """Answers of the operator about the phone on file, and whether the line looks dead.

    A phone that the customer gave up without telling the bank is cancelled.
    """
    which = np.flatnonzero(calls.answered)
    cust = asked.cust[which]
    rng = streams.of(f"telco {wave}", month)
    d = rng.random((10, len(asked.cust)))[:, which]
    gone = master.phone[cust] != people.phone[cust]
    months = np.where(gone, 1 + d[0] * 20, month - people.phone_since[cust])
    risk = 0.45 * people.risk[cust] + 0.3 * people.stress[cust] + 0.9 * noise[cust]
    band = np.searchsorted([3, 6, 12, 24], months, side="right")
    status = np.where(d[1] < sigmoid(-3.6 + 0.6 * risk), 2, np.where(d[1] > 0.995, 5, 1))
    status = np.where(gone, np.where(d[1] < 0.6, 4, 6), status)
    level = 2.6 + 0.55 * people.income_z[cust] - 0.2 * people.stress[cust] + 0.6 * noise[cust]
    spend = [np.clip(np.rint(level + 0.6 * (d[k] - 0.5) * 2), 0, 5).astype(int) for k in (2, 3, 4)]
    arrears = d[5] < sigmoid(-2.7 + 0.75 * risk)
    calls_band = np.clip(
        np.rint(2.4 + 0.3 * people.stability[cust] + 0.3 * noise[cust] + 1.8 * (d[6] - 0.5)), 0, 3
    ).astype(int)
    data = np.clip(np.rint(1.9 + 0.15 * people.stress[cust] + 2.2 * (d[7] - 0.5)), 0, 3).astype(int)
    online = np.where(gone, 20 + d[8] * 200, np.where(status == 2, d[8] * 15, d[8] ** 6 * 8)).astype(int)
    hit = calls.result[which] == HIT
    text = np.char.mod("%d", np.arange(7))

    def where_hit(values: np.ndarray) -> pl.Series:
        return pl.Series(values).zip_with(
            pl.Series(hit), pl.Series([None] * len(hit), dtype=pl.Series(values).dtype)
        )

    frame = pl.DataFrame(
        {
            "req_id": [calls.request[at] for at in which],
            "cell_hash": [master.sha256_of_phone(int(number)) for number in master.phone[cust]],
            "query_ts": calls.request_ts[which] + np.timedelta64(2, "ms"),
            "report_ts": calls.response_ts[which],
            "hit": np.where(hit, "1", "0"),
            "tenure_band": where_hit(np.array(TENURE)[band]),
            "status": where_hit(text[status]),
            "spend_band_m1": where_hit(text[spend[0]]),
            "spend_band_m2": where_hit(text[spend[1]]),
            "spend_band_m3": where_hit(text[spend[2]]),
            "arrears_m1": where_hit(arrears),
            "call_days_band": where_hit(text[calls_band]),
            "data_band": where_hit(text[data]),
            "roam_flag": where_hit(d[9] < 0.02),
            "last_online_days": where_hit(online),
            ARRIVES: _days(calls.response_ts[which]),
            ORDER: calls.response_ts[which].astype("datetime64[us]"),
        }
    ).with_columns(moment("query_ts"), moment("report_ts"))
    dead = np.zeros(len(asked.cust), bool)
    dead[which] = gone & hit & (status == 4)
    return frame, dead


def matches(asked: Asked, report_ts: np.ndarray, log: Log, master: Master, month: int) -> pl.DataFrame:
    """Applications elsewhere that the vendor finds for each asked application (column ``at``: its place).

    By identity number, by phone, by device; other people's applications match by a shared device alone.
    """
    events = pl.DataFrame(log.last(month, 25))
    ask = pl.DataFrame(
        {
            "at": np.arange(len(asked.cust)), "asker": asked.cust, "asked_device": asked.device,
            "asked_phone": master.phone[asked.cust], "report": report_ts,
        }
    )  # fmt: skip
    own = ask.join(events, left_on="asker", right_on="cust", how="inner").with_columns(
        by_id=pl.lit(True), by_cell=pl.col("phone") == pl.col("asked_phone"),
        by_device=pl.col("device") == pl.col("asked_device"),
    )  # fmt: skip
    shared = ask.join(events, left_on="asked_device", right_on="device", how="inner")
    shared = shared.filter(pl.col("cust") != pl.col("asker")).with_columns(
        by_id=pl.lit(False), by_cell=pl.lit(False), by_device=pl.lit(True)
    )
    both = pl.concat(
        [
            own.select(sorted(set(own.columns) - {"device"})),
            shared.select(sorted(set(own.columns) - {"device"})),
        ]
    )
    return both.filter(
        (pl.col("ts") < pl.col("report")) & (pl.col("ts") > pl.col("report") - pl.duration(days=KEPT_DAYS))
    ).sort("at", "ts", "org", "by_id")


def apply_rows(
    calls: Calls, asked: Asked, found: pl.DataFrame, people: Population, master: Master
) -> pl.DataFrame:
    """Answers of the multi-lender vendor: a header and the records it found."""
    which = np.flatnonzero(calls.answered)
    cust = asked.cust[which]
    device_md5 = {
        int(number): identities.md5(people.device_id(int(number))) for number in np.unique(asked.device)
    }
    head = pl.DataFrame(
        {
            "at": which,
            "req_id": [calls.request[at] for at in which],
            "id_hash": [master.id_md5[who] for who in cust],
            "cell_hash": [master.md5_of_phone(int(number)) for number in master.phone[cust]],
            "device_hash": [device_md5[int(number)] for number in asked.device[which]],
            "query_ts": calls.request_ts[which] + np.timedelta64(2, "ms"),
            "report_ts": calls.response_ts[which],
        }
    )
    hour, weekday = pl.col("ts").dt.hour(), pl.col("ts").dt.weekday()
    org_text = {int(org): masked_lender(int(org)) for org in found["org"].unique()}

    def coded(name: str, texts: tuple[str, ...]) -> pl.Expr:
        return pl.col(name).replace_strict(range(len(texts)), texts, return_dtype=pl.String).alias(name)

    records = (
        found.join(head.select("at", "id_hash", "cell_hash", "device_hash"), on="at", how="inner")
        .select(
            "at",
            pl.when("by_id").then("id_hash").alias("id_hash"),
            pl.when("by_cell").then("cell_hash").alias("cell_hash"),
            pl.when("by_device").then("device_hash").alias("device_hash"),
            pl.col("ts").dt.strftime("%Y-%m-%dT%H:%M:%S").alias("apply_ts"),
            coded("lender", lookups.LENDERS).alias("lender_type"),
            pl.col("org").replace_strict(org_text, return_dtype=pl.String).alias("org_masked"),
            coded("product", lookups.PRODUCTS).alias("product_type"),
            coded("amount", lookups.AMOUNTS).alias("amount_band"),
            coded("term", lookups.TERMS).alias("term_band"),
            coded("channel", lookups.CHANNELS),
            ((hour >= 22) | (hour < 6)).alias("is_night"),
            (weekday >= 6).alias("is_weekend"),
            coded("decision", lookups.DECISIONS),
        )
        .group_by("at", maintain_order=True)
        .agg(pl.struct(pl.exclude("at")).alias("records"), pl.len().cast(pl.Int64).alias("record_count"))
    )
    frame = head.join(records, on="at", how="left", maintain_order="left").with_columns(
        pl.col("record_count").fill_null(0), pl.col("records").fill_null([])
    )
    return frame.select(
        "req_id", "id_hash", "cell_hash", "device_hash", moment("query_ts"), moment("report_ts"),
        pl.when(pl.col("record_count") > 0).then(pl.lit("1")).otherwise(pl.lit("0")).alias("hit"),
        "record_count", "records", pl.col("report_ts").dt.date().alias(ARRIVES),
        pl.col("report_ts").cast(pl.Datetime("us")).alias(ORDER),
    )  # fmt: skip


def spells(asked: Asked, report_day: np.ndarray, log: Log, month: int) -> pl.DataFrame:
    """Overdue spells elsewhere as the list shows them on the day of each asked application."""
    events = pl.DataFrame(log.last(month, 25))
    ask = pl.DataFrame({"at": np.arange(len(asked.cust)), "asker": asked.cust, "report": report_day})
    shown = ask.join(events, left_on="asker", right_on="cust", how="inner")
    shown = shown.filter(pl.col("day") + pl.duration(days=LIST_LAG) <= pl.col("report"))
    settle = pl.col("day") + pl.duration(days=pl.col("lasting"))
    shown = shown.with_columns(settled=settle <= pl.col("report"), settle=settle)
    last = (
        pl.when("settled")
        .then(settle - pl.duration(days=1))
        .otherwise(pl.col("report") - pl.duration(days=1))
    )
    return (
        shown.with_columns(last=pl.max_horizontal(last, "day"))
        .with_columns(dpd=((pl.col("last") - pl.col("day")).dt.total_days() + 1))
        .sort("at", "day", "org")
        .unique(["at", "day", "org"], keep="first", maintain_order=True)
    )


def overdue_rows(calls: Calls, asked: Asked, shown: pl.DataFrame, master: Master) -> pl.DataFrame:
    """Lines of the overdue list: one a spell, or one that says that there is none."""
    which = np.flatnonzero(calls.answered)
    cust = asked.cust[which]
    head = pl.DataFrame(
        {
            "at": which,
            "req_id": [calls.request[at] for at in which],
            "id_hash": [master.id_sha256[who] for who in cust],
            "cell_hash": [master.sha256_of_phone(int(number)) for number in master.phone[cust]],
            "report_ts": calls.response_ts[which],
        }
    )
    org_text = {int(org): masked_lender(int(org)) for org in shown["org"].unique()}
    level = (
        pl.when(pl.col("dpd") <= 30).then(pl.lit("M1")).when(pl.col("dpd") <= 60).then(pl.lit("M2"))
        .when(pl.col("dpd") <= 90).then(pl.lit("M3")).otherwise(pl.lit("M4+"))
    )  # fmt: skip

    def coded(name: str, texts: tuple[str, ...]) -> pl.Expr:
        return pl.col(name).replace_strict(range(len(texts)), texts, default=None, return_dtype=pl.String)

    frame = head.join(shown.drop("report"), on="at", how="left", maintain_order="left")
    known = pl.col("day").is_not_null()
    return frame.select(
        "req_id", "id_hash", "cell_hash", moment("report_ts").alias("text_ts"),
        pl.when(known).then(pl.lit("1")).otherwise(pl.lit("0")).alias("hit"),
        pl.col("org").replace_strict(org_text, default=None, return_dtype=pl.String).alias("org_masked"),
        pl.col("day").alias("first_overdue"), pl.col("last").alias("last_overdue"),
        coded("lender", lookups.LENDERS).alias("lender_type"),
        pl.when(known).then(level).alias("overdue_level"), pl.col("dpd").alias("dpd_max"),
        coded("amount", lookups.AMOUNTS).alias("amount_band"),
        pl.col("settled").alias("settled_flag"), pl.when("settled").then("settle").alias("settle_date"),
        pl.col("report_ts").dt.date().alias(ARRIVES), pl.col("report_ts").cast(pl.Datetime("us")).alias(ORDER),
    ).rename({"text_ts": "report_ts"})  # fmt: skip
