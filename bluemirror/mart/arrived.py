"""What arrived and is committed: content hashes and outward signs of each delivery, kept so as to be found at once.

One line of JSON a delivery, added when it is committed: what a night appends is what the night brought. The file only
repeats what the manifests say (but for the outward signs), so it may be lost: lines of deliveries that are not
committed are passed over, missing ones are made again from the manifest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from bluemirror.errors import LandingError
from bluemirror.landing.deliveries import Delivery
from bluemirror.mart.manifests import Committed, read_manifest

if TYPE_CHECKING:
    from bluemirror.workspace import Workspace

NAME = "arrived.jsonl"


class Arrived:
    """The committed deliveries of a source.

    Parameters
    ----------
    workspace, source
        Whose.
    committed
        Its committed deliveries by day.

    Attributes
    ----------
    contents
        Content hash -> name of the file, of all accepted files that have records.
    """

    def __init__(self, workspace: Workspace, source: str, committed: Mapping[str, Committed]) -> None:
        self._workspace = workspace
        self._source = source
        self._committed = committed
        self._signs: dict[str, str] = {}
        self.contents: dict[str, str] = {}
        known = {
            line["day"]: line for line in self._lines() if _folder(committed, line["day"]) == line["folder"]
        }
        for day, entry in committed.items():
            if day not in known:
                self.add(entry, read_manifest(workspace, entry), "")
            else:
                self._take(known[day])

    @property
    def _path(self) -> Path:
        return self._workspace.mart / self._source / NAME

    def _lines(self) -> list[dict[str, Any]]:
        if not self._path.is_file():
            return []
        whole, _, cut = self._path.read_bytes().rpartition(b"\n")
        if cut:
            # The machine stopped while a line was written.
            self._path.write_bytes(whole + b"\n" if whole else b"")
        return [orjson.loads(line) for line in whole.split(b"\n") if line]

    def _take(self, line: Mapping[str, Any]) -> None:
        self._signs[line["day"]] = line["sign"]
        folder = f"{self._source}/{line['day']}"
        self.contents.update((content, f"{folder}/{name}") for name, content in line["files"].items())

    def add(self, committed: Committed, manifest: Mapping[str, Any], sign: str) -> None:
        """Note a delivery; ``sign`` is how its files looked when their content was read, or "" if that is unknown."""
        files = {
            name: entry["sha256"]
            for name, entry in manifest["files"].items()
            if entry["rows"] and not entry["held"]
        }
        day = committed.day.isoformat()
        line = {"day": day, "folder": committed.folder, "sign": sign, "files": files}
        self._take(line)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as out:
            out.write(orjson.dumps(line) + b"\n")

    def changed(self, old: Sequence[Delivery]) -> list[str]:
        """Error texts for committed deliveries whose content is another now.

        Only deliveries whose names, sizes or times changed are read; equal content passes and is noted again.
        """
        errors = []
        for delivery in old:
            day = delivery.day.isoformat()
            if self._signs.get(day) == delivery.signature:
                continue
            committed = self._committed[day]
            manifest = read_manifest(self._workspace, committed)
            differing = _differing(delivery, manifest["files"])
            if differing:
                errors.append(_error(delivery, differing))
            else:
                self.add(committed, manifest, delivery.signature)
        return errors


def _folder(committed: Mapping[str, Committed], day: str) -> str | None:
    return committed[day].folder if day in committed else None


def _differing(delivery: Delivery, files: Mapping[str, Any]) -> list[str]:
    """Names of files whose content, or whose declared number of records, is another than was committed."""
    differing = sorted(
        name
        for name in {*files, *delivery.present}
        if name not in files or _hash(delivery, name) != files[name]["sha256"]
    )
    declared = delivery.declared or {}
    return differing + sorted(
        name
        for name, entry in files.items()
        if declared.get(name) != entry["declared"] and name not in differing
    )


def _error(delivery: Delivery, differing: Sequence[str]) -> str:
    more = f" and {len(differing) - 3} more" if len(differing) > 3 else ""
    return str(
        LandingError(
            f"a committed delivery changed: {', '.join(differing[:3])}{more}",
            file=delivery.folder,
            rule="a delivery is immutable once it is in the mart; the mart keeps what it committed",
            fix="put the files back; corrections come as a new delivery, with a later known time",
        )
    )


def _hash(delivery: Delivery, name: str) -> str:
    path = delivery.folder / name
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
