"""The scorecard of a day: read where it was computed from the same data before, else computed and kept."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from bluemirror.desk.arrival import newest_landed
from bluemirror.desk.card import Scorecard
from bluemirror.desk.known import between
from bluemirror.desk.making import EVER, make
from bluemirror.desk.stored import plain, rebuilt
from bluemirror.desk.windows import Windows
from bluemirror.errors import WorkspaceError

if TYPE_CHECKING:
    from bluemirror.contracts import Contract
    from bluemirror.mart.manifests import Snapshot
    from bluemirror.workspace import Workspace


def desk_folder(workspace: Workspace) -> Path:
    """Where the desk keeps its scorecards and the page."""
    return workspace.data / "desk"


def scorecard(
    workspace: Workspace,
    as_of: dt.date | str | None = None,
    log: Callable[[str], None] | None = None,
) -> Scorecard:
    """The scorecard of all sources of ``workspace`` as known at the end of ``as_of``.

    Parameters
    ----------
    as_of
        A day, or its ISO text; the default is the newest day on which anything has
        landed, read or not (today without any). Deliveries dated
        later do not count, nor do rows that became known later.
    log
        Takes lines of progress.

    Returns
    -------
    Scorecard
        Shows itself in a notebook. From equal deliveries, contracts and code an equal one, read and not computed.

    Raises
    ------
    WorkspaceError
        If ``as_of`` is no day.
    FamilyError
        If the spine names a table or column that no contract has.
    """
    import orjson

    from bluemirror.atomic import write_text
    from bluemirror.contracts import read_contracts
    from bluemirror.mart.manifests import read_snapshot

    contracts = read_contracts(workspace.contracts_dir)
    snapshot = read_snapshot(workspace)
    windows = Windows(_day(workspace, snapshot, as_of))
    state = between(snapshot, EVER, windows.as_of)
    waiting = _waiting(workspace, contracts, windows)
    fingerprint = _fingerprint(workspace, contracts, state, waiting)
    path = desk_folder(workspace) / f"{windows.as_of}.json"
    if path.is_file():
        kept = orjson.loads(path.read_bytes())
        if kept.get("fingerprint") == fingerprint:
            found: Scorecard = rebuilt(Scorecard, kept)
            return found
    from bluemirror.variables.spine import read_spine

    spine = read_spine(workspace) if (workspace.feature_repo / "spine.yaml").is_file() else None
    made = make(workspace, contracts, spine, state, waiting, windows, fingerprint, log)
    write_text(path, orjson.dumps(plain(made)).decode() + "\n")
    return made


def _day(workspace: Workspace, snapshot: Snapshot, as_of: dt.date | str | None) -> dt.date:
    if isinstance(as_of, dt.date):
        return as_of
    if as_of is not None:
        try:
            return dt.date.fromisoformat(as_of)
        except ValueError as error:
            raise WorkspaceError(
                f"{as_of!r} is not a day",
                field="as_of",
                rule="a day is YYYY-MM-DD",
                fix="write it like 2025-12-31",
            ) from error
    days = [dt.date.fromisoformat(day) for each in snapshot.deliveries.values() for day in each]
    newest = max([newest_landed(workspace), *days])
    return dt.date.today() if newest == dt.date.min else newest


def _waiting(
    workspace: Workspace, contracts: Mapping[str, Contract], windows: Windows
) -> dict[str, tuple[dt.date, ...]]:
    """Days of the last deliveries, up to the as-of day, that lack their completing file."""
    first, last = windows.baseline.isoformat(), windows.as_of.isoformat()
    found = {}
    for source, contract in contracts.items():
        folder = workspace.landing / source
        # Names first: opening every completing file of three years would take longer than all the rest.
        days = [each for each in folder.iterdir() if first <= each.name <= last] if folder.is_dir() else []
        waiting = [
            dt.date.fromisoformat(each.name)
            for each in sorted(days)
            if each.is_dir() and not (each / contract.landing.complete).is_file() and any(each.iterdir())
        ]
        if waiting:
            found[source] = tuple(waiting)
    return found


def _fingerprint(
    workspace: Workspace,
    contracts: Mapping[str, Contract],
    state: Snapshot,
    waiting: Mapping[str, tuple[dt.date, ...]],
) -> str:
    """Sixteen hex digits for deliveries, contracts, spine and code."""
    digest = hashlib.sha256(f"{state.id} {sorted(waiting.items())} {_code()}".encode())
    spine = workspace.feature_repo / "spine.yaml"
    for path in (*(contract.path for contract in contracts.values()), *([spine] if spine.is_file() else [])):
        digest.update(path.name.encode() + b"\x00" + path.read_bytes() + b"\x00")
    return digest.hexdigest()[:16]


@lru_cache(maxsize=1)
def _code() -> str:
    """A hash of this package's sources and the version of what it computes with."""
    from importlib import metadata

    sources = hashlib.sha256(metadata.version("duckdb").encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        sources.update(path.read_bytes())
    return sources.hexdigest()[:12]
