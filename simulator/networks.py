"""Networks from which people use the app: at home, at work, over the carrier, in data centres, elsewhere.

A network is a number; its range tells its kind, and its address is private (10.0.0.0/8), so nobody's is met. A home's
network is its address's, a carrier sends many people through one exit, and a ring rents a few data centre addresses.
"""

from __future__ import annotations

import numpy as np

from simulator.places import CITY_COUNT, home_city
from simulator.population import Population
from simulator.streams import Streams, pick, sigmoid

KINDS = ("home", "mobile", "enterprise", "idc", "edu", "public")
HOME, MOBILE, ENTERPRISE, IDC, EDU, PUBLIC = range(len(KINDS))
_FROM = np.array([0, 8_000_000, 9_000_000, 10_000_000, 11_000_000, 12_000_000])
"""First number of each kind, in the order of ``KINDS``."""
_IN_A_CITY = np.array([1, 30_000, 1, 1, 1_000, 100_000])
"""Numbers of a kind in one city; those of an employer go through the cities one by one, a home's is its address's."""
NET_SHARES = np.array([0.5, 0.3, 0.18, 0.02])
"""Sessions over wifi, 5G, 4G and anything else [stated]."""


def net_of(session: np.ndarray) -> np.ndarray:
    """How each session is connected, a place in wifi, 5G, 4G, other."""
    return pick((session * 2_654_435_761) % 997 / 997.0, NET_SHARES)


def networks_of(
    session: np.ndarray, cust: np.ndarray, people: Population, month: int, streams: Streams
) -> np.ndarray:
    """Network of each session (numbers of sessions, which nothing else has), an integer below 2^24."""
    chosen, place = streams.lot("network", session), streams.lot("network place", session)
    away = streams.lot("on the way", session) < sigmoid(
        -3.0 - 0.4 * people.stability[cust] + 0.4 * np.maximum(people.fraud[cust], 0)
    )
    city = np.where(away, (streams.lot("where", session) * CITY_COUNT).astype(int), home_city(people)[cust])

    def one_of(kind: int, draws: np.ndarray, many: int) -> np.ndarray:
        return _FROM[kind] + city * _IN_A_CITY[kind] + (draws * many).astype(int)

    works = people.employer[cust] >= 0
    student = ~works & (streams.lot("student", cust) < 0.12)
    spots = min(max(people.size // CITY_COUNT, 10), 100_000)
    # over wifi one is at home, at work or on a campus, or a guest somewhere
    wifi = np.select(
        [
            ~away & (chosen < 0.74),
            ~away & (chosen < 0.9) & works,
            ~away & (chosen < 0.9) & student,
        ],
        [
            people.address[cust],
            _FROM[ENTERPRISE] + people.employer[cust] * CITY_COUNT + city,
            one_of(EDU, place, 3),
        ],
        one_of(PUBLIC, place, spots),
    )
    # a person meets some three exits of the carrier in a city, others meet the same
    exit_ = streams.lot("carrier exit", cust, (place * 3).astype(int))
    exits = min(max(people.size // 400, 3), 30_000)
    network = np.where(net_of(session) == 0, wifi, one_of(MOBILE, exit_, exits))
    pool = max(people.size // 60, 20)
    hides = streams.lot("hides", session) < sigmoid(-4.4 + 0.6 * people.fraud[cust])
    ring = people.ring[cust]
    attack = (ring >= 0) & (month - people.ring_start[cust] >= -1) & (month - people.ring_start[cust] <= 2)
    # a ring's three addresses are of the same pool as everybody's
    from_ring = attack & (chosen < 0.45)
    picked = np.where(
        from_ring,
        streams.lot("rented", np.maximum(ring, 0), (place * 3).astype(int)),
        streams.lot("proxy", cust, (place * 2).astype(int)),
    )
    return np.where(hides | from_ring, _FROM[IDC] + (picked * pool).astype(int), network)


def kind_of(network: np.ndarray) -> np.ndarray:
    """Kind of each network, a place in ``KINDS``."""
    return np.searchsorted(_FROM, network, side="right") - 1


def city_of(network: np.ndarray, cust: np.ndarray, people: Population) -> np.ndarray:
    """City of each network that a customer uses, 0 to 29; a data centre's is anywhere."""
    kind = kind_of(network)
    place = network - _FROM[kind]
    spread = np.where((kind == ENTERPRISE) | (kind == IDC), place % CITY_COUNT, place // _IN_A_CITY[kind])
    return np.where(kind == HOME, home_city(people)[cust], spread)


def network_address(network: np.ndarray) -> list[str]:
    """Text of each network's address."""
    return [f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" for n in network.tolist()]
