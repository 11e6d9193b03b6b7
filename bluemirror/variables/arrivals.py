"""What has arrived since a block was computed, and which stored values it touches.

A file may land a day after its rows were known: an answer is known from its response on. Values that were computed
before such a file landed lack its rows, so observations from the earliest known time of what is new are computed
again. Rows that became known later touch nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bluemirror.mart.versions import quote
from bluemirror.variables.declarations import Block
from bluemirror.variables.spine import Spine
from bluemirror.variables.tables import Catalog

if TYPE_CHECKING:
    import duckdb

    from bluemirror.mart.manifests import Snapshot

Deliveries = Mapping[str, Sequence[str]]
"""Days (ISO) of the committed deliveries, by source."""


def tables_read(block: Block, catalog: Catalog, spine: Spine) -> set[str]:
    """Every table that a value of ``block`` may come from: its own, their headers, links, keys and call ledger."""
    families = [family for one in (block, *block.borrowed) for family in one.families]
    names = {family.table for family in families}
    names |= {family.via.table for family in families if family.via}
    names |= {catalog.header(name, block).name for name in names}
    keys = spine.entities[block.entity].keys_table
    if keys is not None:
        names.add(keys)
    if spine.calls is not None:
        names.add(spine.calls.table)
    return names


def deliveries_read(
    tables: set[str], catalog: Catalog, block: Block, state: Snapshot
) -> dict[str, list[str]]:
    """The committed deliveries of the sources of ``tables``."""
    sources = sorted({catalog.contract(name, block).source for name in tables})
    return {source: sorted(state.of(source)) for source in sources}


def earliest_arrival(
    connection: duckdb.DuckDBPyConnection,
    tables: set[str],
    catalog: Catalog,
    block: Block,
    seen: Deliveries,
    now: Deliveries,
) -> dt.datetime | None:
    """Earliest known time among the rows of ``tables`` in deliveries of ``now`` that ``seen`` does not have."""
    earliest: list[dt.datetime] = []
    for name in sorted(tables):
        source = catalog.contract(name, block).source
        days = sorted(set(now.get(source, ())) - set(seen.get(source, ())))
        if not days:
            continue
        listed = ", ".join(f"DATE '{dt.date.fromisoformat(day)}'" for day in days)
        query = f"SELECT min(known_time) FROM {quote(name)} WHERE _delivery IN ({listed})"
        found = connection.sql(query).pl().item()
        if found is not None:
            earliest.append(found)
    return min(earliest, default=None)
