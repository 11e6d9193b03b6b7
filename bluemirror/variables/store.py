"""Where variables are kept: one folder of Parquet an observation set and block, a cache that can be recomputed.

``<set>/<block>`` is a link to a folder that holds the block's values under its present meaning; a build makes a folder
beside it and moves the link in one step. Stored parts are taken over as they are: new observations add a part, and
only observations that late-landed rows could touch are computed again (:mod:`bluemirror.variables.arrivals`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from bluemirror.atomic import write_json
from bluemirror.errors import FamilyError
from bluemirror.variables.plan import block_variables
from bluemirror.workspace import Workspace

if TYPE_CHECKING:
    from bluemirror.variables.cross_engine import StoredCrossEngine
    from bluemirror.variables.declarations import Block
    from bluemirror.variables.engine import BlockEngine
    from bluemirror.variables.reasons import CallLedger

SEEN = "deliveries.json"
"""In a block's folder: the deliveries that its values were computed from."""

SHARD = 2048
"""Observations a shard: large enough for vectors, small enough for the caches of the processor."""

CHUNK = 25 * SHARD
"""Observations whose rows are in memory at a time."""

THREADS = 2
"""Blocks that are computed beside each other."""


@dataclass(frozen=True)
class BuildReport:
    """What a build did: ``values`` counts the cells computed now, ``changed`` whether anything was written."""

    observation_set: str
    observations: int
    variables: int
    values: int
    changed: bool
    seconds: float


def _link(folder: Path, target: Path) -> None:
    """Point ``folder`` to ``target`` (a sibling) in one step."""
    draft = folder.parent / f".{folder.name}.{uuid.uuid4().hex[:8]}.link"
    draft.symlink_to(target.name, target_is_directory=True)
    os.replace(draft, folder)


def _parts(folder: Path) -> list[Path]:
    return sorted(folder.glob("part-*.parquet"))


def _ids(folder: Path) -> pl.DataFrame:
    """Stored observations of a folder: observation_id and event_timestamp."""
    parts = _parts(folder)
    if not parts:
        return pl.DataFrame(schema={"observation_id": pl.String, "event_timestamp": pl.Datetime("us")})
    return pl.scan_parquet(parts).select("observation_id", "event_timestamp").collect()


def build(
    workspace: Workspace, observation_set: str, log: Callable[[str], None] | None = None
) -> BuildReport:
    """Compute every variable of every observation that is not stored yet, or that late-landed rows could touch.

    Parameters
    ----------
    observation_set
        Name of a set in the spine; blocks of the same entity are built.
    log
        Called with a line of progress now and then.

    Raises
    ------
    FamilyError
        If a declaration cannot be computed, or an observation's as_of is not what it was when it was stored.
    """
    import bluemirror
    from bluemirror.contracts import read_contracts
    from bluemirror.mart.manifests import read_snapshot
    from bluemirror.variables import load_blocks
    from bluemirror.variables.arrivals import deliveries_read, earliest_arrival, tables_read
    from bluemirror.variables.cross_engine import StoredCrossEngine
    from bluemirror.variables.engine import BlockEngine
    from bluemirror.variables.meaning import meaning_of
    from bluemirror.variables.observations import observe, with_keys
    from bluemirror.variables.reasons import CallLedger
    from bluemirror.variables.spine import read_spine
    from bluemirror.variables.tables import Catalog

    started = time.perf_counter()
    say = log or (lambda _: None)
    contracts = read_contracts(workspace.contracts_dir)
    spine = read_spine(workspace)
    which = spine.observation_set(observation_set)
    blocks = [block for block in load_blocks(workspace) if block.entity == which.entity]
    connection = bluemirror.connect(workspace)
    observed = observe(connection, spine, which)
    root = workspace.variables / observation_set
    catalog = Catalog(contracts)
    state = read_snapshot(workspace)
    plans = [(block, block_variables(block)) for block in blocks]
    total = sum(len(variables) for _, variables in plans)
    pending: list[_Pending] = []
    for block, variables in plans:
        meaning = meaning_of(block, variables, contracts, spine)
        tables = tables_read(block, catalog, spine)
        arrived = deliveries_read(tables, catalog, block, state)
        stored = _Stored.read(root, block.name, meaning)
        since = None
        if stored.folder is not None:
            since = earliest_arrival(connection, tables, catalog, block, stored.deliveries, arrived)
        wanted = _wanted(observed, stored.observations, since, which.path)
        if len(wanted) or not stored.folder:
            folder = root / f".{block.name}@{meaning}.{uuid.uuid4().hex[:8]}"
            pending.append(
                _Pending(block, len(variables), root / block.name, folder, stored, arrived, wanted)
            )
        elif stored.deliveries != arrived:
            write_json(stored.folder / SEEN, arrived)
    values = 0
    if pending:
        keyed = with_keys(connection, catalog, spine, which.entity, observed, pending[0].block)
        _store_observations(root, keyed)

        # Large blocks first, so that none is left to run alone at the end.
        pending.sort(key=lambda one: -one.variables)
        for one in pending:
            one.folder.mkdir(parents=True)
            _keep(one.stored, one.wanted, one.folder)
        # A chunk is what is loaded at a time: memory does not grow with the number of observations.
        chunks = [keyed[first : first + CHUNK] for first in range(0, len(keyed), CHUNK)] or [keyed]
        alone = [one for one in pending if not one.block.borrowed]
        for place, chunk in enumerate(chunks, start=1):
            calls = CallLedger(connection, catalog, spine, chunk)

            def engine(one: _Pending, rows: pl.DataFrame, calls: CallLedger = calls) -> BlockEngine:
                return BlockEngine(connection.cursor(), one.block, contracts, spine, rows, calls)

            compute = partial(_compute, chunk, engine, place == len(chunks))
            part = f", part {place}/{len(chunks)}" if len(chunks) > 1 else ""
            with ThreadPoolExecutor(THREADS) as pool:
                try:
                    for number, (cells, line) in enumerate(pool.map(compute, alone), start=1):
                        values += cells
                        say(f"variables {number}/{len(pending)}{part} {line}")
                except BaseException:
                    pool.shutdown(cancel_futures=True)
                    raise
        # Blocks across sources compare what the others have stored by now.
        for number, one in enumerate((one for one in pending if one.block.borrowed), start=len(alone) + 1):
            for place, chunk in enumerate(chunks, start=1):
                cells, line = _compute(
                    chunk,
                    lambda one, rows: StoredCrossEngine(one.block, rows, partial(_read_block, root)),
                    place == len(chunks),
                    one,
                )
                values += cells
            say(f"variables {number}/{len(pending)} {line}")
    connection.close()
    return BuildReport(
        observation_set, len(observed), total, values, bool(pending), time.perf_counter() - started
    )


@dataclass(frozen=True)
class _Pending:
    """A block of which something has to be computed: where it goes, what is kept of before, what is wanted."""

    block: Block
    variables: int
    live: Path
    folder: Path
    stored: _Stored
    arrived: dict[str, list[str]]
    wanted: pl.DataFrame


def _compute(
    chunk: pl.DataFrame,
    engine: Callable[[_Pending, pl.DataFrame], BlockEngine | StoredCrossEngine],
    last: bool,
    one: _Pending,
) -> tuple[int, str]:
    """Compute one block for a chunk of observations, and commit it after the last; (number of values, a line)."""
    begun = time.perf_counter()
    rows = chunk.join(one.wanted, on="observation_id", how="semi", maintain_order="left")
    if len(rows):
        _write_part(one.folder, engine(one, rows))
    if last:
        write_json(one.folder / SEEN, one.arrived)
        _retire(one.live, one.folder)
    seconds = time.perf_counter() - begun
    return (
        len(rows) * one.variables,
        f"{one.block.name}: {one.variables:,} variables x {len(rows):,} observations in {seconds:.1f} s",
    )


def _read_block(root: Path, block: str, names: list[str], asked: pl.DataFrame) -> pl.DataFrame:
    """Stored columns of a block for the observations ``asked``, in their order."""
    columns = ["observation_id", "event_timestamp", *names]
    found = pl.scan_parquet(_parts((root / block).resolve())).select(columns)
    frame = found.join(asked.lazy(), on="observation_id", how="semi").collect().sort("observation_id")
    assert frame["observation_id"].equals(asked["observation_id"])
    return frame


@dataclass(frozen=True)
class _Stored:
    """What is stored of a block under its present meaning: nothing, if ``folder`` is None."""

    folder: Path | None
    observations: pl.DataFrame
    deliveries: dict[str, list[str]]

    @classmethod
    def read(cls, root: Path, block: str, meaning: str) -> _Stored:
        folder = (root / block).resolve()
        if not folder.is_dir() or not folder.name.startswith(f".{block}@{meaning}."):
            return cls(None, _ids(root / ".nothing"), {})
        return cls(folder, _ids(folder), json.loads((folder / SEEN).read_text(encoding="utf-8")))


def _wanted(
    observed: pl.DataFrame, stored: pl.DataFrame, since: dt.datetime | None, query: Path
) -> pl.DataFrame:
    """Ids to compute: what is not stored, and what rows that have arrived since could change."""
    both = observed.select("observation_id", "as_of").join(stored, on="observation_id", how="inner")
    moved = both.filter(pl.col("as_of") != pl.col("event_timestamp"))
    if len(moved):
        raise FamilyError(
            f"{len(moved)} observations have another as_of than when their variables were computed",
            file=query,
            field="as_of",
            rule="an observation is made once: what becomes known later does not move it",
            fix="let the query take the first known version; or, if that was the mistake, remove the stored set",
        )
    missing = observed.select("observation_id").join(stored, on="observation_id", how="anti")
    if since is None:
        return missing
    touched = both.filter(pl.col("as_of") >= since).select("observation_id")
    return pl.concat([missing, touched])


def _keep(stored: _Stored, without: pl.DataFrame, folder: Path) -> None:
    """Take over the stored parts into ``folder``, leaving out the observations that are computed again."""
    if stored.folder is None:
        return
    for part in _parts(stored.folder):
        ids = pl.read_parquet(part, columns=["observation_id"])
        kept = ids.join(without, on="observation_id", how="anti")
        if len(kept) == len(ids):
            os.link(part, folder / part.name)
        elif len(kept):
            frame = pl.read_parquet(part).join(
                without, on="observation_id", how="anti", maintain_order="left"
            )
            _commit(folder, partial(_write_frame, frame), kept["observation_id"])


def _write_frame(frame: pl.DataFrame, path: Path) -> None:
    frame.write_parquet(path, compression="snappy", statistics=False)


def _store_observations(root: Path, keyed: pl.DataFrame) -> None:
    """Keep who is described, as of when and by which keys: one part, replaced when it says something else."""
    frame = keyed.with_columns(event_timestamp=pl.col("as_of"))
    live = root / "observations"
    parts = _parts(live)
    if parts and pl.read_parquet(parts).sort("observation_id").equals(frame):
        return
    folder = root / f".observations@{uuid.uuid4().hex[:8]}"
    folder.mkdir(parents=True)
    _commit(folder, partial(_write_frame, frame), frame["observation_id"])
    _retire(live, folder)


def _commit(folder: Path, write: Callable[[Path], None], ids: pl.Series) -> None:
    """Write a part beside its place and rename it; its name tells which observations it holds."""
    digest = hashlib.sha256("\n".join(ids.to_list()).encode()).hexdigest()[:12]
    draft = folder / f".{uuid.uuid4().hex[:8]}.draft"
    try:
        write(draft)
        os.replace(draft, folder / f"part-{digest}.parquet")
    finally:
        draft.unlink(missing_ok=True)


def _write_part(folder: Path, engine: BlockEngine | StoredCrossEngine) -> None:
    import pyarrow.parquet as pq

    count = len(engine.as_of)

    def write(path: Path) -> None:
        writer = None
        for start in range(0, count, SHARD):
            table = engine.compute_table(start, min(start + SHARD, count))
            if writer is None:
                writer = pq.ParquetWriter(
                    path, table.schema, compression="snappy", use_dictionary=False, write_statistics=False
                )
            writer.write_table(table)
        if writer is not None:
            writer.close()

    _commit(folder, write, engine.observations["observation_id"])


def _retire(live: Path, folder: Path) -> None:
    """Make ``folder`` the live one and drop older ones; the one before stays for those who are reading it."""
    before = live.resolve()
    _link(live, folder)
    for other in live.parent.glob(f".{live.name}@*"):
        if other.name not in (folder.name, before.name):
            shutil.rmtree(other, ignore_errors=True)


def variable_files(workspace: Workspace, observation_set: str, block: str) -> list[Path]:
    """Parquet parts of a block (or of ``observations``), in the order of their names; empty if not built."""
    return _parts((workspace.variables / observation_set / block).resolve())


def read_variables(
    workspace: Workspace,
    observation_set: str,
    names: Iterable[str] | None = None,
    observation_ids: Iterable[str] | None = None,
) -> pl.DataFrame:
    """Stored variables as one frame.

    Parameters
    ----------
    names
        Variables, in the order wanted; all of the set's entity if None.
    observation_ids
        The observations wanted; all stored ones if None.

    Returns
    -------
    polars.DataFrame
        observation_id and the variables (Float32), sorted by observation_id.

    Raises
    ------
    FamilyError
        If a name is not a variable, or a block has not been built for the set.
    """
    from bluemirror.variables import load_blocks
    from bluemirror.variables.spine import read_spine

    owner: dict[str, str] = {}
    of_set: list[str] = []
    described = read_spine(workspace).observations.get(observation_set)
    asked = None if names is None else list(names)
    blocks = load_blocks(workspace)
    for block in blocks:
        # A name begins with its block: the variables of blocks that nobody asks for are not spelled out.
        if asked is not None and not any(name.startswith(f"{block.name}_") for name in asked):
            continue
        made = [one.name for one in block_variables(block)]
        owner |= dict.fromkeys([f"{block.name}__reason", *made], block.name)
        if described is None or block.entity == described.entity:
            of_set += made
    chosen = of_set if asked is None else asked
    by_block: dict[str, list[str]] = {}
    for name in chosen:
        if name not in owner:
            import difflib

            known = [one.name for block in blocks for one in block_variables(block)]
            near = difflib.get_close_matches(name, known, 1)
            raise FamilyError(
                f"there is no variable {name!r}",
                file=workspace.families_dir,
                rule="names are computed from the families",
                fix=f"did you mean {near[0]}?" if near else "search with: bluemirror catalogue search",
            )
        by_block.setdefault(owner[name], []).append(name)
    wanted = (
        None if observation_ids is None else pl.DataFrame({"observation_id": list(observation_ids)}).unique()
    )
    result: pl.DataFrame | None = None
    for block_name, columns in by_block.items():
        parts = variable_files(workspace, observation_set, block_name)
        if not parts:
            raise FamilyError(
                f"the block {block_name} has not been built for the observations {observation_set}",
                file=workspace.variables / observation_set / block_name,
                rule="variables are read after they are computed",
                fix="run: bluemirror features",
            )
        frame = pl.scan_parquet(parts).select("observation_id", *columns)
        if wanted is not None:
            frame = frame.join(wanted.lazy(), on="observation_id", how="semi")
        part = frame.collect().sort("observation_id")
        if result is None:
            result = part
        elif result["observation_id"].equals(part["observation_id"]):
            result = result.hstack(part.drop("observation_id"))
        else:
            result = result.join(part, on="observation_id", how="inner", maintain_order="left")
    if result is None:
        result = pl.DataFrame(schema={"observation_id": pl.String})
    return result.select("observation_id", *chosen)
