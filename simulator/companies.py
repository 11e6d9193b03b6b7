"""Small companies of customers: who owns them, what they do, how they fare month by month."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator import identities
from simulator.assumptions import Assumptions
from simulator.population import INDUSTRIES, Population
from simulator.streams import Streams
from simulator.timeline import START

HEADCOUNT = 9
"""Median number of people in a company [stated]."""


@dataclass
class Companies:
    """Arrays over companies (``size`` long).

    ``health`` is the standardised state of the business this month (higher is better); it follows the owner's risk
    and a cycle of its own, so bureau, invoices, tax and merchant flow see the same thing from different sides.
    """

    size: int
    owner: np.ndarray
    code: list[str]
    code_sha256: list[str]
    names: list[str]
    industry: np.ndarray
    founded: np.ndarray
    scale: np.ndarray
    growth: np.ndarray
    address: np.ndarray
    employees: np.ndarray
    health: np.ndarray
    closed: np.ndarray

    def turnover(self, month: int) -> np.ndarray:
        """Expected turnover of the month in yuan; 0 where the company is not founded yet or closed."""
        season = 1 + 0.12 * np.sin(2 * np.pi * ((month % 12) - 2) / 12)
        trend = np.exp(self.growth * (month - START) / 12 + 0.25 * self.health)
        alive = (self.founded <= month) & ((self.closed < 0) | (self.closed > month))
        return np.where(alive, self.scale * season * trend, 0.0)


def draw_companies(people: Population, streams: Streams, assume: Assumptions) -> Companies:
    """The companies; ``people.company`` learns who owns which."""
    rng = streams.of("companies")
    chance = rng.random(people.size)
    owns = chance < assume.owner_share * np.exp(0.35 * people.income_z - 0.06)
    # A tiny population needs a few companies too, or half of the sources would be empty.
    owns[np.argsort(chance)[: min(8, people.size)]] = True
    owner = np.flatnonzero(owns)
    size = len(owner)
    people.company[owner] = np.arange(size)
    age = np.clip(rng.gamma(1.8, 34, size), 2, 260).astype(int)
    code = [identities.company_code(number) for number in rng.permutation(size).tolist()]
    scale = 42_000 * np.exp(0.55 * people.income_z[owner] + 0.75 * rng.standard_normal(size))
    return Companies(
        size=size,
        owner=owner,
        code=code,
        code_sha256=[identities.sha256(text) for text in code],
        names=[identities.company_name(number) for number in range(size)],
        industry=np.array([INDUSTRIES.index(letter) for letter in rng.choice(list("CFGHILOS"), size)]),
        founded=START + 12 - age,
        scale=scale,
        growth=0.05 - 0.06 * people.risk[owner] + 0.10 * rng.standard_normal(size),
        address=people.address[owner] * 3 + 7_000_000,
        employees=np.maximum(
            HEADCOUNT * (scale / 42_000) ** 0.7 * np.exp(0.4 * rng.standard_normal(size)), 1
        ).astype(int),
        health=-0.5 * people.risk[owner] + 0.85 * rng.standard_normal(size),
        closed=np.full(size, -1),
    )


def advance_companies(companies: Companies, people: Population, month: int, streams: Streams) -> None:
    """Live through ``month``: the business goes its way, and some close."""
    rng = streams.of("business", month)
    noise = rng.standard_normal(companies.size)
    pull = -0.5 * people.risk[companies.owner] - 0.15 * people.stress[companies.owner]
    companies.health = 0.92 * companies.health + 0.08 * pull + 0.33 * noise
    closes = rng.random(companies.size) < 0.0025 * np.exp(-0.8 * companies.health)
    companies.closed[closes & (companies.closed < 0) & (companies.founded < month) & (month >= START)] = month
