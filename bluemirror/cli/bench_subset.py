"""What the peers of ``bench features`` compute: variables of the densest family that all of them can express."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bluemirror.workspace import Workspace

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.contracts import Table
    from bluemirror.variables.declarations import Block, Family

AGGREGATES = ("count", "sum", "mean", "min", "max")
SAMPLE = 500
"""Applicants that tell how dense a family is."""

MOST_ROWS = 2_000_000
"""Rows that the peers get: enough to forget what a query costs before its first row, few enough to end in a minute."""


@dataclass(frozen=True)
class Asked:
    """One variable of a peer: which rows (newest ``size`` days or months, codes or band of columns), what of them."""

    name: str
    size: int | None
    filters: tuple[tuple[str, tuple[str, ...] | None, tuple[float | None, float | None] | None], ...]
    agg: str
    of: str | None
    scale: float


@dataclass(frozen=True)
class Subset:
    """Variables of one family and the rows they need: _id, event_time, as_of and columns c0, c1, ...

    ``applicants`` are the observations that were looked at, with or without rows; ``every`` is the family whole.
    """

    asked: tuple[Asked, ...]
    rows: pl.DataFrame
    applicants: pl.DataFrame
    every: Block

    @property
    def months(self) -> bool:
        """Whether windows are months by date rather than days to the microsecond."""
        return self.every.families[0].windows.unit == "month"

    def as_dict(self) -> dict[str, Any]:
        """What the peers work on, for the record."""
        return {
            "family": f"{self.every.name}_{self.every.families[0].name}",
            "variables": len(self.asked),
            "applicants": len(self.applicants),
            "applicants_with_rows": self.rows["_id"].n_unique(),
            "rows": len(self.rows),
        }


def choose(
    workspace: Workspace, observation_set: str, most: int, rows: int = MOST_ROWS, seed: int = 1
) -> Subset | None:
    """``most`` simple variables, by a seed, of the densest family that has so many; None if no family has any.

    Simple: counts, sums, means, minima and maxima over windows of days, or of months by date, on an event table.
    Densest: with most rows an applicant, because a way that takes its time by the row has little to do where there are
    none. Where no family has ``most`` such variables, the one with most of them is taken. Applicants are left out, by
    a hash, until there are no more than about ``rows`` rows.
    """
    from bluemirror.contracts import read_contracts
    from bluemirror.variables import load_blocks
    from bluemirror.variables.spine import read_spine

    entity = read_spine(workspace).observation_set(observation_set).entity
    tables = {t.name: t for c in read_contracts(workspace.contracts_dir).values() for t in c.tables}
    found = []
    for block in load_blocks(workspace):
        for family in block.families if block.entity == entity else ():
            table = tables[family.table]
            if family.via or family.per or table.kind != "event" or table.parent or family.windows.along:
                continue
            if family.windows.grain == "month" or family.exclude_self or "." in family.match[0]:
                continue
            asked = tuple(_asked(block, family))
            if asked:
                found.append((block, family, table, asked))
    if not found:
        return None
    wide = [one for one in found if len(one[3]) >= most] or [max(found, key=lambda one: len(one[3]))]
    sample = _applicants(workspace, observation_set, SAMPLE)
    sampled = [len(_rows(workspace, sample, family, table)) for _, family, table, _ in wide]
    densest = max(range(len(wide)), key=sampled.__getitem__)
    block, family, table, asked = wide[densest]
    applicants = _applicants(
        workspace, observation_set, max(1, rows * len(sample) // max(1, sampled[densest]))
    )
    chosen = sorted(random.Random(seed).sample(range(len(asked)), min(most, len(asked))))  # noqa: S311 - no secret
    return Subset(
        tuple(asked[place] for place in chosen),
        _rows(workspace, applicants, family, table),
        applicants,
        replace(block, families=(family,), combinations=()),
    )


def _applicants(workspace: Workspace, observation_set: str, most: int) -> pl.DataFrame:
    """No more than ``most`` stored observations, by a hash of their ids."""
    import polars as pl

    from bluemirror.variables import variable_files

    frame = pl.read_parquet(variable_files(workspace, observation_set, "observations"))
    return frame.sort(pl.col("observation_id").hash(seed=0)).head(most).sort("observation_id")


def _asked(block: Block, family: Family) -> list[Asked]:
    import itertools

    from bluemirror.variables.plan import tensor_variables, tensors

    found = []
    for tensor in tensors(family):
        if tensor.form != "value" or tensor.agg not in AGGREGATES:
            continue
        cells: Any = itertools.product(tensor.windows, *tensor.group_axes)
        for (window, *groups), variable in zip(cells, tensor_variables(block, family, tensor), strict=True):
            filters = tuple(
                (one.column, group.codes, group.band)
                for one, group in zip(tensor.slices, groups, strict=True)
                if not group.is_all
            )
            found.append(
                Asked(
                    variable.name, window.size, filters, tensor.agg, tensor.measure.of, tensor.measure.scale
                )
            )
    return found


def _rows(workspace: Workspace, applicants: pl.DataFrame, family: Family, table: Table) -> pl.DataFrame:
    import bluemirror
    from bluemirror.mart.versions import quote, versions_sql
    from bluemirror.variables.load import column_sql

    names = {one.column for one in family.slices} | {one.of for one in family.measures if one.of}
    columns = "".join(f', ({column_sql(family.columns, name)}) AS "{name}"' for name in sorted(names))
    where = f" AND ({family.where})" if family.where else ""
    column, key = family.match
    sql = f"""
        SELECT o.observation_id AS _id, t.event_time, o.as_of{columns}
        FROM ({versions_sql(table)}) t JOIN _applicants o ON t.{quote(column)} = o.{quote(key)}
        WHERE t.event_time <= o.as_of AND t.known_time <= o.as_of AND NOT coalesce(t._deleted, false)
          AND (t._superseded IS NULL OR t._superseded > o.as_of){where}
    """
    with bluemirror.connect(workspace) as connection:
        connection.register("_applicants", applicants.select("observation_id", key, "as_of").to_arrow())
        return connection.sql(sql).pl()


def ours(workspace: Workspace, subset: Subset) -> tuple[pl.DataFrame, float]:
    """The family whole, for the same applicants, by the engine: from the mart's Parquet on, unlike the peers."""
    from concurrent.futures import ThreadPoolExecutor

    import polars as pl

    import bluemirror
    from bluemirror.contracts import read_contracts
    from bluemirror.variables.building import SHARD, THREADS
    from bluemirror.variables.engine import BlockEngine
    from bluemirror.variables.spine import read_spine

    contracts, spine = read_contracts(workspace.contracts_dir), read_spine(workspace)
    observed = subset.applicants

    def compute(observations: pl.DataFrame) -> pl.DataFrame:
        with bluemirror.connect(workspace) as connection:
            engine = BlockEngine.read(connection, subset.every, contracts, spine, observations)
            starts = range(0, len(observations), SHARD)
            with ThreadPoolExecutor(THREADS) as pool:
                ends = [min(start + SHARD, len(observations)) for start in starts]
                return pl.concat(pool.map(engine.compute, starts, ends))

    # Kernels are compiled, and names spelled out, once a process: the build that is measured has that behind it.
    compute(observed[:10])
    return timed(lambda: compute(observed))


def timed(work: Callable[[], pl.DataFrame]) -> tuple[pl.DataFrame, float]:
    """What ``work`` gives, and the seconds that it took."""
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start
