"""Loans at other lenders and their instalments, as the multi-lender vendor collects them.

Loans are the approved part of the applications elsewhere; an instalment fails where somebody is in trouble then.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator import lookups
from simulator.asking import Asking
from simulator.calls import HIT, NO_HIT, Calls
from simulator.deliveries import moment
from simulator.lookups import Log, masked_lender
from simulator.outside import Answer, AskedSource
from simulator.streams import sigmoid
from simulator.timeline import START
from simulator.world import World

KEPT_DAYS = 720
_TERMS = np.array([1, 3, 6, 12, 24])
_REASONS = ("balance", "balance", "balance", "card", "limit", "other")


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    reporting: float = 0.8
    """Share of the lenders' loans that reach this vendor [stated]."""
    fail: float = -3.3
    """Log odds that an instalment fails, an average borrower [stated]."""


class MlDebt(AskedSource):
    """Loans and repayments elsewhere."""

    name = "ml_debt"
    assumes = Assume
    prefix = "MD"
    latency = (300, 1200)
    monitors = True
    plant = ("hit", "2", pl.lit(True))

    def begin(self, world: World) -> None:
        """The loans of the months that the vendor looks back on."""
        world.kept[self.name] = Log()
        for month in range(START - 27, START):
            self._lend(world, month)

    def live(self, world: World, month: int) -> None:
        """The month's loans."""
        self._lend(world, month)

    def _lend(self, world: World, month: int) -> None:
        asked = world.elsewhere.last(month, 1)
        n = len(asked["cust"])
        d = world.streams.of(self.name, month).random((4, n))
        # many applications end unknown to the one vendor although they were granted
        granted = ((asked["decision"] == 1) | ((asked["decision"] == 0) & (d[0] < 0.35))) & (
            d[1] < self.assume.reporting
        )
        cust = asked["cust"][granted]
        people = world.people
        trouble = (
            self.assume.fail
            + 0.75 * people.risk[cust]
            + 0.4 * people.discipline[cust]
            + 0.5 * world.noise(self.name)[cust]
        )
        gone = -np.log1p(-0.999 * d[2][granted]) / sigmoid(trouble)
        world.kept[self.name].add(month, {
            "cust": cust,
            "day": asked["ts"][granted].astype("datetime64[D]") + np.timedelta64(1, "D"),
            "lender": asked["lender"][granted], "org": asked["org"][granted], "product": asked["product"][granted],
            "amount": asked["amount"][granted], "term": _TERMS[asked["term"][granted]],
            # the first instalment that fails, and whether it is made good the month after
            "fails_at": np.minimum(np.ceil(gone), 999).astype(int), "cures": d[3][granted],
        })  # fmt: skip

    def answer(self, asking: Asking) -> Answer:
        """Every event of the last 720 days."""
        loans = pl.DataFrame(asking.world.kept[self.name].last(asking.month, 27))
        ask = pl.DataFrame(
            {"at": np.arange(asking.n), "cust": asking.cust, "today": asking.at.astype("datetime64[D]")}
        )
        records = _events(ask.join(loans, on="cust", how="inner"))
        counts = np.bincount(records["at"].to_numpy(), minlength=asking.n)

        def rows(calls: Calls, which: np.ndarray) -> pl.DataFrame:
            hit = calls.result[which] == HIT
            head = pl.DataFrame(
                {
                    "at": which,
                    "req_id": [calls.request[at] for at in which],
                    "id_hash": asking.id_md5(which),
                    "query_ts": calls.request_ts[which] + np.timedelta64(2, "ms"),
                    "report_ts": calls.response_ts[which],
                    "hit": np.where(hit, "1", "0"),
                    "record_count": np.where(hit, counts[which], 0),
                    "report_date": calls.response_ts[which].astype("datetime64[D]"),
                }
            )
            nested = records.group_by("at", maintain_order=True).agg(
                pl.struct(pl.exclude("at")).alias("records")
            )
            frame = head.join(nested, on="at", how="left", maintain_order="left")
            return frame.with_columns(
                moment("query_ts"), moment("report_ts"),
                pl.when(pl.col("hit") == "1").then("records").fill_null([]).alias("records"),
            ).drop("at")  # fmt: skip

        return Answer(np.where(counts > 0, HIT, NO_HIT), rows)


def _events(loans: pl.DataFrame) -> pl.DataFrame:
    """A loan as its events up to ``today``: paid out, instalment after instalment, settled."""
    org_text = {int(org): masked_lender(int(org)) for org in loans["org"].unique()}

    def coded(name: str, texts: tuple[str, ...]) -> pl.Expr:
        return pl.col(name).replace_strict(range(len(texts)), texts, return_dtype=pl.String)

    # after a failure that is not cured nothing more is paid: three failures are reported, then silence
    broken = pl.col("cures") >= 0.45
    last = pl.when(broken & (pl.col("fails_at") <= pl.col("term"))).then(
        pl.min_horizontal("term", pl.col("fails_at") + 2)
    ).otherwise("term")  # fmt: skip
    steps = (
        loans.filter(pl.col("day") <= pl.col("today"))
        .with_columns(number=pl.int_ranges(0, last + 1))
        .explode("number")
        .with_columns(
            event_date=pl.col("day").dt.offset_by(pl.format("{}mo", "number")),
            fails=(pl.col("number") == pl.col("fails_at"))
            | (broken & (pl.col("number") > pl.col("fails_at"))),
        )
        .with_columns(event_date=pl.col("event_date") + pl.duration(days=pl.col("fails").cast(pl.Int64)))
    )
    left = (1 - pl.col("number") / pl.col("term")).clip(0, 1)
    band = (pl.col("amount") - (left < 0.45).cast(pl.Int64) - (left < 0.15).cast(pl.Int64)).clip(0, 5)
    due = (pl.col("amount") - (pl.col("term") > 1).cast(pl.Int64) - (pl.col("term") > 6).cast(pl.Int64)).clip(
        0, 5
    )
    ends = (pl.col("number") == pl.col("term")) & ~pl.col("fails")
    kind = (
        pl.when(pl.col("number") == 0).then(pl.lit("loan")).when(ends).then(pl.lit("settle"))
        .when("fails").then(pl.lit("repay_fail")).otherwise(pl.lit("repay_ok"))
    )  # fmt: skip
    reason = pl.when((pl.col("number") > 0) & pl.col("fails")).then(
        ((pl.col("cures") * 997).cast(pl.Int64) % 6).replace_strict(
            range(6), _REASONS, return_dtype=pl.String
        )
    )
    return (
        steps.with_columns(band=band, due=due)
        .filter(
            (pl.col("event_date") < pl.col("today"))
            & (pl.col("event_date") > pl.col("today") - pl.duration(days=KEPT_DAYS))
        )
        .sort("at", "event_date", "org", "number")
        .select(
            "at", kind.alias("event_type"), "event_date", coded("lender", lookups.LENDERS).alias("lender_type"),
            pl.col("org").replace_strict(org_text, return_dtype=pl.String).alias("org_masked"),
            coded("amount", lookups.AMOUNTS).alias("amount_band"), pl.col("term").alias("term_months"),
            pl.when(ends).then(pl.lit("zero")).otherwise(coded("band", lookups.AMOUNTS)).alias("balance_band"),
            pl.when(pl.col("number") > 0).then(coded("due", lookups.AMOUNTS)).alias("due_band"),
            coded("product", lookups.PRODUCTS).alias("product_type"), reason.alias("fail_reason"),
        )
    )  # fmt: skip


SOURCE = MlDebt()
