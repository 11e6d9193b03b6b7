"""What a training or a scoring reads: stored observations, stored variables as matrices, reasons of missing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bluemirror.errors import ModelError
from bluemirror.scorecards.screen import Chunk

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.workspace import Workspace

REASONS: Mapping[int, str] = {1: "not applicable", 2: "not queried", 3: "no hit", 4: "error"}

SPECIALS: Mapping[float, str] = {-(2.0 ** (110 + code)): means for code, means in REASONS.items()}
"""A missing value whose source gave a reason is this number in a model's inputs. Powers of two of that size are
exact in both float sizes, and no variable comes near."""

_OF_REASON = dict(zip(REASONS, SPECIALS, strict=True))
_FAR_BELOW = -(2.0**109)


@dataclass(frozen=True)
class Observations:
    """The stored observations of a set, sorted by id, and the name of their entity key."""

    rows: pl.DataFrame
    entity_key: str


def read_observations(workspace: Workspace, observation_set: str) -> Observations:
    """Observations whose variables are stored.

    Raises
    ------
    ModelError
        If none are.
    """
    import polars as pl

    from bluemirror.variables.spine import read_spine

    spine = read_spine(workspace)
    key = spine.entities[spine.observation_set(observation_set).entity].key
    folder = workspace.variables / observation_set / "observations"
    parts = sorted(folder.glob("part-*.parquet"))
    rows = pl.read_parquet(parts) if parts else pl.DataFrame()
    if rows.is_empty():
        raise ModelError(
            f"no variables of {observation_set!r} are stored yet",
            file=folder,
            rule="a model reads variables that were computed before",
            fix="bluemirror features computes them",
        )
    return Observations(rows.sort("observation_id"), key)


def data_day(workspace: Workspace) -> dt.date:
    """The day at which the data stands: that of the newest delivery in the mart's snapshot.

    Raises
    ------
    ModelError
        If the mart is empty.
    """
    from bluemirror.mart.manifests import read_snapshot

    days = [c.day for deliveries in read_snapshot(workspace).deliveries.values() for c in deliveries.values()]
    if not days:
        raise ModelError(
            "the mart is empty",
            file=workspace.mart,
            rule="a model is trained on committed deliveries",
            fix="bluemirror ingest reads what stands in the landing folder",
        )
    return max(days)


def block_chunks(
    workspace: Workspace,
    observation_set: str,
    variables: Mapping[str, Sequence[str]],
    observation_ids: pl.Series,
    late_rows: Callable[[str], Any] | None = None,
) -> Iterator[Chunk]:
    """Stored variables of some observations, some hundred columns at a time.

    Parameters
    ----------
    variables
        Block name to the names wanted of it.
    observation_ids
        The rows wanted, in the order wanted.
    late_rows
        Block name to which of the rows came late (see ``Chunk.late``), or to None.

    Raises
    ------
    FamilyError
        If an observation is not stored in a block.
    """
    import polars as pl

    from bluemirror.variables import variable_files
    from bluemirror.variables.stored_columns import StoredBlock

    rows = pl.DataFrame({"observation_id": observation_ids}).with_row_index("place").cast({"place": pl.Int64})
    for block, names in variables.items():
        stored = StoredBlock(variable_files(workspace, observation_set, block), block, rows)
        late = None if late_rows is None else late_rows(block)
        for chosen, values in stored.batches(names, apart=True):
            yield Chunk(tuple(names[chosen]), values, stored.reason, late)


def block_streams(
    workspace: Workspace,
    observation_set: str,
    variables: Mapping[str, Sequence[str]],
    observation_ids: pl.Series,
    late_rows: Callable[[str], Any] | None = None,
) -> list[Iterator[Chunk]]:
    """The chunks of :func:`block_chunks`, each block a stream of its own, to be read beside each other."""
    return [
        block_chunks(workspace, observation_set, {block: names}, observation_ids, late_rows)
        for block, names in variables.items()
    ]


def with_reasons(
    workspace: Workspace, observation_set: str, frame: pl.DataFrame, block_of: Mapping[str, str]
) -> pl.DataFrame:
    """Turn a training set into a model's inputs: Float64, and a missing value tells its source's reason.

    Parameters
    ----------
    frame
        observation_id and variables; null or NaN is missing.
    block_of
        Name of each variable to its block.

    Returns
    -------
    polars.DataFrame
        The variables only, in the order of ``frame``: NaN where the source answered but the variable is not
        defined, one of ``SPECIALS`` where it did not.
    """
    import polars as pl

    from bluemirror.variables import variable_files

    names = [n for n in frame.columns if n in block_of]
    codes: dict[str, Any] = {}
    for block in sorted({block_of[n] for n in names}):
        files = variable_files(workspace, observation_set, block)
        stored = pl.scan_parquet(files).select("observation_id", f"{block}__reason").collect()
        joined = frame.select("observation_id").join(
            stored, on="observation_id", how="left", maintain_order="left"
        )
        reason = joined[f"{block}__reason"].fill_null(0).to_numpy()
        codes[block] = np.array([np.nan, *_OF_REASON.values()])[reason]
    columns = {}
    for name in names:
        values = frame[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        columns[name] = np.where(np.isnan(values), codes[block_of[name]], values)
    return pl.DataFrame(columns)


def without_reasons(values: Any) -> Any:
    """The inputs with NaN for every missing value, whatever its reason; any shape."""
    values = np.asarray(values, float)
    return np.where(values < _FAR_BELOW, np.nan, values)
