"""Disputes in court: who sues whom about what, and how it ends; each case comes as the documents of its course."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator.asking import Asking
from simulator.calls import HIT, NO_HIT, Calls
from simulator.deliveries import moment
from simulator.lookups import Log
from simulator.outside import Answer, AskedSource
from simulator.streams import pick, sigmoid
from simulator.timeline import START, days_in, first_day
from simulator.world import World

KEPT_MONTHS = 60
CAUSES = (
    "loan",
    "private_loan",
    "card",
    "guarantee",
    "sale",
    "labour",
    "lease",
    "traffic",
    "property",
    "other",
)
_DEBT = np.array([30, 26, 24, 8, 3, 0, 2, 0, 4, 3.0])
_OTHER = np.array([0, 9, 0, 2, 18, 15, 12, 16, 12, 16.0])
_FIRM = np.array([14, 8, 0, 7, 40, 16, 8, 1, 1, 5.0])
ROLES = ("plaintiff", "defendant", "third")
RESULTS = ("won", "lost", "partial", "settled")
OTHERS = ("bank", "nonbank", "company", "person", "state")


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    debt: float = -7.1
    """Log odds of being sued for a debt in a month [stated: with the next, 8 to 15 of 100 persons have a case]."""
    plain: float = -7.3
    """Log odds of any other dispute in a month [stated]."""
    company: float = -5.2
    """Log odds of a company's dispute in a month [stated]."""


class CourtCase(AskedSource):
    """Court cases and judgments."""

    name = "court_case"
    assumes = Assume
    prefix = "CC"
    latency = (500, 2000)
    monitors = True
    plant = ("hit", "2", pl.lit(True))

    def begin(self, world: World) -> None:
        """Five years of disputes before the start."""
        world.kept[self.name] = Log()
        for month in range(START - KEPT_MONTHS, START):
            self._new_cases(world, month, 0.5)

    def live(self, world: World, month: int) -> None:
        """The month's new disputes."""
        self._new_cases(world, month, 1.0)

    def _new_cases(self, world: World, month: int, known: float) -> None:
        people, companies = world.people, world.companies
        rng = world.streams.of(self.name, month)
        noise = world.noise(self.name)
        draws = rng.random((2, people.size))
        sued = np.flatnonzero(
            draws[0]
            < sigmoid(self.assume.debt + 0.95 * people.risk + known * 0.4 * people.stress + 0.6 * noise)
        )
        other = np.flatnonzero(
            draws[1] < sigmoid(self.assume.plain + 0.2 * people.income_z + 0.25 * people.risk + 0.5 * noise)
        )
        firms = np.flatnonzero(
            (rng.random(companies.size) < sigmoid(self.assume.company - 0.55 * companies.health))
            & (companies.founded < month)
        )
        n = len(sued) + len(other) + len(firms)
        d = rng.random((10, n))
        weights = np.repeat(np.stack([_DEBT, _OTHER, _FIRM]), [len(sued), len(other), len(firms)], axis=0)
        cause = pick(d[0], weights)
        debt = np.arange(n) < len(sued)
        role = np.where(debt, 1, pick(d[1], np.array([0.45, 0.47, 0.08])))
        day = first_day(month) + (d[2] * days_in(month)).astype("timedelta64[D]")
        judged = day + (35 + d[3] * 160).astype("timedelta64[D]")
        odds = np.where(role[:, None] == 1, [0.08, 0.55, 0.17, 0.2], [0.5, 0.1, 0.2, 0.2])
        lender = cause <= 2
        world.kept[self.name].add(month, {
            "cust": np.concatenate([sued, other, companies.owner[firms]]),
            "company": np.concatenate([np.full(len(sued) + len(other), -1), firms]),
            "cause_no": cause, "role_no": role, "file": day, "judge": judged,
            "late": (3 + d[4] * 45).astype(int),
            "amount": np.rint(np.exp(9.6 + 1.2 * np.log((d[5] + 1e-9) / (1 - d[5] + 1e-9)) / 1.702) / 10) * 10,
            "result_no": pick(d[6], odds),
            "other_no": np.where(lender, (d[7] * 2).astype(int), 2 + (d[7] * 3).astype(int)),
            "court_no": (d[8] * 40).astype(int), "ends": d[9],
            "serial": (month - START + 100) * 100_000 + np.arange(n),
        })  # fmt: skip

    def answer(self, asking: Asking) -> Answer:
        """Every document published by the moment of asking."""
        log = pl.DataFrame(asking.world.kept[self.name].last(asking.month, KEPT_MONTHS))
        ask = pl.DataFrame(
            {"at": np.arange(asking.n), "cust": asking.cust, "today": asking.at.astype("datetime64[D]")}
        )
        records = _documents(ask.join(log, on="cust", how="inner"))
        counts = np.bincount(records["at"].to_numpy(), minlength=asking.n)

        def rows(calls: Calls, which: np.ndarray) -> pl.DataFrame:
            hashed = pl.DataFrame({
                "at": np.arange(asking.n), "_id": asking.id_sha256(np.arange(asking.n)),
                "_code": asking.company_sha256(np.arange(asking.n)),
            })  # fmt: skip
            own = pl.col("company") < 0
            decided = pl.col("doc_type").is_in(["judgment", "ruling", "mediation"])

            def coded(name: str, texts: tuple[str, ...]) -> pl.Expr:
                return pl.col(name).replace_strict(range(len(texts)), texts, return_dtype=pl.String)

            listed = records.join(hashed, on="at", how="left", maintain_order="left").select(
                "at",
                pl.format("(9900){}民初{}号", "court_no", "serial").alias("case_no"),
                pl.when(own).then("_id").alias("party_hash"),
                pl.when(own).then(None).otherwise("_code").alias("party_company_hash"),
                coded("role_no", ROLES).alias("party_role"),
                pl.format("9{}", (pl.col("cause_no") * 11).cast(pl.String).str.zfill(3)).alias("cause"),
                coded("cause_no", CAUSES).alias("cause_group"),
                "doc_type",
                pl.format("样例第{}人民法院", pl.col("court_no") + 1).alias("court"),
                pl.when(pl.col("court_no") < 32).then(pl.lit("basic")).when(pl.col("court_no") < 38)
                .then(pl.lit("middle")).otherwise(pl.lit("special")).alias("court_level"),
                "amount",
                pl.col("file").alias("file_date"),
                pl.when(decided).then("judge").alias("judge_date"),
                pl.when(decided).then(coded("result_no", RESULTS)).alias("result"),
                coded("other_no", OTHERS).alias("counterpart_type"),
                pl.when(own).then(pl.lit("person")).otherwise(pl.lit("company")).alias("entity_type"),
                pl.col("publish").alias("publish_date"),
            )  # fmt: skip
            nested = listed.group_by("at", maintain_order=True).agg(
                pl.struct(pl.exclude("at")).alias("records")
            )
            hit = calls.result[which] == HIT
            head = pl.DataFrame(
                {
                    "at": which,
                    "req_id": [calls.request[at] for at in which],
                    "id_hash": asking.id_sha256(which),
                    "company_hash": asking.company_sha256(which),
                    "query_ts": calls.request_ts[which] + np.timedelta64(2, "ms"),
                    "report_ts": calls.response_ts[which],
                    "hit": np.where(hit, "1", "0"),
                    "record_count": np.where(hit, counts[which], 0),
                }
            )
            frame = head.join(nested, on="at", how="left", maintain_order="left")
            return frame.with_columns(
                moment("query_ts"), moment("report_ts"),
                pl.when(pl.col("hit") == "1").then("records").fill_null([]).alias("records"),
            ).drop("at")  # fmt: skip

        return Answer(np.where(counts > 0, HIT, NO_HIT), rows)


def _documents(cases: pl.DataFrame) -> pl.DataFrame:
    """The published documents of each case: filing, sometimes a hearing, and how it ended."""
    lag = pl.duration(days=pl.col("late"))
    ending = (
        pl.when(pl.col("result_no") == 3).then(pl.lit("mediation")).when(pl.col("ends") < 0.2).then(pl.lit("ruling"))
        .otherwise(pl.lit("judgment"))
    )  # fmt: skip
    documents = pl.concat(
        [
            cases.with_columns(doc_type=pl.lit("filing"), publish=pl.col("file") + lag),
            cases.filter(pl.col("ends") < 0.6).with_columns(
                doc_type=pl.lit("hearing"), publish=pl.col("judge") - pl.duration(days=20) + lag
            ),
            cases.with_columns(doc_type=ending, publish=pl.col("judge") + lag),
        ]
    )
    return documents.filter(pl.col("publish") < pl.col("today")).sort("at", "publish", "serial", "doc_type")


SOURCE = CourtCase()
