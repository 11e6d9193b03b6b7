"""Same inputs, same values: one content hash whatever the size of the shards and the number of threads."""

from __future__ import annotations

import hashlib
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from bluemirror.contracts import Contract, read_contracts
from bluemirror.variables import load_blocks
from bluemirror.variables.cross_engine import engine_of
from bluemirror.variables.declarations import Block
from bluemirror.variables.generated import GeneratedMart, generate_mart
from bluemirror.variables.spine import Spine, read_spine
from bluemirror.workspace import Workspace

CUSTOMERS = 10
SIZES, THREADS = (2048, 7, 1), (1, 2)
"""Observations a shard; threads, of DuckDB while loading and of our own while computing."""


def content_hash(frame: pl.DataFrame) -> str:
    """Hash of every value, sorted by observation; one spelling of null, and minus zero told from zero."""
    digest = hashlib.blake2b(digest_size=16)
    ordered = frame.sort("observation_id")
    digest.update("\n".join(ordered["observation_id"].to_list()).encode())
    for name in frame.columns[2:]:
        values = ordered[name].cast(pl.Float32)
        digest.update(name.encode())
        digest.update(values.is_null().to_numpy().tobytes())
        digest.update(np.ascontiguousarray(values.fill_null(0.0).to_numpy()).tobytes())
    return digest.hexdigest()


def hashes_of(
    mart: GeneratedMart,
    block: Block,
    contracts: dict[str, Contract],
    spine: Spine,
    threads: int,
    sizes: tuple[int, ...] = SIZES,
) -> list[str]:
    """Load with that many threads of DuckDB, compute shards of each size on that many threads of our own."""
    observed = mart.observations[block.entity]
    mart.connection.execute(f"SET threads = {threads}")
    engine = engine_of(mart.connection, block, contracts, spine, observed)

    def whole(size: int) -> pl.DataFrame:
        def shard(start: int) -> pl.DataFrame:
            return engine.compute(start, min(start + size, len(observed)))

        starts = range(0, len(observed), size)
        if threads == 1:
            return pl.concat([shard(start) for start in starts])
        with ThreadPoolExecutor(threads) as pool:
            return pl.concat(pool.map(shard, starts))

    return [content_hash(whole(size)) for size in sizes]


@pytest.mark.proof
def test_one_hash_whatever_threads_and_shards(repository: Path) -> None:
    started = time.perf_counter()
    workspace = Workspace.open(repository)
    contracts, spine = dict(read_contracts(workspace.contracts_dir)), read_spine(workspace)
    blocks = load_blocks(workspace)
    mart = generate_mart(contracts, blocks, spine, entities=CUSTOMERS)
    hashes = {
        block.name: [
            found for threads in THREADS for found in hashes_of(mart, block, contracts, spine, threads)
        ]
        for block in blocks
    }
    sys.stdout.write(
        f"\n{len(hashes)} blocks, {3 * CUSTOMERS} observations: shards of {SIZES}, {THREADS} threads, "
        f"{len(set().union(*hashes.values()))} hashes; {time.perf_counter() - started:.0f} s\n"
    )
    assert not {name: found for name, found in hashes.items() if len(set(found)) > 1}


def test_the_order_in_which_rows_lie_does_not_matter(repository: Path) -> None:
    """A mart whose files are read in another order holds the same rows."""
    workspace = Workspace.open(repository)
    contracts, spine = dict(read_contracts(workspace.contracts_dir)), read_spine(workspace)
    blocks = [one for one in load_blocks(workspace) if one.name in ("own_txn", "device_fp", "pboc_repay")]
    mart = generate_mart(contracts, blocks, spine, entities=CUSTOMERS)
    before = [hashes_of(mart, block, contracts, spine, 1, (2048,)) for block in blocks]
    for (name,) in mart.connection.sql("SELECT table_name FROM duckdb_tables()").fetchall():
        mart.connection.execute(
            f'CREATE OR REPLACE TABLE "{name}" AS SELECT * FROM "{name}" ORDER BY hash(_doc, _seq)'
        )
    assert [hashes_of(mart, block, contracts, spine, 1, (2048,)) for block in blocks] == before


def test_a_hash_sees_one_value() -> None:
    frame = pl.DataFrame({"observation_id": ["b", "a"], "event_timestamp": [0, 0], "x": [1.0, None]})
    other = frame.with_columns(pl.col("x").fill_null(0.0))
    assert content_hash(frame) == content_hash(frame.reverse())
    assert content_hash(frame) != content_hash(other)
