"""Payments at shops that settle to an account with the bank: what companies and single traders take by card and code.

A shop takes its share of the business that the invoices and the tax bureau see too. Owners under pressure draw cash on
their own and their relatives' credit cards; sham companies do it round the clock.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator import identities
from simulator.company_people import relatives
from simulator.customers import CITIES
from simulator.deliveries import ARRIVES, ORDER
from simulator.lookups import HOURS
from simulator.outside import Source
from simulator.streams import pick, sigmoid
from simulator.timeline import days_in, first_day, last_day
from simulator.world import World

STRANGERS = 20_000
"""Cards of people who are no customers."""
REGULARS = 60
"""Regular payers of a shop."""
MCC = {"C": 5085, "F": 5311, "G": 4214, "H": 5812, "I": 7372, "L": 7394, "O": 7230, "S": 7999}
MOST = 150
"""Most payments of a shop in a month."""


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    payments: float = 23.0
    """Payments of a usual shop in a month [stated]: their amounts are large, so that the volume stays small."""
    traders: float = 0.010
    """Share of the customers without a company who run a stall of their own [stated]."""
    cashing: float = -3.4
    """Log odds that an average owner draws cash on cards through the own shop in a month [stated]."""
    refunds: float = 0.015
    """Share of the payments that are paid back [stated]; more where the business goes badly."""
    withdrawn: float = 0.0008
    """Share of the records that are withdrawn later [stated]."""


class PosMerchant(Source):
    """Acquiring flow."""

    name = "pos_merchant"
    assumes = Assume
    plant = ("txn_type", "gift", pl.col("op") == "n")

    def begin(self, world: World) -> None:
        """The shops."""
        people, companies = world.people, world.companies
        d = world.streams.of("traders").random((4, people.size))
        alone = np.flatnonzero((people.company < 0) & (people.ring < 0) & (d[0] < self.assume.traders))
        firm = np.flatnonzero(companies.carded > 0)
        owner = np.concatenate([companies.owner[firm], alone])
        base = np.concatenate([companies.scale[firm] * companies.carded[firm], people.income[alone] * 0.9])
        lots = world.streams.of("shops").random((3, len(owner)))
        usual = self.assume.payments * np.exp(1.2 * (lots[0] - 0.5))
        letters = np.concatenate(
            [companies.letter[firm], np.array(list("FHOS"))[(d[1, alone] * 4).astype(int)]]
        )
        world.kept[self.name] = {
            "owner": owner, "firm": np.concatenate([firm, np.full(len(alone), -1)]), "base": base,
            "ticket": base / usual, "kin": relatives(people, owner), "mcc": np.array([MCC[x] for x in letters]),
            "qr": 0.45 + 0.5 * lots[1], "late": lots[2] * np.where(letters == "H", 5, 2), "serial": 0,
            "hashes": {}, "strangers": None,
        }  # fmt: skip

    def live(self, world: World, month: int) -> None:
        """The month's payments, each in the file of the day after."""
        people, kept = world.people, world.kept[self.name]
        owner, firm = kept["owner"], kept["firm"]
        shops = len(owner)
        rng = world.streams.of(self.name, month)
        company = np.where(firm >= 0, firm, 0)
        turnover = world.companies.turnover_of(company, np.full(shops, month))
        flow = np.where(
            firm >= 0, turnover * world.companies.carded[company],
            people.income[owner] * 0.9 * np.exp(-0.15 * people.stress[owner]),
        )  # fmt: skip
        settled = ~np.isnat(world.master.since[owner]) & (world.master.since[owner] < first_day(month))
        noise = np.exp(0.2 * rng.standard_normal(shops) + 0.15 * world.noise(self.name)[owner])
        count = np.minimum(rng.poisson(flow * noise / kept["ticket"]), MOST) * settled
        shop = np.repeat(np.arange(shops), count)
        sales = self._sales(world, shop, month, rng)
        sham = (firm >= 0) & (world.companies.shell[company] >= 0)
        odds = self.assume.cashing + 0.8 * people.stress[owner] + 0.35 * people.fraud[owner] + 3 * sham
        does = (rng.random(shops) < sigmoid(odds)) & settled & (flow > 0)
        cash = self._cash(world, np.repeat(np.arange(shops), does * rng.integers(1, 4, shops)), month, rng)
        frame = pl.concat([sales, cash]).sort("txn_ts", "_shop", maintain_order=True)
        self._send(world, frame, month, rng)

    def _sales(self, world: World, shop: np.ndarray, month: int, rng: np.random.Generator) -> pl.DataFrame:
        """Payments of ordinary payers: half of them come again and again."""
        kept, n = world.kept[self.name], len(shop)
        d = rng.random((8, n))
        day = first_day(month) + (d[0] * days_in(month)).astype("timedelta64[D]")
        hour = (pick(d[1], HOURS) + kept["late"][shop]) % 24
        at = day.astype("datetime64[ms]") + (hour * 3_600_000 + d[2] * 3_599_000).astype(np.int64).astype(
            "timedelta64[ms]"
        )
        regular = (d[3] ** 2 * REGULARS).astype(int)
        stranger = np.where(
            d[4] < 0.5, (shop * 977 + regular * 31) % STRANGERS, (d[5] * STRANGERS).astype(int)
        )
        known = (d[6] < 0.12) & (d[4] < 0.5)
        customer = (shop * 577 + regular * 13) % world.people.size
        card = np.where(known, 4 * customer + regular % 2, 4 * world.people.size + stranger)
        amount = np.maximum(kept["ticket"][shop] * np.exp(0.9 * rng.standard_normal(n) - 0.4), 1)
        amount = np.where(d[7] < 0.3, np.maximum(np.rint(amount / 10) * 10, 1), np.round(amount, 2))
        qr = rng.random(n) < kept["qr"][shop]
        return pl.DataFrame(
            {
                "_shop": shop,
                "_card": card,
                "txn_ts": at,
                "amount": amount,
                "_qr": qr,
                "_credit": rng.random(n) < 0.3,
            }
        )

    def _cash(self, world: World, shop: np.ndarray, month: int, rng: np.random.Generator) -> pl.DataFrame:
        """Large even amounts on the owner's and relatives' credit cards, often at night."""
        kept, n = world.kept[self.name], len(shop)
        d = rng.random((6, n))
        day = first_day(month) + (d[0] * days_in(month)).astype("timedelta64[D]")
        hour = np.where(d[1] < 0.5, 21 + d[2] * 2.9, 9 + 12 * d[2])
        kin = kept["kin"][shop]
        who = np.where((d[3] < 0.35) & (kin >= 0), kin, kept["owner"][shop])
        amount = np.rint(5 + 40 * d[4] ** 2) * 1000 - np.where(d[5] < 0.4, np.rint(d[5] * 500), 0)
        return pl.DataFrame(
            {
                "_shop": shop, "_card": 4 * who + 1 + (d[5] < 0.3),
                "txn_ts": day.astype("datetime64[ms]") + (hour * 3_600_000).astype("timedelta64[ms]"),
                "amount": amount, "_qr": np.zeros(n, bool), "_credit": np.ones(n, bool),
            }
        )  # fmt: skip

    def _send(self, world: World, frame: pl.DataFrame, month: int, rng: np.random.Generator) -> None:
        kept, people, companies = world.kept[self.name], world.people, world.companies
        n, shop = frame.height, frame["_shop"].to_numpy()
        if not n:
            return
        owner, firm = kept["owner"], kept["firm"]
        serial = kept["serial"] + np.arange(n)
        kept["serial"] += 2 * n
        day = frame["txn_ts"].to_numpy().astype("datetime64[D]")
        settle = day + np.timedelta64(1, "D")
        qr, credit, amount = (frame[name].to_numpy() for name in ("_qr", "_credit", "amount"))
        rate = np.where(qr, 0.0038, np.where(credit, 0.006, 0.0045))
        code = pl.Series(companies.code_sha256).gather(np.maximum(firm, 0))
        mine = pl.DataFrame(
            {
                "merchant_id": [f"99{1_000_000_000_000 + number * 7_919:013d}" for number in range(len(owner))],
                "owner_type": np.where(firm >= 0, "company", "person"),
                "owner_id_hash": pl.Series(world.master.id_sha256).gather(owner),
                "company_hash": code.zip_with(pl.Series(firm >= 0), pl.Series([None] * len(firm), dtype=pl.String)),
                "city": np.array(CITIES)[world.master.city[owner]], "mcc": kept["mcc"].astype(str),
            }
        )[shop]  # fmt: skip
        rows = frame.with_columns(
            *mine.get_columns(),
            _reference(serial).alias("txn_no"),
            pl.lit("n").alias("op"),
            pl.Series("channel", np.where(qr, "qr", "card")),
            pl.Series("fee", np.round(amount * rate, 2)),
            self._payers(world, frame["_card"].to_numpy()).alias("payer_hash"),
            pl.Series("payer_card_type", np.where(credit, "credit", "debit")),
            pl.lit("sale").alias("txn_type"),
            pl.lit(None, pl.String).alias("orig_txn_no"),
            pl.format("T{}", pl.Series(10_000_000 + shop * 3 + serial % 2)).alias("terminal_id"),
            pl.Series("settle_date", settle),
            pl.Series("file_date", settle),
        )
        trouble = np.exp(-0.3 * people.stress[owner[shop]])
        d = rng.random((5, n))
        back = (d[0] < self.assume.refunds / trouble) & (day + np.timedelta64(4, "D") < last_day(month))
        rows = pl.concat([rows, _gone_back(rows, back, d[1], serial + n)])
        d = np.concatenate([d, rng.random((5, rows.height - n))], axis=1)
        pulled = (d[3] < self.assume.withdrawn) & (rows["txn_type"] == "sale").to_numpy()
        restated = (d[4] < world.assume.restated_share) & ~pulled
        later = pl.Series(rows["file_date"].to_numpy() + (1 + d[2] * 6).astype("timedelta64[D]"))
        wrong = pl.Series(restated) & (pl.col("txn_type") == "sale")
        frame = pl.concat(
            [
                rows.with_columns(
                    fee=pl.when(wrong).then((pl.col("amount") * 0.0038).round(2)).otherwise("fee")
                ),
                rows.with_columns(later.alias("file_date"), op=pl.lit("c")).filter(pl.Series(restated)),
                rows.with_columns(later.alias("file_date"), op=pl.lit("d")).filter(pl.Series(pulled)),
            ]
        ).with_columns(
            pl.col("file_date").alias(ARRIVES), pl.col("file_date").cast(pl.Datetime("us")).alias(ORDER)
        )
        world.deliveries.add(self.name, frame.select(*world.rules[self.name].columns, ARRIVES, ORDER), month)

    def _payers(self, world: World, card: np.ndarray) -> pl.Series:
        """SHA-256 of card numbers; each is worked out once."""
        known = world.kept[self.name]["hashes"]
        distinct, place = np.unique(card, return_inverse=True)
        for number in distinct.tolist():
            if number not in known:
                known[number] = identities.sha256(identities.card(number))
        return pl.Series([known[number] for number in distinct.tolist()], dtype=pl.String).gather(place)

    def truth(self, world: World) -> dict[str, pl.DataFrame]:
        """Merchant numbers, and whose shops they are."""
        kept = world.kept[self.name]
        numbers = [f"99{1_000_000_000_000 + number * 7_919:013d}" for number in range(len(kept["owner"]))]
        shops = pl.DataFrame(
            {
                "merchant_id": numbers,
                "person_id": pl.Series(world.master.person).gather(kept["owner"]),
                "company": kept["firm"],
            }
        )
        return {
            "merchants": shops,
            "identifiers_pos_merchant": pl.DataFrame(
                {"entity": ["account"] * len(numbers), "value": numbers}
            ),
        }


def _reference(serial: np.ndarray) -> pl.Series:
    return pl.select(pl.format("PT{}", pl.Series(serial).cast(pl.String).str.zfill(14))).to_series()


def _gone_back(rows: pl.DataFrame, back: np.ndarray, draws: np.ndarray, serial: np.ndarray) -> pl.DataFrame:
    """Refunds some days later, and reversals at once, of the payments ``back``."""
    which = np.flatnonzero(back)
    at_once = draws[which] < 0.3
    wait = (
        np.where(at_once, 4 * 60_000, draws[which] * 3 * 86_400_000)
        .astype(np.int64)
        .astype("timedelta64[ms]")
    )
    stamp = rows["txn_ts"].to_numpy()[which] + wait
    day = stamp.astype("datetime64[D]") + np.timedelta64(1, "D")
    return rows[which].with_columns(
        pl.col("txn_no").alias("orig_txn_no"),
        _reference(serial[which]).alias("txn_no"),
        pl.Series("txn_ts", stamp),
        pl.Series("txn_type", np.where(at_once, "reversal", "refund")),
        pl.lit(0.0).alias("fee"),
        pl.Series("settle_date", day),
        pl.Series("file_date", day),
    )


SOURCE = PosMerchant()
