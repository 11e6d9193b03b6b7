"""Courts that enforce against persons and their companies: cases, dishonest persons, limits, closed unsatisfied.

A case arises where somebody is in trouble, some months after it began; a tenth hits people without any.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator.asking import Asking
from simulator.calls import HIT, NO_HIT, Calls
from simulator.deliveries import moment
from simulator.lookups import Log
from simulator.outside import Answer, AskedSource
from simulator.streams import sigmoid
from simulator.timeline import START, days_in, first_day
from simulator.world import World

KEPT_MONTHS = 60
"""Paid cases leave publication, unpaid ones grow old with their term of five years."""
KINDS = ("exec", "dishonest", "limit", "terminated")
DISRUPT = ("able", "evade", "hide", "limit")


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    person: float = -8.1
    """Log odds of a new case in a month, an average person [stated: 3 to 6 of 100 have a record]."""
    company: float = -6.6
    """The same for a company [stated]."""
    paid: float = 0.55
    """Share of the ended cases that were paid [stated]."""
    dishonest: float = 0.32
    """Share of the unpaid cases that are published as dishonest [stated]."""


class CourtEnforce(AskedSource):
    """Enforcement records."""

    name = "court_enforce"
    assumes = Assume
    prefix = "CE"
    latency = (300, 1500)
    monitors = True
    plant = ("hit", "2", pl.lit(True))

    def begin(self, world: World) -> None:
        """Five years of cases before the start."""
        world.kept[self.name] = Log()
        for month in range(START - KEPT_MONTHS, START):
            self._new_cases(world, month, 0.6)

    def live(self, world: World, month: int) -> None:
        """The month's cases; they are published in later months."""
        self._new_cases(world, month, 1.0)

    def _new_cases(self, world: World, month: int, known: float) -> None:
        people, companies = world.people, world.companies
        rng = world.streams.of(self.name, month)
        # the state of long ago is not kept: a part of it (known) is today's
        pull = (
            1.05 * people.risk
            + known * 0.5 * people.stress
            + 0.4 * people.fraud
            + 0.7 * world.noise(self.name)
        )
        persons = np.flatnonzero(rng.random(people.size) < sigmoid(self.assume.person + pull))
        firms = np.flatnonzero(
            (rng.random(companies.size) < sigmoid(self.assume.company - 0.9 * companies.health))
            & (companies.founded < month - 6)
        )
        n = len(persons) + len(firms)
        d = rng.random((8, n))
        day = first_day(month) + (d[0] * days_in(month)).astype("timedelta64[D]")
        firm = np.arange(n) >= len(persons)
        money = np.exp(10.4 + 1.1 * _normal(d[1]) + 0.9 * firm)
        closed = -np.log1p(-0.999 * d[2]) * 420
        world.kept[self.name].add(month, {
            "cust": np.concatenate([persons, companies.owner[firms]]),
            "company": np.concatenate([np.full(len(persons), -1), firms]),
            "reg": day,
            "publish": day + (4 + d[3] * 40).astype("timedelta64[D]"),
            "money": np.rint(money / 100) * 100,
            "closed": day + np.maximum(closed, 20).astype("timedelta64[D]"),
            "paid": d[4],
            "bad": d[5],
            "court": (d[6] * 30).astype(int),
            "serial": (month - START + 100) * 100_000 + np.arange(n),
            "way": (d[7] * 4).astype(int),
        })  # fmt: skip

    def answer(self, asking: Asking) -> Answer:
        """Everything published by the moment of asking."""
        log = pl.DataFrame(asking.world.kept[self.name].last(asking.month, KEPT_MONTHS))
        ask = pl.DataFrame(
            {"at": np.arange(asking.n), "cust": asking.cust, "today": asking.at.astype("datetime64[D]")}
        )
        found = ask.join(log, on="cust", how="inner").filter(pl.col("publish") < pl.col("today"))
        records = _records(found, self.assume)
        counts = np.bincount(records["at"].to_numpy(), minlength=asking.n)

        def rows(calls: Calls, which: np.ndarray) -> pl.DataFrame:
            people, companies = asking.people, asking.companies
            person = pl.DataFrame({"cust": np.arange(people.size), "_name": people.names, "_id": people.ids})
            firm = pl.DataFrame({
                "company": np.arange(companies.size), "_firm": companies.names, "_code": companies.code,
            })  # fmt: skip
            own = pl.col("company") < 0
            listed = (
                records.join(person, on="cust", how="left", maintain_order="left")
                .join(firm, on="company", how="left", maintain_order="left")
                .select(
                    "at",
                    pl.when(own).then("_name").otherwise("_firm").alias("iname"),
                    pl.when(own).then("_id").alias("cardNum"),
                    pl.when(own).then(None).otherwise("_code").alias("orgCode"),
                    pl.format("(9900){}执{}号", "court", "serial").alias("caseCode"),
                    pl.format("样例第{}人民法院", pl.col("court") + 1).alias("courtName"),
                    pl.format("99{}00", (pl.col("court") + 1).cast(pl.String).str.zfill(2)).alias("areaName"),
                    pl.when(own).then(pl.lit("0")).otherwise(pl.lit("1")).alias("partyTypeName"),
                    pl.format("(9900){}民初{}号", "court", "serial").alias("gistId"),
                    pl.format("样例第{}人民法院", pl.col("court") % 7 + 1).alias("gistUnit"),
                    pl.col("reg").alias("regDate"),
                    pl.lit("履行生效法律文书确定的给付义务").alias("duty"),
                    "performance", "performedPart", "unperformPart",
                    pl.when(pl.col("kind") == "dishonest").then(
                        pl.col("way").replace_strict(range(4), DISRUPT, return_dtype=pl.String)
                    ).alias("disruptTypeName"),
                    pl.col("publish").alias("publishDate"),
                    pl.col("money").alias("execMoney"),
                    "caseState",
                    pl.col("kind").alias("recordType"),
                )
            )  # fmt: skip
            nested = listed.group_by("at", maintain_order=True).agg(
                pl.struct(pl.exclude("at")).alias("records")
            )
            head = pl.DataFrame(
                {
                    "at": which,
                    "req_id": [calls.request[at] for at in which],
                    "id_hash": asking.id_sha256(which),
                    "company_hash": asking.company_sha256(which),
                    "query_ts": calls.request_ts[which] + np.timedelta64(2, "ms"),
                    "report_ts": calls.response_ts[which],
                    # an outage that finds nothing finds nothing, whatever there is
                    "hit": np.where(calls.result[which] == HIT, "1", "0"),
                    "record_count": np.where(calls.result[which] == HIT, counts[which], 0),
                }
            )
            frame = head.join(nested, on="at", how="left", maintain_order="left")
            return frame.with_columns(
                moment("query_ts"), moment("report_ts"),
                pl.when(pl.col("hit") == "1").then("records").fill_null([]).alias("records"),
            ).drop("at")  # fmt: skip

        return Answer(np.where(counts > 0, HIT, NO_HIT), rows)


def _records(found: pl.DataFrame, assume: Assume) -> pl.DataFrame:
    """A case shows itself as one to four records: the case, dishonesty, the limit, its closing unsatisfied."""
    settled = pl.col("closed") <= pl.col("today")
    paid = settled & (pl.col("paid") < assume.paid)
    found = found.with_columns(
        caseState=pl.when(paid).then(pl.lit("closed")).when(settled).then(pl.lit("terminated")).otherwise(pl.lit("open")),
        performance=pl.when(paid).then(pl.lit("all")).when(pl.col("paid") > 0.85).then(pl.lit("partial"))
        .otherwise(pl.lit("none")),
    )  # fmt: skip
    part = (pl.col("money") * (1.95 - pl.col("paid")) / 2).round(0)
    done = (
        pl.when(pl.col("performance") == "all").then("money").when(pl.col("performance") == "partial").then(part)
        .otherwise(0.0)
    )  # fmt: skip
    found = found.with_columns(performedPart=done).with_columns(
        unperformPart=pl.col("money") - pl.col("performedPart")
    )
    parts = [
        found.with_columns(kind=pl.lit("exec")),
        found.filter(~paid & (pl.col("bad") < assume.dishonest)).with_columns(kind=pl.lit("dishonest")),
        found.filter(~paid & (pl.col("bad") < 0.45)).with_columns(kind=pl.lit("limit")),
        found.filter(pl.col("caseState") == "terminated").with_columns(kind=pl.lit("terminated")),
    ]
    return pl.concat(parts).sort("at", "publish", "serial", "kind")


def _normal(draws: np.ndarray) -> np.ndarray:
    """Roughly standard normal from uniform draws (logistic quantiles scaled by the ratio of the spreads)."""
    return np.log((draws + 1e-9) / (1 - draws + 1e-9)) / 1.702


SOURCE = CourtEnforce()
