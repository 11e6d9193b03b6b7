"""Many JSON documents at once: scanned by compiled loops where they are plain, named where they are not.

A column of text is made straight from the places of its values, so that no value ever becomes an object of Python.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from bluemirror.landing.gathering import placed
from bluemirror.landing.grammar import Grammar, compile_grammar
from bluemirror.landing.plan import PLACE, Plan
from bluemirror.landing.scanning import Found, scan, texts

if TYPE_CHECKING:
    import polars as pl

INLINE = 12
"""Bytes of a value that stand within Arrow's view of it."""
SMALLEST = 5
"""Bytes that a value or an object takes with its name at least."""


class PlainDocuments:
    """Documents of one plan, scanned.

    Parameters
    ----------
    plan
        The compiled extraction.
    contents
        File number -> the document's bytes.

    Attributes
    ----------
    scopes
        Scope number -> frame of the place columns and the slots, as text; rows in the order of ``contents``.
    odd
        Numbers of the files that have to be walked: they are not plain JSON, and have left no row.
    """

    def __init__(self, plan: Plan, contents: Mapping[int, bytes]) -> None:
        grammar = compile_grammar(plan)
        documents = list(contents.values())
        whole = b"".join(documents)
        markers = [[f'"{marker}"'.encode() for marker in dialect.markers] for dialect in plan.dialects]
        spellings = [_spelling(markers, content) for content in documents]
        if not _is_utf8(whole):
            # Nobody is known to send such files by the thousand, so the walker may look which it is.
            spellings = [_spelling(markers, each) if _is_utf8(each) else -1 for each in documents]
        # Lists of values are written behind the documents as one text each, which is never longer than they.
        text = np.empty(2 * len(whole), dtype=np.uint8)
        text[: len(whole)] = np.frombuffer(whole, dtype=np.uint8)
        found = scan(
            grammar,
            text,
            np.cumsum([0, *map(len, documents)]),
            np.array(spellings, dtype=np.int32),
            len(plan.scopes),
            len(whole) // SMALLEST + 1,
        )
        numbers = np.fromiter(contents, dtype=np.int32, count=len(contents))
        self.odd: list[int] = numbers[found.odd].tolist()
        self.scopes = _frames(plan, grammar, text, found, numbers[~found.odd])


def _spelling(markers: Sequence[Sequence[bytes]], content: bytes) -> int:
    """Number of the spelling that a document seems to be written in; the scanner makes sure."""
    for number, any_of in enumerate(markers, 1):
        if any(marker in content for marker in any_of):
            return number
    return 0


def _is_utf8(content: bytes) -> bool:
    import pyarrow as pa

    ends = np.array([0, len(content)], dtype=np.int64)
    text = pa.Array.from_buffers(pa.large_string(), 1, [None, pa.py_buffer(ends), pa.py_buffer(content)])
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _frames(
    plan: Plan, grammar: Grammar, text: np.ndarray, found: Found, files: np.ndarray
) -> dict[int, pl.DataFrame]:
    import polars as pl

    above = [found.row_above[found.row_scope == scope.number] for scope in plan.scopes]
    rows = np.array([len(each) for each in above], dtype=np.int64)
    ends = np.cumsum(rows[grammar.slot_scope])
    first = ends - rows[grammar.slot_scope]
    starts = np.full(int(ends[-1]), -1, dtype=np.int32)
    sizes = np.zeros(len(starts), dtype=np.int32)
    at = first[found.cell_slot] + found.cell_row
    starts[at] = found.cell_start
    sizes[at] = found.cell_size
    lines = np.ones(len(files), dtype=np.int32)
    frames, slot = {}, 0
    for scope, (_, places) in zip(plan.scopes, placed(plan.scopes, above, files, lines), strict=True):
        columns = []
        for name in scope.slots[len(PLACE) :]:
            part = slice(int(first[slot]), int(ends[slot]))
            columns.append(_column(name, text, starts[part], sizes[part]))
            slot += 1
        frames[scope.number] = pl.DataFrame([*places, *columns])
    return frames


def _column(name: str, text: np.ndarray, starts: np.ndarray, sizes: np.ndarray) -> pl.Series:
    import polars as pl
    import pyarrow as pa

    there = starts >= 0
    if not there.any():
        return pl.Series(name, [None], dtype=pl.String).new_from_index(0, len(starts))
    views = np.zeros(16 * len(starts), dtype=np.uint8)
    data = np.empty(int(sizes[sizes > INLINE].sum()), dtype=np.uint8)
    texts(text, starts, sizes, views, data)
    buffers = [np.packbits(there, bitorder="little"), views, *([data] if len(data) else [])]
    column = pa.Array.from_buffers(pa.string_view(), len(starts), [pa.py_buffer(each) for each in buffers])
    return pl.Series(name, column, dtype=pl.String)
