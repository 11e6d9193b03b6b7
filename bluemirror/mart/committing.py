"""One delivery ready to be committed: its tables, its quarantine and its manifest."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bluemirror.landing.deliveries import Delivery
from bluemirror.landing.landed import Read
from bluemirror.mart.batch import Batch
from bluemirror.mart.duplicates import known_span
from bluemirror.mart.file_rules import Held
from bluemirror.mart.finished import finish_tables
from bluemirror.mart.keys import KeyHasher
from bluemirror.mart.manifests import Committed
from bluemirror.mart.quarantine import quarantine_schema

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.workspace import Workspace


@dataclass(frozen=True)
class Parcel:
    """A delivery that only needs to be written and named; ``held`` says which files were held back, and why."""

    delivery: Delivery
    committed: Committed
    manifest: Mapping[str, Any]
    tables: Mapping[str, pl.DataFrame]
    quarantine: pl.DataFrame
    held: tuple[str, ...]


def key_id(key: bytes) -> str:
    """A name of the hash key that tells nothing about it."""
    return hmac.digest(key, b"bluemirror key id", "sha256").hex()[:8]


def parcels(
    workspace: Workspace,
    batch: Batch,
    read: Read,
    chunk: Sequence[Delivery],
    held: Mapping[int, Held],
    hasher: KeyHasher,
) -> list[Parcel]:
    """Split a checked batch into its deliveries, in order."""
    number_of = {delivery.day: position for position, delivery in enumerate(chunk)}
    place = np.array([number_of[day] for day in batch.days], dtype=np.int64)
    starts = np.searchsorted(place, np.arange(len(chunk) + 1))
    edges = batch.base[starts]
    rows_in = {table: _per_delivery(frame["_rec"].to_numpy(), edges) for table, frame in batch.tables.items()}
    quarantine = _quarantine(batch)
    finished = finish_tables(batch, hasher)
    cuts = {table: np.searchsorted(frame["_rec"].to_numpy(), edges) for table, frame in finished.items()}
    plain = {table: frame.drop("_rec") for table, frame in finished.items()}
    key = key_id(workspace.secret_key())
    done = []
    for position, delivery in enumerate(chunk):
        tables = {
            table: frame[int(cuts[table][position]) : int(cuts[table][position + 1])]
            for table, frame in plain.items()
        }
        files = range(int(starts[position]), int(starts[position + 1]))
        first, last = int(edges[position]), int(edges[position + 1])
        bad = int(batch.findings.bad[first:last].sum())
        holding = [held[number] for number in files if number in held]
        lost = sum(item.rows for item in holding)
        counts = {
            "in": last - first + lost,
            "accepted": last - first - bad,
            "quarantined": bad + lost,
        }
        entries = {
            batch.files[number].path.name: {
                "sha256": read.hashes.get(number) or _hash_of(batch.files[number].path),
                "rows": held[number].rows if number in held else read.counts[number],
                "declared": batch.files[number].rows,
                "held": held[number].rule if number in held else None,
            }
            for number in files
        }
        part = _slice(quarantine, first, last)
        broken = dict(part.filter(part["records"] > 0).group_by("rule").len().sort("rule").iter_rows())
        warned = _warned(batch, first, last)
        committed = _committed(batch, delivery, entries, counts, tables, sum(warned.values()))
        manifest = {
            "source": delivery.source,
            "delivery": delivery.day.isoformat(),
            "contract_version": batch.contract.version,
            "contract": batch.contract.fingerprint,
            "code_version": _code_version(),
            "key_id": key,
            "files": entries,
            "records": counts,
            "tables": {
                table: {
                    "in": int(rows_in[table][position]),
                    "accepted": frame.height,
                    "quarantined": int(rows_in[table][position]) - frame.height,
                }
                for table, frame in tables.items()
            },
            "held_records": lost,
            "rejected_by_rule": broken,
            "warnings": warned,
        }
        texts = tuple(str(item) for item in holding)
        whole = _with_held(part.drop("_rec"), holding, delivery)
        done.append(Parcel(delivery, committed, manifest, tables, whole, texts))
    return done


def _per_delivery(records: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.diff(np.searchsorted(records, edges))


def _hash_of(path: Any) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _code_version() -> str:
    from bluemirror import __version__

    return __version__


def _committed(
    batch: Batch,
    delivery: Delivery,
    entries: Mapping[str, Mapping[str, Any]],
    counts: Mapping[str, int],
    tables: Mapping[str, pl.DataFrame],
    warned: int,
) -> Committed:
    text = json.dumps(
        [batch.contract.version, sorted((n, e["sha256"], e["declared"]) for n, e in entries.items())]
    )
    folder = f"{delivery.day.isoformat()}--{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    known = tables[batch.contract.header.name]["known_time"]
    span = known_span(known) if len(known) else None
    rows = {table: frame.height for table, frame in tables.items()}
    return Committed(
        delivery.source,
        delivery.day,
        folder,
        counts,
        rows,
        span,
        batch.contract.version,
        warned,
        batch.contract.fingerprint,
    )


def _quarantine(batch: Batch) -> pl.DataFrame:
    """All findings of severity error as quarantine rows, in the order of the records, with ``_rec``."""
    import polars as pl

    frames = [
        pl.DataFrame(
            {"_rec": item.records.astype(np.int64), "value": item.values},
            schema={"_rec": pl.Int64, "value": pl.String},
        ).with_columns(pl.lit(getattr(item, name)).alias(name) for name in ("table", "field", "rule", "fix"))
        for item in batch.findings.errors
    ]
    if not frames:
        return pl.DataFrame(schema={"_rec": pl.Int64, **quarantine_schema()})
    found = pl.concat(frames).sort("_rec", maintain_order=True)
    records = found["_rec"].to_numpy()
    files = batch.file_of(records)
    names = pl.Series([file.name for file in batch.files])
    days = np.array(batch.days, dtype="datetime64[D]")
    return found.with_columns(
        source=pl.lit(batch.contract.source),
        delivery=pl.Series(days[files]).cast(pl.Date),
        file=names.gather(files),
        line=pl.Series(batch.line_of(records), dtype=pl.Int32),
        # The first row of a record counts it, so that the sum is the number of rejected records.
        records=pl.col("_rec").is_first_distinct().cast(pl.Int64),
    ).select("_rec", *quarantine_schema())


def _slice(frame: pl.DataFrame, first: int, last: int) -> pl.DataFrame:
    start, stop = np.searchsorted(frame["_rec"].to_numpy(), [first, last])
    return frame[int(start) : int(stop)]


def _with_held(part: pl.DataFrame, holding: Sequence[Held], delivery: Delivery) -> pl.DataFrame:
    import polars as pl

    if not holding:
        return part
    rows = [
        {
            "source": delivery.source,
            "delivery": delivery.day,
            "file": item.file.name,
            "line": None,
            "table": "",
            "field": item.field,
            "rule": item.rule,
            "value": item.detail,
            "fix": item.fix,
            "records": item.rows,
        }
        for item in holding
    ]
    return pl.concat([pl.DataFrame(rows, schema=quarantine_schema()), part])


def _warned(batch: Batch, first: int, last: int) -> dict[str, int]:
    counts: dict[str, int] = {}
    for table, rule, records in batch.findings.warned:
        inside = int(((records >= first) & (records < last)).sum())
        if inside:
            counts[f"{table}.{rule}"] = counts.get(f"{table}.{rule}", 0) + inside
    return counts
