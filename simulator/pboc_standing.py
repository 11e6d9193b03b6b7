"""Minimum living allowance, qualifications and awards of a person (PF06 to PF08)."""

from __future__ import annotations

from simulator.pboc_known import SOURCE, learned
from simulator.pboc_notes import Notes
from simulator.pboc_people import AWARD, CERTIFICATE, ONE, RELIEF, TWO, Register
from simulator.pboc_tree import Segment, Unit, Value
from simulator.population import EDUCATION
from simulator.timeline import START, month_end, month_name

_CERTIFICATES = ("样例会计", "样例建造师", "样例护士", "样例教师", "样例软件", "样例消防")


def relief(register: Register, who: int, share: float, notes: Notes) -> list[Unit]:
    """PF06: some of those who earn least get the allowance."""
    month = notes.month
    people, at = register.people, register.draws[RELIEF, who]
    if people.income_z[who] > -1.3 or at >= share:
        return []
    began = START - 24 + int(at / share * 48)
    if began + 2 >= month:
        return []
    firm = int(people.employer[who])
    values: tuple[Value, ...] = (
        "1" if firm >= 0 else ("3", "6", "2")[who % 3], f"虚构市样例{who % 9 + 1}区",
        people.spelt.employer(firm, SOURCE, "relief") if firm >= 0 else None, str(int(people.income[who]) // 100 * 100),
        learned(began), month_end(began), month_end(began + 1),
    )  # fmt: skip
    return [[Segment("PF06A", values), notes.on("PF06", float(register.draws[TWO, who]), began)]]


def qualifications(register: Register, who: int, share: float, notes: Notes) -> list[Unit]:
    """PF07: of those with a degree some have a licence; a few have run out or were revoked."""
    month = notes.month
    at = register.draws[CERTIFICATE, who] / share
    if at >= 1 or EDUCATION[register.people.education[who]] not in ("10", "20", "30"):
        return []
    got = START - 130 + int(at * 180)
    if got >= month:
        return []
    number = int(at * 997)
    lasting = 120 if number % 3 else None
    revoked = got + 40 if number % 50 == 7 and got + 40 < month else None
    values: tuple[Value, ...] = (
        _CERTIFICATES[number % 6] + "资格", f"样例{number % 20 + 1}协会", str(number % 5 + 1),
        f"99{number % 30 + 1:02d}00", month_name(got),
        month_name(got + lasting) if lasting else None, month_name(revoked) if revoked else None,
    )  # fmt: skip
    return [[Segment("PF07A", values), notes.on("PF07", float(register.draws[ONE, who]), got)]]


def awards(register: Register, who: int, share: float, notes: Notes) -> list[Unit]:
    """PF08: few people ever get one."""
    month = notes.month
    at = register.draws[AWARD, who] / share
    if at >= 1:
        return []
    given = START - 50 + int(at * 80)
    if given >= month:
        return []
    values: tuple[Value, ...] = (
        f"样例{who % 6 + 1}街道办事处", "样例先进个人", month_name(given), month_name(given + 36) if who % 2 else None,
    )  # fmt: skip
    return [[Segment("PF08A", values), notes.on("PF08", float(register.draws[TWO, who]), given)]]
