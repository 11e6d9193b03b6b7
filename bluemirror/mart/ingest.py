"""From landing to the mart: read, check, hash, write beside, rename, commit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

from bluemirror.errors import LandingError, WorkspaceError
from bluemirror.landing.deliveries import Delivery, deliveries, source_folder
from bluemirror.landing.formats import UNPACKED
from bluemirror.landing.landed import LandedFile
from bluemirror.landing.plan import compile_plan
from bluemirror.landing.read import WORKERS, read_chunks
from bluemirror.mart.adopted import adopt, patient
from bluemirror.mart.arrived import Arrived
from bluemirror.mart.checking import CHECKS, Checking
from bluemirror.mart.committing import Parcel, key_id, parcels
from bluemirror.mart.duplicates import check_duplicates
from bluemirror.mart.file_rules import held_files
from bluemirror.mart.keys import KeyHasher
from bluemirror.mart.manifests import Committed, Snapshot, commit, lock, read_manifest, read_snapshot
from bluemirror.mart.writing import Writing

if TYPE_CHECKING:
    from bluemirror.contracts import Contract
    from bluemirror.workspace import Workspace

CHUNK_BYTES = 96 << 20
"""Landing bytes worked on at a time at most; whole deliveries, at least one."""
CHUNK_LEAST = 32 << 20
"""Landing bytes for which a chunk's own cost (some milliseconds a column) does not matter yet."""
STAGES = 3
"""Chunks to aim for, so that most files are being parsed while others are being checked."""


@dataclass(frozen=True)
class SourceReport:
    """What one ingestion did; the counts are landed records of the deliveries that it committed.

    Parameters
    ----------
    source
        The source.
    in_, accepted, quarantined
        Landed records (lines, documents); always ``in_ == accepted + quarantined``.
    waiting
        Deliveries without their completing file.
    new_deliveries
        Days committed now.
    changed
        Whether anything was committed.
    warnings
        Texts: held files, broken rules of severity warning, why deliveries wait.
    errors
        Texts: committed deliveries whose files changed afterwards (nothing is rewritten).
    """

    source: str
    in_: int
    accepted: int
    quarantined: int
    waiting: tuple[dt.date, ...]
    new_deliveries: tuple[dt.date, ...]
    changed: bool
    warnings: tuple[str, ...]
    errors: tuple[str, ...] = ()


class Outcome(NamedTuple):
    """What is still to be told of a delivery once it is committed."""

    committed: Committed
    manifest: Mapping[str, Any]
    held: tuple[str, ...]


def ingest_source(
    workspace: Workspace,
    source: str,
    log: Callable[[str], None] | None = None,
    workers: int = WORKERS,
) -> SourceReport:
    """Commit all complete deliveries of a source that are not in the mart yet.

    Running it again with nothing new changes nothing. A delivery that was committed is never rewritten.

    Parameters
    ----------
    workspace, source
        Where, and which source (its contract is ``data_contracts/<source>.odcs.yaml``).
    log
        Takes lines of progress.
    workers
        Processes for parsing documents.

    Raises
    ------
    LandingError
        If there is no landing folder, or a delivery folder is not named by a date.
    ContractError
        If the contract is written wrongly, one of its rules cannot be computed, or it breaks the version that
        deliveries were read under before without a new major version.
    """
    contract = _contract(workspace, source)
    with lock(workspace.mart / source / ".ingest.lock"):
        arrived = deliveries(workspace, contract)
        snapshot = read_snapshot(workspace, sources=[source])
        done = snapshot.of(source)
        there = Arrived(workspace, source, done)
        old = [d for d in arrived if d.day.isoformat() in done]
        new = [d for d in arrived if d.day.isoformat() not in done]
        waiting = [delivery for delivery in new if not delivery.complete]
        warnings = [f"{source} {d.day}: waiting, {d.why_waiting}" for d in waiting]
        folder = source_folder(workspace, source)
        if not folder.is_dir():
            warnings.append(
                str(
                    LandingError(
                        f"nothing has arrived from {source}",
                        file=folder,
                        rule="deliveries of a source arrive in landing/<source>/<YYYY-MM-DD>/",
                        fix="check the name of the folder, or wait for the source",
                    )
                )
            )
        errors = there.changed(old)
        pending = [delivery for delivery in new if delivery.complete]
        fresh: list[Outcome] = []
        if pending:
            _check_key(workspace, done)
            warnings += adopt(workspace, contract, snapshot)
            for parcel_list in _work(workspace, contract, pending, snapshot, there.contents, workers):
                commit(workspace, [parcel.committed for parcel in parcel_list])
                for parcel in parcel_list:
                    there.add(parcel.committed, parcel.manifest, parcel.delivery.signature)
                    # Not the rows: they are written, and would pile up with every delivery.
                    fresh.append(Outcome(parcel.committed, parcel.manifest, parcel.held))
                last = parcel_list[-1].committed
                if log:
                    log(f"{source}: {len(fresh)} of {len(pending)} deliveries, up to {last.day}")
    warnings += [text for parcel in fresh for text in parcel.held] + _summed(source, fresh)
    counts = {
        name: sum(parcel.committed.counts[name] for parcel in fresh)
        for name in ("in", "accepted", "quarantined")
    }
    return SourceReport(
        source,
        counts["in"],
        counts["accepted"],
        counts["quarantined"],
        tuple(delivery.day for delivery in waiting),
        tuple(parcel.committed.day for parcel in fresh),
        bool(fresh),
        tuple(warnings),
        tuple(errors),
    )


def _summed(source: str, fresh: Sequence[Outcome]) -> list[str]:
    """What broke rules row by row, in one line for all deliveries: the quarantine has the rows."""
    texts = []
    for name, text in (
        ("rejected_by_rule", "records quarantined by their own rules"),
        ("warnings", "rows against rules of severity warning"),
    ):
        counts: dict[str, int] = {}
        days = []
        for parcel in fresh:
            if parcel.manifest[name]:
                days.append(parcel.committed.day)
            for rule, count in parcel.manifest[name].items():
                counts[rule] = counts.get(rule, 0) + count
        if counts:
            when = f"{days[0]}" if len(days) == 1 else f"{len(days)} deliveries from {days[0]} to {days[-1]}"
            rules = ", ".join(f"{rule} {count}" for rule, count in sorted(counts.items()))
            texts.append(f"{source} {when}: {sum(counts.values())} {text} ({rules})")
    return texts


def _contract(workspace: Workspace, source: str) -> Contract:
    from bluemirror.contracts import read_contract

    path = workspace.contracts_dir / f"{source}.odcs.yaml"
    if not path.is_file():
        raise WorkspaceError(
            f"there is no source {source!r}",
            file=path,
            rule="a source has a contract data_contracts/<source>.odcs.yaml",
            fix="correct the name, or write its contract",
        )
    return read_contract(path)


def _check_key(workspace: Workspace, done: Mapping[str, Committed]) -> None:
    """Two keys in one mart would silently join nothing to nothing."""
    for committed in list(done.values())[-1:]:
        if read_manifest(workspace, committed)["key_id"] != key_id(workspace.secret_key()):
            raise WorkspaceError(
                "the hash key is not the one that this mart was made with",
                file=workspace.mart,
                rule="one mart, one key: hashes under two keys never meet",
                fix="set BLUEMIRROR_KEY or BLUEMIRROR_KEY_FILE to the mart's key, or start a new data folder",
            )


def _chunks(pending: Sequence[Delivery]) -> Iterator[list[Delivery]]:
    weights = [_weight(delivery) for delivery in pending]
    most = min(CHUNK_BYTES, max(CHUNK_LEAST, sum(weights) // STAGES))
    chunk: list[Delivery] = []
    weight = 0
    for delivery, more in zip(pending, weights, strict=True):
        # To the nearest: a last chunk with what is left over would cost as much as a whole one.
        if chunk and weight + more / 2 > most:
            yield chunk
            chunk, weight = [], 0
        chunk.append(delivery)
        weight += more
    if chunk:
        yield chunk


def _weight(delivery: Delivery) -> int:
    """Bytes of text in a delivery."""
    return sum(
        size * UNPACKED.get(PurePath(name).suffix.lower(), 1) for name, (size, _) in delivery.present.items()
    )


def _work(
    workspace: Workspace,
    contract: Contract,
    pending: Sequence[Delivery],
    snapshot: Snapshot,
    contents: Mapping[str, str],
    workers: int,
) -> Iterator[list[Parcel]]:
    """Read, check and write chunk after chunk; the caller commits each before the next one's duplicates are looked for.

    What does not depend on other chunks is done for two of them at a time, while the one before is being written.
    """
    reading = patient(workspace, contract, snapshot)
    plan = compile_plan(reading)
    hasher = KeyHasher(workspace.secret_key())
    chunks = list(_chunks(pending))
    numbered = [_number(chunk) for chunk in chunks]
    arriving: dict[str, str] = {}
    with Writing(workspace) as writing, Checking(contract, plan, min(len(chunks), CHECKS)) as checking:

        def finish() -> Iterator[list[Parcel]]:
            yield from writing.written()
            chunk, read, held, batch = checking.next()
            current = read_snapshot(workspace, sources=[contract.source])
            check_duplicates(batch, workspace, current, hasher)
            writing.begin(parcels(workspace, batch, read, chunk, held, hasher))

        for chunk, (files, days), read in zip(
            chunks,
            numbered,
            read_chunks(plan, reading, [files for files, _ in numbered], workers),
            strict=True,
        ):
            held = held_files(read, files, {**contents, **arriving})
            arriving |= {
                read.hashes[file.number]: file.name
                for file in files
                if file.number not in held and read.counts.get(file.number)
            }
            checking.begin(chunk, files, days, read, held)
            if checking.full:
                yield from finish()
        while checking.waiting:
            yield from finish()
        yield from writing.written()


def _number(chunk: Sequence[Delivery]) -> tuple[list[LandedFile], list[dt.date]]:
    files: list[LandedFile] = []
    days = []
    for delivery in chunk:
        declared = delivery.declared or {}
        folder = f"{delivery.source}/{delivery.day.isoformat()}"
        for name in sorted({*declared, *delivery.present}):
            size, _ = delivery.present.get(name, (None, 0))
            path = delivery.folder / name
            files.append(LandedFile(len(files), path, f"{folder}/{name}", declared.get(name), size))
            days.append(delivery.day)
    return files, days
