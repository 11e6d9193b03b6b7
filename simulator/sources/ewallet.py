"""Statements of an electronic wallet that customers upload: every transaction of three or six months.

A month of a wallet is the same in each statement that shows it. Between two months the balance is swept into a money
market fund or filled up from it, so that balances join. Who overstates writes wages into the file and leaves the
balances as they were: they no longer add up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator import identities
from simulator.asking import Asking
from simulator.calls import HIT, NO_HIT, Calls
from simulator.lookups import HOURS, NIGHT_HOURS
from simulator.nesting import heading, with_records
from simulator.outside import Answer, AskedSource
from simulator.payroll import Payroll
from simulator.streams import pick, sigmoid
from simulator.timeline import days_in, first_day, month_of

Slot = tuple[str, str, str, str, str, float, float, float, float]
"""Kind, direction, other side, paid from, remark; chance a month, share of the income, spread, pull of strain."""
SLOTS: tuple[Slot, ...] = (
    ("topup", "in", "self", "bank_card", "none", 0.85, 0.16, 0.5, 0.0),
    ("topup", "in", "self", "bank_card", "none", 0.45, 0.10, 0.6, 0.1),
    ("transfer", "in", "person", "balance", "none", 0.50, 0.05, 0.9, 0.15),
    ("transfer", "in", "person", "balance", "other", 0.35, 0.08, 0.9, 0.25),
    ("transfer", "out", "person", "balance", "none", 0.60, 0.05, 0.9, 0.0),
    ("transfer", "out", "person", "bank_card", "rent", 0.35, 0.14, 0.5, 0.0),
    ("red_packet", "in", "person", "balance", "none", 0.40, 0.003, 1.0, 0.0),
    ("red_packet", "out", "person", "balance", "none", 0.45, 0.003, 1.0, 0.0),
    *[("consume", "out", "merchant", "balance", "dining", 0.85, 0.004, 0.7, 0.0)] * 8,
    *[("consume", "out", "merchant", "bank_card", "shopping", 0.70, 0.012, 0.9, -0.1)] * 5,
    *[("consume", "out", "merchant", "balance", "transport", 0.55, 0.003, 0.7, 0.0)] * 5,
    ("consume", "out", "merchant", "credit_card", "shopping", 0.40, 0.03, 0.8, 0.0),
    ("consume", "out", "merchant", "bnpl", "shopping", 0.30, 0.02, 0.8, 0.3),
    ("consume", "out", "merchant", "bank_card", "medical", 0.15, 0.03, 1.0, 0.1),
    ("consume", "out", "merchant", "balance", "gaming", 0.12, 0.01, 1.1, 0.35),
    ("bill_pay", "out", "utility", "balance", "none", 0.75, 0.015, 0.4, 0.0),
    ("bill_pay", "out", "utility", "balance", "none", 0.70, 0.008, 0.4, 0.0),
    ("credit_repay", "out", "lender", "bank_card", "loan", 0.35, 0.08, 0.6, 0.2),
    ("loan_draw", "in", "lender", "balance", "loan", 0.05, 0.45, 0.6, 0.6),
    ("withdraw", "out", "self", "bank_card", "none", 0.18, 0.15, 0.7, 0.2),
    ("refund", "in", "merchant", "balance", "shopping", 0.16, 0.015, 0.9, 0.0),
    ("transfer", "out", "gamble", "balance", "none", 0.012, 0.10, 0.9, 0.9),
    ("fee", "out", "wallet", "balance", "none", 0.06, 0.0008, 0.5, 0.0),
    ("transfer", "in", "employer", "balance", "salary", 0.0, 1.0, 0.06, 0.0),
    *[("collect", "in", "person", "balance", "none", 0.0, 0.06, 0.9, 0.0)] * 4,
)
WAGE = len(SLOTS) - 5
REPAYS = [slot[0] for slot in SLOTS].index("credit_repay")
CODES = slice(WAGE + 1, len(SLOTS))
CHANCE, SHARE, SPREAD, PULL = (np.array([slot[place] for slot in SLOTS]) for place in (5, 6, 7, 8))
EFFECT = np.array([
    1 if slot[1] == "in" else -1 if slot[0] == "withdraw" or slot[3] == "balance" else 0 for slot in SLOTS
])  # fmt: skip
"""What a transaction does to the balance: nothing if it is paid from elsewhere."""
CAN_FAIL = np.array([slot[1] == "out" and slot[0] != "fee" for slot in SLOTS])
SIDES = ("person", "merchant", "employer", "lender", "utility", "gamble", "self", "wallet")
NOBODY = SIDES.index("self")
"""From this one on nobody else stands on the other side."""
SIDE = np.array([SIDES.index(slot[2]) for slot in SLOTS])


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    asked_from: float = 2_000.0
    """Yuan applied for from which on the customer is invited to upload a statement [stated]."""
    uploads: float = 0.31
    """Share of the customers who do [stated: 25 to 40 of 100]."""
    half_year: float = 0.7
    """Share of the statements that go back half a year; the others show three months [stated]."""
    collects: float = 0.5
    """Share of the owners of a company who are paid by code; of people without a job a fifth of it [stated]."""
    fails: float = -4.2
    """Log odds that a payment of an average customer fails [stated]."""
    in_the_ring: float = 0.3
    """Share of the transfers of a fraud ring's members that stay within the ring [stated]."""


class Ewallet(AskedSource):
    """Wallet statements."""

    name = "ewallet"
    assumes = Assume
    prefix = "EW"
    latency = (45_000, 240_000)
    timeout = 600_000
    plant = ("hit", "2", pl.col("hit") == "0")

    def wanted(self, asking: Asking) -> np.ndarray:
        """Everybody but for the smallest wishes is invited."""
        return asking.screened & (asking.amount >= self.assume.asked_from)

    def answer(self, asking: Asking) -> Answer:
        """The uploaded statement; who overstates is glad to upload one."""
        keen = np.where(Payroll(asking.world).overstates(asking.cust) > 1, 1.7, 1.0)
        uploads = asking.world.streams.lot("wallet uploaded", asking.cust) < self.assume.uploads * keen

        def rows(calls: Calls, which: np.ndarray) -> pl.DataFrame:
            told = which[calls.result[which] == HIT]
            periods = self._periods(asking, told)
            records = self._records(asking, periods)
            done = pl.col("status") != "failed"
            totals = records.group_by("at").agg(
                opening_balance=pl.col("before").first(),
                closing_balance=pl.col("balance").last(),
                total_in=pl.col("amount").filter(done & (pl.col("direction") == "in")).sum(),
                total_out=pl.col("amount").filter(done & (pl.col("direction") == "out")).sum(),
            )
            totals = totals.with_columns(pl.exclude("at") / 100)
            records = records.drop("before").with_columns(pl.col("amount", "balance") / 100)
            head = heading(calls, which).with_columns(id_hash=asking.id_sha256(which))
            for more in (periods.drop("cust"), totals):
                head = head.join(more, on="at", how="left", maintain_order="left")
            number = pl.format("ST{}", pl.col("req_id").str.slice(2))
            head = head.with_columns(statement_id=pl.when(pl.col("hit") == "1").then(number))
            return with_records(head, records).select(*asking.world.rules[self.name].columns, "records")

        return Answer(np.where(uploads, HIT, NO_HIT), rows)

    def _periods(self, asking: Asking, told: np.ndarray) -> pl.DataFrame:
        """First and last day of the statements of entries ``told``."""
        until = asking.at[told].astype("datetime64[D]") - np.timedelta64(1, "D")
        long = asking.world.streams.lot("wallet period", asking.number[told]) < self.assume.half_year
        since = until - np.where(long, 179, 89).astype("timedelta64[D]")
        return pl.DataFrame({"at": told, "cust": asking.cust[told], "period_from": since, "period_to": until})

    def _records(self, asking: Asking, periods: pl.DataFrame) -> pl.DataFrame:
        """Transactions of statements in order of time, amounts in fen; ``before`` is the balance before each."""
        since, until = (periods[name].to_numpy() for name in ("period_from", "period_to"))
        months = month_of(until) - month_of(since) + 1
        # a page is a month of a statement
        of = np.repeat(np.arange(periods.height), months)
        month = month_of(since)[of] + np.arange(len(of)) - np.repeat(np.cumsum(months) - months, months)
        cust = periods["cust"].to_numpy()[of]
        page, slot, clock, amount, effect, failed = self._happened(asking, cust, month)
        total = np.concatenate([[0], np.cumsum(effect)])
        edge = np.searchsorted(page, np.arange(len(of) + 1))
        run = total[1:] - total[edge[page]]
        low = np.zeros(len(of), np.int64)
        np.minimum.at(low, page, run)
        spare = 8 * asking.people.income[cust] * asking.world.streams.lot("wallet spare", cust, month)
        opening = spare.astype(np.int64) - low
        closing = opening + total[edge[1:]] - total[edge[:-1]]
        # between two pages of a statement the balance is swept
        swept = np.flatnonzero((of[1:] == of[:-1]) & (opening[1:] != closing[:-1])) + 1
        sweep = opening[swept] - closing[swept - 1]
        tokens = self._tokens(asking, cust[page], month[page], slot)
        words = [np.array([entry[place] for entry in SLOTS])[slot] for place in range(5)]
        many = len(swept)
        status = np.where(
            failed, "failed", np.where((words[0] == "consume") & (amount % 97 == 0), "refunded", "done")
        )
        ledger = pl.DataFrame(
            {
                "page": np.concatenate([swept, page]),
                "clock": np.concatenate([np.zeros(many, np.int64), clock]),
                "txn_type": np.concatenate([np.full(many, "wealth"), words[0]]),
                "direction": np.concatenate([np.where(sweep > 0, "in", "out"), words[1]]),
                "amount": np.concatenate([np.abs(sweep), amount]),
                "balance": np.concatenate([opening[swept], opening[page] + run]),
                "counterparty_hash": pl.concat([pl.Series([None] * many, dtype=pl.String), tokens]),
                "counterparty_cat": np.concatenate([np.full(many, "self"), words[2]]),
                "pay_method": np.concatenate([np.full(many, "fund"), words[3]]),
                "status": np.concatenate([np.full(many, "done"), status]),
                "remark_tag": np.concatenate([np.full(many, "sweep"), words[4]]),
                "before": np.concatenate([closing[swept - 1], opening[page] + run - effect]),
            }
        ).sort("page", "clock", maintain_order=True)
        at = ledger["page"].to_numpy()
        moment = first_day(month[at]).astype("datetime64[s]") + ledger["clock"].to_numpy().astype(
            "timedelta64[s]"
        )
        day = moment.astype("datetime64[D]")
        return (
            ledger.drop("page", "clock")
            .insert_column(0, pl.Series("at", periods["at"].to_numpy()[of[at]]))
            .insert_column(
                1, pl.Series("txn_ts", moment.astype("datetime64[ms]")).dt.strftime("%Y-%m-%dT%H:%M:%S")
            )
            .filter((day >= since[of[at]]) & (day <= until[of[at]]))
        )

    def _happened(self, asking: Asking, cust: np.ndarray, month: np.ndarray) -> tuple[np.ndarray, ...]:
        """What happened on pages: page, slot, second of the month, fen, effect on the balance, whether it failed."""
        world, people, streams = asking.world, asking.people, asking.world.streams
        payroll = Payroll(world)
        employer, unpaid = world.jobs.at(cust, month)
        strain = (
            0.4 * people.risk[cust]
            + 0.5 * world.past.stress_at(cust, month)
            + 0.5 * world.noise(self.name)[cust]
        )
        owns, jobless = people.company[cust] >= 0, employer < 0
        by_code = self.assume.collects * np.where(owns, 1.0, np.where(jobless, 0.2, 0.0))
        claimed = payroll.overstates(cust)
        chance = CHANCE * np.exp(np.outer(strain, PULL))
        chance[:, REPAYS] *= np.exp(0.35 * people.debt[cust])
        cash = ~jobless & payroll.paid_in_cash(cust)
        chance[:, WAGE] = np.where(claimed > 1, 0.97, np.where(cash, np.where(unpaid, 0.4, 0.95), 0.0))
        chance[:, CODES] = np.where(streams.lot("wallet collects", cust) < by_code, 0.9, 0.0)[:, None]
        happens = streams.lot("wallet", cust[:, None], month[:, None], np.arange(len(SLOTS))) < chance
        page, slot = np.nonzero(happens)
        who, when = cust[page], month[page]

        def lot(what: str) -> np.ndarray:
            return streams.lot(f"wallet {what}", who, when, slot)

        owl = streams.lot("wallet owl", cust) < sigmoid(
            -2.2 + 0.4 * people.risk[cust] + 0.4 * people.fraud[cust]
        )
        hour = lot("hour")
        hour = np.where(owl[page], pick(hour, NIGHT_HOURS), pick(hour, HOURS))
        clock = (
            (lot("day") * days_in(when)).astype(np.int64) * 86_400
            + hour * 3_600
            + (lot("second") * 3_600).astype(np.int64)
        )
        yuan = (
            people.income[who]
            * SHARE[slot]
            * np.exp(SPREAD[slot] * streams.gauss("wallet amount", who, when, slot))
        )
        yuan *= np.where(slot == WAGE, claimed[page], 1.0)
        amount = np.clip(100 * yuan, 50, 50_000_000).astype(np.int64)
        failed = CAN_FAIL[slot] & (lot("fails") < sigmoid(self.assume.fails + 0.8 * strain)[page])
        # a wage that was written into the file never reached the balance
        forged = (slot == WAGE) & (claimed > 1)[page]
        effect = np.where(failed | forged, 0, EFFECT[slot] * amount)
        order = np.lexsort((slot, clock, page))
        return page[order], slot[order], clock[order], amount[order], effect[order], failed[order]

    def _tokens(self, asking: Asking, cust: np.ndarray, month: np.ndarray, slot: np.ndarray) -> pl.Series:
        """Tokens of the other sides; null where nobody else is there."""
        world, people, streams = asking.world, asking.people, asking.world.streams
        draw = streams.lot("wallet other side", cust, month, slot) ** 2
        employer, _ = world.jobs.at(cust, month)
        number = np.choose(np.minimum(SIDE[slot], NOBODY), [
            (cust * 31 + (draw * 25).astype(np.int64) * 977) % (2 * people.size),
            (cust * 17 + (draw * 40).astype(np.int64) * 131) % 4_000,
            employer,
            (cust * 7 + (draw * 3).astype(np.int64)) % 40,
            world.master.city[cust] * 4 + (draw * 4).astype(np.int64),
            (draw * 25).astype(np.int64),
            np.zeros(len(cust), np.int64),
        ])  # fmt: skip
        side = np.minimum(SIDE[slot], NOBODY)
        inside = (side == 0) & (people.ring[cust] >= 0)
        inside &= streams.lot("wallet in the ring", cust, month, slot) < self.assume.in_the_ring
        number = np.where(inside, 900_000_000 + people.ring[cust] * 8 + (draw * 6).astype(np.int64), number)
        known, place = np.unique(side * 10_000_000_000 + number, return_inverse=True)
        names = [
            identities.md5(f"wallet {one}") if one < NOBODY * 10_000_000_000 else None
            for one in known.tolist()
        ]
        return pl.Series(names, dtype=pl.String).gather(place)


SOURCE = Ewallet()
