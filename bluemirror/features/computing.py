"""Where the variables of observations stand, or else their computation: in a set of the spine, or in one of their own.

A set of its own is named by what it holds, so the same observations find their values again, whoever brings them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bluemirror.errors import ModelError
from bluemirror.features.planning import JOIN_KEY
from bluemirror.variables.building import build_observed
from bluemirror.variables.pending import Observed, is_fresh

if TYPE_CHECKING:
    import duckdb
    import polars as pl

    from bluemirror.variables.declarations import Block
    from bluemirror.variables.spine import Spine
    from bluemirror.workspace import Workspace

DIGITS = 16
USED = "used"
"""A file in the folder of a set of its own: when it was last asked."""


@dataclass(frozen=True)
class Found:
    """Folders that hold the values, each as ``<block>/part-*.parquet``, and how many cells had to be computed."""

    folders: tuple[Path, ...]
    computed: int


def find_or_compute(
    workspace: Workspace,
    connection: duckdb.DuckDBPyConnection,
    snapshot: str,
    spine: Spine,
    blocks: Sequence[Block],
    rows: pl.DataFrame,
    log: Callable[[str], None] | None = None,
) -> Found:
    """The values of ``blocks`` at ``rows``, taken from where they stand or computed now.

    Parameters
    ----------
    connection, snapshot
        The mart as it stood, and the id of that state.
    blocks
        Of one entity, with those that they borrow from.
    rows
        observation_id, the entity's key, as_of and every further key that the blocks match.
    """
    entity = blocks[0].entity
    folders, rest = [], rows
    for which in spine.observations.values():
        if which.entity != entity or rest.is_empty():
            continue
        root = workspace.variables / which.name
        mine = _stored(root, rest)
        same_names = _stored(root, rest, [JOIN_KEY, "as_of"])
        if mine.is_empty() or len(same_names) != len(mine):
            # An id that means somebody else there would be answered for: then nothing is taken from this set.
            continue
        observed = Observed(which.name, entity, mine.sort(JOIN_KEY), root, which.path)
        if is_fresh(workspace, connection, observed, blocks, snapshot=snapshot):
            folders.append(root)
            rest = rest.join(mine, on=JOIN_KEY, how="anti", maintain_order="left")
    if rest.is_empty():
        return Found(tuple(folders), 0)
    rest = rest.sort(JOIN_KEY)
    root = workspace.own_variables / _digest(entity, rest)
    root.mkdir(parents=True, exist_ok=True)
    (root / USED).touch()
    observed = Observed("your observations", entity, rest, root, workspace.feature_repo)
    report = build_observed(workspace, connection, observed, blocks, snapshot=snapshot, log=log)
    return Found((*folders, root), report.values)


def with_carried_keys(
    connection: duckdb.DuckDBPyConnection, spine: Spine, blocks: Sequence[Block], rows: pl.DataFrame
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Add keys that the blocks match, that no table tells and that were not brought: from sets of the spine, by id.

    Returns
    -------
    The rows, and for each key that was looked up how many rows have none: for them its blocks are not applicable.

    Raises
    ------
    ModelError
        If a key is neither brought nor known for any of the rows.
    """
    from bluemirror.variables.observations import observe

    entity = spine.entities[blocks[0].entity]
    needed: dict[str, list[str]] = {}
    for block in blocks:
        for family in block.families:
            needed.setdefault(family.via.from_[1] if family.via else family.match[1], []).append(block.name)
    if spine.calls is not None:
        needed.setdefault(spine.calls.entity, [block.name for block in blocks])
    missing = [name for name in needed if name not in {*rows.columns, *entity.keys_columns}]
    if not missing:
        return rows, {}
    known = rows
    for which in spine.observations.values():
        if which.entity != blocks[0].entity:
            continue
        told = observe(connection, spine, which)
        here = [name for name in missing if name in told.columns and name not in known.columns]
        if here:
            known = known.join(
                told.select(JOIN_KEY, entity.key, *here),
                on=[JOIN_KEY, entity.key],
                how="left",
                maintain_order="left",
            )
    for name in missing:
        if name not in known.columns or known[name].null_count() == len(known):
            raise ModelError(
                f"the observations have no {name}",
                field=name,
                rule=f"it finds the rows of {', '.join(dict.fromkeys(needed[name]))}",
                fix=f"bring a column {name}, or the observation_id of known observations, or leave these blocks out",
            )
    return known, {name: known[name].null_count() for name in missing if known[name].null_count()}


def _stored(root: Path, rows: pl.DataFrame, on: Sequence[str] | None = None) -> pl.DataFrame:
    """Those of ``rows`` that a set holds with the same keys and moment; or only with the same columns ``on``."""
    import polars as pl

    from bluemirror.variables.store import part_files

    parts = part_files((root / "observations").resolve())
    if not parts:
        return rows.clear()
    held = pl.read_parquet(parts)
    columns = list(on or (name for name in rows.columns if name in held.columns))
    if on is None and set(rows.columns) - set(held.columns):
        return rows.clear()
    return rows.join(held.select(columns), on=columns, how="semi", nulls_equal=True, maintain_order="left")


def _digest(entity: str, rows: pl.DataFrame) -> str:
    digest = hashlib.sha256(entity.encode())
    for name in sorted(rows.columns):
        digest.update(f"\0{name}\0".encode())
        digest.update("\x1f".join(map(str, rows[name].to_list())).encode())
    return digest.hexdigest()[:DIGITS]
