"""Parcels that were sent to a phone or by it: where to, from whom, and whether they were taken.

Who gave a number away no longer gets parcels by it. Parcels on their way are told again when they have arrived, some
are corrected days later, and some withdrawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator import identities
from simulator.asking import Asking
from simulator.calls import HIT, NO_HIT, Calls
from simulator.customers import CITIES
from simulator.deliveries import ARRIVES, ORDER, only_where
from simulator.licensed import authorised
from simulator.outside import Answer, AskedSource
from simulator.parcels import RELATIVES, delivered_to
from simulator.streams import pick, sigmoid
from simulator.timeline import days_in, first_day, month_of

KEPT_DAYS = 360
"""How far an answer reaches back."""
CHANCE = np.array([0.5, 0.36, 0.28, 0.22])
"""Chance of a month with a parcel received (three of them) and sent [stated]."""
SEND = len(CHANCE) - 1
GOODS = ("apparel", "food", "digital", "home", "medicine", "document", "other")
SHOPS = 500_000_000
"""Phones of merchants begin here: beyond all that are sold to people."""
DAY_HOURS = np.array([0, 0, 0, 0, 0, 0, 0, 0, 2, 8, 10, 9, 8, 5, 6, 8, 9, 10, 10, 8, 5, 2, 0, 0.0])
"""How often couriers come in each hour of the day."""


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    asked_from: float = 18_000.0
    """Yuan applied for from which on it is asked; during the loan it is asked about who is behind [stated]."""
    known: float = 0.55
    """Share of the phones that the carriers behind the bureau know [stated: 45 to 60 of 100]."""
    refused: float = -3.8
    """Log odds that a parcel is refused by an average customer [stated]."""
    from_people: float = 0.22
    """Share of the parcels received that come from another person [stated]."""


class Logistics(AskedSource):
    """Parcels by phone."""

    name = "logistics"
    assumes = Assume
    prefix = "LG"
    latency = (400, 2000)
    entity = "phone"
    monitors = True
    plant = ("status", "lost", pl.col("hit") == "1")

    def wanted(self, asking: Asking) -> np.ndarray:
        """Larger wishes, and borrowers who are behind: parcels tell where they live now."""
        if asking.stage == "mid":
            return asking.behind
        return asking.screened & (asking.amount >= self.assume.asked_from)

    def subject(self, asking: Asking) -> np.ndarray:
        """The phone on file."""
        return asking.master.phone[asking.cust]

    def answer(self, asking: Asking) -> Answer:
        """The parcels of the last 360 days."""
        known = (
            asking.world.streams.lot("parcels known", asking.master.phone[asking.cust]) < self.assume.known
        )
        parcels = self._parcels(asking, np.flatnonzero(known & self.wanted(asking)))
        found = np.bincount(parcels["at"].to_numpy(), minlength=asking.n) > 0

        def rows(calls: Calls, which: np.ndarray) -> pl.DataFrame:
            hit = calls.result[which] == HIT
            phones = asking.master.phone[asking.cust[which]].tolist()
            head = pl.DataFrame(
                {
                    "at": which,
                    "req_id": [calls.request[at] for at in which.tolist()],
                    "cell_hash": [asking.master.md5_of_phone(number) for number in phones],
                    "report_ts": calls.response_ts[which].astype("datetime64[us]"),
                    "hit": np.where(hit, "1", "0"),
                }
            )
            head = authorised(head, calls.request_ts[which])
            told = parcels.filter(pl.col("at").is_in(which[hit].tolist()))
            told = told.with_columns(addr=pl.Series(self._addresses(asking, told), dtype=pl.String)).drop(
                "dwelling"
            )
            lines = head.join(told, on="at", how="left", maintain_order="left").with_columns(op=pl.lit("c"))
            return self._versions(asking, lines).select(
                *asking.world.rules[self.name].columns, ARRIVES, ORDER
            )

        return Answer(np.where(found, HIT, NO_HIT), rows)

    def _parcels(self, asking: Asking, entries: np.ndarray) -> pl.DataFrame:
        """Every parcel of entries in the last 360 days: ``at``, ``dwelling`` and the columns of the contract."""
        world, people, streams = asking.world, asking.people, asking.world.streams
        cust = asking.cust[entries][:, None, None]
        months = (month_of(asking.at[entries])[:, None] - np.arange(12, -1, -1))[:, :, None]
        slot = np.arange(len(CHANCE))[None, None, :]
        # a number that was given away gets no more parcels from then on
        kept = (asking.master.phone[cust] == people.phone[cust]) | (months < people.phone_since[cust])
        often = np.exp(0.4 * streams.gauss("parcels often", cust)) * np.where(
            people.company[cust] >= 0, 1.6, 1.0
        )
        at, back, number = np.nonzero((streams.lot("parcels", cust, months, slot) < CHANCE * often) & kept)
        who, when, at = asking.cust[entries[at]], months[at, back, 0], entries[at]

        def lot(what: str) -> np.ndarray:
            return streams.lot(f"parcel {what}", who, when, number)

        day = first_day(when) + (lot("day") * days_in(when)).astype("timedelta64[D]")
        sent = day.astype("datetime64[s]") + (3_600 * pick(lot("hour"), DAY_HOURS)).astype("timedelta64[s]")
        sent = sent + (3_600 * lot("second")).astype("timedelta64[s]")
        age = (asking.at[at].astype("datetime64[s]") - sent).astype(np.int64) / 86_400
        out = number == SEND
        home = delivered_to(world, who, when)
        dwelling = np.where(lot("elsewhere") < 0.06, RELATIVES + people.household[who] * 12, home)
        private = np.where(out, lot("private") < 0.6, lot("private") < self.assume.from_people)
        shop = SHOPS + (who * 17 + (lot("shop") ** 2 * 60).astype(np.int64) * 131) % 3_000
        friend = people.phone[(who * 31 + (lot("friend") * 8).astype(np.int64) * 977) % people.size]
        strain = 0.3 * people.risk[who] + 0.4 * people.fraud[who] + 0.4 * asking.noise[at]
        cash = ~out & (lot("cash") < 0.07)
        refused = ~out & (lot("refused") < sigmoid(self.assume.refused + 0.6 * strain + 1.2 * cash))
        back_again = ~refused & (lot("back") < 0.015)
        status = np.select(
            [age < 1 + 3 * lot("takes"), refused, back_again], ["transit", "rejected", "returned"], "signed"
        )
        elsewhere = (lot("city") * len(CITIES)).astype(int)
        city = np.where(lot("near") < 0.25, world.master.city[who], elsewhere)
        table = pl.DataFrame(
            {
                "at": at,
                "dwelling": dwelling,
                "waybill": _waybills(who, when, number),
                "direction": np.where(out, "send", "receive"),
                "ts": sent.astype("datetime64[us]"),
                "city": np.array(CITIES)[city],
                "party_hash": _phones(asking, np.where(private, friend, shop)),
                "weight": np.round(0.2 + 6 * lot("weight") ** 4, 2),
                "cod_amount": np.where(cash, np.round(30 + 600 * lot("cash amount") ** 2, 2), 0.0),
                "status": status,
                "sign_hour": only_where(status == "signed", pick(lot("sign hour"), DAY_HOURS)),
                "is_merchant": ~private,
                "goods_cat": np.array(GOODS)[
                    pick(lot("goods"), np.array([0.3, 0.2, 0.1, 0.15, 0.05, 0.05, 0.15]))
                ],
            }
        )
        return table.filter((age > 0) & (age < KEPT_DAYS))

    def _addresses(self, asking: Asking, parcels: pl.DataFrame) -> list[str]:
        """The customer's address on each waybill, as it was written."""
        spelt = asking.people.spelt
        whose = asking.cust[parcels["at"].to_numpy()].tolist()
        written: dict[tuple[int, int], str] = {}
        texts = []
        for pair in zip(parcels["dwelling"].to_list(), whose, strict=True):
            if pair not in written:
                written[pair] = spelt.address(pair[0], self.name, pair[1])
            texts.append(written[pair])
        return texts

    def _versions(self, asking: Asking, lines: pl.DataFrame) -> pl.DataFrame:
        """The lines with their day of arrival, and some again: corrected by the carrier, or withdrawn."""
        share = asking.world.assume.restated_share
        d = asking.rng("corrections").random((2, lines.height))
        here = np.flatnonzero((d[0] < share) & (lines["hit"] == "1").to_numpy())
        later = pl.Series((86_400_000_000 * (1 + 9 * d[1][here])).astype("timedelta64[us]"))
        signed = pl.col("status") == "signed"
        again = lines[here].with_columns(
            report_ts=pl.col("report_ts") + later,
            op=pl.Series(np.where(d[0][here] < 0.2 * share, "d", "u")),
            weight=(pl.col("weight") * 1.5).round(2),
            sign_hour=pl.when(signed).then((pl.col("sign_hour") + 1).clip(0, 23)),
        )
        return pl.concat([lines, again], how="vertical_relaxed").with_columns(
            pl.col("report_ts").dt.date().alias(ARRIVES), pl.col("report_ts").alias(ORDER)
        )


def _waybills(who: np.ndarray, when: np.ndarray, number: np.ndarray) -> pl.Series:
    tokens = [
        f"WB{identities.md5(f'parcel {one} {two} {three}')[:16]}"
        for one, two, three in zip(who.tolist(), when.tolist(), number.tolist(), strict=True)
    ]
    return pl.Series(tokens, dtype=pl.String)


def _phones(asking: Asking, numbers: np.ndarray) -> pl.Series:
    known, place = np.unique(numbers, return_inverse=True)
    hashes = [asking.master.md5_of_phone(number) for number in known.tolist()]
    return pl.Series(hashes, dtype=pl.String).gather(place)


SOURCE = Logistics()
