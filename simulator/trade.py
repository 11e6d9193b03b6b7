"""Who sells to whom: the partners of the customers' companies over the years, and how much goes between them.

A link is a seller and a buyer for some time. Its months are worked out whenever somebody looks at them, so that both
sides, the tax bureau and the merchant's acquirer see the same business. Sham companies pass goods round their ring.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulator import identities
from simulator.companies import Companies
from simulator.streams import Streams
from simulator.timeline import START

if TYPE_CHECKING:
    from simulator.world import World

OUTSIDE = 1_000_000
"""Number of the first company that belongs to no customer."""
CONSUMER = -1
"""Buyers without a tax number."""
BUYERS, SUPPLIERS, SUCCESSIONS = 12, 8, 8
"""Most buyers and suppliers at a time, and how many follow one another in the place of one."""
LASTS = 20.0
"""Median months that a partner stays [stated]."""
KNOWN_BUYERS = 0.12
"""Of the buyers, those that are companies of customers too [stated]."""
INVOICES = 12.0
"""Invoices that a small company issues in a month [stated]; it takes in about half as many."""
FIRST = START - 30


@dataclass
class Trade:
    """Links, an entry each.

    ``driver`` is the company whose turnover (or, if ``purchase``, purchases) the ``weight`` is a share of; ``ticket``
    the usual amount of an invoice in yuan; ``start`` and ``end`` (not included) are months.
    """

    seller: np.ndarray
    buyer: np.ndarray
    driver: np.ndarray
    purchase: np.ndarray
    weight: np.ndarray
    ticket: np.ndarray
    start: np.ndarray
    end: np.ndarray

    def of(self, company: np.ndarray, month: int) -> np.ndarray:
        """Links alive in ``month`` that have one of the companies (a boolean each) on one side."""
        mine = _among(company, self.seller) | _among(company, self.buyer)
        return np.flatnonzero(mine & (self.start <= month) & (self.end > month))

    def volume(
        self, companies: Companies, streams: Streams, link: np.ndarray, month: np.ndarray
    ) -> np.ndarray:
        """Yuan without tax that go over links in months that have been lived through."""
        driver = self.driver[link]
        share = companies.invoiced[driver] * np.where(
            self.purchase[link], 0.8 * (1 - companies.margin[driver]), 1.0
        )
        other = np.where(self.purchase[link], self.seller[link], self.buyer[link])
        there = (other < 0) | (other >= OUTSIDE) | companies.alive(other % companies.size, month)
        mood = np.exp(0.35 * streams.gauss("trade", link, month))
        return companies.turnover_of(driver, month) * share * self.weight[link] * mood * there


def _among(company: np.ndarray, party: np.ndarray) -> np.ndarray:
    own = (party >= 0) & (party < OUTSIDE)
    return own & company[np.where(own, party, 0)]


def open_trade(companies: Companies, streams: Streams) -> Trade:
    """All links, those of later years too: they begin and end whether the simulation gets there or not."""
    rng = streams.of("trade")
    size, sham = companies.size, companies.shell >= 0
    parts = []
    for purchase, slots in ((False, BUYERS), (True, SUPPLIERS)):
        number = np.minimum(
            2 + rng.poisson(np.minimum(4 * (companies.scale / 42_000) ** 0.4, slots), size), slots
        )
        number = np.where(sham, 3, number)
        steep = 0.5 + 1.1 * rng.random(size)
        weight = (np.arange(slots) + 1.0) ** -steep[:, None] * (np.arange(slots) < number[:, None])
        weight /= weight.sum(axis=1, keepdims=True)
        partner = _partners(companies, rng, slots, purchase)
        lasts = 3 + rng.exponential(LASTS / np.log(2), (size, slots, SUCCESSIONS)).astype(int)
        start = np.maximum(companies.founded, FIRST)[:, None, None] + np.cumsum(lasts, axis=2) - lasts
        end = start + lasts
        end[:, :, -1] = 10**6
        company = np.broadcast_to(np.arange(size)[:, None, None], partner.shape)
        count = INVOICES * (companies.scale / 42_000) ** 0.5 * np.exp(0.4 * rng.standard_normal(size))
        ticket = np.maximum(companies.scale * companies.invoiced / np.clip(count, 3, 160), 60)[:, None, None]
        ticket = ticket * np.exp(0.5 * rng.standard_normal(partner.shape)) * np.where(purchase, 1.6, 1.0)
        # a sham company's partners within the ring stand in its own buyers' list: the other one's suppliers
        keep = np.broadcast_to(weight[:, :, None] > 0, partner.shape) & (partner != company)
        parts.append(
            {
                "seller": np.where(purchase, partner, company)[keep],
                "buyer": np.where(purchase, company, partner)[keep],
                "driver": company[keep],
                "purchase": np.full(int(keep.sum()), purchase),
                "weight": np.broadcast_to(weight[:, :, None], partner.shape)[keep],
                "ticket": np.where(partner == CONSUMER, ticket / 3, ticket)[keep],
                "start": start[keep],
                "end": end[keep],
            }
        )
    return Trade(**{name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


def _partners(companies: Companies, rng: np.random.Generator, slots: int, purchase: bool) -> np.ndarray:
    """Partner numbers, (company, slot, succession)."""
    size = companies.size
    shape = (size, slots, SUCCESSIONS)
    pool = 6 * size + 50
    draws = rng.random((3, *shape))
    partner = OUTSIDE + (draws[0] ** 1.5 * pool).astype(int)
    if not purchase:
        honest = np.flatnonzero(companies.shell < 0)
        partner = np.where(draws[1] < KNOWN_BUYERS, honest[(draws[2] * len(honest)).astype(int)], partner)
        to_people = np.isin(companies.letter, list("FHOS"))
        partner[:, 0, :] = np.where(to_people[:, None], CONSUMER, partner[:, 0, :])
        for ring in np.unique(companies.shell[companies.shell >= 0]).tolist():
            mine = np.flatnonzero(companies.shell == ring)
            for at, company in enumerate(mine.tolist()):
                if len(mine) > 1:
                    partner[company, :2] = mine[(at + 1) % len(mine)]
    return partner


def party_code(companies: Companies, party: int) -> str | None:
    """Credit code, which is the tax number too; None of consumers."""
    if party == CONSUMER:
        return None
    return identities.company_code(party) if party >= OUTSIDE else companies.code[party]


def party_name(companies: Companies, party: int) -> str:
    """Name as it is registered."""
    if party == CONSUMER:
        return "个人"
    return identities.company_name(party) if party >= OUTSIDE else companies.names[party]


def outside_parties(trade: Trade) -> list[int]:
    """Every partner that belongs to no customer."""
    both = np.concatenate([trade.seller, trade.buyer])
    return np.unique(both[both >= OUTSIDE]).tolist()


def trade_of(world: World) -> Trade:
    """The links of a world, drawn when they are first looked at."""
    if "trade" not in world.kept:
        world.kept["trade"] = open_trade(world.companies, world.streams)
    links: Trade = world.kept["trade"]
    return links
