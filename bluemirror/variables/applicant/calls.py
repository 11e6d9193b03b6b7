"""What the call ledger says about an applicant: whether each source was asked, and how it answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bluemirror.mart.versions import quote
from bluemirror.variables.applicant.history import KeyedColumns
from bluemirror.variables.applicant.merging import merge
from bluemirror.variables.reasons import ERROR, NOT_QUERIED, OUTCOMES
from bluemirror.variables.resolve import Moments, known_rows

if TYPE_CHECKING:
    import duckdb

    from bluemirror.variables.applicant.records import Records
    from bluemirror.variables.applicant.told import ToldTables
    from bluemirror.variables.grouped import Ints
    from bluemirror.variables.spine import Spine
    from bluemirror.variables.tables import Catalog


@dataclass(frozen=True)
class Outcome:
    """The newest outcome of one source; what an engine asks of a :class:`bluemirror.variables.reasons.Ledger`."""

    reason: int

    def outcomes(self, shard: slice, as_of: Ints) -> NDArray[np.int8]:  # noqa: ARG002 - of one moment
        """Reason by the newest call known at as_of."""
        return np.full(len(as_of), self.reason, dtype=np.int8)


class PastCalls:
    """The whole call ledger, by the entity under which calls are booked."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, catalog: Catalog, spine: Spine, told: ToldTables
    ) -> None:
        self.declared = declared = spine.calls
        if declared is None:
            return
        contract = catalog.contract(declared.table, spine.path)
        table = contract.table(declared.table)
        self.calls = KeyedColumns(
            connection, contract, table, declared.entity, (declared.source, declared.result), told
        )
        heard = connection.sql(
            f"SELECT DISTINCT {quote(declared.source)} FROM {quote(declared.table)}"
        ).fetchall()
        self.sources = frozenset(source for (source,) in heard if source is not None)

    def outcomes(self, records: Records, keys: Mapping[str, object], as_of: int) -> dict[str, Outcome]:
        """The outcome of every source that the ledger has ever heard of, for the entity among ``keys``."""
        declared = self.declared
        if declared is None or declared.entity not in keys:
            return {}
        who = keys[declared.entity]
        arrived = () if who is None else records.by(declared.table, declared.entity, who)
        fresh = [(0, one) for one in arrived if not one.deleted]
        number = self.calls.numbers.of(None if who is None else str(who))
        merged = merge(
            self.calls.keyed.rows,
            self.calls.marks,
            [number],
            fresh,
            partial(records.versions, declared.table),
            self.calls.told,
        )
        found = known_rows(merged.rows, Moments(np.zeros(1, dtype=np.int64), np.array([as_of])))
        places = merged.order[found.row]
        reasons = dict.fromkeys(self.sources | records.values(declared.table, declared.source), NOT_QUERIED)
        sources, results = (
            [
                *self.calls.columns[name].of(merged.old),
                *(one.values[name] for _, one in fresh),
            ]
            for name in (declared.source, declared.result)
        )
        for place in places.tolist():
            outcome = declared.outcomes.get(results[place])
            reasons[sources[place]] = ERROR if outcome is None else OUTCOMES[outcome]
        return {source: Outcome(reason) for source, reason in reasons.items()}
