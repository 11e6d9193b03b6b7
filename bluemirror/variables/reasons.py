"""Why a source says nothing about an observation: five reasons, of which four are the query's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bluemirror.mart.versions import quote
from bluemirror.variables.grouped import Grouped, Ints
from bluemirror.variables.load import Request
from bluemirror.variables.resolve import Moments, known_rows
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

OUTCOMES = {"hit": ANSWERED, "no_hit": NO_HIT, "error": ERROR}


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


class CallLedger:
    """The call ledger of some observations, loaded once for all the sources that their blocks ask about.

    Parameters
    ----------
    connection
        Over the mart; used while loading only.
    observations
        With the ledger's entity, if they have it.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        catalog: Catalog,
        spine: Spine,
        observations: pl.DataFrame,
    ) -> None:
        self.entity = "" if spine.calls is None else spine.calls.entity
        self.sources: list[str] = []
        declared = spine.calls
        if declared is None or declared.entity not in observations.columns:
            return
        contract = catalog.contract(declared.table, spine.path)
        # Asked of the whole ledger: an applicant alone must not look as if nobody were ever asked about.
        heard = connection.sql(
            f"SELECT DISTINCT {quote(declared.source)} FROM {quote(declared.table)}"
        ).fetchall()
        self.sources = sorted(source for (source,) in heard if source is not None)
        request = Request()
        result = request.alias(f"CAST(t.{quote(declared.result)} AS VARCHAR)")
        source = request.alias(f"CAST(t.{quote(declared.source)} AS VARCHAR)")
        self.keys = Keys.of(observations[declared.entity])
        table = contract.table(declared.table)
        calls = KeyedTable(connection, contract, table, declared.entity, self.keys, request)
        outcomes = {name: OUTCOMES[outcome] for name, outcome in declared.outcomes.items()}
        self._outcome = _numbers(calls.loaded.column(result), outcomes, ERROR)
        places = {name: place for place, name in enumerate(self.sources)}
        self._source = _numbers(calls.loaded.column(source), places, -1)
        self._rows = calls.rows

    def about(self, source: str, observations: pl.DataFrame) -> Ledger | None:
        """The calls made to ``source`` for ``observations``; None if the ledger never heard of it."""
        if source not in self.sources:
            return None
        rows, outcome = self._rows.where(self._source == self.sources.index(source)), self._outcome
        return Ledger(
            rows,
            outcome[self._source == self.sources.index(source)],
            self.keys.ids(observations[self.entity]),
        )


def _numbers(column: pl.Series, numbers: Mapping[str, int], otherwise: int) -> NDArray[np.int16]:
    return column.replace_strict(
        list(numbers), list(numbers.values()), default=otherwise, return_dtype=pl.Int16
    ).to_numpy()


class Outcomes(Protocol):
    """What is known of the calls made to one source."""

    def outcomes(self, shard: slice, as_of: Ints) -> NDArray[np.int8]:
        """Reason of each observation of a shard by the newest call known at its as_of."""


@dataclass(frozen=True)
class Ledger:
    """The calls made to one source for the observed entities."""

    rows: Grouped
    outcome: NDArray[np.int16]
    ids: Ints

    def outcomes(self, shard: slice, as_of: Ints) -> NDArray[np.int8]:
        """Reason by the newest call known at as_of; not queried where there was none."""
        found = known_rows(self.rows, Moments(self.ids[shard], as_of))
        reason = np.full(len(as_of), NOT_QUERIED, dtype=np.int8)
        reason[found.owner] = self.outcome[found.row]
        return reason
