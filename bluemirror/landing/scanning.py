"""Scanning plain JSON documents as compiled loops: where in the text each value stands that the plan reads.

*Plain* is what nearly every document is: objects, lists, strings without escapes, null. The scanner follows the grammar
of JSON to the byte and gives a document up at whatever else it meets (a number, an escape, a name twice, a text where a
group should be, an error): such a document is *odd*, leaves nothing behind, and is read by the walker of
:mod:`bluemirror.landing.objects`, which this must never differ from.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bluemirror.compiled import compiled
from bluemirror.landing.grammar import FNV_OFFSET, FNV_PRIME, GROUP, LEAF, REPEAT, Grammar

DEPTH = 64
"""Levels of objects and lists; a document with more is odd."""
OBJECT, LIST = 0, 1
VOID = -1
"""Node of what the plan does not read."""
QUOTE, COMMA, COLON, BACKSLASH, DASH = 34, 44, 58, 92, 45
OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST = 123, 125, 91, 93
N, U, L = 110, 117, 108
FIRST_PRINTABLE = 32
ODD = -1


class Found(NamedTuple):
    """What stands where; a cell is a value, a row is an element of a repeating group (or a record).

    Parameters
    ----------
    cell_slot, cell_row, cell_start, cell_size
        (cells,) slot over all scopes, row in its scope, first byte, bytes.
    row_scope, row_above
        (rows,) its scope, and the row of the enclosing scope that it hangs under.
    odd
        (documents,) whether a document was given up.
    """

    cell_slot: np.ndarray
    cell_row: np.ndarray
    cell_start: np.ndarray
    cell_size: np.ndarray
    row_scope: np.ndarray
    row_above: np.ndarray
    odd: np.ndarray


@compiled
def _skip_blanks(text: np.ndarray, at: int, end: int) -> int:
    while at < end and (text[at] == 32 or text[at] == 10 or text[at] == 13 or text[at] == 9):
        at += 1
    return at


@compiled
def _end_of_string(text: np.ndarray, at: int, end: int) -> int:
    """Place of the closing quote of a string whose first byte is at ``at``; ODD if it is not plain."""
    while at < end:
        byte = text[at]
        if byte == QUOTE:
            return at
        if byte == BACKSLASH or byte < FIRST_PRINTABLE:
            return ODD
        at += 1
    return ODD


@compiled
def _is_null(text: np.ndarray, at: int, end: int) -> bool:
    return at + 4 <= end and text[at] == N and text[at + 1] == U and text[at + 2] == L and text[at + 3] == L


@compiled
def _is_nothing(text: np.ndarray, at: int, size: int) -> bool:
    """Whether a text of so many bytes stands for an empty segment; an empty text does anyway."""
    return size == 2 and text[at] == DASH and text[at + 1] == DASH


@compiled
def _child(grammar: Grammar, node: int, text: np.ndarray, start: int, stop: int) -> int:
    """The child of a node with the name in ``text[start:stop]``; -1 if the plan does not read it."""
    value = (FNV_OFFSET ^ node) & 0xFFFFFFFF
    for at in range(start, stop):
        value = ((value ^ text[at]) * FNV_PRIME) & 0xFFFFFFFF
    last = len(grammar.table) - 1
    place = value & last
    while True:
        child = grammar.table[place]
        if child < 0:
            return VOID
        if grammar.child_node[child] == node:
            first = grammar.name_ends[child - 1] if child else 0
            size = grammar.name_ends[child] - first
            if size == stop - start:
                same = True
                for n in range(size):
                    if grammar.names[first + n] != text[start + n]:
                        same = False
                        break
                if same:
                    return child
        place = (place + 1) & last


@compiled
def _joined(text: np.ndarray, at: int, end: int, spare: int) -> tuple[int, int]:
    """A list of strings as one text with commas, written from ``spare`` on.

    Returns
    -------
    after, spare
        The byte behind the list (ODD if it is no plain list of strings), and the end of what was written.
    """
    first = True
    while True:
        at = _skip_blanks(text, at, end)
        if at < end and text[at] == CLOSE_LIST and first:
            return at + 1, spare
        if at >= end or text[at] != QUOTE:
            return ODD, spare
        stop = _end_of_string(text, at + 1, end)
        if stop < 0:
            return ODD, spare
        if not first:
            text[spare] = COMMA
            spare += 1
        for n in range(at + 1, stop):
            text[spare] = text[n]
            spare += 1
        first = False
        at = _skip_blanks(text, stop + 1, end)
        if at >= end:
            return ODD, spare
        if text[at] == CLOSE_LIST:
            return at + 1, spare
        if text[at] != COMMA:
            return ODD, spare
        at += 1


@compiled
def scan(
    grammar: Grammar,
    text: np.ndarray,
    starts: np.ndarray,
    spellings: np.ndarray,
    scopes: int,
    most: int,
) -> Found:
    """Scan documents that stand behind each other.

    Parameters
    ----------
    grammar
        What to look for.
    text
        The documents as UTF-8, and as much room behind them for lists that are written as one text.
    starts
        (documents + 1,) first byte of each, and the end of the last.
    spellings
        (documents,) which spelling each is written in; below zero: it is odd anyway.
    scopes
        Number of scopes.
    most
        At most so many cells can there be, and so many rows.
    """
    cell_slot = np.empty(most, np.int32)
    cell_row = np.empty(most, np.int32)
    cell_start = np.empty(most, np.int32)
    cell_size = np.empty(most, np.int32)
    row_scope = np.empty(most, np.int32)
    row_above = np.empty(most, np.int32)
    odd = np.zeros(len(starts) - 1, np.bool_)
    in_scope = np.zeros(scopes, np.int32)
    before = np.zeros(scopes, np.int32)
    # An object's own number under each name that it has had: a name twice is found at once.
    seen = np.full(len(grammar.child_node), -1, np.int64)
    number = np.int64(0)
    kind = np.empty(DEPTH, np.int32)
    node_at = np.empty(DEPTH, np.int32)
    row_at = np.empty(DEPTH, np.int32)
    scope_at = np.empty(DEPTH, np.int32)
    own = np.empty(DEPTH, np.int64)
    cells = rows = 0
    spare = starts[-1]
    for document in range(len(starts) - 1):
        end = starts[document + 1]
        cells_before, rows_before, spare_before = cells, rows, spare
        before[:] = in_scope
        known = False
        marked = spellings[document] <= 0
        good = False
        at = _skip_blanks(text, starts[document], end) if spellings[document] >= 0 else end
        if at < end and text[at] == OPEN_OBJECT and rows < most:
            depth = 0
            kind[0], node_at[0], row_at[0] = OBJECT, grammar.roots[spellings[document]], in_scope[0]
            own[0] = number
            number += 1
            row_scope[rows], row_above[rows] = 0, 0
            rows += 1
            in_scope[0] += 1
            fresh = True
            at += 1
            while True:
                at = _skip_blanks(text, at, end)
                if at >= end:
                    break
                if text[at] == (CLOSE_OBJECT if kind[depth] == OBJECT else CLOSE_LIST):
                    at += 1
                    fresh = False
                    depth -= 1
                    if depth < 0:
                        good = _skip_blanks(text, at, end) == end
                        break
                    continue
                if not fresh:
                    if text[at] != COMMA:
                        break
                    at = _skip_blanks(text, at + 1, end)
                    if at >= end:
                        break
                fresh = False
                child = VOID
                what = VOID
                if kind[depth] == OBJECT:
                    if text[at] != QUOTE:
                        break
                    stop = _end_of_string(text, at + 1, end)
                    if stop < 0:
                        break
                    if node_at[depth] >= 0:
                        child = _child(grammar, node_at[depth], text, at + 1, stop)
                    if child >= 0:
                        known = known or depth == 0
                        if seen[child] == own[depth]:
                            break
                        seen[child] = own[depth]
                        what = grammar.child_kind[child]
                        if grammar.child_marks[child]:
                            marked = True
                    at = _skip_blanks(text, stop + 1, end)
                    if at >= end or text[at] != COLON:
                        break
                    at = _skip_blanks(text, at + 1, end)
                    if at >= end:
                        break
                byte = text[at]
                listed = kind[depth] == LIST and node_at[depth] >= 0
                if listed and byte != OPEN_OBJECT:
                    break
                if byte == QUOTE:
                    stop = _end_of_string(text, at + 1, end)
                    if stop < 0:
                        break
                    size = stop - at - 1
                    if what == LEAF:
                        if cells >= most:
                            break
                        cell_slot[cells], cell_row[cells] = grammar.child_to[child], row_at[depth]
                        cell_start[cells], cell_size[cells] = at + 1, size
                        cells += 1
                    elif GROUP <= what <= REPEAT and size and not _is_nothing(text, at + 1, size):
                        break
                    at = stop + 1
                elif byte == N:
                    if not _is_null(text, at, end):
                        break
                    at += 4
                elif byte == OPEN_OBJECT:
                    if what == LEAF or depth + 1 >= DEPTH:
                        break
                    node, row = VOID, row_at[depth]
                    if what == GROUP:
                        node = grammar.child_to[child]
                    elif what == REPEAT or listed:
                        # An empty element is no row, which the walker knows about.
                        inner = _skip_blanks(text, at + 1, end)
                        if inner >= end or text[inner] == CLOSE_OBJECT or rows >= most:
                            break
                        node = node_at[depth] if listed else grammar.child_to[child]
                        scope = scope_at[depth] if listed else grammar.child_scope[child]
                        row_scope[rows], row_above[rows] = scope, row_at[depth]
                        rows += 1
                        row = in_scope[scope]
                        in_scope[scope] += 1
                    depth += 1
                    kind[depth], node_at[depth], row_at[depth], own[depth] = OBJECT, node, row, number
                    number += 1
                    fresh = True
                    at += 1
                elif byte == OPEN_LIST:
                    if what == GROUP or depth + 1 >= DEPTH:
                        break
                    if what == LEAF:
                        start = spare
                        at, spare = _joined(text, at + 1, end, spare)
                        if at < 0 or cells >= most:
                            break
                        cell_slot[cells], cell_row[cells] = grammar.child_to[child], row_at[depth]
                        cell_start[cells], cell_size[cells] = start, spare - start
                        cells += 1
                    else:
                        depth += 1
                        kind[depth], node_at[depth], row_at[depth] = LIST, VOID, row_at[depth - 1]
                        if what == REPEAT:
                            node_at[depth] = grammar.child_to[child]
                            scope_at[depth] = grammar.child_scope[child]
                        fresh = True
                        at += 1
                else:
                    break
        # A document of nothing that is known may be wrapped once more, which the walker looks into.
        if not (good and marked and known):
            odd[document] = True
            cells, rows, spare = cells_before, rows_before, spare_before
            in_scope[:] = before
    return Found(
        cell_slot[:cells],
        cell_row[:cells],
        cell_start[:cells],
        cell_size[:cells],
        row_scope[:rows],
        row_above[:rows],
        odd,
    )


@compiled
def texts(
    text: np.ndarray,
    starts: np.ndarray,
    sizes: np.ndarray,
    views: np.ndarray,
    data: np.ndarray,
) -> int:
    """Write Arrow's views of the values of a column: 16 bytes each, short values within, long ones in ``data``.

    Parameters
    ----------
    text
        Where the values stand.
    starts, sizes
        (n,) first byte and bytes of each; a start below zero is no value.
    views
        (16 n,) bytes to write to, all zero.
    data
        Bytes to write to.

    Returns
    -------
    int
        Bytes written to ``data``.
    """
    used = 0
    for n in range(len(starts)):
        start = starts[n]
        if start < 0:
            continue
        size = sizes[n]
        base = 16 * n
        views[base] = size & 0xFF
        views[base + 1] = (size >> 8) & 0xFF
        views[base + 2] = (size >> 16) & 0xFF
        views[base + 3] = (size >> 24) & 0xFF
        if size <= 12:
            for at in range(size):
                views[base + 4 + at] = text[start + at]
        else:
            for at in range(4):
                views[base + 4 + at] = text[start + at]
            views[base + 12] = used & 0xFF
            views[base + 13] = (used >> 8) & 0xFF
            views[base + 14] = (used >> 16) & 0xFF
            views[base + 15] = (used >> 24) & 0xFF
            for at in range(size):
                data[used + at] = text[start + at]
            used += size
    return used
