"""Farming households among the customers, and their neighbours: who farms, what, where, on how much land."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulator import identities

if TYPE_CHECKING:
    from simulator.world import World

FARMING = 0.3
"""Share of the customers without employer and company who farm [stated]."""
NEIGHBOURS = 2
"""Households that are nobody's customers, for each customer's: the files are of whole villages [stated]."""


@dataclass(frozen=True)
class Farmers:
    """Arrays over farming households; ``cust`` is -1 for those who are no customers.

    ``skill`` is how well a household does: income, stability and an accident of its own. ``land`` is mu of arable
    land, ``place`` a number of the village.
    """

    cust: np.ndarray
    number: np.ndarray
    id_sha256: list[str]
    skill: np.ndarray
    land: np.ndarray
    crop: np.ndarray
    animals: np.ndarray
    place: np.ndarray

    @property
    def size(self) -> int:
        """Number of households."""
        return len(self.cust)


def farmers(world: World) -> Farmers:
    """The farming households, the same for every source that asks."""
    if "farmers" not in world.kept:
        world.kept["farmers"] = _draw(world)
    known: Farmers = world.kept["farmers"]
    return known


def _draw(world: World) -> Farmers:
    people, master = world.people, world.master
    rng = world.streams.of("farmers")
    chance = rng.random(people.size)
    free = (people.employer < 0) & (people.company < 0) & (people.ring < 0)
    farms = free & (chance < FARMING)
    # A tiny population needs a few farmers too.
    farms[np.argsort(np.where(free, chance, 2))[:6]] = True
    own = np.flatnonzero(farms)
    n = len(own) * (1 + NEIGHBOURS)
    cust = np.concatenate([own, np.full(n - len(own), -1)])
    number = rng.permutation(n) + 1
    skill = rng.standard_normal(n)
    who = np.maximum(cust, 0)
    mixed = 0.5 * people.income_z[who] + 0.4 * people.stability[who] - 0.3 * people.risk[who] + 0.7 * skill
    skill = np.where(cust >= 0, mixed, skill)
    ids = [
        master.id_sha256[c] if c >= 0 else identities.sha256(f"a neighbour, {k}")
        for c, k in zip(cust.tolist(), number.tolist(), strict=True)
    ]
    return Farmers(
        cust=cust, number=number, id_sha256=ids, skill=skill,
        land=np.round(np.exp(1.9 + 0.35 * skill + 0.5 * rng.standard_normal(n)), 1),
        crop=rng.integers(0, 8, n),
        animals=np.where(rng.random(n) < 0.45, np.exp(1.5 + 0.4 * skill + 0.9 * rng.standard_normal(n)), 0).astype(int),
        place=rng.integers(0, 240, n),
    )  # fmt: skip
