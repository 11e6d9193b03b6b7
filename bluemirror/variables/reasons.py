"""Why a source says nothing about an observation: five reasons, of which four are the query's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bluemirror.mart.versions import quote
from bluemirror.variables.grouped import Grouped, Ints
from bluemirror.variables.load import Request
from bluemirror.variables.resolve import Moments, known_rows
from bluemirror.variables.spill import Spill
from bluemirror.variables.spine import Spine
from bluemirror.variables.tables import Catalog, Keys, read_keyed

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


@dataclass(frozen=True)
class CallLedger:
    """The call ledger of some observations, loaded once for all the sources that their blocks ask about.

    Attributes
    ----------
    entity
        The key by which calls are found.
    sources
        The sources that anybody was ever asked about: an applicant alone must not look as if nobody was.
    keys, rows
        Whose calls, and the calls by key.
    source, outcome
        (rows,) place of the source in ``sources``, and the reason that the result of the call stands for.
    """

    entity: str
    sources: tuple[str, ...]
    keys: Keys
    rows: Grouped
    source: NDArray[np.int16]
    outcome: NDArray[np.int16]

    @classmethod
    def read(
        cls,
        connection: duckdb.DuckDBPyConnection,
        catalog: Catalog,
        spine: Spine,
        chunks: Sequence[pl.DataFrame],
        spill: Spill | None = None,
    ) -> Sequence[CallLedger]:
        """The ledger of each chunk of observations; empty where they do not have the ledger's entity."""
        declared = spine.calls
        if declared is None or declared.entity not in chunks[0].columns:
            nobody = Keys.of(pl.Series(dtype=pl.String))
            nothing = np.zeros(0, dtype=np.int16)
            empty = Grouped.build({}, np.zeros(0, dtype=np.int64), 0)
            return [cls("", (), nobody, empty, nothing, nothing)] * len(chunks)
        contract = catalog.contract(declared.table, spine.path)
        heard = connection.sql(
            f"SELECT DISTINCT {quote(declared.source)} FROM {quote(declared.table)}"
        ).fetchall()
        sources = tuple(sorted(source for (source,) in heard if source is not None))
        request = Request()
        result = request.alias(f"CAST(t.{quote(declared.result)} AS VARCHAR)")
        source = request.alias(f"CAST(t.{quote(declared.source)} AS VARCHAR)")
        keys = [Keys.of(chunk[declared.entity]) for chunk in chunks]
        table = contract.table(declared.table)
        rows = read_keyed(connection, spill or Spill(), contract, table, declared.entity, keys, request)
        outcomes = {name: OUTCOMES[outcome] for name, outcome in declared.outcomes.items()}
        places = {name: place for place, name in enumerate(sources)}

        def of(chunk: int) -> CallLedger:
            loaded = rows.loaded(chunk)
            return cls(
                declared.entity,
                sources,
                keys[chunk],
                loaded.grouped(len(keys[chunk])),
                _numbers(loaded.column(source), places, -1),
                _numbers(loaded.column(result), outcomes, ERROR),
            )

        return [of(chunk) for chunk in range(len(chunks))]

    def about(self, source: str, observations: pl.DataFrame) -> Ledger | None:
        """The calls made to ``source`` for ``observations``; None if the ledger never heard of it."""
        if source not in self.sources:
            return None
        asked = self.source == self.sources.index(source)
        return Ledger(self.rows.where(asked), self.outcome[asked], self.keys.ids(observations[self.entity]))


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
