"""Constants and twins that lie in the declarations themselves: judged on a mart in which everything occurs.

What is constant there is constant everywhere: a count of one-month months. What has the values of another variable
there has them everywhere: the sum over one row and its maximum. What merely never varied among a bank's customers so
far is another matter, which :mod:`bluemirror.variables.counting` reports beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from bluemirror.contracts import Contract
    from bluemirror.variables.declarations import Block
    from bluemirror.variables.spine import Spine
    from bluemirror.workspace import Workspace

MARTS = ((1, 1.0), (2, 1.0), (3, 0.12))
"""Seed and density of marts: what looks constant or twin in all before is looked at again in the next.

Where rows are many, rare things meet; where they are few, what mostly goes together comes apart.
"""


@dataclass(frozen=True)
class Judgement:
    """What the values of variables say of them.

    Attributes
    ----------
    constants
        Variables with fewer than two different values, nulls aside.
    twins
        Variable -> the variable before it that has the same values, nulls included, at every observation.
    observations
        Entity -> observations judged on.
    """

    constants: frozenset[str]
    twins: Mapping[str, str]
    observations: Mapping[str, int]


@dataclass(frozen=True)
class Column:
    """One variable's values, told apart: ``digest`` is equal where all values are."""

    name: str
    digest: bytes
    constant: bool


def told_apart(name: str, values: pl.Series) -> Column:
    """Judge one column, its values in a fixed order of observations."""
    present = values.drop_nulls()
    constant = len(present) == 0 or bool(present.min() == present.max())
    # One spelling of null, and no negative zero: equal values are equal bytes.
    plain = values.cast(pl.Float32).fill_null(float("nan")).to_numpy() + np.float32(0.0)
    plain[np.isnan(plain)] = np.float32("nan")
    return Column(name, hashlib.blake2b(plain.tobytes(), digest_size=16).digest(), constant)


def judge_columns(columns: Iterable[Column]) -> tuple[set[str], dict[str, str]]:
    """Constants, and twins (name -> the first of its kind)."""
    constants: set[str] = set()
    twins: dict[str, str] = {}
    seen: dict[bytes, str] = {}
    for one in columns:
        if one.constant:
            constants.add(one.name)
        elif one.digest in seen:
            twins[one.name] = seen[one.digest]
        else:
            seen[one.digest] = one.name
    return constants, twins


def judge_structure(workspace: Workspace) -> Judgement:
    """Judge every variable that ``workspace`` declares, whatever data it has.

    Raises
    ------
    FamilyError
        If a declaration cannot be computed.
    """
    from bluemirror.contracts import read_contracts
    from bluemirror.variables.language import load_blocks
    from bluemirror.variables.spine import read_spine

    blocks = load_blocks(workspace)
    return judge_blocks(blocks, read_contracts(workspace.contracts_dir), read_spine(workspace))


def judge_blocks(blocks: Iterable[Block], contracts: Mapping[str, Contract], spine: Spine) -> Judgement:
    """Judge the variables of ``blocks``."""
    blocks = tuple(blocks)
    by_entity: dict[str, list[Block]] = {}
    for block in blocks:
        by_entity.setdefault(block.entity, []).append(block)
    constants: set[str] = set()
    twins: dict[str, str] = {}
    observations: dict[str, int] = {}
    for entity, members in by_entity.items():
        columns, count = _columns(members, contracts, spine, MARTS[0])
        observations[entity] = count
        fixed, same = judge_columns(columns)
        for which in MARTS[1:]:
            suspects = {*fixed, *same, *same.values()}
            if not suspects:
                break
            again, _ = _columns(members, contracts, spine, which, suspects)
            columns = _both(fixed, columns, again)
            fixed, same = judge_columns(columns)
        constants |= fixed
        twins |= same
    return Judgement(frozenset(constants), twins, observations)


def _both(fixed: set[str], before: Iterable[Column], again: Iterable[Column]) -> list[Column]:
    """Columns that are constant, or equal to another, where they are so in both marts."""
    first = {one.name: one.digest for one in before}
    return [
        Column(one.name, first[one.name] + one.digest, one.constant and one.name in fixed) for one in again
    ]


def _columns(
    blocks: Iterable[Block],
    contracts: Mapping[str, Contract],
    spine: Spine,
    which: tuple[int, float],
    only: set[str] | None = None,
) -> tuple[list[Column], int]:
    """Every variable of ``blocks`` (or ``only`` those named), told apart on one mart; and its observations."""
    from bluemirror.variables.cross_engine import engine_of
    from bluemirror.variables.generated import generate_mart
    from bluemirror.variables.plan import block_variables

    blocks = tuple(
        block for block in blocks if only is None or any(one.name in only for one in block_variables(block))
    )
    mart = generate_mart(contracts, blocks, spine, seed=which[0], density=which[1])
    observed = mart.observations[blocks[0].entity]
    found = []
    for block in blocks:
        engine = engine_of(mart.connection, block, contracts, spine, observed)
        names = [one.name for one in engine.variables if only is None or one.name in only]
        if names:
            frame = engine.compute()
            found += [told_apart(name, frame[name]) for name in names]
    mart.connection.close()
    return found, len(observed)
