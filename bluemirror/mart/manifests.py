"""What is committed: one manifest a delivery, and ``current.json``, which names them all at once.

A delivery's folder is named by its content and never changes. ``current.json`` is replaced in one step, so a
reader that has read it sees one consistent state of the mart, whatever is committed afterwards.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluemirror.atomic import write_json
from bluemirror.errors import WorkspaceError

if TYPE_CHECKING:
    from bluemirror.workspace import Workspace

CURRENT = "current.json"
MANIFEST = "manifest.json"
SNAPSHOTS = "_snapshots"


@dataclass(frozen=True)
class Committed:
    """One committed delivery, as ``current.json`` has it.

    Parameters
    ----------
    source, day
        Whose, and of which date.
    folder
        Name of its folder under ``data/mart/<source>/``.
    counts
        ``in``, ``accepted``, ``quarantined`` landed records.
    tables
        Table -> accepted rows.
    known
        First and last known time of the accepted records, as ISO text; None without any.
    contract_version, warned
        Version of the contract that it was checked by, and rows against rules of severity warning.
    contract
        Fingerprint of that contract: its entry in the source's ``contracts.json``; "" before contracts were kept.
    """

    source: str
    day: dt.date
    folder: str
    counts: Mapping[str, int]
    tables: Mapping[str, int]
    known: tuple[str, str] | None
    contract_version: str
    warned: int = 0
    contract: str = ""

    def as_json(self) -> dict[str, Any]:
        """Its entry in ``current.json``."""
        return {
            "folder": self.folder,
            "records": dict(self.counts),
            "tables": dict(self.tables),
            "known": list(self.known) if self.known else None,
            "contract_version": self.contract_version,
            "warned": self.warned,
            "contract": self.contract,
        }


@dataclass(frozen=True)
class Snapshot:
    """The committed deliveries at a moment: source -> day (ISO) -> entry."""

    deliveries: Mapping[str, Mapping[str, Committed]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Sixteen hexadecimal digits that change when, and only when, the committed data does."""
        names = [
            f"{s}/{d}/{c.folder}"
            for s, days in sorted(self.deliveries.items())
            for d, c in sorted(days.items())
        ]
        return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]

    def of(self, source: str) -> Mapping[str, Committed]:
        """Committed deliveries of a source, by day."""
        return self.deliveries.get(source, {})

    def files(self, workspace: Workspace, table: str) -> list[Path]:
        """Parquet files of a table, in the order of source and day."""
        return [
            workspace.mart / source / committed.folder / f"{table}.parquet"
            for source, days in sorted(self.deliveries.items())
            for _, committed in sorted(days.items())
            if committed.tables.get(table)
        ]

    def quarantine_files(self, workspace: Workspace, source: str) -> list[Path]:
        """Quarantine files of a source's committed deliveries."""
        return [
            workspace.quarantine / source / f"{c.folder}.parquet" for _, c in sorted(self.of(source).items())
        ]


def read_snapshot(workspace: Workspace, snapshot: str | None = None) -> Snapshot:
    """The current state of the mart, or an earlier one by its id.

    Raises
    ------
    WorkspaceError
        If there is no snapshot of that id.
    """
    import orjson

    path = workspace.mart / CURRENT
    if snapshot is not None:
        path = workspace.mart / SNAPSHOTS / f"{snapshot}.json"
        if not path.is_file():
            raise WorkspaceError(
                f"there is no snapshot {snapshot!r}",
                file=path,
                rule="a snapshot is named by its id, as bluemirror's reports show it",
                fix="leave it out to read the current state",
            )
    if not path.is_file():
        return Snapshot()
    content = orjson.loads(path.read_bytes())
    found: dict[str, dict[str, Committed]] = {}
    for source, days in content["deliveries"].items():
        found[source] = {
            day: Committed(
                source,
                dt.date.fromisoformat(day),
                entry["folder"],
                entry["records"],
                entry["tables"],
                tuple(entry["known"]) if entry["known"] else None,
                entry["contract_version"],
                entry["warned"],
                entry.get("contract", ""),
            )
            for day, entry in days.items()
        }
    return Snapshot(found)


def read_manifest(workspace: Workspace, committed: Committed) -> dict[str, Any]:
    """The manifest of a committed delivery: inputs with their hashes, versions, counts, warnings."""
    import orjson

    path = workspace.mart / committed.source / committed.folder / MANIFEST
    return dict(orjson.loads(path.read_bytes()))


def commit(workspace: Workspace, fresh: list[Committed]) -> Snapshot:
    """Add deliveries to ``current.json`` in one step; their folders must be in place already."""
    with lock(workspace.mart / ".commit.lock"):
        before = read_snapshot(workspace)
        after = {source: dict(days) for source, days in before.deliveries.items()}
        for committed in fresh:
            after.setdefault(committed.source, {})[committed.day.isoformat()] = committed
        snapshot = Snapshot(after)
        write_json(workspace.mart / CURRENT, _as_json(snapshot))
    return snapshot


def keep_snapshot(workspace: Workspace) -> str:
    """Keep the current state under its id, so that it can be read again; returns the id."""
    snapshot = read_snapshot(workspace)
    path = workspace.mart / SNAPSHOTS / f"{snapshot.id}.json"
    if not path.is_file():
        write_json(path, _as_json(snapshot))
    return snapshot.id


def _as_json(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "id": snapshot.id,
        "deliveries": {
            source: {day: committed.as_json() for day, committed in days.items()}
            for source, days in snapshot.deliveries.items()
        },
    }


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold a file lock: one writer at a time, readers never wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
