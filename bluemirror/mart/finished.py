"""From accepted typed rows to mart rows: keyed hashes instead of keys, and the system columns."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from bluemirror.mart.batch import Batch
from bluemirror.mart.keys import KeyHasher

if TYPE_CHECKING:
    import polars as pl


def document_ids(batch: Batch) -> np.ndarray:
    """``_doc`` of each record: 63 bits of a hash of source, delivery, file and record number."""
    starts = np.empty(len(batch.files), dtype=np.uint64)
    for position, file in enumerate(batch.files):
        digest = hashlib.blake2b(file.name.encode(), digest_size=8).digest()
        starts[position] = int.from_bytes(digest, "little")
    records = np.arange(batch.size, dtype=np.int64)
    with np.errstate(over="ignore"):
        mixed = np.repeat(starts, batch.counts) + batch.line_of(records).astype(np.uint64)
        # splitmix64 (Steele, Lea, Flood 2014): a bijection, so the records of a file never collide.
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed = mixed ^ (mixed >> np.uint64(31))
    return (mixed >> np.uint64(1)).astype(np.int64)


def finish_tables(batch: Batch, hasher: KeyHasher) -> dict[str, pl.DataFrame]:
    """Mart frames of the accepted rows, each still with ``_rec`` as its first column."""
    import polars as pl

    documents = document_ids(batch)
    days = np.array(batch.days, dtype="datetime64[D]")
    names = pl.Series("_file", [file.name for file in batch.files], dtype=pl.String)
    done = {}
    for table in batch.contract.tables:
        frame = batch.tables.pop(table.name)
        if batch.findings.bad.any():
            frame = frame.filter(~pl.Series(batch.findings.bad[frame["_rec"].to_numpy()]))
        records = frame["_rec"].to_numpy()
        files = batch.file_of(records)
        columns: list[pl.Series] = [frame["_rec"]]
        for item in table.fields:
            if item.drop:
                continue
            if item.key is None:
                columns.append(frame[item.name])
                continue
            columns += hasher.columns(frame[item.name], item)
            columns += hasher.part_columns(frame[item.name], item)
        columns += [
            frame["event_time"],
            frame["known_time"],
            pl.Series("_doc", documents[records], dtype=pl.Int64),
            frame["_seq"],
            frame["_parent"],
            pl.Series("_delivery", days[files]).cast(pl.Date),
            names.gather(files),
            pl.Series("_line", batch.line_of(records), dtype=pl.Int32),
            frame["_deleted"],
        ]
        done[table.name] = pl.DataFrame(columns)
    return done
