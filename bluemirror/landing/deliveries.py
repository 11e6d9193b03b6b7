"""Deliveries: the dated folders in which a source's files arrive."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bluemirror.errors import LandingError

if TYPE_CHECKING:
    from bluemirror.contracts import Contract
    from bluemirror.workspace import Workspace


@dataclass(frozen=True)
class Delivery:
    """One delivery of a source.

    Parameters
    ----------
    source, day
        Who delivered, and the date that names the folder.
    folder
        The folder.
    present
        File name -> (bytes, modification time in ns) of what is in the folder, without the completing file.
    completing
        Name of the completing file.
    completed
        Its (bytes, modification time in ns); None if it was not there when the folder was looked at.
    """

    source: str
    day: dt.date
    folder: Path
    present: Mapping[str, tuple[int, int]] = field(repr=False)
    completing: str
    completed: tuple[int, int] | None

    @cached_property
    def declared(self) -> dict[str, int] | None:
        """File name -> number of records, as the completing file states; None while the delivery is waiting.

        Read when first asked for: of most deliveries, those that are committed, nobody asks.
        """
        import orjson

        # A completing file that came after the others were looked at completes the next look.
        if self.completed is None:
            return None
        try:
            files = orjson.loads((self.folder / self.completing).read_bytes())["files"]
            return {str(name): int(entry["rows"]) for name, entry in files.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            # A completing file that is itself being written must not complete anything.
            return None

    @property
    def complete(self) -> bool:
        """Whether the source has said that everything is there."""
        return self.declared is not None

    @property
    def why_waiting(self) -> str:
        """Why it is not complete, or ""."""
        if self.completed is None:
            return f"{self.completing} is not there yet"
        if self.declared is None:
            return f'{self.completing} does not read as {{"files": {{"<name>": {{"rows": N}}}}}}'
        return ""

    @property
    def size(self) -> int:
        """Bytes in the folder."""
        return sum(size for size, _ in self.present.values())

    @property
    def signature(self) -> str:
        """A cheap sign of change: names, sizes and times of all files, not their content."""
        text = repr((sorted(self.present.items()), self.completed))
        return hashlib.sha256(text.encode()).hexdigest()


def source_folder(workspace: Workspace, source: str) -> Path:
    """Folder of a source's deliveries.

    Raises
    ------
    LandingError
        If the workspace has no landing folder at all.
    """
    if not workspace.landing.is_dir():
        raise LandingError(
            "the landing folder does not exist",
            file=workspace.landing,
            rule="files arrive in landing/<source>/<YYYY-MM-DD>/",
            fix="create it and put deliveries there, or run: bluemirror simulate",
        )
    return workspace.landing / source


def deliveries(workspace: Workspace, contract: Contract) -> tuple[Delivery, ...]:
    """All deliveries of a source, complete or waiting, in the order of their dates.

    A source without a folder has none; what that means is for its lateness policy to say.

    Raises
    ------
    LandingError
        If the workspace has no landing folder, or a delivery's folder is not named by a date.
    """
    folder = source_folder(workspace, contract.source)
    if not folder.is_dir():
        return ()
    return tuple(
        _delivery(contract.source, Path(entry.path), contract.landing.complete)
        for entry in sorted(os.scandir(folder), key=lambda item: item.name)
        if entry.is_dir() and not entry.name.startswith(".")
    )


def _delivery(source: str, folder: Path, complete: str) -> Delivery:
    try:
        day = dt.date.fromisoformat(folder.name)
    except ValueError:
        raise LandingError(
            "this delivery folder is not named by a date",
            file=folder,
            rule="a delivery is landing/<source>/<YYYY-MM-DD>",
            fix="rename the folder, or move it out of the landing folder",
        ) from None
    present = {}
    completed = None
    for entry in os.scandir(folder):
        if entry.is_file() and not entry.name.startswith("."):
            stat = entry.stat()
            if entry.name == complete:
                completed = (stat.st_size, stat.st_mtime_ns)
            else:
                present[entry.name] = (stat.st_size, stat.st_mtime_ns)
    return Delivery(source, day, folder, present, complete, completed)
