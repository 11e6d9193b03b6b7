"""What nobody but tests may read: latents, states by month, rings, shared devices, and what became of loans."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from simulator.customers import Master
from simulator.population import Population
from simulator.timeline import month_name


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
            "employer": people.employer, "address": people.address, "phone": people.phone, "device": people.device,
        }
    )  # fmt: skip


def write_truth(folder: Path, tables: dict[str, pl.DataFrame], settings: dict[str, Any]) -> None:
    """Write the truth tables and the settings that made them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.write_parquet(folder / f"{name}.parquet")
    (folder / "simulation.json").write_text(
        json.dumps(settings, indent=1, sort_keys=True) + "\n", encoding="utf-8"
    )
