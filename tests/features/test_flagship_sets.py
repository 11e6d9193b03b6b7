"""Over every source: brought observations have the values of the spine's, and an erased customer is nowhere any more."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import polars as pl
import pytest

import bluemirror
from bluemirror.contracts import read_contracts
from bluemirror.errors import ModelError
from bluemirror.features import reproduce, training_set
from bluemirror.features.erasing import erase
from bluemirror.variables import load_blocks, read_variables, variable_files
from bluemirror.variables.plan import block_variables
from bluemirror.workspace import Workspace

pytestmark = pytest.mark.slow

BLOCKS = ("cross", "device_fp", "ml_apply", "own_txn", "telco3")
"""Comparisons across sources, keys of the observation, an answer, own events, a source found by a hashed phone."""


@pytest.fixture
def bank(flagship: Workspace, tmp_path: Path) -> Workspace:
    """The flagship's declarations and data at another place; files are linked, because none is ever changed in place."""
    root = tmp_path / "bank"
    for name in ("data_contracts", "feature_repo"):
        shutil.copytree(flagship.root / name, root / name)
    shutil.copy(flagship.root / "workspace.yaml", root)
    shutil.copytree(
        flagship.data,
        root / "data",
        symlinks=True,
        copy_function=os.link,
        ignore=shutil.ignore_patterns("state", "*.lock"),
    )
    return Workspace.open(root)


def _names(workspace: Workspace) -> list[str]:
    """Some variables of each block."""
    names = []
    for block in load_blocks(workspace):
        if block.name in BLOCKS:
            made = [one.name for one in block_variables(block)]
            names += made[:: max(1, len(made) // 12)]
    return names


def test_brought_observations_have_the_values_of_the_spine(bank: Workspace) -> None:
    held = pl.read_parquet(variable_files(bank, "application", "observations")).sort("observation_id")
    names = _names(bank)
    stored = read_variables(bank, "application", names).select(names)
    ids = held.select("observation_id", "person_id", "as_of")
    assert training_set(names, ids, workspace=bank).computed == 0

    # Nothing is stored any more: all is computed, with keys that only the applications know, found by their ids.
    shutil.rmtree(bank.variables)
    some = ids.sample(fraction=0.8, shuffle=True, seed=1).with_columns(bad=pl.int_range(pl.len()) % 2)
    made = training_set(names, some, workspace=bank)
    assert made.computed > len(some) * len(names)
    expected = held.select("observation_id").with_columns(stored)
    expected = expected.join(some, on="observation_id", how="semi").sort("observation_id")
    assert made.frame.select(names).equals(expected.select(names), null_equal=True)
    assert made.frame["bad"].sum() == len(some) // 2
    assert {path.name for path in made.folder.parent.parent.glob("own_variables/*/[!.]*")} >= set(BLOCKS)

    # Without the ids nobody knows of which device an application was.
    with pytest.raises(ModelError, match="the observations have no device_id") as error:
        training_set(names, ids.drop("observation_id"), workspace=bank)
    assert "device_fp" in str(error.value)


def test_an_erased_customer_is_nowhere(bank: Workspace) -> None:
    held = pl.read_parquet(variable_files(bank, "application", "observations"))
    # A block across sources would have its lenders computed, whole.
    names = [name for name in _names(bank) if not name.startswith("cross_")]
    ids = held.select("observation_id", "person_id", "as_of")
    made = training_set(names, ids, workspace=bank)
    counts = held["person_id"].value_counts(sort=True)
    person, applications = counts.row(0)
    with bluemirror.connect(bank) as connection:
        keys = connection.execute(
            "SELECT DISTINCT id_no_plain, id_no_md5, id_no_sha256, id_no_sm3 FROM own_customer WHERE person_id = ?",
            [person],
        ).fetchall()
    needles = {person, *(key for row in keys for key in row if key)}
    before = _rows(bank)
    done = erase(bank, person)
    assert done.observations >= applications
    assert len(done.rows) > 10, "many sources knew the customer"
    after = _rows(bank)
    for table, count in done.rows.items():
        assert before[table] - after[table] == count, table
    assert {table for table in before if before[table] != after[table]} == set(done.rows)
    for path in bank.data.rglob("*.parquet"):
        if "quarantine" in path.parts or "truth" in path.parts:
            continue
        frame = pl.read_parquet(path)
        for name, kind in frame.schema.items():
            if kind == pl.String:
                assert not frame[name].is_in(sorted(needles)).any(), f"{path.relative_to(bank.data)}: {name}"
    again = reproduce(made.folder, workspace=bank)
    assert (again.identical, again.erased, again.rows) == (True, applications, len(held) - applications)


def _rows(workspace: Workspace) -> dict[str, int]:
    tables = [t.name for one in read_contracts(workspace.contracts_dir).values() for t in one.tables]
    with bluemirror.connect(workspace) as connection:
        return {name: connection.sql(f'SELECT count(*) FROM "{name}"').fetchall()[0][0] for name in tables}
