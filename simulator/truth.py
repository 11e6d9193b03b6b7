"""What nobody but tests may read: latents, states by month, rings, shared devices, and what became of loans."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from simulator import identities, pboc_files
from simulator.companies import Companies
from simulator.company_people import outsiders, party_id, party_name
from simulator.customers import Master
from simulator.population import Population
from simulator.timeline import month_name

if TYPE_CHECKING:
    from simulator.world import World


def person_truth(people: Population, master: Master, noises: dict[str, np.ndarray]) -> pl.DataFrame:
    """One row a customer: latents, traits, groups."""
    columns: dict[str, Any] = {
        "person_id": master.person, "id_no": people.ids, "name": people.names,
        "income_z": people.income_z, "stability": people.stability, "debt": people.debt, "fraud": people.fraud,
        "discipline": people.discipline, "risk": people.risk, "income": people.income, "household": people.household,
        "ring": people.ring, "ring_start": [month_name(int(m)) if m >= 0 else None for m in people.ring_start],
        "thin_file": people.thin, "deposit": people.deposit, "registered": ~np.isnat(master.since),
    }  # fmt: skip
    columns |= {f"noise_{name}": values for name, values in noises.items()}
    return pl.DataFrame(columns)


def state_truth(people: Population, master: Master, month: int) -> pl.DataFrame:
    """One row a customer: the state in ``month``."""
    return pl.DataFrame(
        {
            "person_id": master.person, "month": [month_name(month)] * people.size, "stress": people.stress,
            # copies: these arrays live on, and Polars would look at their later state
            "employer": people.employer.copy(), "address": people.address.copy(), "phone": people.phone.copy(),
            "device": people.device.copy(),
        }
    )  # fmt: skip


def company_truth(companies: Companies, master: Master) -> pl.DataFrame:
    """One row a company: who owns it and how it fares."""
    return pl.DataFrame(
        {
            "company": np.arange(companies.size), "code": companies.code, "name": companies.names,
            "person_id": pl.Series(master.person).gather(companies.owner),
            "founded": [month_name(int(month)) for month in companies.founded],
            "closed": [month_name(int(month)) if month >= 0 else None for month in companies.closed],
            "scale": companies.scale, "growth": companies.growth, "health": companies.health,
            "shell": companies.shell, "carded": companies.carded,
        },
        schema_overrides={"closed": pl.String},
    )  # fmt: skip


def identifiers(world: World) -> pl.DataFrame:
    """Every raw value by which the simulated sources may name somebody: nothing of it may pass the mart's door."""
    people, companies = world.people, world.companies
    outside = outsiders(companies)
    premises = {*companies.register.addresses_ever, *companies.address.tolist(), *companies.office.tolist()}
    known = {
        "id_no": people.ids + [party_id(people, party) for party in outside],
        "name": people.names + [party_name(people, party) for party in outside],
        "phone": [identities.phone(number) for number in range(people.next_phone)]
        + [identities.phone(int(number)) for number in companies.phone],
        "address": [identities.address(int(number)) for number in range(people.next_address)]
        + [identities.address(number) for number in sorted(premises)],
        "employer": [identities.employer_name(number) for number in range(len(people.employer_bad_until))],
        "company": companies.code,
        "company_name": companies.register.names_ever,
        "card": [identities.card(number) for number in range(4 * people.size)],
        "spelling": [text for texts in _spelt(world).values() for text in texts],
    }
    for entity, values in pboc_files.identifiers(world).items():
        known[entity] = [*known.get(entity, []), *values]
    return pl.concat(
        pl.DataFrame(
            {"entity": [entity] * len(values), "value": values},
            schema={"entity": pl.String, "value": pl.String},
        )
        for entity, values in known.items()
    ).unique(maintain_order=True)


_KINDS = {"address": "address", "employer": "company", "company": "company"}


def _spelt(world: World) -> dict[str, dict[str, set[int]]]:
    spelt = world.people.spelt
    return {"address": spelt.addresses, "employer": spelt.employers, "company": spelt.companies}


def spellings_truth(world: World) -> pl.DataFrame:
    """One row a text that was written and a thing that it means: ``kind`` (of parts), ``text``, ``meant``.

    A text with parts left out may mean several dwellings.
    """
    rows = [
        (_KINDS[entity], text, f"{entity}:{number}")
        for entity, texts in _spelt(world).items()
        for text, numbers in texts.items()
        for number in sorted(numbers)
    ]
    rows += [("company", name, f"company:{number}") for number, name in enumerate(world.companies.names)]
    rows += [
        ("address", identities.address(number), f"address:{number}")
        for number in world.companies.address.tolist()
    ]
    return pl.DataFrame(
        rows, schema=dict.fromkeys(("kind", "text", "meant"), pl.String), orient="row"
    ).unique(maintain_order=True)


def registrations_truth(world: World) -> pl.DataFrame:
    """One row a person who was registered again: the second customer number and the first."""
    return pl.DataFrame(
        list(world.people.spelt.persons.items()),
        schema={"person_id": pl.String, "same_as": pl.String},
        orient="row",
    )


def write_truth(folder: Path, tables: dict[str, pl.DataFrame], settings: dict[str, Any]) -> None:
    """Write the truth tables and the settings that made them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.write_parquet(folder / f"{name}.parquet")
    (folder / "simulation.json").write_text(
        json.dumps(settings, indent=1, sort_keys=True) + "\n", encoding="utf-8"
    )
