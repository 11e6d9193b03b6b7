"""What has to be computed of observations: what is not stored yet, and what has landed since could touch."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bluemirror.atomic import write_json
from bluemirror.variables.plan import block_variables
from bluemirror.variables.store import SEEN, Stored, retire, wanted

if TYPE_CHECKING:
    import duckdb
    import polars as pl

    from bluemirror.variables.declarations import Block
    from bluemirror.workspace import Workspace


@dataclass(frozen=True)
class Observed:
    """Observations whose variables are wanted.

    Attributes
    ----------
    name, entity
        What they are called, and what they describe.
    rows
        observation_id, the entity's key, as_of, further keys; sorted by observation_id.
    root
        Folder that keeps the values.
    told_by
        The file that an error about them names.
    """

    name: str
    entity: str
    rows: pl.DataFrame
    root: Path
    told_by: Path


@dataclass(frozen=True)
class Pending:
    """A block of which something has to be computed: where it goes, what is kept of before, what is wanted."""

    block: Block
    variables: int
    live: Path
    folder: Path
    stored: Stored
    arrived: dict[str, list[str]]
    wanted: pl.DataFrame

    def commit(self) -> None:
        """Make what was computed the live values."""
        write_json(self.folder / SEEN, self.arrived)
        retire(self.live, self.folder)


def is_fresh(
    workspace: Workspace,
    connection: duckdb.DuckDBPyConnection,
    observed: Observed,
    blocks: Sequence[Block],
    *,
    snapshot: str | None = None,
) -> bool:
    """Whether a build of ``observed`` would compute nothing: all is stored, and nothing that landed touches it."""
    return all(
        due.folder and not len(ids) for due, _, ids in _due(workspace, connection, observed, blocks, snapshot)
    )


def plan_build(
    workspace: Workspace,
    connection: duckdb.DuckDBPyConnection,
    observed: Observed,
    blocks: Sequence[Block],
    snapshot: str | None,
) -> list[Pending]:
    """What has to be computed of each block, if anything; large blocks first."""
    pending: list[Pending] = []
    due = _due(workspace, connection, observed, blocks, snapshot)
    for block, (stored, arrived, ids) in zip(blocks, due, strict=True):
        if len(ids) or not stored.folder:
            folder = observed.root / f".{block.name}@{stored.meaning}.{uuid.uuid4().hex[:8]}"
            count = len(block_variables(block))
            pending.append(Pending(block, count, observed.root / block.name, folder, stored, arrived, ids))
        elif stored.deliveries != arrived:
            write_json(stored.folder / SEEN, arrived)
    # Large blocks first, so that none is left to run alone at the end.
    return sorted(pending, key=lambda one: -one.variables)


def _due(
    workspace: Workspace,
    connection: duckdb.DuckDBPyConnection,
    observed: Observed,
    blocks: Sequence[Block],
    snapshot: str | None,
) -> Iterator[tuple[Stored, dict[str, list[str]], pl.DataFrame]]:
    """Of each block: what is stored, the deliveries that there are, and the ids that have to be computed."""
    from bluemirror.contracts import read_contracts
    from bluemirror.mart.manifests import read_snapshot
    from bluemirror.variables.arrivals import deliveries_read, earliest_arrival, tables_read
    from bluemirror.variables.meaning import meaning_of
    from bluemirror.variables.spine import read_spine
    from bluemirror.variables.tables import Catalog

    contracts, spine = read_contracts(workspace.contracts_dir), read_spine(workspace)
    catalog = Catalog(contracts)
    state = read_snapshot(workspace, snapshot)
    for block in blocks:
        tables = tables_read(block, catalog, spine)
        arrived = deliveries_read(tables, catalog, block, state)
        meaning = meaning_of(block, block_variables(block), contracts, spine)
        stored = Stored.read(observed.root, block.name, meaning)
        since = None
        if stored.folder is not None:
            since = earliest_arrival(connection, tables, catalog, block, stored.deliveries, arrived)
        yield stored, arrived, wanted(observed.rows, stored.observations, since, observed.told_by)
