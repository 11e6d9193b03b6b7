"""What the bureau knows of people over time: phones, dwellings, employers, wives and husbands, other papers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from simulator import identities
from simulator.timeline import START, first_day, month_end

if TYPE_CHECKING:
    from simulator.customers import Master
    from simulator.population import Population
    from simulator.streams import Streams

KEPT = 5
"""Phones, dwellings and employers that a report shows at most."""
SOURCE = "pboc_person"
"""For what addresses and names are spelt."""
Entry = tuple[int, int, int]
"""What (a number), since when, and the month in which the bureau learned of it."""


@dataclass
class Known:
    """Newest first, for each customer."""

    phones: list[list[Entry]]
    addresses: list[list[Entry]]
    employers: list[list[Entry]]

    def learn(self, people: Population, changed: dict[str, np.ndarray], month: int) -> None:
        """Remember what changed in ``month``."""
        for name, kept, numbers, since in (
            ("phone", self.phones, people.phone, people.phone_since),
            ("address", self.addresses, people.address, people.address_since),
            ("employer", self.employers, people.employer, people.employer_since),
        ):
            who = changed[name]
            for customer, number, began in zip(
                who.tolist(), numbers[who].tolist(), since[who].tolist(), strict=True
            ):
                entries = kept[customer]
                entries.insert(0, (number, began, month))
                del entries[KEPT:]


def open_known(people: Population) -> Known:
    """One phone, dwelling and employer a customer, known since it began."""

    def first(numbers: np.ndarray, since: np.ndarray) -> list[list[Entry]]:
        return [
            [(number, began, began)] for number, began in zip(numbers.tolist(), since.tolist(), strict=True)
        ]

    return Known(
        first(people.phone, people.phone_since),
        first(people.address, people.address_since),
        first(people.employer, people.employer_since),
    )


@dataclass
class Couples:
    """Wives and husbands. ``partner`` is a customer or -1; the others' partners are nobody's customers.

    ``papers`` holds identity number, name and phone of those, by the customer that they are married to.
    """

    partner: np.ndarray
    married: np.ndarray
    papers: dict[int, tuple[str, str, str]] = field(default_factory=dict)


def draw_couples(people: Population, master: Master, streams: Streams) -> Couples:
    """Who is married to whom: members of one household if they fit, else somebody who is not a customer."""
    rng = streams.of("couples")
    size = people.size
    married = master.marital == 1
    partner = np.full(size, -1)
    year = people.birth.astype("datetime64[Y]").astype(np.int64)
    order = np.lexsort((year, people.household))
    order = order[married[order]]
    for one, other in zip(order[:-1].tolist(), order[1:].tolist(), strict=True):
        fits = people.household[one] == people.household[other] and people.male[one] != people.male[other]
        if fits and partner[one] < 0 and abs(year[one] - year[other]) <= 12:
            partner[one], partner[other] = other, one
    alone = np.flatnonzero(married & (partner < 0))
    days = rng.integers(-1500, 1500, size)[alone]
    birth = np.minimum(people.birth[alone] + days, first_day(START) - np.timedelta64(21 * 365, "D"))
    # beyond the serial numbers of the customers, so that no two people are alike
    ids = identities.id_numbers(birth, ~people.male[alone], size + alone)
    papers = {
        who: (number, identities.person_name(7_000_003 + who * 31), identities.phone(500_000_000 + who))
        for who, number in zip(alone.tolist(), ids, strict=True)
    }
    return Couples(partner, married, papers)


def draw_helpers(people: Population, couples: Couples, streams: Streams, share: float) -> np.ndarray:
    """Whom each customer would ask to guarantee a loan: partner, somebody of the household, or a friend; or -1.

    ``share`` of those who have nobody at home have a friend among the customers.
    """
    rng = streams.of("helpers")
    size = people.size
    helper = couples.partner.copy()
    order = np.lexsort((np.arange(size), people.household))
    home = people.household[order]
    same = np.flatnonzero(home[:-1] == home[1:])
    mate = np.full(size, -1)
    mate[order[same]] = order[same + 1]
    mate[order[same + 1]] = order[same]
    helper = np.where(helper >= 0, helper, mate)
    friend = np.where(rng.random(size) < share, rng.permutation(size), -1)
    helper = np.where(helper >= 0, helper, friend)
    return np.where(helper == np.arange(size), -1, helper)


def landline(number: int) -> str:
    """A telephone of a house or firm: area code 000 is nobody's."""
    return f"000-{(number * 48_271 + 12_345) % 100_000_000:08d}"


def other_paper(kind: str, number: int) -> str:
    """Number of another identity document: ZZ9 is no series of any."""
    return f"ZZ9{kind}{(number * 69_621 + 77) % 10_000_000:07d}"


def employer_dwelling(number: int) -> int:
    """Number of the address of an employer, far from those where people live."""
    return 3_000_000 + number * 17


def learned(month: int) -> str:
    """Day on which something of ``month`` stands in the bureau's book: the first of the month."""
    return f"{month_end(month)[:8]}01"
