"""Why a source says nothing about an observation: five reasons, of which four are the query's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bluemirror.mart.versions import quote
from bluemirror.variables.declarations import Block
from bluemirror.variables.grouped import Ints
from bluemirror.variables.load import Request
from bluemirror.variables.resolve import Moments
from bluemirror.variables.spine import Spine
from bluemirror.variables.tables import Catalog, KeyedTable, Keys

if TYPE_CHECKING:
    import duckdb

ANSWERED, NOT_APPLICABLE, NOT_QUERIED, NO_HIT, ERROR = range(5)

REASONS = {
    ANSWERED: "answered",
    NOT_APPLICABLE: "not applicable",
    NOT_QUERIED: "not queried",
    NO_HIT: "no hit",
    ERROR: "error",
}
"""Codes of the column ``<block>__reason``; the fifth reason, a zero denominator, is a variable's own."""

_OUTCOMES = {"hit": ANSWERED, "no_hit": NO_HIT, "error": ERROR}


def answer_reasons(
    newest: Ints, hit: NDArray[np.bool_] | None, ledger: NDArray[np.int8] | None
) -> NDArray[np.int8]:
    """Reason of each observation from its newest answer (-1: none) and, where there is none, from the ledger."""
    reason = np.full(len(newest), NOT_QUERIED, dtype=np.int8)
    if ledger is not None:
        # An answer that the ledger knows but that is no longer valid, or not yet known, was as good as not asked.
        reason = np.where(ledger == ANSWERED, NOT_QUERIED, ledger).astype(np.int8)
    present = newest >= 0
    answered = present.copy()
    if hit is not None:
        answered[present] = hit[newest[present]]
    reason[present] = NO_HIT
    reason[answered] = ANSWERED
    return reason


@dataclass(frozen=True)
class Ledger:
    """The calls made to one source for the observed entities."""

    calls: KeyedTable
    outcome: NDArray[np.int8]
    ids: Ints

    @classmethod
    def load(
        cls,
        connection: duckdb.DuckDBPyConnection,
        catalog: Catalog,
        block: Block,
        spine: Spine,
        observations: pl.DataFrame,
    ) -> Ledger | None:
        """The ledger's rows about the block's source; None if it is declared nowhere or never heard of the source."""
        declared = spine.calls
        if declared is None or declared.entity not in observations.columns:
            return None
        contract = catalog.contract(declared.table, block)
        # Asked of the whole ledger: an applicant alone must not look as if nobody were ever asked about.
        heard = connection.execute(
            f"SELECT 1 FROM {quote(declared.table)} WHERE {quote(declared.source)} = ? LIMIT 1",
            [block.source],
        ).fetchall()
        if not heard:
            return None
        request = Request()
        result = request.alias(f"CAST(t.{quote(declared.result)} AS VARCHAR)")
        source = request.alias(f"CAST(t.{quote(declared.source)} AS VARCHAR)")
        keys = Keys.of(observations[declared.entity])
        table = contract.table(declared.table)
        calls = KeyedTable(connection, contract, table, declared.entity, keys, request)
        about = (calls.loaded.column(source) == block.source).fill_null(False).to_numpy()
        outcome = (
            calls.loaded.column(result)
            .replace_strict(
                list(declared.outcomes),
                [_OUTCOMES[one] for one in declared.outcomes.values()],
                default=ERROR,
                return_dtype=pl.Int8,
            )
            .to_numpy()
            .copy()
        )
        outcome[~about] = -1
        return cls(calls, outcome, keys.ids(observations[declared.entity]))

    def outcomes(self, shard: slice, as_of: Ints) -> NDArray[np.int8]:
        """Reason by the newest call known at as_of; not queried where there was none."""
        found = self.calls.resolve(Moments(self.ids[shard], as_of))
        about = self.outcome[found.row] >= 0
        reason = np.full(len(as_of), NOT_QUERIED, dtype=np.int8)
        reason[found.owner[about]] = self.outcome[found.row[about]]
        return reason
