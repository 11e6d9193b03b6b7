"""Parts of a landing folder, as a landing folder of their own: hard links, so that nothing is copied."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from bluemirror.contracts import Contract
from bluemirror.errors import WorkspaceError
from bluemirror.workspace import Workspace


def days(workspace: Workspace, contracts: Iterable[Contract]) -> dict[str, int]:
    """Bytes landed on each delivery day, over all sources, in the order of the days.

    Raises
    ------
    WorkspaceError
        If nothing has landed.
    """
    from bluemirror.landing.deliveries import deliveries

    found: dict[str, int] = {}
    for contract in contracts:
        for delivery in deliveries(workspace, contract) if workspace.landing.is_dir() else ():
            if delivery.complete:
                day = delivery.day.isoformat()
                found[day] = found.get(day, 0) + delivery.size
    if not found:
        raise WorkspaceError(
            "nothing has landed",
            file=workspace.landing,
            rule="bench ingest measures on what has landed",
            fix="bluemirror simulate, or put deliveries there, or bench ingest --customers N",
        )
    return dict(sorted(found.items()))


def first_half(landed: dict[str, int]) -> list[str]:
    """The first days that hold at least half of all bytes; all but the last day at most."""
    half, chosen, held = sum(landed.values()) / 2, [], 0
    for day, size in list(landed.items())[:-1]:
        chosen.append(day)
        held += size
        if held >= half:
            break
    return chosen


def link(
    workspace: Workspace,
    contracts: Iterable[Contract],
    target: Path,
    keep: Callable[[Contract, str, str], bool],
) -> int:
    """Link the files for which ``keep(contract, day, name)`` holds, with completing files of their own.

    Returns
    -------
    int
        Bytes linked.
    """
    size = 0
    for contract in contracts:
        for origin in sorted((workspace.landing / contract.source).glob("*/")):
            done = origin / contract.landing.complete
            if not done.is_file():
                continue
            declared = json.loads(done.read_text(encoding="utf-8"))
            names = [name for name in declared["files"] if keep(contract, origin.name, name)]
            if not names and declared["files"]:
                continue
            folder = target / contract.source / origin.name
            folder.mkdir(parents=True, exist_ok=True)
            for name in names:
                if (origin / name).is_file():
                    _link(origin / name, folder / name)
                    size += (origin / name).stat().st_size
            files = {name: declared["files"][name] for name in names}
            (folder / done.name).write_text(json.dumps({**declared, "files": files}), encoding="utf-8")
    return size


def _link(origin: Path, target: Path) -> None:
    try:
        os.link(origin, target)
    except OSError:
        shutil.copyfile(origin, target)
