"""What the commercial register writes down of the companies: changes, abnormal listings, pledges, annual reports.

At most one day a month brings something new about a company, so its entry has one state from such a day to the next.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from simulator import identities
from simulator.company_people import Casting, Role, holders, party_name
from simulator.population import Population
from simulator.streams import Streams, pick
from simulator.timeline import first_day

if TYPE_CHECKING:
    from simulator.companies import Companies

ITEMS = ("name", "address", "legal_rep", "capital", "scope", "shareholder", "person", "term")
ITEM_WEIGHTS = np.array([0.05, 0.22, 0.12, 0.10, 0.20, 0.16, 0.11, 0.04])
SHAM_WEIGHTS = np.array([0.04, 0.16, 0.34, 0.10, 0.10, 0.22, 0.04, 0.0])
CHANGES = 0.010
"""Monthly chance that a company of average health has something changed [stated: one in nine a year]."""
ENCUMBERED = (("pledge", 0.0012, 0.3), ("freeze", 0.0022, 0.9), ("chattel", 0.0012, 0.2))
"""Kind, monthly chance for an average company, and how much more of it there is where health is low [stated]."""
PARTS = {
    "legal_rep": ("legal_rep", "director"),
    "shareholder": ("shareholder",),
    "person": ("supervisor",),
}
"""Parts that change hands with an item."""
NEW_NAMES, NEW_ADDRESSES = 4_000_000, 60_000_000
UNREPORTED = 0.06
"""Companies that file no annual report [stated]."""


@dataclass
class Change:
    """A change entered in the register."""

    item: str
    before: str
    after: str
    day: str


@dataclass
class Burden:
    """A pledge or freeze of shares, or a chattel mortgage; ``until`` None while it lasts."""

    kind: str
    amount: int
    since: str
    until: str | None = None


@dataclass
class Listing:
    """An entry in the list of abnormal operation (``abnormal``) or of serious breaches (``serious``)."""

    kind: str
    reason: str
    since: str
    until: str | None = None


@dataclass
class Annual:
    """An annual report: whole yuan; None where the company chose not to publish."""

    year: int
    day: str
    employees: int
    figures: dict[str, int | None]


@dataclass
class Register:
    """The register's entries, a list or a value a company.

    ``since`` is the day since which the entry says what it says; ``news`` are this month's: company to the day of its
    new state, ``refreshed`` the companies whose annual report came in without anything else new.
    """

    since: list[str] = field(default_factory=list)
    founded: list[str] = field(default_factory=list)
    until: list[str | None] = field(default_factory=list)
    status: list[str] = field(default_factory=list)
    scope: list[int] = field(default_factory=list)
    changes: list[list[Change]] = field(default_factory=list)
    burdens: list[list[Burden]] = field(default_factory=list)
    listings: list[list[Listing]] = field(default_factory=list)
    reports: list[list[Annual]] = field(default_factory=list)
    news: dict[int, str] = field(default_factory=dict)
    refreshed: dict[int, str] = field(default_factory=dict)
    names_ever: list[str] = field(default_factory=list)
    addresses_ever: list[int] = field(default_factory=list)
    casting: Casting | None = None

    def open(self, companies: Companies, streams: Streams) -> None:
        """The entries as they are on the day of founding."""
        d = streams.of("register opens").random((3, companies.size))
        days = first_day(companies.founded) + (d[0] * 28).astype("timedelta64[D]")
        self.founded = np.datetime_as_string(days).tolist()
        self.since = list(self.founded)
        ends = days + np.where(d[1] < 0.4, 7305, 10_957).astype("timedelta64[D]")
        self.until = [
            None if long else str(end) for long, end in zip((d[1] > 0.7).tolist(), ends, strict=True)
        ]
        self.status = ["1"] * companies.size
        self.scope = (companies.industry * 7 + (d[2] * 7).astype(int)).tolist()
        for name in ("changes", "burdens", "listings", "reports"):
            setattr(self, name, [[] for _ in range(companies.size)])
        self.names_ever = list(companies.names)
        self.addresses_ever = sorted({*companies.address.tolist(), *companies.office.tolist()})


def keep(companies: Companies, people: Population, month: int, streams: Streams) -> None:
    """Enter what ``month`` brings."""
    register, size = companies.register, companies.size
    register.casting = register.casting or Casting(companies, people)
    d = streams.of("register", month).random((size, 16))
    living = companies.alive(np.arange(size), np.full(size, month)) & (companies.founded < month)
    days = np.datetime_as_string(first_day(month) + (d[:, 0] * 27.9).astype("timedelta64[D]")).tolist()
    register.news, register.refreshed = {}, {}
    register.news |= {
        number: register.founded[number] for number in np.flatnonzero(companies.founded == month).tolist()
    }
    sham = companies.shell >= 0
    ahead = people.ring_start[companies.owner] - month
    rate = np.where(
        sham, np.where((ahead >= 0) & (ahead <= 2), 0.3, 0.02), CHANGES * np.exp(-0.35 * companies.health)
    )
    items = pick(d[:, 2], np.where(sham[:, None], SHAM_WEIGHTS, ITEM_WEIGHTS))
    for number in np.flatnonzero(living & (d[:, 1] < rate)).tolist():
        _change(companies, people, number, ITEMS[items[number]], days[number], d[number, 4:])
        register.news[number] = days[number]
    for at, (kind, level, pull) in enumerate(ENCUMBERED):
        hit = living & (d[:, 3 + at] < level * np.exp(-pull * companies.health))
        for number in np.flatnonzero(hit).tolist():
            amount = int(companies.scale[number] * 12 * (0.05 + 0.5 * d[number, 6]) / 1000) * 1000 + 10_000
            register.burdens[number].append(Burden(kind, amount, days[number]))
            register.news[number] = days[number]
    _lift(register, d, days, living)
    _not_found(companies, month, d, days, living)
    _reports(companies, month, streams, days, living)
    for number in np.flatnonzero(companies.closed == month).tolist():
        register.status[number] = "2" if sham[number] or d[number, 9] < 0.2 else "3"
        register.news[number] = days[number]
    for number, day in register.news.items():
        register.since[number] = day
        register.refreshed.pop(number, None)


def _lift(register: Register, d: np.ndarray, days: list[str], living: np.ndarray) -> None:
    """Burdens and listings come to an end, a few a month."""
    for number in np.flatnonzero(living & (d[:, 7] < 0.08)).tolist():
        entries: list[Burden | Listing] = [*register.burdens[number], *register.listings[number]]
        for entry in entries:
            if entry.until is None and entry.since < days[number]:
                entry.until = days[number]
                register.news[number] = days[number]


def _change(
    companies: Companies, people: Population, number: int, item: str, day: str, d: np.ndarray
) -> None:
    register, casting = companies.register, companies.register.casting
    assert casting is not None
    roles = companies.roles[number]
    before = after = ""
    if item == "name":
        companies.name_numbers[number] = NEW_NAMES + len(register.names_ever)
        before = companies.names[number]
        companies.names[number] = after = identities.company_name(int(companies.name_numbers[number]))
        register.names_ever.append(after)
    elif item == "address":
        new = NEW_ADDRESSES + len(register.addresses_ever)
        before, after = identities.address(int(companies.address[number])), identities.address(new)
        companies.address[number] = new
        register.addresses_ever.append(new)
    elif item == "capital":
        old = int(companies.capital[number])
        new = max(int(old * (0.5 if d[3] < 0.12 else 1.3 + 2 * d[4]) / 10_000) * 10_000, 10_000)
        before, after = str(old), str(new)
        companies.capital[number] = new
    elif item == "scope":
        before, after = f"{register.scope[number]}", f"{register.scope[number] + 1}"
        register.scope[number] += 1
    elif item == "term":
        before, register.until[number] = register.until[number] or "", None
    else:
        kinds = {
            "legal_rep": ("legal_rep", "director"),
            "shareholder": ("shareholder",),
            "person": ("supervisor",),
        }[item]
        new = casting.somebody(number, d[3:6], 0.5)
        if item == "legal_rep" and any(role.party == new for role in holders(companies, number, "legal_rep")):
            new = int(companies.owner[number])
        for kind in kinds:
            leaving = holders(companies, number, kind)[-1:]
            for role in leaving:
                role.until = day
                before = party_name(people, role.party) if role.party != -1 else companies.names[role.firm]
            share = leaving[0].share if leaving else 0.0
            roles.append(Role(kind, new, day, share=share))
        after = party_name(people, new)
    register.changes[number].append(Change(item, before, after, day))


def _reports(companies: Companies, month: int, streams: Streams, days: list[str], living: np.ndarray) -> None:
    """Reports on the last year come in from January to June; who filed none is listed in July."""
    if month < 12 or month % 12 > 6:
        return
    register, size, new_year = companies.register, companies.size, month - month % 12
    e = streams.of("annual reports", new_year).random((8, size))
    filing = np.where(e[0] < UNREPORTED * np.exp(-0.7 * companies.past[new_year]), -1, (e[1] * 6).astype(int))
    due = living & (companies.founded < new_year)
    if month % 12 == 6:
        for number in np.flatnonzero(due & (filing < 0) & (companies.founded < new_year)).tolist():
            if not any(entry.until is None for entry in register.listings[number]):
                register.listings[number].append(Listing("abnormal", "report", days[number]))
                register.news[number] = days[number]
        return
    months = np.arange(new_year - 12, new_year)[:, None]
    everyone = np.broadcast_to(np.arange(size), (12, size))
    real = companies.turnover_of(everyone, np.broadcast_to(months, (12, size))).sum(axis=0)
    revenue = real * companies.declared * np.exp(0.15 * (e[2] - 0.5))
    revenue = np.where(companies.shell >= 0, real * 0.4, revenue)
    assets = revenue * (0.35 + 0.9 * e[3]) + companies.capital * 0.2
    owed = assets * np.clip(0.55 - 0.12 * companies.health + 0.3 * (e[4] - 0.5), 0.05, 1.3)
    profit = revenue * (companies.margin - 0.17 + 0.05 * companies.health)
    for number in np.flatnonzero(due & (filing == month % 12)).tolist():
        shown = e[5][number] < 0.7
        values = {
            "assets": assets[number], "liabilities": owed[number], "equity": assets[number] - owed[number],
            "revenue": revenue[number], "net_profit": profit[number], "tax_paid": max(revenue[number] * 0.022, 0),
        }  # fmt: skip
        figures = {name: round(float(value)) if shown else None for name, value in values.items()}
        year = 2018 + new_year // 12 - 1
        staff = max(int(companies.employees[number] * (0.6 + 0.7 * e[6][number])), 1)
        register.reports[number].append(Annual(year, days[number], staff, figures))
        register.refreshed[number] = days[number]


def _not_found(companies: Companies, month: int, d: np.ndarray, days: list[str], living: np.ndarray) -> None:
    """Who is not found at the registered address is listed; sham companies sooner or later are."""
    register = companies.register
    stale = (companies.shell >= 0) & (month - companies.founded > 10)
    nowhere = living & (d[:, 8] < 0.0011 * np.exp(-0.6 * companies.health) + 0.05 * stale)
    for number in np.flatnonzero(nowhere).tolist():
        if not any(entry.until is None for entry in register.listings[number]):
            register.listings[number].append(Listing("abnormal", "address", days[number]))
            register.news[number] = days[number]
