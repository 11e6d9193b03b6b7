"""A block across sources, computed together with what it borrows: one shard stays one pure function."""

from __future__ import annotations

from collections.abc import Mapping
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
        calls = calls or CallLedger(connection, Catalog(contracts), spine, observations)
        self.parts = [
            BlockEngine(connection, part, contracts, spine, observations, calls) for part in block.borrowed
        ]
        self.as_of: Ints = self.parts[0].as_of

    def compute(self, start: int = 0, stop: int | None = None) -> pl.DataFrame:
        """Variables of the observations ``start:stop``, as :meth:`BlockEngine.compute` gives them."""
        return cast("pl.DataFrame", pl.from_arrow(self.compute_table(start, stop)))

    def compute_table(self, start: int = 0, stop: int | None = None) -> pa.Table:
        """The same as an Arrow table.

        The reason is that of the first source that did not answer, if there is one.
        """
        frames = [part.compute(start, stop) for part in self.parts]
        reason = np.full(len(frames[0]), ANSWERED, dtype=np.int8)
        for part, frame in zip(reversed(self.parts), reversed(frames), strict=True):
            theirs = frame[f"{part.block.name}__reason"].to_numpy()
            reason = np.where(theirs == ANSWERED, reason, theirs)
        sides = {name: frame[name] for frame in frames for name in frame.columns}
        values = np.empty((len(self.variables), len(reason)), dtype=np.float32)
        for into, one in zip(values, self.block.combinations, strict=True):
            into[:] = combined(one.operator, _values(sides[one.left]), _values(sides[one.right]))
        return as_table(self.block, self.variables, frames[0], reason, values)


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
    kind = CrossEngine if block.borrowed else BlockEngine
    return kind(connection, block, contracts, spine, observations, calls)
