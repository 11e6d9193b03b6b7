"""A block across sources, computed together with what it borrows: one shard stays one pure function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
import polars as pl

from bluemirror.variables.combining import combined
from bluemirror.variables.engine import BlockEngine, as_table
from bluemirror.variables.plan import block_variables
from bluemirror.variables.reasons import ANSWERED, CallLedger
from bluemirror.variables.tables import Catalog

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from bluemirror.contracts import Contract
    from bluemirror.variables.declarations import Block
    from bluemirror.variables.grouped import Ints
    from bluemirror.variables.spine import Spine
    from bluemirror.variables.variable import Variable


class CrossEngine:
    """The same as :class:`BlockEngine` for a block that only combines variables of other blocks."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        block: Block,
        contracts: Mapping[str, Contract],
        spine: Spine,
        observations: pl.DataFrame,
        calls: CallLedger | None = None,
    ) -> None:
        self.block = block
        self.variables = block_variables(block)
        self.observations = observations
        calls = calls or CallLedger.read(connection, Catalog(contracts), spine, [observations])[0]
        self.parts = [
            BlockEngine.read(connection, part, contracts, spine, observations, calls)
            for part in block.borrowed
        ]
        self.as_of: Ints = self.parts[0].as_of

    def compute(self, start: int = 0, stop: int | None = None) -> pl.DataFrame:
        """Variables of the observations ``start:stop``, as :meth:`BlockEngine.compute` gives them."""
        return cast("pl.DataFrame", pl.from_arrow(self.compute_table(start, stop)))

    def compute_table(self, start: int = 0, stop: int | None = None) -> pa.Table:
        """The same as an Arrow table."""
        frames = [(part.block.name, part.compute(start, stop)) for part in self.parts]
        return crossed(self.block, self.variables, frames)


class StoredCrossEngine:
    """The same over what the build of this very moment has stored of the other blocks: nothing is loaded twice.

    Parameters
    ----------
    block
        A block across sources.
    observations
        observation_id and as_of, sorted by observation_id.
    read
        Gives observation_id, event_timestamp and the named columns of a block for some observations.
    """

    def __init__(
        self,
        block: Block,
        observations: pl.DataFrame,
        read: Callable[[str, list[str], pl.DataFrame], pl.DataFrame],
    ) -> None:
        self.block = block
        self.variables = block_variables(block)
        self.observations = observations
        self.as_of: Ints = observations["as_of"].cast(pl.Datetime("us")).dt.timestamp("us").to_numpy()
        needed = {side for one in block.combinations for side in (one.left, one.right)}
        asked = observations.select("observation_id")
        self._sides = [
            (
                part.name,
                read(
                    part.name,
                    [
                        f"{part.name}__reason",
                        *(one.name for one in block_variables(part) if one.name in needed),
                    ],
                    asked,
                ),
            )
            for part in block.borrowed
        ]

    def compute_table(self, start: int = 0, stop: int | None = None) -> pa.Table:
        """Variables of the observations ``start:stop`` as an Arrow table."""
        return crossed(self.block, self.variables, [(name, frame[start:stop]) for name, frame in self._sides])


def crossed(
    block: Block, variables: Sequence[Variable], frames: Sequence[tuple[str, pl.DataFrame]]
) -> pa.Table:
    """Combine the sides that stand in ``frames`` (block, its columns), all over the same observations.

    The reason is that of the first source that did not answer, if there is one.
    """
    first = frames[0][1]
    reason = np.full(len(first), ANSWERED, dtype=np.int8)
    for name, frame in reversed(frames):
        theirs = frame[f"{name}__reason"].to_numpy()
        reason = np.where(theirs == ANSWERED, reason, theirs)
    sides = {name: frame[name] for _, frame in frames for name in frame.columns}
    values = np.empty((len(variables), len(reason)), dtype=np.float32)
    for into, one in zip(values, block.combinations, strict=True):
        into[:] = combined(one.operator, _values(sides[one.left]), _values(sides[one.right]))
    return as_table(block, variables, first, reason, values)


def _values(column: pl.Series) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return column.fill_null(float("nan")).to_numpy()


def engine_of(
    connection: duckdb.DuckDBPyConnection,
    block: Block,
    contracts: Mapping[str, Contract],
    spine: Spine,
    observations: pl.DataFrame,
    calls: CallLedger | None = None,
) -> BlockEngine | CrossEngine:
    """The engine of ``block``: its own, or that of a block across sources."""
    read = CrossEngine if block.borrowed else BlockEngine.read
    return read(connection, block, contracts, spine, observations, calls)
