"""All variables once more, in SQL written from the same declarations: every value of 300 customers, twice, agrees.

Once on a generated mart, in which every code, group and state occurs, and once on a simulated bank. The second way shares
the reading of the declarations and the enumeration of names with the engine, and nothing that resolves or aggregates.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
import pytest

import bluemirror
from bluemirror.contracts import Contract, read_contracts
from bluemirror.variables import load_blocks
from bluemirror.variables.cross_engine import engine_of
from bluemirror.variables.declarations import Block
from bluemirror.variables.generated import generate_mart
from bluemirror.variables.observations import observe, with_keys
from bluemirror.variables.spine import Spine, read_spine
from bluemirror.variables.tables import Catalog
from bluemirror.workspace import Workspace
from tests.oracles.sql.blocks import SecondEngine

CUSTOMERS = 300
RELATIVE, ABSOLUTE = 1e-6, 1e-9
"""Both sides are stored as float32, whose own step is 1.2e-7; the rest is the order of summation."""


@dataclass
class Difference:
    """Values that were held against each other, those that differ, and one of them a variable."""

    values: int = 0
    present: int = 0
    variables: int = 0
    differing: int = 0
    examples: tuple[str, ...] = ()


def differ(ours: pl.Series, theirs: pl.Series) -> np.ndarray:
    """Which values are not the same: null against a number, or further apart than the tolerance."""
    a, b = (one.cast(pl.Float64).fill_null(float("nan")).to_numpy() for one in (ours, theirs))
    with np.errstate(invalid="ignore"):
        near = np.abs(a - b) <= RELATIVE * np.maximum(np.abs(a), np.abs(b)) + ABSOLUTE
    return ~(near | (a == b) | (np.isnan(a) & np.isnan(b)))


def compare(ours: pl.DataFrame, theirs: pl.DataFrame, found: Difference) -> None:
    for name in theirs.columns:
        wrong = differ(ours[name], theirs[name])
        found.values += len(wrong)
        found.present += len(wrong) - ours[name].null_count()
        found.variables += not name.endswith("__reason")
        found.differing += int(wrong.sum())
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            found.examples += (f"{name}: {ours[name][row]} against {theirs[name][row]} at row {row}",)


def in_order(blocks: tuple[Block, ...], entity: str) -> Iterator[Block]:
    """Blocks of an entity, those across sources after the ones that they borrow from."""
    yield from sorted((one for one in blocks if one.entity == entity), key=lambda one: not one.families)


def held_against(
    connection: Any,
    blocks: tuple[Block, ...],
    contracts: dict[str, Contract],
    spine: Spine,
    observations: dict[str, pl.DataFrame],
) -> Difference:
    found = Difference()
    for entity, observed in observations.items():
        second = SecondEngine(connection, contracts, spine, observed)
        for block in in_order(blocks, entity):
            ours = engine_of(connection, block, contracts, spine, observed).compute()
            compare(ours, second.block(block), found)
    return found


def tell(what: str, found: Difference, started: float) -> None:
    sys.stdout.write(
        f"\n{what}: {found.variables:,} variables, {found.values:,} values ({found.present:,} not null) in SQL too, "
        f"{found.differing} differ by more than {RELATIVE:g} relative; {time.perf_counter() - started:.0f} s\n"
    )


@pytest.fixture(scope="module")
def blocks(repository: Any) -> tuple[Block, ...]:
    return load_blocks(Workspace.open(repository))


@pytest.fixture(scope="module")
def contracts(repository: Any) -> dict[str, Contract]:
    return dict(read_contracts(Workspace.open(repository).contracts_dir))


@pytest.fixture(scope="module")
def spine(repository: Any) -> Spine:
    return read_spine(Workspace.open(repository))


def test_no_expression_depends_on_the_order_of_rows(blocks: tuple[Block, ...]) -> None:
    """SQL that takes any row of several, or the time of the day, would give a value that nobody can compute again."""
    chance = re.compile(r"\b(limit \d+|any_value|arbitrary|random|now|today|current_\w+)\b", re.IGNORECASE)
    found = []
    for block in blocks:
        for family in block.families:
            texts = [family.where, *family.columns.values()]
            if family.per is not None:
                texts += [family.per.where, *family.per.columns.values()]
            found += [(block.name, family.name, text) for text in texts if text and chance.search(text)]
    assert not found


@pytest.mark.proof
def test_every_value_on_generated_data(
    blocks: tuple[Block, ...], contracts: dict[str, Contract], spine: Spine
) -> None:
    started = time.perf_counter()
    mart = generate_mart(contracts, blocks, spine, entities=CUSTOMERS)
    # One observation a customer, the first, the second or the third of each.
    observations = {
        entity: frame.filter(pl.int_range(pl.len()) % 3 == pl.int_range(pl.len()) // 3 % 3)
        for entity, frame in mart.observations.items()
    }
    found = held_against(mart.connection, blocks, contracts, spine, observations)
    tell(f"{CUSTOMERS} generated customers", found, started)
    assert found.differing == 0, found.examples[:20]
    assert found.values >= CUSTOMERS * found.variables
    assert found.present > found.values / 3


@pytest.mark.proof
def test_every_value_on_a_simulated_bank(
    flagship: Workspace, blocks: tuple[Block, ...], contracts: dict[str, Contract], spine: Spine
) -> None:
    started = time.perf_counter()
    connection = bluemirror.connect(flagship)
    catalog = Catalog(contracts)
    observations = {}
    for entity in sorted({block.entity for block in blocks}):
        which = spine.observation_set(spine.set_of(entity))
        seen = observe(connection, spine, which)
        picked = seen.sample(min(CUSTOMERS, len(seen)), seed=4).sort("observation_id")
        observations[entity] = with_keys(connection, catalog, spine, entity, picked, blocks[0])
    found = held_against(connection, blocks, contracts, spine, observations)
    tell(f"{len(observations['person'])} simulated applications", found, started)
    assert found.differing == 0, found.examples[:20]
    assert found.present > 0


def test_a_rule_that_is_dropped_is_seen(
    blocks: tuple[Block, ...], contracts: dict[str, Contract], spine: Spine
) -> None:
    """The comparison can fail: a filter, a window or a slice left out on one side changes values."""
    block = next(one for one in blocks if one.name == "own_txn")
    family = next(one for one in block.families if one.where)
    mart = generate_mart(contracts, [block], spine, entities=20)
    observed = mart.observations["person"]
    ours = engine_of(mart.connection, block, contracts, spine, observed).compute()
    mine = SecondEngine(mart.connection, contracts, spine, observed).block(block)
    found = Difference()
    compare(ours, mine, found)
    assert found.differing == 0
    wrong = replace(block, families=tuple(replace(one, where=None) for one in block.families))
    broken = Difference()
    compare(ours, SecondEngine(mart.connection, contracts, spine, observed).block(wrong), broken)
    assert broken.differing > len(family.measures)
