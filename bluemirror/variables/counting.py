"""How many variables there are, and how many say anything: constants and duplicates, by structure and as stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluemirror.variables.structure import Column, Judgement, judge_columns, judge_structure, told_apart

if TYPE_CHECKING:
    from bluemirror.workspace import Workspace

COLUMNS = 128
"""Columns read at a time: memory stays flat in the number of variables."""


@dataclass(frozen=True)
class Count:
    """Variables of a workspace, judged.

    Attributes
    ----------
    sources
        Source of every variable, by name.
    structure
        On a generated mart in which everything occurs.
    population
        On the values that are stored of an observation set.
    stored
        How many variables are stored of it.
    """

    sources: dict[str, str]
    structure: Judgement
    population: Judgement
    stored: int

    def as_dict(self) -> dict[str, Any]:
        """The count as ``catalogue count --json`` has it.

        ``total``; ``constant`` (fewer than two different values, nulls aside); ``duplicate`` (the same values, nulls
        included, as a variable before it); ``useful`` = total - constant - duplicate; ``by_source``;
        ``observations`` on which that was judged; and under ``population`` the same of the stored values.
        """
        population = self.population
        return {
            "total": len(self.sources),
            **_judged(self.structure, len(self.sources)),
            "by_source": dict(sorted(Counter(self.sources.values()).items())),
            "population": {"total": self.stored, **_judged(population, self.stored)},
        }

    def lines(self) -> Iterator[tuple[str, str, str, str]]:
        """Each variable that says nothing new: name, judged on what, constant or duplicate, and of which."""
        for basis, judged in (("structure", self.structure), ("population", self.population)):
            for name in self.sources:
                if name in judged.constants:
                    yield name, basis, "constant", ""
                elif name in judged.twins:
                    yield name, basis, "duplicate", judged.twins[name]


def _judged(judged: Judgement, total: int) -> dict[str, int]:
    constant, duplicate = len(judged.constants), len(judged.twins)
    return {
        "constant": constant,
        "duplicate": duplicate,
        "useful": total - constant - duplicate,
        "observations": sum(judged.observations.values()),
    }


def count_variables(workspace: Workspace, observation_sets: Iterable[str] | None = None) -> Count:
    """Count the variables of ``workspace``, and judge them.

    Parameters
    ----------
    observation_sets
        The sets whose stored values are judged too; by default the first of each entity in the spine.

    Raises
    ------
    FamilyError
        If a family is written wrongly or cannot be computed.
    """
    from bluemirror.variables.catalogue import catalogue

    variables = catalogue(workspace)
    population, stored = judge_stored(workspace, observation_sets)
    return Count({one.name: one.source for one in variables}, judge_structure(workspace), population, stored)


def judge_stored(
    workspace: Workspace, observation_sets: Iterable[str] | None = None
) -> tuple[Judgement, int]:
    """Judge the stored values of observation sets; and how many variables are stored.

    Variables of two sets are not held against each other: they describe other things.
    """
    from bluemirror.variables.language import load_blocks
    from bluemirror.variables.plan import block_variables
    from bluemirror.variables.spine import read_spine
    from bluemirror.variables.store import variable_files

    spine = read_spine(workspace)
    blocks = load_blocks(workspace)
    if observation_sets is None:
        observation_sets = dict.fromkeys(spine.set_of(block.entity) for block in blocks)
    constants: set[str] = set()
    twins: dict[str, str] = {}
    observations: dict[str, int] = {}
    stored = 0
    for name in observation_sets:
        which = spine.observation_set(name)
        columns: list[Column] = []
        for block in blocks:
            files = variable_files(workspace, name, block.name) if block.entity == which.entity else []
            if files:
                known = {one.name for one in block_variables(block)}
                columns += [one for one in _columns(files) if one.name in known]
                observations[which.entity] = max(observations.get(which.entity, 0), _rows(files))
        stored += len(columns)
        fixed, same = judge_columns(columns)
        constants |= fixed
        twins |= same
    return Judgement(frozenset(constants), twins, observations), stored


def _rows(files: list[Path]) -> int:
    import pyarrow.parquet as pq

    return sum(pq.read_metadata(path).num_rows for path in files)


def _columns(files: list[Path]) -> Iterator[Column]:
    """Each stored variable, its values sorted by observation."""
    import polars as pl

    schema = pl.scan_parquet(files).collect_schema()
    names = [name for name, kind in schema.items() if kind == pl.Float32]
    order = pl.read_parquet(files, columns=["observation_id"])["observation_id"].arg_sort()
    for start in range(0, len(names), COLUMNS):
        frame = pl.read_parquet(files, columns=names[start : start + COLUMNS])
        for name in frame.columns:
            yield told_apart(name, frame[name].gather(order))
