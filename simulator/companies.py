"""Small companies of customers: who owns them, what they do, how they fare month by month.

``company_people`` says who else stands behind them, ``company_register`` what the commercial register writes down.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from simulator import company_people, company_register, identities
from simulator.assumptions import Assumptions
from simulator.company_people import Role
from simulator.company_register import Register
from simulator.population import INDUSTRIES, Population
from simulator.streams import Streams, pick, sigmoid
from simulator.timeline import START

HEADCOUNT = 9
"""Median number of people in a company [stated]."""
TRADES = "CFGHILOS"
"""Industries that companies of customers are in: making, dealing, carrying, catering, software, leasing, services."""
FORMS = ("1151", "1130", "9500", "4540", "4530")
"""Legal forms as the register codes them: one owner, several owners, individual business, sole proprietor, partners."""
FORM_SHARES = np.array([0.22, 0.36, 0.32, 0.05, 0.05])
PHONES_FROM, ADDRESSES_FROM, SHELLS_FROM = 500_000_000, 7_000_000, 9_500_000
"""First number of companies' own phones, of their premises, of the rooms in which sham companies are registered."""


@dataclass
class Companies:
    """Arrays over companies (``size`` long).

    ``health`` is the standardised state of the business this month (higher is better); it follows the owner's risk
    and a cycle of its own, so bureau, invoices, tax and merchant flow see the same thing from different sides.
    ``shell`` is the ring that a sham company belongs to (-1: none): it exists on paper, and its trade is made up.

    How a business shows itself, for good: ``margin`` of its sales; the share of its sales that is ``invoiced``, that
    is ``declared`` to the tax bureau, and that is paid through an acquirer (``carded``, 0: no merchant).
    """

    size: int
    owner: np.ndarray
    code: list[str]
    code_sha256: list[str]
    names: list[str]
    name_numbers: np.ndarray
    industry: np.ndarray
    founded: np.ndarray
    scale: np.ndarray
    growth: np.ndarray
    address: np.ndarray
    employees: np.ndarray
    health: np.ndarray
    closed: np.ndarray
    shell: np.ndarray
    form: np.ndarray
    office: np.ndarray
    phone: np.ndarray
    capital: np.ndarray
    margin: np.ndarray
    invoiced: np.ndarray
    declared: np.ndarray
    carded: np.ndarray
    roles: list[list[Role]] = field(default_factory=list)
    register: Register = field(default_factory=Register)
    past: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))

    def turnover(self, month: int) -> np.ndarray:
        """Expected turnover of the month in yuan; 0 where the company is not founded yet or closed."""
        return self.turnover_of(np.arange(self.size), np.full(self.size, month))

    def turnover_of(self, company: np.ndarray, month: np.ndarray) -> np.ndarray:
        """Expected turnover in yuan of companies in months that have been lived through; of a sham company, feigned."""
        season = 1 + 0.12 * np.sin(2 * np.pi * ((month % 12) - 2) / 12)
        health = self.past[month, company]
        trend = np.exp(self.growth[company] * (month - START) / 12 + 0.25 * health)
        return np.where(self.alive(company, month), self.scale[company] * season * trend, 0.0)

    def alive(self, company: np.ndarray, month: np.ndarray) -> np.ndarray:
        """Whether companies are founded and not closed in months."""
        closed = self.closed[company]
        return (self.founded[company] <= month) & ((closed < 0) | (closed > month))

    @property
    def letter(self) -> np.ndarray:
        """Industry section (GB/T 4754) of each company."""
        return np.array(list(INDUSTRIES))[self.industry]


def draw_companies(people: Population, streams: Streams, assume: Assumptions) -> Companies:
    """The companies; ``people.company`` learns who owns which."""
    rng = streams.of("companies")
    chance = rng.random(people.size)
    owns = chance < assume.owner_share * np.exp(0.35 * people.income_z - 0.06)
    # A tiny population needs a few companies too, or half of the sources would be empty.
    owns[np.argsort(chance)[: min(8, people.size)]] = True
    straw = _straw_men(people, owns, streams, assume)
    owner = np.concatenate([np.flatnonzero(owns), straw])
    size, sham = len(owner), np.arange(len(owner)) >= len(owner) - len(straw)
    people.company[owner] = np.arange(size)
    age = np.clip(rng.gamma(1.8, 34, size), 2, 260).astype(int)
    code = [identities.company_code(number) for number in rng.permutation(size).tolist()]
    scale = 42_000 * np.exp(0.55 * people.income_z[owner] + 0.75 * rng.standard_normal(size))
    scale[sham] = 90_000 * np.exp(0.4 * rng.standard_normal(int(sham.sum())))
    shell = np.where(sham, people.ring[owner], -1)
    home = people.address[owner]
    own_rooms = home * 3 + ADDRESSES_FROM
    d = streams.of("habits of companies").random((8, size))
    industry = np.array([INDUSTRIES.index(letter) for letter in rng.choice(list(TRADES), size)])
    founded = START + 12 - age
    founded[sham] = people.ring_start[straw] - 3 - (d[0, sham] * 5).astype(int)
    dishonest = 0.35 * people.fraud[owner] + 0.2 * people.risk[owner]
    sells_to_people = np.isin(np.array(list(INDUSTRIES))[industry], list("FHOS"))
    address = np.where(sham, SHELLS_FROM + shell * 7, own_rooms)
    companies = Companies(
        size=size,
        owner=owner,
        code=code,
        code_sha256=[identities.sha256(text) for text in code],
        names=[identities.company_name(number) for number in range(size)],
        name_numbers=np.arange(size),
        industry=industry,
        founded=founded,
        scale=scale,
        growth=0.05 - 0.06 * people.risk[owner] + 0.10 * rng.standard_normal(size) + 0.9 * sham,
        address=address,
        employees=np.where(sham, 1, np.maximum(
            HEADCOUNT * (scale / 42_000) ** 0.7 * np.exp(0.4 * rng.standard_normal(size)), 1
        )).astype(int),
        health=-0.5 * people.risk[owner] + 0.85 * rng.standard_normal(size),
        closed=np.full(size, -1),
        shell=shell,
        form=np.where(sham, 0, pick(d[1], FORM_SHARES)),
        office=np.where(d[2] < 0.62, address, np.where(d[2] < 0.84, home, own_rooms + 1)),
        phone=np.where(d[3] < 0.55, people.phone[owner], PHONES_FROM + np.where(sham, shell, size + np.arange(size))),
        capital=np.maximum(np.rint(scale * np.exp(2.2 * d[4] + np.where(sham, 3, 0)) / 100_000), 1) * 100_000,
        margin=np.clip(0.12 + 0.22 * d[5] + 0.02 * people.income_z[owner], 0.05, 0.45),
        invoiced=np.where(sham, 1.0, np.where(sells_to_people, 0.35, 0.7) + 0.28 * d[6]),
        declared=np.where(sham, 0.3, sigmoid(1.9 - dishonest + 1.2 * (d[7] - 0.5))),
        carded=np.zeros(size),
    )  # fmt: skip
    trades_with_cards = streams.of("merchants").random((2, size))
    accepts = trades_with_cards[0] < np.where(
        sells_to_people, assume.merchant_share + 0.18, assume.merchant_share - 0.18
    )
    companies.carded = np.where(accepts | sham, 0.12 + 0.45 * trades_with_cards[1], 0.0)
    company_people.appoint(companies, people, streams)
    return companies


def _straw_men(people: Population, owns: np.ndarray, streams: Streams, assume: Assumptions) -> np.ndarray:
    """Ring members in whose names sham companies are registered, in order of their rings."""
    members = np.flatnonzero((people.ring >= 0) & ~owns)
    members = members[np.lexsort((streams.of("straw men").random(len(members)), people.ring[members]))]
    first = np.searchsorted(people.ring[members], people.ring[members])
    return members[np.arange(len(members)) - first < assume.shells_per_ring]


def advance_companies(
    companies: Companies, people: Population, month: int, streams: Streams, assume: Assumptions
) -> None:
    """Live through ``month``: the business goes its way, presses its owner, and some close."""
    rng = streams.of("business", month)
    noise = rng.standard_normal(companies.size)
    sham = companies.shell >= 0
    owner = companies.owner
    pull = np.where(sham, 0.6, -0.5 * people.risk[owner] - 0.15 * people.stress[owner])
    companies.health = 0.92 * companies.health + 0.08 * pull + 0.33 * noise
    _remember(companies, month)
    living = companies.alive(np.arange(companies.size), np.full(companies.size, month))
    people.stress[owner] -= np.where(living & ~sham, assume.business_strain * companies.health, 0.0)
    closes = rng.random(companies.size) < np.where(
        sham, 0.2 * (month > people.ring_start[owner] + 4), 0.0025 * np.exp(-0.8 * companies.health)
    )
    companies.closed[closes & living & (companies.founded < month) & (month >= START)] = month
    company_register.keep(companies, people, month, streams)


def _remember(companies: Companies, month: int) -> None:
    """Keep the month's health; the room doubles when it is full."""
    if month >= len(companies.past):
        room = np.zeros((max(2 * len(companies.past), START), companies.size), np.float32)
        room[:month] = companies.past[:month] if month else 0
        companies.past = room
    companies.past[month] = companies.health
