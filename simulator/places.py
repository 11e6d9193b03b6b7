"""Where people live, work and are registered: numbers of dwellings, their cities, and positions.

The whole country lies off the coast of Africa, where no land is: nobody's home can be met.
"""

from __future__ import annotations

import numpy as np

from simulator.population import Population
from simulator.streams import Streams

CITY_COUNT = 30
WORK = 3_000_000
"""Dwellings from this number on are employers', in their order."""
_REGISTER = 5_000_000


def home_city(people: Population) -> np.ndarray:
    """City where each customer lives: who moves stays in it, a ring's dwelling lies where the ring is."""
    return np.where(people.ring >= 0, people.address, people.household) * 7 % CITY_COUNT


def registered_dwelling(people: Population, streams: Streams) -> np.ndarray:
    """Dwelling that stands on each customer's identity card: the first home, or where the family comes from."""
    stayed = (streams.lot("registered at home", people.household) < 0.55) & (people.ring < 0)
    return np.where(stayed, people.household, _REGISTER + people.household)


def position(spot: np.ndarray, city: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Longitude and latitude of a place in a city, to a hundredth of a degree: 0 to 6 east, 0 to 5 north."""
    lng = (city % 6) + 0.2 + (spot * 7919 % 5000) / 10_000
    lat = (city // 6) + 0.2 + (spot * 104_729 % 5000) / 10_000
    return np.round(lng, 2), np.round(lat, 2)
