"""The people: latents, households, employers, phones, devices, and how these change month by month."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from simulator import identities
from simulator.assumptions import Assumptions
from simulator.spellings import Spellings
from simulator.streams import Streams, pick
from simulator.timeline import START, first_day

EDUCATION = ("10", "20", "30", "40", "60", "91")
INDUSTRIES = "ACFGHIJLOPQS"


@dataclass
class Population:
    """Arrays over customers (``size`` long) unless said otherwise; the state of the current month.

    ``device`` is the id that the app's SDK gave, which a reset renews (``device_before``: the one before, -1 without
    one, of the same ``hardware``); ``device_wealth`` is the income latent of whoever bought the thing.
    ``risk`` is the part of credit risk that lies in the latents, standardised; ``discipline`` is a part that
    only repayment behaviour shows.
    """

    size: int
    seed: int
    # latents
    income_z: np.ndarray
    stability: np.ndarray
    debt: np.ndarray
    fraud: np.ndarray
    discipline: np.ndarray
    risk: np.ndarray
    # who they are
    male: np.ndarray
    birth: np.ndarray
    education: np.ndarray
    income: np.ndarray
    ids: list[str]
    names: list[str]
    household: np.ndarray
    ring: np.ndarray
    ring_start: np.ndarray
    thin: np.ndarray
    deposit: np.ndarray
    never_applies: np.ndarray
    never_pays: np.ndarray
    company: np.ndarray
    # what changes
    stress: np.ndarray
    employer: np.ndarray
    employer_since: np.ndarray
    address: np.ndarray
    address_since: np.ndarray
    phone: np.ndarray
    phone_since: np.ndarray
    device: np.ndarray
    device_before: np.ndarray
    hardware: np.ndarray
    device_wealth: np.ndarray
    employer_bad_until: np.ndarray
    next_phone: int
    next_device: int
    next_address: int
    spelt: Spellings
    device_text: dict[int, str] = field(default_factory=dict)

    def device_id(self, number: int) -> str:
        """Identifier text of a device."""
        text = self.device_text.get(number)
        if text is None:
            text = self.device_text[number] = identities.device(number, self.seed)
        return text


def draw_population(size: int, streams: Streams, assume: Assumptions) -> Population:
    """The customers as they are at the first month of bureau history."""
    rng = streams.of("population")
    household = _households(size, streams)
    latents = _latents(size, household, streams, assume)
    ring, ring_start = _rings(size, streams, assume)
    latents[:, 3] += np.where(ring >= 0, 2.5, 0.0)
    employers = max(size // assume.people_per_employer, 3)
    employed = rng.random(size) < assume.employed_share
    employer = np.where(employed, rng.integers(0, employers, size), -1)
    risk = (
        -0.50 * latents[:, 0]
        - 0.55 * latents[:, 1]
        + 0.60 * latents[:, 2]
        + 0.30 * np.minimum(latents[:, 3], 2.5)
    )
    risk = (risk - risk.mean()) / risk.std()
    male = rng.random(size) < 0.57
    age = np.clip(21 + rng.gamma(3.2, 4.3, size) + 2 * latents[:, 1], 20, 58)
    birth = first_day(START) - (age * 365.25).astype("timedelta64[D]")
    weights = np.exp(
        np.outer(latents[:, 0], [0.9, 0.6, 0.2, -0.2, -0.3, -0.7])
        + np.log([0.04, 0.24, 0.27, 0.15, 0.18, 0.12])
    )
    address = household.copy()
    in_ring = ring >= 0
    address[in_ring] = household.max() + 1 + ring[in_ring] * 2 + (rng.random(size) < 0.4)[in_ring]
    device = np.arange(size)
    shares = rng.random(size) < 0.06  # a household's shared telephone
    device[shares] = household[shares] + 10 * size
    device[in_ring] = 30 * size + ring[in_ring] * 3 + rng.integers(0, 2, size)[in_ring]
    months_at = np.clip(rng.exponential(45 * np.exp(0.45 * latents[:, 1])), 1, 300).astype(int)
    return Population(
        size=size,
        seed=streams.seed,
        income_z=latents[:, 0],
        stability=latents[:, 1],
        debt=latents[:, 2],
        fraud=latents[:, 3],
        discipline=latents[:, 4],
        risk=risk,
        male=male,
        birth=birth,
        education=pick(rng.random(size), weights),
        income=assume.median_income * np.exp(assume.income_spread * latents[:, 0]),
        ids=identities.id_numbers(birth, male, rng.permutation(size)),
        names=[identities.person_name(int(number)) for number in rng.permutation(size)],
        household=household,
        ring=ring,
        ring_start=ring_start,
        thin=rng.random(size) < assume.thin_file * np.exp(-0.6 * latents[:, 2] + (age < 24)),
        deposit=rng.random(size) < assume.deposit_share,
        never_applies=(rng.random(size) < assume.never_applies) & ~in_ring,
        never_pays=in_ring & (streams.of("never pays").random(size) < assume.ring_default),
        company=np.full(size, -1),
        stress=streams.of("stress").standard_normal(size),
        employer=employer,
        employer_since=-months_at,
        address=address,
        address_since=-np.clip(rng.exponential(50 * np.exp(0.4 * latents[:, 1])), 1, 300).astype(int),
        phone=np.arange(size),
        phone_since=-np.clip(rng.exponential(42 * np.exp(0.40 * latents[:, 1])), 0, 240).astype(int),
        device=device,
        device_before=np.full(size, -1),
        hardware=device.copy(),
        device_wealth=latents[_first(device), 0],
        employer_bad_until=np.full(employers, -1),
        next_phone=size,
        next_device=40 * size,
        next_address=int(household.max()) + 1 + 2 * (int(ring.max()) + 2),
        spelt=Spellings(assume),
    )


def _households(size: int, streams: Streams) -> np.ndarray:
    rng = streams.of("households")
    sizes = rng.choice([1, 2, 3, 4], size=size, p=[0.52, 0.3, 0.12, 0.06])
    numbers = np.repeat(np.arange(size), sizes)[:size]
    return rng.permutation(numbers)


def _latents(size: int, household: np.ndarray, streams: Streams, assume: Assumptions) -> np.ndarray:
    """Income, stability, debt, fraud, discipline: standard normal, correlated, partly shared at home."""
    rng = streams.of("latents")
    corr = np.eye(5)
    for row, column, value in (
        (0, 1, assume.corr_income_stability),
        (0, 2, assume.corr_income_debt),
        (1, 2, assume.corr_stability_debt),
        (1, 3, assume.corr_stability_fraud),
        (2, 3, assume.corr_debt_fraud),
    ):
        corr[row, column] = corr[column, row] = value
    factor = np.linalg.cholesky(corr).T
    own = rng.standard_normal((size, 5)) @ factor
    home = (rng.standard_normal((int(household.max()) + 1, 5)) @ factor)[household]
    return np.sqrt(1 - assume.household_share) * own + np.sqrt(assume.household_share) * home


def _rings(size: int, streams: Streams, assume: Assumptions) -> tuple[np.ndarray, np.ndarray]:
    """Ring number (-1: none) and the month in which each ring starts to apply."""
    rng = streams.of("rings")
    rings = max(size // assume.ring_per_customers, 1)
    members = rng.integers(4, 10, rings)
    people = rng.permutation(size)[: members.sum()]
    ring = np.full(size, -1)
    ring[people] = np.repeat(np.arange(rings), members)[: len(people)]
    # every slice of the calendar gets its rings, whatever their number
    start = START + 4 + ((np.arange(rings) + rng.random(rings)) / rings * 30).astype(int)
    ring_start = np.where(ring >= 0, start[np.maximum(ring, 0)], -1)
    return ring, ring_start


def advance(people: Population, month: int, streams: Streams, assume: Assumptions) -> dict[str, np.ndarray]:
    """Live through ``month``: stress, job, address, phone and device changes, in place.

    Returns
    -------
    dict
        For ``employer``, ``address``, ``phone`` and ``device`` the customers who changed it this month.
    """
    rng = streams.of("life", month)
    size = people.size
    noise = rng.standard_normal(size)
    memory = assume.stress_memory
    falls = rng.random(len(people.employer_bad_until)) < assume.employer_distress
    people.employer_bad_until[falls] = month + 9
    troubled = (people.employer >= 0) & (people.employer_bad_until[people.employer] > month)
    people.stress = memory * people.stress + np.sqrt(1 - memory**2) * noise + 0.16 * troubled
    moving = np.exp(-0.35 * people.stability + 0.12 * people.stress)
    ring_month = people.ring_start - month
    preparing = (ring_month >= 0) & (ring_month <= 1)
    changed = {
        "employer": np.flatnonzero(rng.random(size) < 0.011 * moving),
        "address": np.flatnonzero(rng.random(size) < 0.009 * moving),
        "phone": np.flatnonzero(
            (rng.random(size) < 0.006 * moving) | (preparing & (rng.random(size) < 0.45))
        ),
        "device": np.flatnonzero((rng.random(size) < 0.022) & (people.ring < 0)),
    }
    who = changed["employer"]
    jobs = rng.random(size)[who]
    new_employer = rng.integers(0, len(people.employer_bad_until), size)[who]
    people.employer[who] = np.where(jobs < assume.employed_share, new_employer, -1)
    people.employer_since[who] = month
    who = changed["address"]
    people.address[who] = people.next_address + np.arange(len(who))
    people.address_since[who] = month
    people.next_address += len(who)
    who = changed["phone"]
    people.phone[who] = people.next_phone + np.arange(len(who))
    people.phone_since[who] = month
    people.next_phone += len(who)
    who = changed["device"]
    people.device[who] = people.next_device + np.arange(len(who))
    people.hardware[who] = people.device[who]
    people.device_before[who] = -1
    people.device_wealth[who] = people.income_z[who]
    people.next_device += len(who)
    # a new telephone is often another one at home
    mates = _first(people.household)[who]
    shared = (rng.random(size)[who] < assume.device_at_home) & (mates != who)
    for values in (people.device, people.hardware, people.device_before, people.device_wealth):
        values[who[shared]] = values[mates[shared]]
    _reset(people, rng.random(size), preparing)
    return changed


def _reset(people: Population, draws: np.ndarray, preparing: np.ndarray) -> None:
    """Some devices are set up anew: all who use one go on with it under another id."""
    decides = _first(people.hardware)
    chance = 0.003 * np.exp(0.5 * np.clip(people.fraud, -2, 4)) + 0.1 * preparing
    who = np.flatnonzero(draws[decides] < chance[decides])
    hardware, place = np.unique(people.hardware[who], return_inverse=True)
    people.device_before[who] = people.device[who]
    people.device[who] = people.next_device + place
    people.next_device += len(hardware)


def _first(label: np.ndarray) -> np.ndarray:
    """For each entry the first entry of the same label."""
    _, first, place = np.unique(label, return_index=True, return_inverse=True)
    return first[place]
