"""File rules: what holds a file back whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from bluemirror.errors import LandingError
from bluemirror.landing.formats import DOCUMENTS
from bluemirror.landing.landed import FileFault, LandedFile, Read


@dataclass(frozen=True)
class Held:
    """A file that is held back: why, what to do, and how many records go to quarantine with it."""

    file: LandedFile
    rule: str
    detail: str
    fix: str
    field: str
    rows: int

    def __str__(self) -> str:
        return str(
            LandingError(
                f"file held back, {self.rows} records quarantined: {self.detail}",
                file=self.file.name,
                field=self.field or None,
                rule=self.rule,
                fix=self.fix,
            )
        )


def held_files(
    read: Read,
    files: Sequence[LandedFile],
    contents: Mapping[str, str],
) -> dict[int, Held]:
    """Judge each file of a chunk: readable, as declared, not delivered before.

    Parameters
    ----------
    read
        What the readers found.
    files
        The files of the chunk.
    contents
        Hashes of what is committed, from :class:`~bluemirror.mart.arrived.Arrived`.
    """
    faults: dict[int, FileFault] = {}
    for fault in read.faults:
        faults.setdefault(fault.number, fault)
    seen = dict(contents)
    held = {}
    for file in files:
        number = file.number
        rows = read.counts.get(number)
        faulty = faults.get(number) or _declared(file, rows) or _delivered_before(file, rows, read, seen)
        if faulty is None:
            if rows:
                seen[read.hashes[number]] = file.name
            continue
        held[number] = Held(
            file, faulty.rule, faulty.detail, faulty.fix, faulty.field, _lost(file, faulty, rows)
        )
    return held


def _declared(file: LandedFile, rows: int | None) -> FileFault | None:
    if file.rows is None:
        return FileFault(
            file.number,
            "declared_file",
            "the completing file does not name it",
            "ask the source to name every file of a delivery",
            rows=rows,
        )
    if rows is not None and rows != file.rows:
        return FileFault(
            file.number,
            "row_count",
            f"{rows} records, the completing file says {file.rows}",
            "ask the source to deliver the file again, whole, in a later delivery",
            rows=rows,
        )
    return None


def _delivered_before(
    file: LandedFile, rows: int | None, read: Read, seen: Mapping[str, str]
) -> FileFault | None:
    # Files without a record are all alike, and an empty day is not a duplicate of another.
    before = seen.get(read.hashes.get(file.number, "")) if rows else None
    if before is None:
        return None
    return FileFault(
        file.number,
        "duplicate_delivery",
        f"the same content came as {before}",
        "nothing to do if the source sent it twice; else ask for the right file",
        rows=rows,
    )


def _lost(file: LandedFile, fault: FileFault, rows: int | None) -> int:
    """Records that are quarantined with a file: those that can be read, else those that were declared.

    A file that does not read as it should has the records that were declared: lines of it may be anything.
    """
    readable = fault.rule in {"row_count", "duplicate_delivery", "declared_file"}
    for count in (fault.rows, rows, file.rows) if readable else (file.rows, fault.rows, rows):
        if count is not None:
            return count
    return 1 if PurePath(file.name).suffix.lower() in DOCUMENTS else 0
