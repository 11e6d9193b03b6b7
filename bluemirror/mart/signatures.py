"""Whether a committed delivery is still what was committed, without reading it all every time."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import orjson

from bluemirror.atomic import write_json
from bluemirror.errors import LandingError
from bluemirror.landing.deliveries import Delivery
from bluemirror.mart.manifests import Snapshot, read_manifest

if TYPE_CHECKING:
    from pathlib import Path

    from bluemirror.contracts import Contract
    from bluemirror.workspace import Workspace

NAME = "signatures.json"


def _path(workspace: Workspace, source: str) -> Path:
    return workspace.mart / source / NAME


def _known(workspace: Workspace, source: str) -> dict[str, str]:
    path = _path(workspace, source)
    return dict(orjson.loads(path.read_bytes())) if path.is_file() else {}


def remember(workspace: Workspace, source: str, done: Sequence[Delivery]) -> None:
    """Note names, sizes and times of deliveries as they were when their content was read."""
    known = _known(workspace, source)
    write_json(_path(workspace, source), known | {d.day.isoformat(): d.signature for d in done})


def changed_deliveries(
    workspace: Workspace, contract: Contract, old: Sequence[Delivery], snapshot: Snapshot
) -> list[str]:
    """Error texts for committed deliveries whose content is another now.

    Only deliveries whose names, sizes or times changed are read; equal content passes and is noted again.
    """
    known = _known(workspace, contract.source)
    same, errors = [], []
    for delivery in old:
        if known.get(delivery.day.isoformat()) == delivery.signature:
            continue
        committed = snapshot.of(contract.source)[delivery.day.isoformat()]
        files = read_manifest(workspace, committed)["files"]
        differing = sorted(
            name
            for name in {*files, *delivery.present}
            if name not in files or _hash(delivery, name) != files[name]["sha256"]
        )
        declared = delivery.declared or {}
        differing += sorted(
            name
            for name, entry in files.items()
            if declared.get(name) != entry["declared"] and name not in differing
        )
        if differing:
            shown = ", ".join(differing[:3]) + (
                f" and {len(differing) - 3} more" if len(differing) > 3 else ""
            )
            errors.append(
                str(
                    LandingError(
                        f"a committed delivery changed: {shown}",
                        file=delivery.folder,
                        rule="a delivery is immutable once it is in the mart; the mart keeps what it committed",
                        fix="put the files back; corrections come as a new delivery, with a later known time",
                    )
                )
            )
        else:
            same.append(delivery)
    if same:
        remember(workspace, contract.source, same)
    return errors


def _hash(delivery: Delivery, name: str) -> str:
    path = delivery.folder / name
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
