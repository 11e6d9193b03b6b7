"""The units about the subject: header, identity, marriage, residence, occupation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator import identities
from simulator.customers import Master
from simulator.pboc_accounts import OWN_CODE
from simulator.pboc_known import (
    SOURCE,
    Couples,
    Known,
    employer_dwelling,
    landline,
    learned,
    other_paper,
)
from simulator.pboc_tree import Segment, Unit
from simulator.population import EDUCATION, INDUSTRIES, Population
from simulator.timeline import START, month_end, month_name

_EMPLOYMENT = ("17", "24", "13", "91", "21")
_HOUSING = ("1", "2", "5", "3", "7")
"""Residence status by the customer master's housing: own, mortgage, rent, family, other."""
_MARITAL = ("10", "20", "40", "30")
_NATURES = ("40", "40", "40", "20", "50", "30", "10")
_OCCUPATIONS = {"17": "3", "24": "6", "13": "1", "91": "4", "21": "0"}
PAPERS = ("2", "1", "20", "5")
"""Kinds of other identity documents."""


@dataclass
class Register:
    """What the bureau holds about people, and where it comes from.

    ``draws`` are even numbers that stay with each customer: a row each for other papers, e-mail, home phone, alert,
    relief, qualification, award, statements, and two for details.
    """

    people: Population
    master: Master
    known: Known
    couples: Couples
    draws: np.ndarray


PAPER, EMAIL, HOME_PHONE, ALERT, RELIEF, CERTIFICATE, AWARD, STATEMENT, ONE, TWO = range(10)
"""Rows of ``Register.draws``."""


def header(
    register: Register,
    who: int,
    number: str,
    moment: str,
    reason: str,
    disputes: int,
    day: str,
    shares: dict[str, float],
) -> Unit:
    """PA01; ``shares`` says how many people have other papers and a fraud alert."""
    people, draws = register.people, register.draws[:, who]
    segments = [
        Segment("PA01A", (number, moment)),
        Segment("PA01B", (people.names[who], "10", people.ids[who], OWN_CODE, reason)),
    ]
    share = shares["papers"]
    rows = []
    if draws[PAPER] < share:
        kind = PAPERS[int(draws[PAPER] / share * 4)]
        rows.append((kind, other_paper(kind, who)))
        if draws[PAPER] < share * 0.1:
            rows.append(("X", other_paper("X", who)))
    segments.append(Segment("PA01C", (len(rows),), rows) if rows else Segment("PA01C"))
    segments.append(_alert(register, who, day, shares["alert"]))
    segments.append(Segment("PA01E", (disputes,)) if disputes else Segment("PA01E"))
    return segments


def _alert(register: Register, who: int, day: str, share: float) -> Segment:
    """An alert that the subject asked for; it stands for some years."""
    at = register.draws[ALERT, who] / share
    if at >= 1:
        return Segment("PA01D")
    begins = START - 12 + int(at * 40)
    start, end = learned(begins), month_end(begins + 23)
    if not start <= day <= end:
        return Segment("PA01D")
    return Segment("PA01D", ("1", identities.phone(register.known.phones[who][-1][0]), start, end))


def employment(people: Population, who: int) -> str:
    """Code of how somebody is employed."""
    return _EMPLOYMENT[who % 5] if people.employer[who] >= 0 else ("51", "54", "70")[who % 3]


def identity(register: Register, who: int, address: int) -> Unit:
    """PB01; ``address`` is the dwelling that the bank has on file."""
    people, spelt = register.people, register.people.spelt
    education = EDUCATION[people.education[who]]
    phones = [(identities.phone(number), learned(month)) for number, _, month in register.known.phones[who]]
    return [
        Segment("PB01A", (
            "1" if people.male[who] else "2", str(people.birth[who]), education,
            {"10": "3", "20": "4"}.get(education, "5"), employment(people, who), "CHN",
            f"sample{100_000 + who}@mail.invalid" if register.draws[EMAIL, who] < 0.4 else None,
            spelt.address(address, SOURCE, who), identities.address(int(people.household[who])),
        )),
        Segment("PB01B", (len(phones),), phones),
    ]  # fmt: skip


def spouse(register: Register, who: int) -> list[Unit]:
    """PB02: marriage, and of the married the partner."""
    people, couples = register.people, register.couples
    marital = _MARITAL[register.master.marital[who]]
    if not couples.married[who]:
        return [[Segment("PB02", (marital, None, None, None, None, None))]]
    partner = int(couples.partner[who])
    if partner >= 0:
        employer = int(people.employer[partner])
        work = people.spelt.employer(employer, SOURCE, partner) if employer >= 0 else None
        phone = identities.phone(int(people.phone[partner]))
        return [[Segment("PB02", (marital, people.names[partner], "10", people.ids[partner], work, phone))]]
    number, name, phone = couples.papers[who]
    works = register.draws[ONE, who] < 0.6
    firm = int(register.draws[TWO, who] * len(people.employer_bad_until))
    work = people.spelt.employer(firm, SOURCE, f"spouse {who}") if works else None
    return [[Segment("PB02", (marital, name, "10", number, work, phone))]]


def residence(register: Register, who: int) -> list[Unit]:
    """PB03: where the subject lives and lived, newest first."""
    spelt, draw = register.people.spelt, register.draws
    now = _HOUSING[register.master.housing[who]]
    units: list[Unit] = []
    for at, (number, _, month) in enumerate(register.known.addresses[who]):
        status = now if at == 0 else ("5", "3", "5", "4", "12")[(who + at) % 5]
        phone = landline(number) if draw[HOME_PHONE, who] < 0.25 and at == 0 else None
        units.append(
            [Segment("PB03", (status, spelt.address(number, SOURCE, who, month), phone, learned(month)))]
        )
    return units


def occupation(register: Register, who: int) -> list[Unit]:
    """PB04: where the subject works and worked, newest first."""
    people = register.people
    units: list[Unit] = []
    for at, (firm, since, month) in enumerate(register.known.employers[who]):
        told = learned(month)
        if firm < 0:
            if at == 0:
                code = ("51", "54", "70")[who % 3]
                units.append([Segment("PB04", (code, *(None,) * 9, told))])
            continue
        code = _EMPLOYMENT[who % 5]
        senior = people.income_z[who] > 1.2
        title = "2" if senior else "3" if who % 3 == 0 else "0"
        values = (
            code, people.spelt.employer(firm, SOURCE, who, month), _NATURES[firm % 7],
            INDUSTRIES[firm % len(INDUSTRIES)], people.spelt.address(employer_dwelling(firm), SOURCE),
            landline(4_000_000 + firm), _OCCUPATIONS[code], ("1" if who % 7 == 0 else "2") if senior else "3", title,
            month_name(since)[:4], told,
        )  # fmt: skip
        units.append([Segment("PB04", values)])
    return units
