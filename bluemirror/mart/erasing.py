"""Erasing somebody from the mart: deliveries without the records, under new names, in every state that is kept.

A delivery's folder never changes, so one that held a record of the person is written anew without it and the old one is
removed, also from the earlier states that were kept. What was done stands in a ledger that names nobody.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import os
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bluemirror.atomic import write_dir, write_json
from bluemirror.mart.adopted import adopted
from bluemirror.mart.connect import WRITTEN
from bluemirror.mart.manifests import (
    MANIFEST,
    SNAPSHOTS,
    Committed,
    commit,
    lock,
    read_manifest,
    read_snapshot,
)

if TYPE_CHECKING:
    from bluemirror.contracts import Contract
    from bluemirror.workspace import Workspace

LEDGER = "erasures.json"
Wanted = Mapping[str, Mapping[str, Collection[str]]]
"""Table -> column -> the values whose records go; only tables that stand for a landed record."""


@dataclass(frozen=True)
class ErasedRows:
    """Rows that are gone, by table, and how many deliveries were written anew."""

    rows: Mapping[str, int]
    deliveries: int


def erase_records(workspace: Workspace, wanted: Wanted) -> ErasedRows:
    """Take every record of ``wanted``, with the rows below it, out of all committed deliveries and kept states."""
    from bluemirror.contracts import read_contracts

    contracts = read_contracts(workspace.contracts_dir)
    source_of = {table.name: one.source for one in contracts.values() for table in one.tables}
    rows: dict[str, int] = {}
    anew: dict[tuple[str, str], Committed] = {}
    with lock(workspace.mart / ".erasing.lock"):
        for source in sorted({source_of[table] for table in wanted if table in source_of}):
            mine = {table: columns for table, columns in wanted.items() if source_of.get(table) == source}
            for committed in _everywhere(workspace, source):
                gone = _records(workspace, committed, mine)
                if gone:
                    contract = adopted(workspace, source).get(committed.contract, contracts[source])
                    anew[source, committed.folder] = _written_anew(workspace, committed, contract, gone, rows)
        current = read_snapshot(workspace)
        fresh = [
            anew[source, one.folder]
            for source, days in current.deliveries.items()
            for one in days.values()
            if (source, one.folder) in anew
        ]
        if fresh:
            commit(workspace, fresh)
        _rename_in_kept_states(workspace, anew)
        for source, folder in anew:
            shutil.rmtree(workspace.mart / source / folder)
    return ErasedRows(rows, len(anew))


def erase_written(workspace: Workspace, keys: Mapping[str, Collection[str]]) -> dict[str, int]:
    """Take rows out of the tables that the platform wrote back: column -> values, where a table has the column."""
    import polars as pl

    gone: dict[str, int] = {}
    for path in sorted((workspace.mart / WRITTEN).glob("*/part-*.parquet")):
        name = path.parent.name
        with lock(workspace.mart / WRITTEN / f".{name}.lock"):
            frame = pl.read_parquet(path)
            tests = [
                pl.col(column).is_in(sorted(values))
                for column, values in keys.items()
                if frame.schema.get(column) == pl.String
            ]
            hit = frame.select(pl.any_horizontal(tests).fill_null(False)).to_series() if tests else None
            if hit is not None and hit.any():
                gone[name] = gone.get(name, 0) + int(hit.sum())
                draft = path.with_name(f".{path.name}.draft")
                frame.filter(~hit).write_parquet(draft)
                os.replace(draft, path)
    return gone


def note_erasure(workspace: Workspace, entity: str, value: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Write an entry into the ledger of erasures: when, a keyed hash of whom, and ``facts``."""
    path = workspace.mart / LEDGER
    message = f"erased:{entity}:{value}".encode()
    entry = {
        "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "who": hmac.digest(workspace.secret_key(), message, "sha256").hex()[:16],
        "entity": entity,
        **facts,
    }
    with lock(workspace.mart / ".erasing.lock"):
        write_json(path, [*read_erasures(workspace), entry])
    return entry


def read_erasures(workspace: Workspace) -> list[dict[str, Any]]:
    """The ledger of erasures, the oldest first."""
    path = workspace.mart / LEDGER
    return list(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else []


def _everywhere(workspace: Workspace, source: str) -> list[Committed]:
    """Deliveries of a source in the current state and in all that are kept, each folder once."""
    found = {one.folder: one for one in read_snapshot(workspace, sources=[source]).of(source).values()}
    for path in sorted((workspace.mart / SNAPSHOTS).glob("*.json")):
        for one in read_snapshot(workspace, path.stem, [source]).of(source).values():
            found.setdefault(one.folder, one)
    return [found[folder] for folder in sorted(found)]


def _records(workspace: Workspace, committed: Committed, wanted: Wanted) -> dict[str, list[int]]:
    """Table -> ``_doc`` of the records that go from one delivery."""
    import polars as pl

    found = {}
    for table, columns in wanted.items():
        path = workspace.mart / committed.source / committed.folder / f"{table}.parquet"
        if not path.is_file():
            continue
        scan = pl.scan_parquet(path)
        held = scan.collect_schema()
        tests = [pl.col(name).is_in(sorted(values)) for name, values in columns.items() if name in held]
        if tests:
            docs = scan.filter(pl.any_horizontal(tests)).select("_doc").unique().collect()["_doc"]
            if len(docs):
                found[table] = sorted(docs.to_list())
    return found


def _written_anew(
    workspace: Workspace,
    committed: Committed,
    contract: Contract,
    gone: Mapping[str, list[int]],
    rows: dict[str, int],
) -> Committed:
    """Write a delivery without the records ``gone``; its entry. Counts the rows that went in ``rows``."""
    import polars as pl

    basis = json.dumps([committed.folder, sorted(gone.items())])
    name = f"{committed.day.isoformat()}--{hashlib.sha256(basis.encode()).hexdigest()[:8]}"
    before = workspace.mart / committed.source / committed.folder
    header = {table.name: table.header or table.name for table in contract.tables}
    tables = dict(committed.tables)
    manifest = read_manifest(workspace, committed)
    with write_dir(before.with_name(name)) as draft:
        for path in sorted(before.glob("*.parquet")):
            docs = gone.get(header.get(path.stem, path.stem))
            if not docs:
                os.link(path, draft / path.name)
                continue
            frame = pl.read_parquet(path)
            left = frame.filter(~pl.col("_doc").is_in(docs))
            left.write_parquet(draft / path.name)
            if len(left) < len(frame):
                rows[path.stem] = rows.get(path.stem, 0) + len(frame) - len(left)
            tables[path.stem] = len(left)
        # What came is still told; what of it was erased, beside it.
        erased = {table: len(docs) for table, docs in gone.items()}
        earlier = manifest.get("erased", {})
        manifest["erased"] = {t: erased.get(t, 0) + earlier.get(t, 0) for t in sorted({*erased, *earlier})}
        write_json(draft / MANIFEST, manifest)
    return replace(committed, folder=name, tables=tables)


def _rename_in_kept_states(workspace: Workspace, anew: Mapping[tuple[str, str], Committed]) -> None:
    for path in sorted((workspace.mart / SNAPSHOTS).glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        changed = False
        for source, days in content["deliveries"].items():
            for day, entry in days.items():
                other = anew.get((source, entry["folder"]))
                if other is not None:
                    days[day] = other.as_json()
                    changed = True
        if changed:
            write_json(path, content)


def columns_of(contract: Contract) -> dict[str, set[str]]:
    """Table that stands for a landed record -> its mart columns."""
    return {
        table.name: {name for name, _ in table.columns} for table in contract.tables if table.header is None
    }


__all__ = ["ErasedRows", "columns_of", "erase_records", "erase_written", "note_erasure", "read_erasures"]
