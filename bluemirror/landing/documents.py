"""Reading files that are one record each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from bluemirror.landing.landed import FileFault, LandedFile, LineFault, Read, collecting_rows, content_of

if TYPE_CHECKING:
    import polars as pl


class Trees(Protocol):
    """What gathers the rows of parsed documents."""

    def add(self, root: Any, file_no: int, line: int) -> None:
        """Gather the rows of one document; a ValueError leaves none."""

    def frames(self) -> tuple[dict[int, pl.DataFrame], list[LineFault]]:
        """The frame of each scope, and the records with odd values."""


def read_documents(
    trees: Trees, files: Sequence[LandedFile], parse: Callable[[bytes], Any], rule: str
) -> Read:
    """Parse and gather each file; one that cannot be read becomes a :class:`FileFault` and leaves no row."""
    read = Read()
    with collecting_rows():
        for file in files:
            content = content_of(file, read)
            if content is None:
                continue
            read.counts[file.number] = 1
            walk_document(trees, content, file.number, read, parse, rule)
        read.scopes, read.lines = trees.frames()
    return read


def walk_document(
    trees: Trees, content: bytes, number: int, read: Read, parse: Callable[[bytes], Any], rule: str
) -> None:
    """Parse and gather one document, or note why it cannot be read."""
    try:
        trees.add(parse(content), number, 1)
    except ValueError as error:
        fix = "ask the source to deliver the document again, whole, in a later delivery"
        read.faults.append(FileFault(number, rule, f"{error} of {len(content)} bytes", fix, rows=1))
