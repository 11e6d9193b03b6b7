"""What is committed: one manifest a delivery, one ledger a source, and ``current.json``, which names all ledgers.

A delivery's folder is named by its content and never changes; nor does a ledger, which lists the deliveries of its
source. ``current.json`` is replaced in one step, so a reader that has read it sees one consistent state of the mart,
whatever is committed afterwards. A commit writes the ledger of its own source and a few names, whatever the other
sources hold.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluemirror.atomic import write_json, write_text
from bluemirror.errors import WorkspaceError

if TYPE_CHECKING:
    from bluemirror.workspace import Workspace

CURRENT = "current.json"
LEDGERS = "_ledgers"
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
        return _digest(f"{source}/{_ledger_id(days)}" for source, days in sorted(self.deliveries.items()))

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


def read_snapshot(
    workspace: Workspace, snapshot: str | None = None, sources: Collection[str] | None = None
) -> Snapshot:
    """The current state of the mart, or an earlier one by its id.

    Parameters
    ----------
    sources
        Read no more than these sources, because reading all takes time that grows with all that was ever delivered.

    Raises
    ------
    WorkspaceError
        If there is no snapshot of that id.
    """
    if snapshot is None:
        return Snapshot(_current(workspace, sources))
    path = workspace.mart / SNAPSHOTS / f"{snapshot}.json"
    if not path.is_file():
        raise WorkspaceError(
            f"there is no snapshot {snapshot!r}",
            file=path,
            rule="a snapshot is named by its id, as bluemirror's reports show it",
            fix="leave it out to read the current state",
        )
    return Snapshot(_chosen(_load(path)["deliveries"], sources))


def _load(path: Path) -> dict[str, Any]:
    import orjson

    return dict(orjson.loads(path.read_bytes()))


def _current(workspace: Workspace, sources: Collection[str] | None = None) -> dict[str, dict[str, Committed]]:
    while True:
        current = _named(workspace)
        if "ledgers" not in current:
            # A mart from before there were ledgers: the next commit makes them.
            return _chosen(current.get("deliveries", {}), sources)
        ledgers = {
            name: mark for name, mark in current["ledgers"].items() if sources is None or name in sources
        }
        try:
            files = {source: _load(_ledger(workspace, source, mark)) for source, mark in ledgers.items()}
        except FileNotFoundError:
            # A commit took the ledger away between the two looks: the state is another by now.
            if _named(workspace) == current:
                raise
        else:
            return {source: _entries(source, content["deliveries"]) for source, content in files.items()}


def _named(workspace: Workspace) -> dict[str, Any]:
    """The content of ``current.json``: above all, the name of each source's ledger."""
    path = workspace.mart / CURRENT
    return _load(path) if path.is_file() else {"ledgers": {}}


def _ledger(workspace: Workspace, source: str, name: str) -> Path:
    return workspace.mart / source / LEDGERS / f"{name}.json"


def _chosen(
    deliveries: Mapping[str, Mapping[str, Any]], sources: Collection[str] | None
) -> dict[str, dict[str, Committed]]:
    return {
        source: _entries(source, days)
        for source, days in deliveries.items()
        if sources is None or source in sources
    }


def _entries(source: str, days: Mapping[str, Any]) -> dict[str, Committed]:
    return {
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


def _digest(names: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]


def _ledger_id(days: Mapping[str, Committed]) -> str:
    return _digest(f"{day}/{committed.folder}" for day, committed in sorted(days.items()))


def read_manifest(workspace: Workspace, committed: Committed) -> dict[str, Any]:
    """The manifest of a committed delivery: inputs with their hashes, versions, counts, warnings."""
    import orjson

    path = workspace.mart / committed.source / committed.folder / MANIFEST
    return dict(orjson.loads(path.read_bytes()))


def commit(workspace: Workspace, fresh: Sequence[Committed]) -> None:
    """Add deliveries to what ``current.json`` names, in one step; their folders must be in place already."""
    with lock(workspace.mart / ".commit.lock"):
        before = _named(workspace).get("ledgers")
        ledgers = dict(before or {})
        touched = {committed.source for committed in fresh}
        held = _current(workspace, touched if before is not None else None)
        for committed in fresh:
            held.setdefault(committed.source, {})[committed.day.isoformat()] = committed
        for source, days in held.items():
            ledgers[source] = _write_ledger(workspace, source, days)
        state = _digest(f"{source}/{mark}" for source, mark in sorted(ledgers.items()))
        write_json(workspace.mart / CURRENT, {"id": state, "ledgers": ledgers})
        for source in touched:
            _forget(workspace, source, keep={ledgers[source], (before or {}).get(source)})


def _write_ledger(workspace: Workspace, source: str, days: Mapping[str, Committed]) -> str:
    mark = _ledger_id(days)
    path = _ledger(workspace, source, mark)
    if not path.is_file():
        _write(path, {"deliveries": _days_as_json(days)})
    return mark


def _write(path: Path, value: Mapping[str, Any]) -> None:
    import orjson

    # The standard encoder takes fifty times as long, and a ledger grows with every delivery.
    write_text(path, orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE).decode())


def _forget(workspace: Workspace, source: str, keep: Collection[str | None]) -> None:
    """Remove ledgers that are no longer named; the one before stays for those who have just read its name."""
    for path in (workspace.mart / source / LEDGERS).glob("*.json"):
        if path.stem not in keep:
            path.unlink(missing_ok=True)


def keep_snapshot(workspace: Workspace) -> str:
    """Keep the current state under its id, so that it can be read again; returns the id."""
    snapshot = read_snapshot(workspace)
    path = workspace.mart / SNAPSHOTS / f"{snapshot.id}.json"
    if not path.is_file():
        deliveries = {source: _days_as_json(days) for source, days in snapshot.deliveries.items()}
        _write(path, {"id": snapshot.id, "deliveries": deliveries})
    return snapshot.id


def _days_as_json(days: Mapping[str, Committed]) -> dict[str, Any]:
    return {day: committed.as_json() for day, committed in days.items()}


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold a file lock: one writer at a time, readers never wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
