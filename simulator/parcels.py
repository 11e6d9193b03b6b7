"""Where parcels are delivered: at home, at work, to relatives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.places import WORK

if TYPE_CHECKING:
    from simulator.world import World

RELATIVES = 16_000_000
"""Dwellings from this number on are of relatives who are no customers: beyond all others."""
AT_WORK = 0.4
"""Share of the people with a job who have parcels sent to work, three months in ten [stated]."""
TO_RELATIVES = 0.06
"""Share of the months in which parcels go to relatives [stated]."""


def delivered_to(world: World, cust: np.ndarray, month: np.ndarray, purpose: str = "parcels") -> np.ndarray:
    """Number of the dwelling to which most parcels of customers go in months (arrays of one length)."""
    lot = world.streams.lot
    employer, _ = world.jobs.at(cust, month)
    place = lot(f"{purpose} where", cust, month)
    work = (employer >= 0) & (lot("parcels at work", cust) < AT_WORK) & (place < 0.3)
    home = world.past.address_at(cust, month)
    away = np.where(place > 1 - TO_RELATIVES, RELATIVES + world.people.household[cust] * 12, home)
    return np.where(work, WORK + employer, away)
