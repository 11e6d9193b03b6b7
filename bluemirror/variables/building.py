"""Computing what is not stored yet: block by block, chunk of observations by chunk.

A block reads its tables once for all chunks (:mod:`bluemirror.variables.reading`) and then has the rows of one chunk
in memory at a time, so memory does not grow with the number of observations.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from bluemirror.mart.versions import quote
from bluemirror.variables.pending import Observed, Pending, plan_build
from bluemirror.variables.plan import block_variables
from bluemirror.variables.store import (
    commit_part,
    keep,
    part_files,
    store_observations,
    write_groups,
)
from bluemirror.workspace import Workspace

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from bluemirror.variables.cross_engine import StoredCrossEngine
    from bluemirror.variables.declarations import Block
    from bluemirror.variables.engine import BlockEngine
    from bluemirror.variables.reasons import CallLedger
    from bluemirror.variables.spine import Spine
    from bluemirror.variables.tables import Catalog

SHARD = 2048
"""Observations a shard: large enough for vectors, small enough for the caches of the processor."""

GROUP = 4 * SHARD
"""Observations a row group of Parquet: each column of each group costs some twenty microseconds to write."""

CHUNK = 8 * SHARD
"""Observations whose rows are in memory at a time, if each has few of them."""

ROWS = 2**21
"""Rows of a table that are in memory at a time, about: a company has thousands where a person has ten."""

LEAST = 512
"""Observations of a chunk at least: whatever a table holds, a night that describes few of them reads little of it."""

THREADS = 2
"""Blocks that are computed beside each other."""

MEMORY = "2GB"
"""What the queries of a build may hold before they go on in files."""


@dataclass(frozen=True)
class BuildReport:
    """What a build did: ``values`` counts the cells computed now, ``changed`` whether anything was written."""

    observation_set: str
    observations: int
    variables: int
    values: int
    changed: bool
    seconds: float


def build(
    workspace: Workspace, observation_set: str, log: Callable[[str], None] | None = None
) -> BuildReport:
    """Compute every variable of every observation that is not stored yet, or that late-landed rows could touch.

    Parameters
    ----------
    observation_set
        Name of a set in the spine; blocks of the same entity are built. What the workspace does not keep (``keep:`` in
        its settings) is not computed.
    log
        Called with a line of progress now and then.

    Raises
    ------
    FamilyError
        If a declaration cannot be computed, or an observation's as_of is not what it was when it was stored.
    """
    import bluemirror
    from bluemirror.variables import load_blocks
    from bluemirror.variables.dropping import within
    from bluemirror.variables.observations import observe
    from bluemirror.variables.spine import read_spine

    started = time.perf_counter()
    spine = read_spine(workspace)
    which = spine.observation_set(observation_set)
    blocks = [block for block in load_blocks(workspace) if block.entity == which.entity]
    root = workspace.variables / observation_set
    with bluemirror.connect(workspace) as connection:
        rows = within(workspace.keep, which.name, observe(connection, spine, which))
        observed = Observed(which.name, which.entity, rows, root, which.path)
        return build_observed(workspace, connection, observed, blocks, log=log, started=started)


def build_observed(
    workspace: Workspace,
    connection: duckdb.DuckDBPyConnection,
    observed: Observed,
    blocks: Sequence[Block],
    *,
    snapshot: str | None = None,
    log: Callable[[str], None] | None = None,
    started: float | None = None,
) -> BuildReport:
    """Compute ``blocks`` for any observations, as :func:`build` does for those of a set of the spine.

    Parameters
    ----------
    connection
        Over the mart; as it stood at ``snapshot``, if one is named.
    blocks
        With those that they borrow from.
    snapshot
        Id of the state of the mart that ``connection`` shows; the current one if None.
    started
        When the work began (``time.perf_counter``), if some was done before.
    """
    from bluemirror.contracts import read_contracts
    from bluemirror.variables.observations import with_keys
    from bluemirror.variables.spine import read_spine
    from bluemirror.variables.tables import Catalog

    started = time.perf_counter() if started is None else started
    say = log or (lambda _: None)
    catalog = Catalog(read_contracts(workspace.contracts_dir))
    spine = read_spine(workspace)
    pending = plan_build(workspace, connection, observed, blocks, snapshot)
    values = 0
    if pending or (blocks and not part_files((observed.root / "observations").resolve())):
        keyed = with_keys(connection, catalog, spine, observed.entity, observed.rows, blocks[0])
        store_observations(observed.root, keyed)
    if pending:
        for one in pending:
            one.folder.mkdir(parents=True)
            keep(one.stored, one.wanted, one.folder)
        # Whoever is described often is described in one chunk: what is read of them is read for it alone.
        ordered = keyed.sort(spine.entities[observed.entity].key, "observation_id")
        size = _chunk_size(connection, len(ordered), [one.block for one in pending])
        chunks = [
            ordered[first : first + size].sort("observation_id") for first in range(0, len(ordered), size)
        ]
        compute = _Computing(connection, catalog, observed.root, chunks or [keyed])
        compute.prepare(spine)
        for number, (cells, line) in enumerate(compute.all(pending), start=1):
            values += cells
            say(f"variables {number}/{len(pending)} {line}")
    total = sum(len(block_variables(block)) for block in blocks)
    return BuildReport(
        observed.name, len(observed.rows), total, values, bool(pending), time.perf_counter() - started
    )


def _chunk_size(connection: duckdb.DuckDBPyConnection, observations: int, blocks: Sequence[Block]) -> int:
    """How many observations a chunk has, so that neither they nor the rows of any table are too many for memory."""
    if observations <= LEAST:
        return LEAST
    tables = {family.table for block in blocks for family in block.families}
    largest = 0
    for name in sorted(tables):
        ((rows,),) = connection.sql(f"SELECT count(*) FROM {quote(name)}").fetchall()
        largest = max(largest, rows)
    chunks = max(-(-observations // CHUNK), -(-largest // ROWS), 1)
    return min(CHUNK, max(LEAST, -(-observations // chunks)))


class _Computing:
    """Computes pending blocks over the chunks of one set of observations."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        catalog: Catalog,
        root: Path,
        chunks: Sequence[pl.DataFrame],
    ) -> None:
        from bluemirror.variables.relations import LinkTables

        self.connection = connection
        self.catalog = catalog
        self.root = root
        self.chunks = chunks
        self.links = LinkTables()
        self.calls: Sequence[CallLedger] = ()
        # More is not held by the queries; what does not fit waits beside the values that are being made.
        connection.execute(f"SET memory_limit = '{MEMORY}'")
        connection.execute(f"SET temp_directory = '{str(root / '.queries').replace(chr(39), 2 * chr(39))}'")
        connection.execute("SET preserve_insertion_order = false")

    def prepare(self, spine: Spine) -> None:
        """Read the call ledger, which all blocks ask."""
        from bluemirror.variables.reasons import CallLedger
        from bluemirror.variables.spill import Spill

        with Spill(len(self.chunks), self.root) as spill:
            self.calls = CallLedger.read(self.connection, self.catalog, spine, self.chunks, spill)

    def all(self, pending: Sequence[Pending]) -> Iterator[tuple[int, str]]:
        """Compute the blocks, those across sources last: (number of cells, a line) of each."""
        alone = [one for one in pending if not one.block.borrowed]
        with ThreadPoolExecutor(THREADS) as pool:
            try:
                yield from pool.map(partial(self._timed, self._block), alone)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        # Blocks across sources compare what the others have stored by now.
        for one in pending:
            if one.block.borrowed:
                yield self._timed(self._across, one)

    def _timed(self, compute: Callable[[Pending], None], one: Pending) -> tuple[int, str]:
        begun = time.perf_counter()
        compute(one)
        one.commit()
        seconds = time.perf_counter() - begun
        return (
            len(one.wanted) * one.variables,
            f"{one.block.name}: {one.variables:,} variables x {len(one.wanted):,} observations in {seconds:.1f} s",
        )

    def _wanted(self, one: Pending) -> list[pl.DataFrame]:
        """The observations of each chunk that are wanted of a block: often all of them, or none of most chunks."""
        return [
            chunk.join(one.wanted, on="observation_id", how="semi", maintain_order="left")
            for chunk in self.chunks
        ]

    def _block(self, one: Pending) -> None:
        from bluemirror.variables.engine import BlockEngine
        from bluemirror.variables.reading import BlockRows
        from bluemirror.variables.spill import Spill

        chunks = [
            (chunk, calls) for chunk, calls in zip(self._wanted(one), self.calls, strict=True) if len(chunk)
        ]
        if not chunks:
            return
        with Spill(len(chunks), self.root) as spill, self.connection.cursor() as cursor:
            rows = BlockRows(
                cursor, one.block, self.catalog, [chunk for chunk, _ in chunks], spill, self.links
            )
            for number, (_, calls) in enumerate(chunks):
                _write_part(one.folder, BlockEngine(rows, number, calls))

    def _across(self, one: Pending) -> None:
        from bluemirror.variables.cross_engine import StoredCrossEngine

        parts = StoredParts(self.root)
        for chunk in self._wanted(one):
            if len(chunk):
                _write_part(one.folder, StoredCrossEngine(one.block, chunk, parts.read))


class StoredParts:
    """The live values of blocks, read for some observations at a time from the parts that hold these."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._holding: dict[str, pl.DataFrame] = {}

    def read(self, block: str, names: list[str], asked: pl.DataFrame) -> pl.DataFrame:
        """observation_id, event_timestamp and ``names`` of a block for the observations ``asked``, in their order."""
        if block not in self._holding:
            self._holding[block] = pl.concat(
                pl.read_parquet(path, columns=["observation_id"]).with_columns(part=pl.lit(str(path)))
                for path in part_files((self._root / block).resolve())
            )
        parts = self._holding[block].join(asked, on="observation_id", how="semi")["part"].unique().sort()
        found = pl.scan_parquet(parts.to_list()).select("observation_id", "event_timestamp", *names)
        frame = found.join(asked.lazy(), on="observation_id", how="semi").collect().sort("observation_id")
        assert frame["observation_id"].equals(asked["observation_id"])
        return frame


def _write_part(folder: Path, engine: BlockEngine | StoredCrossEngine) -> None:
    """Write the values of an engine's observations as one part."""
    import pyarrow as pa

    count = len(engine.as_of)

    def groups() -> Iterator[pa.Table]:
        for first in range(0, count, GROUP):
            shards = range(first, min(first + GROUP, count), SHARD)
            yield pa.concat_tables(
                [engine.compute_table(start, min(start + SHARD, count)) for start in shards]
            )

    commit_part(folder, lambda path: write_groups(path, groups()), engine.observations["observation_id"])
