"""The tax bureau's view of a company: what it declares, pays and owes, its yearly statements, its violations.

Declared sales are a part of the true ones; who fares badly pays late, then not at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator.asking import Asking
from simulator.calls import HIT, NO_HIT, Calls
from simulator.deliveries import moment
from simulator.outside import Answer, AskedSource
from simulator.streams import sigmoid
from simulator.timeline import first_day, month_name
from simulator.world import World

TYPES = ("vat", "cit", "iit", "surtax", "stamp")
ITEMS = (
    "assets", "current_assets", "receivables", "inventory", "liabilities", "current_liabilities", "equity", "revenue",
    "cost", "profit", "net_profit", "cash_flow",
)  # fmt: skip
GRADES = ("A", "B", "M", "C", "D")
BACK = 36
"""Months that an answer looks back."""


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    authorises: float = 0.78
    """Share of the companies that have authorised the bank [stated: 70 to 85 of 100]."""
    late: float = -2.6
    """Log odds that a month's taxes are paid late, an average company [stated]."""
    unpaid: float = 0.06
    """Share of the late taxes that stay unpaid for half a year [stated]."""
    violates: float = -6.3
    """Log odds of a violation in a month, an average company [stated]."""
    vat: float = 0.03
    """Value-added tax of a small company, as a share of its sales [published: reduced rate of small taxpayers]."""


class TaxEnt(AskedSource):
    """Company taxes."""

    name = "tax_ent"
    prefix = "TX"
    latency = (5000, 45_000)
    timeout = 60_000
    entity = "company"
    monitors = True
    assumes = Assume
    plant = ("credit_grade", "Z", pl.col("hit") == "1")

    def begin(self, world: World) -> None:
        """Who authorises, for good."""
        draws = world.streams.of(self.name).random(world.companies.size)
        world.kept[self.name] = {"authorised": draws < self.assume.authorises, "months": {}}

    def wanted(self, asking: Asking) -> np.ndarray:
        """Companies for which a business loan is asked or runs."""
        return asking.screened & asking.for_business

    def subject(self, asking: Asking) -> np.ndarray:
        """The company."""
        return asking.company

    def answer(self, asking: Asking) -> Answer:
        """36 months of declarations, three statements, violations, as known when asked."""
        world = asking.world
        owns = asking.company >= 0
        known = owns & world.kept[self.name]["authorised"][np.maximum(asking.company, 0)]
        wanted = np.flatnonzero(known & self.wanted(asking))
        ask = pl.DataFrame(
            {
                "at": wanted,
                "company": asking.company[wanted],
                "today": asking.at[wanted].astype("datetime64[D]"),
            }
        )
        months = range(asking.month - BACK, asking.month)
        kept = pl.concat([self._month(world, month) for month in months])
        found = ask.join(kept, on="company", how="inner").filter(pl.col("declare_date") < pl.col("today"))
        declared = _as_known(found)
        counts = np.bincount(declared["at"].to_numpy(), minlength=asking.n)
        grades = _grades(declared, asking.n)

        def rows(calls: Calls, which: np.ndarray) -> pl.DataFrame:
            hit = calls.result[which] == HIT
            head = pl.DataFrame(
                {
                    "at": which,
                    "req_id": [calls.request[at] for at in which],
                    "tax_no_hash": asking.company_sha256(which),
                    "credit_grade": pl.Series(grades[which]).zip_with(
                        pl.Series(hit), pl.Series([None] * len(which), dtype=pl.String)
                    ),
                    "query_ts": calls.request_ts[which] + np.timedelta64(2, "ms"),
                    "report_ts": calls.response_ts[which],
                    "hit": np.where(hit, "1", "0"),
                    "record_count": np.where(hit, counts[which], 0),
                }
            )
            parts = {
                "declarations": declared.drop("month", "violation", "fine", "sales"),
                "statements": _statements(declared),
                "violations": _violations(declared),
            }
            for name, part in parts.items():
                nested = part.group_by("at", maintain_order=True).agg(pl.struct(pl.exclude("at")).alias(name))
                head = head.join(nested, on="at", how="left", maintain_order="left").with_columns(
                    pl.when(pl.col("hit") == "1").then(name).fill_null([]).alias(name)
                )
            return head.with_columns(moment("query_ts"), moment("report_ts")).drop("at")

        return Answer(np.where(counts > 0, HIT, NO_HIT), rows)

    def _month(self, world: World, month: int) -> pl.DataFrame:
        """What all companies declare for a month, whatever is known of it when: computed once."""
        done = world.kept[self.name]["months"]
        if month in done:
            held: pl.DataFrame = done[month]
            return held
        companies = world.companies
        n = companies.size
        d = world.streams.of(f"{self.name} month", month).random((5, n))
        sales = (
            companies.turnover_of(np.arange(n), np.full(n, month)) * companies.declared * (0.85 + 0.3 * d[0])
        )
        health = companies.past[month]
        late = d[1] < sigmoid(self.assume.late - 0.8 * health)
        stuck = late & (d[2] < self.assume.unpaid * np.exp(-0.5 * health))
        due = first_day(month + 1) + np.timedelta64(14, "D")
        declare = due - (d[3] * 12).astype("timedelta64[D]")
        days = np.where(stuck, 180 + d[4] * 200, np.where(late, 1 + d[4] * 40, -(d[4] * 3))).astype(int)
        pay = np.maximum(due + days.astype("timedelta64[D]"), declare)
        violation = np.where(d[2] < sigmoid(self.assume.violates - 0.7 * health), (d[3] * 4).astype(int), -1)
        violation = np.where(violation >= 0, np.where(companies.shell >= 0, 1, violation), -1)
        profit = sales * companies.margin
        quarter = month % 3 == 2
        amounts = {
            "vat": sales * self.assume.vat, "surtax": sales * self.assume.vat * 0.12, "iit": companies.employees * 45.0,
            "stamp": np.where(quarter, sales * 0.0009, 0), "cit": np.where(quarter, profit * 3 * 0.05, 0),
        }  # fmt: skip
        there = np.flatnonzero(sales > 0)
        frames = [
            pl.DataFrame(
                {
                    "company": there,
                    "month": np.full(len(there), month),
                    "tax_type": np.full(len(there), kind),
                    "declared": np.round(amounts[kind][there], 2),
                    "due_date": np.full(len(there), due),
                    "declare_date": declare[there],
                    "pays_on": pay[there],
                    "late_days": np.maximum(days, 0)[there],
                    "sales": np.round(sales[there], 2),
                    "violation": np.where(kind == "vat", violation, -1)[there],
                    "fine": np.round(500 + 9000 * d[4][there]),
                }
            )
            for kind in TYPES
            if amounts[kind].any()
        ]
        if not frames:
            frames = [pl.DataFrame(schema=_EMPTY)]
        done[month] = pl.concat(frames)
        # no answer looks back further than this
        done.pop(month - 2 * BACK, None)
        return self._month(world, month)


_EMPTY = {
    "company": pl.Int64, "month": pl.Int64, "tax_type": pl.String, "declared": pl.Float64, "due_date": pl.Date,
    "declare_date": pl.Date, "pays_on": pl.Date, "late_days": pl.Int64, "sales": pl.Float64, "violation": pl.Int64,
    "fine": pl.Float64,
}  # fmt: skip


def _as_known(found: pl.DataFrame) -> pl.DataFrame:
    """The declarations as they stand on the day of the question: paid, or still owed and getting later."""
    paid = pl.col("pays_on") < pl.col("today")
    overdue = (pl.col("today") - pl.col("due_date")).dt.total_days().clip(0, 5000)
    late = pl.when(paid).then("late_days").otherwise(overdue)
    names = {month: f"{month_name(int(month))}" for month in found["month"].unique().to_list()}
    return (
        found.with_columns(late_days=late)
        .sort("at", "month", "tax_type")
        .select(
            "at", pl.col("month").replace_strict(names, return_dtype=pl.String).alias("period"), "tax_type", "declared",
            pl.when(paid).then("declared").otherwise(0.0).alias("paid"), "due_date", "declare_date",
            pl.when(paid).then("pays_on").alias("pay_date"), "late_days",
            pl.when(paid).then(0.0).otherwise("declared").alias("owed"),
            (pl.col("declared") * 0.0005 * pl.col("late_days")).round(2).alias("late_fee"),
            pl.when(pl.col("tax_type") == "vat").then("sales").alias("sales_declared"),
            "month", "violation", "fine", "sales",
        )
    )  # fmt: skip


def _grades(declared: pl.DataFrame, n: int) -> np.ndarray:
    """A to D by the share of late months; M for a company that is younger than a year."""
    grades = np.full(n, "B", dtype="<U1")
    vat = declared.filter(pl.col("tax_type") == "vat")
    by = vat.group_by("at").agg(
        pl.len(),
        late=(pl.col("late_days") > 0).mean(),
        owes=pl.col("owed").sum(),
        caught=(pl.col("violation") > 0).any(),
    )
    for row in by.iter_rows(named=True):
        if row["len"] < 12:
            grade = "M"
        elif row["caught"] and row["late"] > 0.1:
            grade = "D"
        else:
            grade = "A" if row["late"] < 0.04 else "B" if row["late"] < 0.16 else "C"
        grades[row["at"]] = grade
    return grades


def _statements(declared: pl.DataFrame) -> pl.DataFrame:
    """Statements of the whole years among the months, filed in May of the next year."""
    vat = declared.filter(pl.col("tax_type") == "vat").with_columns(year=2018 + pl.col("month") // 12)
    years = (
        vat.group_by("at", "year", maintain_order=True)
        .agg(pl.len(), pl.col("sales").sum(), last=pl.col("month").max())
        .filter(pl.col("len") == 12)
    )
    newest = declared.group_by("at").agg(pl.col("month").max().alias("newest"))
    years = years.join(newest, on="at", how="left", maintain_order="left").filter(
        pl.col("newest") >= pl.col("last") + 6
    )
    share = {
        "assets": 0.9, "current_assets": 0.55, "receivables": 0.22, "inventory": 0.16, "liabilities": 0.5,
        "current_liabilities": 0.38, "equity": 0.4, "revenue": 1.0, "cost": 0.78, "profit": 0.09, "net_profit": 0.085,
        "cash_flow": 0.07,
    }  # fmt: skip
    return pl.concat(
        [
            years.select(
                "at", pl.col("year").cast(pl.Int64), pl.lit(item).alias("stmt_item"),
                (pl.col("sales") * share[item]).round(2).alias("stmt_value"),
                pl.date(pl.col("year") + 1, 5, 20).alias("filed_date"),
            )
            for item in ITEMS
        ]
    ).sort("at", "year", "stmt_item")  # fmt: skip


def _violations(declared: pl.DataFrame) -> pl.DataFrame:
    """The violations, found on the day of the declaration that showed them."""
    kinds = ("late", "false_invoice", "evasion", "lost")
    return declared.filter(pl.col("violation") >= 0).select(
        "at",
        pl.col("violation").replace_strict(range(4), kinds, return_dtype=pl.String).alias("violation_type"),
        pl.col("declare_date").alias("found_date"),
        "fine",
    )


SOURCE = TaxEnt()
