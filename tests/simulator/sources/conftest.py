"""Answers of the asked sources beside the truth about those whom they are about, and a crowd for weak signs."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from bluemirror.contracts import read_contracts
from bluemirror.workspace import Workspace
from simulator.asking import Asking
from simulator.calls import Calls
from simulator.configuration import Configuration
from simulator.networks import networks_of
from simulator.outside import AskedSource
from simulator.timeline import START, first_day
from simulator.world import World, begin, live_elsewhere, live_history

FORMS = ("md5", "sha256", "sm3")
REPOSITORY = Path(__file__).resolve().parents[3]
CROWD = 4_000
MONTH = START + 18


@pytest.fixture(scope="session")
def truth(landed: Workspace) -> pl.DataFrame:
    """One row a customer: the truth, and the identity number in each form that vendors send."""
    people = pl.read_parquet(landed.data / "truth" / "persons.parquet")
    return people.with_columns(
        pl.Series(form, [hashlib.new(form, text.encode()).hexdigest() for text in people["id_no"]])
        for form in FORMS
    )


@pytest.fixture(scope="session")
def answers(
    landed: Workspace, lines: Callable[[str], pl.DataFrame], truth: pl.DataFrame
) -> Callable[[str], pl.DataFrame]:
    """The answers of a source that found something, with the truth about the person; all of them are customers."""
    contracts = read_contracts(landed.contracts_dir)

    def read(source: str) -> pl.DataFrame:
        frame = lines(source).filter(pl.col("hit").cast(pl.String) == "1")
        key = contracts[source].header.field("id_hash").key
        joined = frame.join(truth, left_on="id_hash", right_on=key.form)
        assert joined.height == frame.height
        return joined

    return read


@pytest.fixture(scope="session")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> World:
    """4,000 customers after five years of history, all of them registered. Read only."""
    folder = tmp_path_factory.mktemp("crowd") / "bank"
    folder.mkdir()
    shutil.copy(REPOSITORY / "workspace.yaml", folder)
    shutil.copytree(REPOSITORY / "data_contracts", folder / "data_contracts")
    world = begin(Workspace.open(folder), CROWD, 36, 5, None, Configuration())
    live_history(world)
    for month in range(MONTH - 2, MONTH + 1):
        live_elsewhere(world, month)
    return world


def question(world: World, month: int = MONTH) -> Asking:
    """A question about every customer, as if all applied on the month's tenth day."""
    n, people = world.people.size, world.people
    at = (first_day(month) + np.timedelta64(9, "D")).astype("datetime64[ms]") + np.timedelta64(10, "h")
    number = 1 + np.arange(n)
    return Asking(
        world=world, month=month, wave="0", stage="pre", cust=np.arange(n), device=people.device, number=number,
        at=at + (number * 100).astype("timedelta64[ms]"), product=number % 5, amount=np.full(n, 20_000),
        apply_ids=[f"A20240710{at:08d}" for at in number.tolist()], screened=np.ones(n, bool),
        network=networks_of(number, np.arange(n), people, month, world.streams),
    )  # fmt: skip


@pytest.fixture(scope="session")
def told(crowd: World) -> Callable[[str], pl.DataFrame]:
    """What a source says about everybody: its rows with ``cust`` and the customer's latents beside them."""
    known: dict[str, pl.DataFrame] = {}

    def ask(name: str) -> pl.DataFrame:
        if name in known:
            return known[name]
        source = crowd.outside[name]
        assert isinstance(source, AskedSource)
        asking = question(crowd).of(name)
        answer, everybody = source.answer(asking), np.arange(asking.n)
        request = [f"{source.prefix}20240710{number:08d}" for number in asking.number.tolist()]
        calls = Calls(
            name, asking.screened, asking.at, np.full(asking.n, 300), answer.result,
            np.zeros(asking.n, bool), request,
        )  # fmt: skip
        rows = answer.rows(calls, everybody)
        assert rows is not None
        people = crowd.people
        latents = pl.DataFrame({
            "req_id": request, "cust": everybody, "risk": people.risk, "fraud": people.fraud, "debt": people.debt,
            "income_z": people.income_z, "stability": people.stability, "ring": people.ring,
            "household": people.household, "ring_start": people.ring_start,
        })  # fmt: skip
        known[name] = rows.join(latents, on="req_id", how="left")
        return known[name]

    return ask
