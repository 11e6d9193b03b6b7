"""The past stays: what was not known yet changes nothing, what was known changes what its lineage says and no more."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from bluemirror.contracts import Contract, read_contracts
from bluemirror.variables import load_blocks
from bluemirror.variables.cross_engine import engine_of
from bluemirror.variables.declarations import Block
from bluemirror.variables.expressions import At, Tables
from bluemirror.variables.generated import GeneratedMart, generate_mart
from bluemirror.variables.lineage import lineage
from bluemirror.variables.spine import Spine, read_spine
from bluemirror.variables.tensors import Tensor, tensors
from bluemirror.workspace import Workspace
from tests.oracles.sql.blocks import SecondEngine
from tests.oracles.sql.families import FamilySql
from tests.variables.mutating import (
    REMOVED,
    Candidate,
    candidates,
    change,
    columns_of,
    mutate_later,
    variables_of,
)

MUTATIONS = 1_000
CUSTOMERS = 80
A_BATCH = 25
"""Rows of one table changed in one column at a time, no two of them seen by one observation."""

pytestmark = pytest.mark.proof


class World:
    """A generated mart, and the values that blocks have on it."""

    def __init__(self, repository: Path) -> None:
        workspace = Workspace.open(repository)
        self.contracts: dict[str, Contract] = dict(read_contracts(workspace.contracts_dir))
        self.spine: Spine = read_spine(workspace)
        self.blocks = load_blocks(workspace)
        self.mart: GeneratedMart = generate_mart(
            self.contracts, self.blocks, self.spine, entities=CUSTOMERS, seed=5
        )
        self._before: dict[str, pl.DataFrame] = {}
        self.lineage = {block.name: lineage(block, self.contracts, self.spine) for block in self.blocks}

    def values(self, block: Block) -> pl.DataFrame:
        observed = self.mart.observations[block.entity]
        return engine_of(self.mart.connection, block, self.contracts, self.spine, observed).compute()

    def before(self, block: Block) -> pl.DataFrame:
        """Values before anything was changed, computed once."""
        if block.name not in self._before:
            self._before[block.name] = self.values(block)
        return self._before[block.name]

    def reading(self, table: str) -> list[Block]:
        """Blocks of which some variable can come from a table."""
        return [
            block
            for block in self.blocks
            if any(table == of for columns in self.lineage[block.name].values() for of, _ in columns)
        ]


@pytest.fixture(scope="module")
def world(repository: Path) -> World:
    return World(repository)


def changed(before: pl.DataFrame, after: pl.DataFrame) -> dict[str, np.ndarray]:
    """Variable -> whether each observation's value is another, of the variables of which some is."""
    found = {}
    for name in before.columns[3:]:
        a, b = (one[name].fill_null(float("nan")).to_numpy() for one in (before, after))
        differs = ~((a == b) | (np.isnan(a) & np.isnan(b)))
        if differs.any():
            found[name] = differs
    return found


def test_nothing_that_came_later_changes_the_past(world: World) -> None:
    started = time.perf_counter()
    rng = np.random.default_rng(11)
    connection, tables = world.mart.connection, Tables(world.contracts)
    as_of = pl.concat([frame["as_of"] for frame in world.mart.observations.values()]).sort()
    cut = as_of[len(as_of) // 2]
    for block in world.blocks:
        world.before(block)
    names = [
        name
        for (name,) in connection.sql(
            "SELECT table_name FROM duckdb_tables() WHERE NOT temporary ORDER BY 1"
        ).fetchall()
    ]
    each = -(-MUTATIONS // len(names))
    done = cells = moved = later = 0
    connection.execute("BEGIN")
    try:
        for name in names:
            chain = tables.above(name)
            done += mutate_later(connection, chain[0], chain[-1], cut, rng, each)
        for block in world.blocks:
            after = world.values(block)
            past = (after["event_timestamp"] <= cut).to_numpy()
            cells += int(past.sum()) * (after.width - 3)
            for differs in changed(world.before(block), after).values():
                moved += int(differs[past].sum())
                later += int(differs[~past].sum())
    finally:
        connection.execute("ROLLBACK")
    sys.stdout.write(
        f"\n{done:,} mutations of {len(names)} tables, of rows that lay ahead or were known later: {moved} of {cells:,} past "
        f"cells change ({later:,} later ones do); {time.perf_counter() - started:.0f} s\n"
    )
    assert done >= MUTATIONS * 0.9
    assert moved == 0
    assert later > 0, "the mutations do change what comes after them"


def batches(
    world: World, rng: np.random.Generator
) -> Iterator[tuple[Block, FamilySql, Tensor, str, list[Candidate]]]:
    """Rows that a tensor counts, drawn over all blocks, with the column that is to be changed."""
    tables = Tables(world.contracts)
    second = {
        entity: SecondEngine(world.mart.connection, world.contracts, world.spine, observed)
        for entity, observed in world.mart.observations.items()
    }
    eligible = [
        (block, family, tensor)
        for block in world.blocks
        for family in block.families
        for tensor in (tensors(family) if family.measures else ())
    ]
    # A variable is as likely as another, whatever the tensor that yields it.
    sizes = np.cumsum([variables_of(tensor) for _, _, tensor in eligible])
    while True:
        drawn = int(np.searchsorted(sizes, rng.integers(sizes[-1]), side="right"))
        block, family, tensor = eligible[drawn]
        engine = second[block.entity]
        engine.mart.make("o_obs", "SELECT * FROM o_obs_" + block.entity)
        reason = world.before(block)[f"{block.name}__reason"].to_numpy()
        told = (reason == 0) | ((reason == 3) & (block.miss == "zero"))
        rows = FamilySql(engine.mart, block, family, engine._moments(family))
        rows._base()
        found = candidates(rows, tensor, told, A_BATCH, rng)
        if found:
            columns = columns_of(family, tensor, tables)
            column = REMOVED if not columns or rng.random() < 0.3 else str(rng.choice(columns))
            yield block, rows, tensor, column, found


def test_what_was_known_changes_what_its_lineage_says(world: World) -> None:
    started = time.perf_counter()
    rng = np.random.default_rng(12)
    connection = world.mart.connection
    for entity, observed in world.mart.observations.items():
        connection.register("o_frame", observed.with_row_index("obs"))
        connection.execute(f"CREATE OR REPLACE TEMP TABLE o_obs_{entity} AS SELECT * FROM o_frame")
        connection.unregister("o_frame")
    done = seen = cells = kept = 0
    astray: list[tuple[str, At]] = []
    silent: list[tuple[str, str, str]] = []
    for block, rows, tensor, column, found in batches(world, rng):
        table = rows.table
        readers = world.reading(table.name)
        for one in readers:
            world.before(one)
        connection.execute("BEGIN")
        try:
            found = change(connection, rows, tensor, column, found, rng)  # noqa: PLW2901
            after = {one.name: world.values(one) for one in readers}
        finally:
            connection.execute("ROLLBACK")
        touched: set[int] = set()
        for one in readers:
            allowed = {
                name
                for name, read in world.lineage[one.name].items()
                if any(table.name == of and column in (REMOVED, what) for of, what in read)
            }
            kept += len(world.lineage[one.name]) - len(allowed)
            for name, differs in changed(world.before(one), after[one.name]).items():
                cells += int(differs.sum())
                if name not in allowed:
                    astray.append((name, (table.name, column)))
                if one.entity == block.entity:
                    touched.update(np.flatnonzero(differs).tolist())
        moved = sum(bool(touched.intersection(row.observations)) for row in found)
        done += len(found)
        seen += moved
        if moved < len(found):
            silent.append((block.name, f"{table.name}.{column}", f"{moved} of {len(found)}"))
        if done >= MUTATIONS:
            break
    sys.stdout.write(
        f"\n{done:,} mutations of past rows that some variable counts: {seen:,} ({seen / done:.1%}) change a cell; {cells:,} "
        f"cells change, none may of {kept:,} variables of the same blocks whose lineage leaves the column out, "
        f"{len(astray)} do; {time.perf_counter() - started:.0f} s\n"
        f"changes without effect: {silent}\n"
    )
    assert not astray, astray[:20]
    assert kept > 0
    assert seen >= 0.95 * done, silent
