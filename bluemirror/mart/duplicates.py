"""Records that were delivered before: same business key, same known time.

A restated row has a later known time and is a new row. Two versions of one key that are known at the same
moment are a mistake of the source: taking both would count twice, and nobody could tell which is the newest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bluemirror.mart.adopted import same_columns
from bluemirror.mart.batch import Batch
from bluemirror.mart.keys import KeyHasher
from bluemirror.mart.manifests import Snapshot

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.contracts import Table
    from bluemirror.workspace import Workspace

FIX = "the source sends it once; a restated row needs a later known time"


def check_duplicates(batch: Batch, workspace: Workspace, snapshot: Snapshot, hasher: KeyHasher) -> None:
    """Reject repeated keys: of records against this batch and all that is committed, of rows within a record.

    Of several equal records the first good one stays, in the order of delivery, file and line.
    """
    import polars as pl

    for table in batch.contract.tables:
        frame = batch.tables[table.name]
        if not table.business_key or not frame.height or table.name == batch.contract.header.name:
            continue
        names = ["_rec", *table.business_key]
        again = ~frame.select(pl.struct(names).is_first_distinct()).to_series()
        records = frame["_rec"].to_numpy()[again.to_numpy()]
        batch.findings.error(table.name, ", ".join(table.business_key), "duplicate", FIX, records)
    header = batch.contract.header
    if header.business_key:
        _check_records(batch, workspace, snapshot, hasher, header)


def _check_records(
    batch: Batch, workspace: Workspace, snapshot: Snapshot, hasher: KeyHasher, table: Table
) -> None:
    import polars as pl

    frame = batch.tables[table.name]
    frame = frame.filter(~pl.Series(batch.findings.bad[frame["_rec"].to_numpy()]))
    if not frame.height:
        return
    keys = key_columns(frame, table, hasher)
    again = ~keys.select(pl.struct(pl.all()).is_first_distinct()).to_series().to_numpy()
    first, last = known_span(frame["known_time"])
    files = [
        workspace.mart / batch.contract.source / committed.folder / f"{table.name}.parquet"
        for committed in same_columns(workspace, batch.contract, snapshot, table.name, keys.columns)
        # Only deliveries whose known times meet this batch's can hold the same record.
        if committed.known and committed.known[0] <= last and committed.known[1] >= first
    ]
    if files:
        committed_keys = (
            pl.scan_parquet(files)
            .select(keys.columns)
            .filter(pl.col("known_time").is_between(frame["known_time"].min(), frame["known_time"].max()))
            .collect()
        )
        numbered = keys.with_row_index("_row")
        seen = numbered.join(committed_keys, on=keys.columns, how="semi", nulls_equal=True)["_row"].to_numpy()
        again[seen] = True
    records = frame["_rec"].to_numpy()[np.flatnonzero(again)]
    batch.findings.error(table.name, ", ".join(table.business_key), "duplicate", FIX, records)


def key_columns(frame: pl.DataFrame, table: Table, hasher: KeyHasher) -> pl.DataFrame:
    """Business key as the mart stores it (of several forms, the first), and known time."""
    import polars as pl

    columns: list[pl.Series] = []
    for name in table.business_key:
        item = table.field(name)
        columns += hasher.columns(frame[name], item)[:1] if item.key else [frame[name]]
    return pl.DataFrame([*columns, frame["known_time"]])


def known_span(known: pl.Series) -> tuple[str, str]:
    """First and last of some known times as ISO text, which sorts as the times do."""
    times = known.to_numpy()
    # With all six decimals: without them "10:00:00" would sort after "10:00:00.5".
    return str(times.min()), str(times.max())
