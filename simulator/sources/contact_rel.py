"""Contacts that applicants name: a relative, a friend, a colleague; some are customers themselves.

Members of a ring name each other or share one contact; those who hide something change the entries more often.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator import identities
from simulator.asking import Asking
from simulator.deliveries import ARRIVES, ORDER, moment
from simulator.outside import Source
from simulator.streams import pick, sigmoid
from simulator.world import World

ROLES = ("spouse", "parent", "sibling", "friend", "colleague")
STRANGER = 400_000_000
"""Phones from this number on belong to people who are not customers."""


@dataclass(frozen=True)
class Assume:
    """What this source assumes."""

    known: tuple[float, ...] = (0.55, 0.04, 0.08, 0.10, 0.16)
    """Chance that a spouse, parent, sibling, friend, colleague is a customer, where there is one [stated]."""
    third: float = 0.35
    """Share of the applications that name a third contact [stated]."""


class ContactRel(Source):
    """Contacts named in the application form."""

    name = "contact_rel"
    assumes = Assume
    plant = ("role", "neighbour", pl.col("contact_no") > 1)

    def begin(self, world: World) -> None:
        """Who lives and who works together."""
        people = world.people
        world.kept[self.name] = {"home": _groups(people.household), "ring": _groups(people.ring)}

    def live(self, world: World, month: int) -> None:
        """The contacts of the month's applications."""
        for asking in world.applied:
            self._contacts(world, asking.of(self.name), month)

    def _contacts(self, world: World, asking: Asking, month: int) -> None:
        people, cust = asking.people, asking.cust
        n = asking.n
        rng = asking.rng()
        count = 2 + (rng.random(n) < self.assume.third)
        row = np.repeat(np.arange(n), count)
        number = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count) + 1
        d = rng.random((7, len(row)))
        who = cust[row]
        kept = world.kept[self.name]
        mate = _somebody(kept["home"], people.household[who], who, d[0])
        accomplice = _somebody(kept["ring"], people.ring[who], who, d[0])
        colleague = _somebody(_groups(people.employer), people.employer[who], who, d[0])
        family = np.array([0.34, 0.36, 0.3, 0, 0])
        others = np.array([0, 0.05, 0.1, 0.5, 0.35])
        role = np.where(number == 1, pick(d[1], family), pick(d[1], others))
        found = np.where(role == 0, mate, np.where(role == 2, mate, np.where(role == 4, colleague, -1)))
        friend = (d[2] * people.size).astype(int)
        found = np.where((role == 3) & (friend != who), friend, found)
        found = np.where(d[3] < np.array(self.assume.known)[role], found, -1)
        planned = (people.ring[who] >= 0) & (accomplice >= 0) & (d[3] < 0.6) & (number > 1)
        found = np.where(planned, accomplice, found)
        told = ~np.isnat(world.master.since[np.maximum(found, 0)])
        phones = np.where(found >= 0, world.master.phone[np.maximum(found, 0)], STRANGER + who * 8 + role)
        # a ring's common "friend" is one and the same phone
        common = (people.ring[who] >= 0) & (found < 0) & (role == 3)
        phones = np.where(common, STRANGER - 1 - people.ring[who], phones)
        known = (found >= 0) & told
        sent = asking.at[row]
        changes = np.floor(-np.log1p(-0.999 * d[4]) * 0.35 * np.exp(0.45 * people.fraud[who])).astype(int)
        verified = d[5] < sigmoid(0.6 - 0.5 * people.fraud[who] - 0.25 * people.risk[who])
        ids = asking.apply_ids or []
        frame = pl.DataFrame(
            {
                "apply_id": pl.Series(ids, dtype=pl.String).gather(row),
                "contact_no": number,
                "person_id": pl.Series(world.master.person).gather(who),
                "contact_name_hash": [
                    identities.sha256(people.names[f] if f >= 0 else identities.person_name(int(p) % 60_000_000))
                    for f, p in zip(found.tolist(), phones.tolist(), strict=True)
                ],
                "contact_cell_hash": [identities.sha256(identities.phone(int(number))) for number in phones],
                "role": np.array(ROLES)[role],
                "is_customer": known,
                "contact_person_id": pl.Series(world.master.person).gather(np.maximum(found, 0)).zip_with(
                    pl.Series(known), pl.Series([None] * len(row), dtype=pl.String)
                ),
                "verified_flag": verified,
                "change_no": np.minimum(changes, 20),
                "created_ts": sent,
                ARRIVES: sent.astype("datetime64[D]"),
                ORDER: sent.astype("datetime64[us]"),
            }
        ).with_columns(moment("created_ts"))  # fmt: skip
        world.deliveries.add(self.name, frame, month)


def _groups(label: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Members of each group: where a group begins, how many it has, and all members one group after the other."""
    order = np.argsort(label, kind="stable")
    kept = order[label[order] >= 0]
    size = np.bincount(label[kept], minlength=int(label.max()) + 1 if len(label) else 0)
    return np.cumsum(size) - size, size, kept


def _somebody(
    groups: tuple[np.ndarray, np.ndarray, np.ndarray], label: np.ndarray, who: np.ndarray, draws: np.ndarray
) -> np.ndarray:
    """Another member of each one's group, -1 where there is none."""
    begin, size, members = groups
    there = label >= 0
    group = np.maximum(label, 0)
    place = begin[group] + np.minimum((draws * size[group]).astype(int), np.maximum(size[group] - 1, 0))
    other = members[np.minimum(place, len(members) - 1)] if len(members) else np.full(len(who), -1)
    return np.where(there & (size[group] > 1) & (other != who), other, -1)


SOURCE = ContactRel()
