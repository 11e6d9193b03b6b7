"""Who stands behind the companies: legal representatives, shareholders, supervisors, managers.

They are customers of the bank (the owner, relatives at home, others) or people whom the bank does not know; of a sham
company they are members of the ring.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from simulator import identities
from simulator.population import Population
from simulator.streams import Streams

if TYPE_CHECKING:
    from simulator.companies import Companies

FIRST_OUTSIDER = -2
"""Parties are customer numbers; -2, -3, ... are people who are no customers, -1 is nobody."""
CUSTOMERS = 0.86
"""Of the others with a part in a company, those who are customers of the bank too [stated: so many that a fifth of all
customers have a part somewhere]."""
OUTSIDE_NAMES, OUTSIDE_IDS = 3_000_000, 2_000_000


@dataclass
class Role:
    """A part that somebody plays in a company.

    ``kind`` is legal_rep, shareholder, director, supervisor or manager; ``party`` a customer's number or an
    outsider's, ``firm`` the company that holds the shares where no person does. Days are texts, ``until`` None while
    it lasts.
    """

    kind: str
    party: int
    since: str
    firm: int = -1
    share: float = 0.0
    until: str | None = None


@cache
def _outside_id(party: int) -> str:
    number = FIRST_OUTSIDER - party
    birth = np.array([np.datetime64("1958-03-01") + np.timedelta64(number * 389 % 15_000, "D")])
    return identities.id_numbers(birth, np.array([number % 2]), np.array([OUTSIDE_IDS + number]))[0]


def party_id(people: Population, party: int) -> str:
    """Identity number of a customer or outsider."""
    return people.ids[party] if party >= 0 else _outside_id(party)


def party_name(people: Population, party: int) -> str:
    """Name of a customer or outsider."""
    return (
        people.names[party] if party >= 0 else identities.person_name(OUTSIDE_NAMES + FIRST_OUTSIDER - party)
    )


def relatives(people: Population, who: np.ndarray) -> np.ndarray:
    """Another member of each customer's household, -1 for those who live alone."""
    order = np.argsort(people.household, kind="stable")
    place = np.empty(people.size, np.int64)
    place[order] = np.arange(people.size)
    found = np.full(len(who), -1)
    for step in (-1, 1):
        other = order[np.clip(place[who] + step, 0, people.size - 1)]
        same = (people.household[other] == people.household[who]) & (other != who)
        found = np.where(same, other, found)
    return found


class Casting:
    """Finds somebody for a part: a relative, another customer, an outsider; in a sham company, one of the ring."""

    def __init__(self, companies: Companies, people: Population) -> None:
        self.companies = companies
        self.people = people
        self.kin = relatives(people, companies.owner)
        self.rings = {
            int(ring): np.flatnonzero(people.ring == ring) for ring in np.unique(companies.shell) if ring >= 0
        }

    def somebody(self, company: int, draws: np.ndarray, at_home: float) -> int:
        """A party other than the owner; ``draws`` are three numbers, ``at_home`` the chance that a relative helps."""
        ring = int(self.companies.shell[company])
        if ring >= 0:
            members = self.rings[ring]
            return int(members[int(draws[1] * len(members))])
        kin = int(self.kin[company])
        if kin >= 0 and draws[0] < at_home:
            return kin
        if draws[2] < CUSTOMERS:
            return int(draws[1] * self.people.size)
        return FIRST_OUTSIDER - int(draws[1] * 1_000_003)


def appoint(companies: Companies, people: Population, streams: Streams) -> None:
    """Fill the parts as they are on the day of founding."""
    companies.register.open(companies, streams)
    casting = Casting(companies, people)
    draws = streams.of("company people").random((companies.size, 16))
    for company in range(companies.size):
        companies.roles.append(_first_roles(companies, casting, company, draws[company]))


def _first_roles(companies: Companies, casting: Casting, company: int, d: np.ndarray) -> list[Role]:
    owner, since = int(companies.owner[company]), companies.register.since[company]
    straw = companies.shell[company] >= 0
    fronted = d[0] < (0.5 if straw else 0.13)
    front = casting.somebody(company, d[1:4], 0.7) if fronted else owner
    roles = [Role("legal_rep", front, since), Role("director", front, since)]
    if companies.form[company] in (2, 3):
        return [*roles, Role("shareholder", owner, since, share=1.0)]
    supervisor = Role("supervisor", casting.somebody(company, d[11:14], 0.55), since)
    if companies.form[company] == 0 and not straw:
        return [*roles, Role("shareholder", owner, since, share=1.0), supervisor]
    mine = 0.51 + 0.44 * float(d[4])
    parts = 1 if d[5] < 0.5 else 2
    rest = 1 - mine
    shares = [rest] if parts == 1 else [round(rest * float(0.3 + 0.4 * d[6]), 4)]
    if parts == 2:
        shares.append(rest - shares[0])
    roles.append(Role("shareholder", owner, since, share=round(mine, 4)))
    for number, share in enumerate(shares):
        if number == 1 and d[7] < 0.3 and companies.size > 1:
            other = int(d[8] * (companies.size - 1))
            firm = other + (other >= company)
            roles.append(Role("shareholder", -1, since, firm=firm, share=round(share, 4)))
            continue
        party = casting.somebody(company, d[8 + number : 11 + number], 0.65)
        if all(role.party != party for role in roles if role.kind == "shareholder"):
            roles.append(Role("shareholder", party, since, share=round(share, 4)))
    held = sum(role.share for role in roles if role.kind == "shareholder")
    roles[2].share = round(roles[2].share + 1 - held, 4)
    roles.append(supervisor)
    if d[14] < 0.55:
        roles.append(
            Role("manager", owner if d[15] < 0.7 else casting.somebody(company, d[13:16], 0.3), since)
        )
    return roles


def holders(companies: Companies, company: int, kind: str) -> list[Role]:
    """Who plays a part in a company now."""
    return [role for role in companies.roles[company] if role.kind == kind and role.until is None]


def outsiders(companies: Companies) -> list[int]:
    """Everybody with a part, now or once, who is no customer."""
    return sorted({role.party for roles in companies.roles for role in roles if role.party <= FIRST_OUTSIDER})
