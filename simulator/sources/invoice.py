"""Invoices of companies: two years back when a business loan is asked, then a file a month for two years.

What was issued follows from the links of ``simulator.trade``; a company whose business goes badly has more of its
invoices reversed, a sham company issues them at the month's end, in round amounts, and takes many of them back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator import trade
from simulator.asking import Asking
from simulator.calls import HIT, NO_HIT, Calls
from simulator.deliveries import ARRIVES, ORDER
from simulator.goods import GROUPS, RATES, SERVICES_FROM, WARES, group_of, small_taxpayer
from simulator.outside import Answer, AskedSource
from simulator.streams import Streams
from simulator.timeline import START, days_in, first_day
from simulator.trade import CONSUMER, OUTSIDE
from simulator.world import World

HISTORY, AUTHORISED, REVERSED_WITHIN = 24, 24, 4
"""Months told at first, months that the authorisation holds, months until an invoice is reversed at the latest."""
TYPES = ("04", "10", "01", "08")
DIRECTIONS = ("out", "in")
STATUS = ("normal", "void", "red", "partial_red")


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    connected: float = 0.84
    """Share of the authorising companies whose tax bureau delivers [stated, I: 75 to 90 of 100]."""
    reversed_share: float = 0.02
    """Share of the invoices of an average company that are reversed later [stated]; of a sham company six times it."""
    void_share: float = 0.012
    """Share of the invoices that are void when they are collected [stated]; of a sham company six times it."""


@dataclass
class Issued:
    """Invoices, an entry each; ``number`` tells an invoice apart for good, ``reversed_in`` is a month or -1."""

    link: np.ndarray
    month: np.ndarray
    at: np.ndarray
    number: np.ndarray
    seller: np.ndarray
    buyer: np.ndarray
    sham: np.ndarray
    reversed_in: np.ndarray

    def some(self, which: np.ndarray) -> Issued:
        """The entries ``which``."""
        return Issued(**{name: column[which] for name, column in vars(self).items()})


class Invoice(AskedSource):
    """Invoices issued and received."""

    name = "invoice"
    assumes = Assume
    prefix = "IN"
    latency = (10_000, 45_000)
    timeout = 60_000
    entity = "company"
    plant = ("invoice_status", "lost", pl.col("invoice_status") == "normal")

    def begin(self, world: World) -> None:
        """Nobody has authorised anything yet."""
        size = world.companies.size
        world.kept[self.name] = {
            "until": np.full(size, -1), "told": np.full(size, -1), "codes": {}, "written": {},
        }  # fmt: skip

    def wanted(self, asking: Asking) -> np.ndarray:
        """Owners who want a business loan for a company that trades."""
        alive = asking.companies.alive(asking.company, np.full(asking.n, asking.month))
        return asking.screened & asking.for_business & (asking.stage == "pre") & alive

    def subject(self, asking: Asking) -> np.ndarray:
        """The company."""
        return asking.company

    def answer(self, asking: Asking) -> Answer:
        """Two years of invoices at the first question, the last whole month at later ones."""
        world, month = asking.world, asking.month
        kept = world.kept[self.name]
        lots = world.streams.lot("tax bureau connects", asking.company)
        knows = (lots < self.assume.connected) & (asking.company >= 0)
        knows &= asking.companies.founded[asking.company] < month - 1

        def rows(calls: Calls, which: np.ndarray) -> pl.DataFrame | None:
            told = which[calls.result[which] == HIT]
            company = asking.company[told]
            collected = np.full(asking.companies.size, np.datetime64("NaT"), "datetime64[ms]")
            collected[company[::-1]] = calls.response_ts[told[::-1]]
            asked = ~np.isnat(collected)
            known = kept["told"] >= month - 2
            parts = []
            for mine, start in ((asked & ~known, month - HISTORY), (asked & known, month - 1)):
                if mine.any():
                    months = range(start, month)
                    issued = self._issued(world, mine, months)
                    parts.append(self._rows(world, issued, mine, month - 1, collected, months))
            kept["told"][asked] = month - 1
            kept["until"][asked] = month + AUTHORISED
            return pl.concat(parts) if any(part.height for part in parts) else None

        return Answer(np.where(knows, HIT, NO_HIT), rows)

    def live(self, world: World, month: int) -> None:
        """The month's file of authorised companies, collected in the days after the month's end."""
        kept, size = world.kept[self.name], world.companies.size
        mine = kept["until"] > month
        if not mine.any():
            return
        kept["told"][mine] = month
        lots = world.streams.lot("invoices collected", np.arange(size), np.full(size, month))
        collected = first_day(month + 1) + (5 + lots * 5).astype("timedelta64[D]")
        collected = collected.astype("datetime64[ms]") + (lots * 5e6).astype("timedelta64[ms]")
        fresh = self._issued(world, mine, range(month, month + 1))
        frame = self._rows(world, fresh, mine, month, collected, range(month, month + 1))
        world.deliveries.add(self.name, self._corrected(world, frame, month), month)
        earlier = self._issued(world, mine, range(month - REVERSED_WITHIN, month), reversed_only=True)
        earlier = earlier.some(earlier.reversed_in == month)
        again = self._rows(world, earlier, mine, month, collected, range(month, month + 1))
        world.deliveries.add(self.name, again, month)

    def truth(self, world: World) -> dict[str, pl.DataFrame]:
        """The companies of nobody, whose names stand on invoices."""
        parties = trade.outside_parties(trade.trade_of(world))
        values = [str(trade.party_code(world.companies, party)) for party in parties]
        names = [trade.party_name(world.companies, party) for party in parties]
        entities = ["company"] * len(values) + ["company_name"] * len(names)
        return {"identifiers_invoice": pl.DataFrame({"entity": entities, "value": values + names})}

    def _issued(self, world: World, mine: np.ndarray, months: range, reversed_only: bool = False) -> Issued:
        """What was issued in ``months`` over links of the companies ``mine``."""
        links, companies, streams = trade.trade_of(world), world.companies, world.streams
        found = [links.of(mine, month) for month in months]
        link = np.concatenate(found)
        month = np.repeat(np.array(months), [len(part) for part in found])
        volume = links.volume(companies, streams, link, month)
        count = np.floor(volume / links.ticket[link] + streams.lot("invoice count", link, month)).astype(
            np.int64
        )
        count = np.minimum(count, 63)
        driver = links.driver[link]
        sham = companies.shell[driver] >= 0
        trouble = np.where(sham, 6.0, np.exp(-0.35 * companies.past[month, driver]))
        reversals = np.floor(
            count * self.assume.reversed_share * trouble + streams.lot("invoices reversed", link, month)
        ).astype(np.int64)
        reversals = np.minimum(reversals, count)
        shown = reversals if reversed_only else count
        at = np.arange(shown.sum()) - np.repeat(np.cumsum(shown) - shown, shown)
        link, month, sham = np.repeat(link, shown), np.repeat(month, shown), np.repeat(sham, shown)
        number = (link * 1024 + month) * 64 + at
        delay = 1 + (streams.lot("invoice reversed after", number) * REVERSED_WITHIN).astype(int)
        return Issued(
            link, month, at, number, links.seller[link], links.buyer[link], sham,
            np.where(at < np.repeat(reversals, shown), month + delay, -1),
        )  # fmt: skip

    def _rows(
        self,
        world: World,
        issued: Issued,
        mine: np.ndarray,
        through: int,
        collected: np.ndarray,
        red_in: range,
    ) -> pl.DataFrame:
        """Rows as they stood at the end of month ``through``, from the side of each company of ``mine``.

        Red invoices are those of the months ``red_in``.
        """
        streams = world.streams
        base = self._base(world, issued)
        void = (
            streams.lot("invoice void", issued.number) < self.assume.void_share * np.where(issued.sham, 6, 1)
        ) & (issued.reversed_in < 0)
        gone = (issued.reversed_in >= 0) & (issued.reversed_in <= through)
        part = streams.lot("partly reversed", issued.number)
        status = np.where(void, 1, np.where(gone, np.where(part < 0.25, 3, 2), 0))
        nothing = pl.Series([None] * len(void), dtype=pl.String)
        base = base.with_columns(
            pl.Series("invoice_status", np.array(STATUS)[status]), nothing.alias("orig_code"),
            nothing.alias("orig_number"),
        )  # fmt: skip
        red = gone & np.isin(issued.reversed_in, np.array(red_in))
        frame = pl.concat(
            [base, _red(base, issued, red, np.where(part < 0.25, part * 3 + 0.1, 1.0), streams)]
        )
        sides = []
        for direction, own, other in (("out", "_seller", "_buyer"), ("in", "_buyer", "_seller")):
            place = (pl.col(other).abs() * 7 % 30 + 1).cast(pl.String).str.zfill(2)
            party = frame[own].to_numpy()
            yes = (party >= 0) & (party < OUTSIDE)
            yes &= mine[np.where(yes, party, 0)]
            side = frame.filter(pl.Series(yes))
            stamp = collected[party[yes]]
            sides.append(
                side.with_columns(
                    pl.lit(direction).alias("direction"),
                    self._codes(world, side[own].to_numpy()).alias("taxpayer_no"),
                    pl.format("99{}00", place).alias("region"),
                    pl.Series("collect_ts", stamp),
                    pl.Series(ARRIVES, stamp.astype("datetime64[D]")),
                    pl.Series(ORDER, stamp.astype("datetime64[us]")),
                )
            )
        return pl.concat(sides).select(*world.rules[self.name].columns, ARRIVES, ORDER)

    def _base(self, world: World, issued: Issued) -> pl.DataFrame:
        """The columns that never change."""
        links, streams, number = trade.trade_of(world), world.streams, issued.number
        day, hour, size, kind, paper, ware = (
            streams.lot(f"invoice {what}", number)
            for what in ("day", "hour", "size", "kind", "paper", "ware")
        )
        length = days_in(issued.month)
        at_end = length - 1 - (day * 5).astype(int)
        date = first_day(issued.month) + np.where(issued.sham, at_end, (day * length).astype(int)).astype(
            "timedelta64[D]"
        )
        clock = np.where(issued.sham & (hour < 0.4), 20.5 + hour * 8, 8.5 + 10.5 * hour)
        spread = np.exp(np.log((size + 1e-9) / (1 - size + 1e-9)) * 0.45 - 0.3)
        amount = np.maximum(np.round(links.ticket[issued.link] * spread, 2), 5.0)
        amount = np.where(
            issued.sham, np.maximum(np.rint(np.minimum(amount, 99_000) / 1000), 1) * 1000, amount
        )
        group = group_of(world.companies, issued.seller, ware)
        rate = np.where(
            small_taxpayer(world.companies, issued.seller),
            np.where(issued.month >= START, 0.01, 0.03),
            RATES[group],
        )
        tax = np.round(amount * rate, 2)
        special = (issued.buyer != CONSUMER) & (kind < 0.55)
        form = special * 2 + (paper < 0.7)
        year = issued.month // 12 + 18
        batch = 900_000_000_000 + year * 1_000_000_000 + issued.link % 10_000_000 * 100 + form
        serial = issued.month % 12 * 1_000_000 + issued.at * 137 + 1
        item = (ware * 8_000).astype(int) % 90 + 10
        goods = np.where(group < SERVICES_FROM, 10_000, 30_000) + group * 100 + item
        groups = pl.Series(GROUPS)
        return pl.DataFrame(
            {
                "_seller": issued.seller,
                "_buyer": issued.buyer,
                "invoice_code": pl.Series(batch).cast(pl.String),
                "invoice_number": pl.Series(serial).cast(pl.String).str.zfill(8),
                "invoice_type": pl.Series(TYPES).gather(form),
                "invoice_date": date.astype("datetime64[ms]") + (clock * 3_600_000).astype("timedelta64[ms]"),
                "buyer_tax_no": self._codes(world, issued.buyer),
                "buyer_name": self._written(world, issued.link, issued.buyer),
                "seller_tax_no": self._codes(world, issued.seller),
                "seller_name": self._names(world, issued.seller),
                "goods_code": pl.Series(goods).cast(pl.String).str.pad_end(19, "0"),
                "goods_group": groups.gather(group),
                "goods_name": pl.Series([f"*{ware}*样例" for ware in WARES]).gather(group),
                "amount": amount,
                "tax_rate": rate,
                "tax": tax,
                "total_amount_tax": np.round(amount + tax, 2),
            }
        )

    def _corrected(self, world: World, frame: pl.DataFrame, month: int) -> pl.DataFrame:
        """A few rows came with another group of goods first, and come again some days later as they are."""
        rng = world.streams.of(self.name, month)
        again = pl.Series(rng.random(frame.height) < world.assume.restated_share)
        wait = pl.duration(days=2 + month % 4)
        first = frame.with_columns(
            goods_group=pl.when(again).then(pl.lit(GROUPS[-1])).otherwise("goods_group"),
            goods_name=pl.when(again).then(pl.lit(f"*{WARES[-1]}*样例")).otherwise("goods_name"),
        )
        second = frame.filter(again).with_columns(
            pl.col("collect_ts") + wait, (pl.col(ARRIVES) + wait).cast(pl.Date), pl.col(ORDER) + wait
        )
        return pl.concat([first, second], how="vertical_relaxed")

    def _codes(self, world: World, party: np.ndarray) -> pl.Series:
        return _looked_up(
            party, world.kept[self.name]["codes"], lambda one: trade.party_code(world.companies, one)
        )

    def _names(self, world: World, party: np.ndarray) -> pl.Series:
        return _looked_up(party, {}, lambda one: trade.party_name(world.companies, one))

    def _written(self, world: World, link: np.ndarray, buyer: np.ndarray) -> pl.Series:
        """The buyer's name as the seller has it in his books, spelt in his own way."""
        spelt, companies = world.people.spelt, world.companies
        written = world.kept[self.name]["written"]
        for one, party in set(zip(link.tolist(), buyer.tolist(), strict=True)):
            if one not in written:
                number = int(companies.name_numbers[party]) if 0 <= party < OUTSIDE else party
                written[one] = "个人" if party == CONSUMER else spelt.company(number, "invoice", one)
        return _looked_up(link, written, written.__getitem__)


def _looked_up(things: np.ndarray, known: dict[int, str | None], look: object) -> pl.Series:
    distinct, place = np.unique(things, return_inverse=True)
    texts = []
    for one in distinct.tolist():
        if one not in known:
            known[one] = look(one)  # type: ignore[operator]
        texts.append(known[one])
    return pl.Series(texts, dtype=pl.String).gather(place)


def _red(
    base: pl.DataFrame, issued: Issued, red: np.ndarray, share: np.ndarray, streams: Streams
) -> pl.DataFrame:
    """The red invoices that reverse others, dated in the month of the reversal."""
    which = np.flatnonzero(red)
    month = issued.reversed_in[which]
    lot = streams.lot("red day", issued.number[which])
    date = first_day(month).astype("datetime64[ms]") + (lot * days_in(month) * 86_399_000).astype(
        "timedelta64[ms]"
    )
    amount = -np.maximum(np.round(base["amount"].to_numpy()[which] * share[which], 2), 0.01)
    rate = base["tax_rate"].to_numpy()[which]
    tax = np.round(amount * rate, 2)
    serial = 50_000_000 + issued.month[which] % 12 * 1_000_000 + issued.at[which] * 137 + 1
    return (
        base[which]
        .with_columns(
            pl.col("invoice_code").alias("orig_code"),
            pl.col("invoice_number").alias("orig_number"),
            pl.Series("invoice_number", serial).cast(pl.String).str.zfill(8),
            pl.Series("invoice_date", date),
            pl.Series("amount", amount),
            pl.Series("tax", tax),
            pl.Series("total_amount_tax", np.round(amount + tax, 2)),
            pl.lit(STATUS[0]).alias("invoice_status"),
        )
        .select(base.columns)
    )


SOURCE = Invoice()
