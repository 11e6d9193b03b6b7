"""What a block's stored values depend on: its declarations, and how contracts and spine say its tables are read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from bluemirror.variables.arrivals import tables_read
from bluemirror.variables.declarations import Block
from bluemirror.variables.spine import Spine
from bluemirror.variables.tables import Catalog
from bluemirror.variables.variable import Variable

if TYPE_CHECKING:
    from bluemirror.contracts import Contract

ENGINE = "1"
"""Raised when the kernels compute something else from the same declarations; stored values are then recomputed."""


def meaning_of(
    block: Block, variables: Iterable[Variable], contracts: Mapping[str, Contract], spine: Spine
) -> str:
    """Eight hex digits for the meaning of a whole block.

    They change with its columns and their order, with the time rules, keys, tombstones, hits and valid days of the
    tables that it reads, with the keys and the call ledger of the spine, and with the engine's version.
    """
    catalog = Catalog(contracts)
    reading = []
    for name in sorted(tables_read(block, catalog, spine)):
        contract = catalog.contract(name, block)
        table = contract.table(name)
        times = (table.event_time, table.known_time, table.valid_to)
        reading.append(
            (
                name,
                table.kind,
                table.business_key,
                times,
                table.tombstone,
                table.hit,
                contract.answer_valid_days,
            )
        )
    calls = spine.calls
    ledger = (
        None if calls is None else (calls.table, calls.source, calls.time, sorted(calls.outcomes.items()))
    )
    columns = [(one.name, one.meaning) for one in variables]
    basis = (ENGINE, block.name, block.source, columns, reading, spine.entities[block.entity], ledger)
    return hashlib.sha256(repr(basis).encode()).hexdigest()[:8]
