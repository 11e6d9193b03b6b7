"""Cutting a column into about equal parts and counting them: what screening does to every variable.

Zeros, the most frequent value of all, are counted and not sorted; the sort of what remains is numpy's, the loops
around it are compiled.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bluemirror.compiled import compiled

Floats32 = NDArray[np.float32]
Codes = NDArray[np.uint8]
Counts = NDArray[np.int32]

BINS = 10
"""Quantiles a column is cut at."""
VALUE_CODES = 2 * BINS
MISSING_CODE = VALUE_CODES
CODES = VALUE_CODES + 5
"""Values, then missing without a reason, then the reasons 1 to 4."""


def quantile_edges(sorted_values: Any) -> Any:
    """Edges that cut sorted values into about ``BINS`` parts; a value is in bin ``number of edges below it``.

    A value that is so frequent that it fills a whole part gets a bin of its own: an edge on it, one just below.
    """
    edges = np.empty(VALUE_CODES, np.float32)
    ordered = np.ascontiguousarray(sorted_values, np.float32)
    return edges[: cut_points(ordered, 0, edges)[0]]


@compiled
def pack(column: Floats32, packed: Floats32) -> tuple[int, int]:
    """Put what is neither missing nor zero into ``packed`` (room for all rows); how many, and how many zeros."""
    kept, zeros = 0, 0
    for row in range(len(column)):
        value = column[row]
        # Written always and counted sometimes: a branch that nobody can foretell costs more than the write.
        packed[kept] = value
        zero = value == 0
        zeros += zero
        kept += (value == value) & (not zero)  # noqa: PLR0124 (false for NaN alone)
    return kept, zeros


@compiled
def cut_points(ordered: Floats32, zeros: int, edges: Floats32) -> tuple[int, int]:
    """Edges of sorted values and so many zeros among them, as :func:`quantile_edges` says.

    Parameters
    ----------
    ordered
        The sorted values; if ``zeros`` is not 0, those without the zeros.
    zeros
        How many more values are 0.
    edges
        Room for ``VALUE_CODES`` edges.

    Returns
    -------
    how many edges there are, and how often the most frequent value stands.
    """
    count = len(ordered) + zeros
    if count == 0:
        return 0, 0
    negative, last = 0, len(ordered)
    while negative < last:
        middle = (negative + last) // 2
        if ordered[middle] < 0:
            negative = middle + 1
        else:
            last = middle
    found = 0
    before = np.float32(0)
    doubled = False
    for part in range(1, BINS):
        rank = (part * count) // BINS
        value = np.float32(0)
        if rank < negative:
            value = ordered[rank]
        elif rank >= negative + zeros:
            value = ordered[rank - zeros]
        if part == 1 or value != before:
            edges[found] = value
            found += 1
            doubled = False
        elif not doubled:
            doubled = True
            below = np.nextafter(value, np.float32(-np.inf))
            if found < 2 or edges[found - 2] != below:
                edges[found - 1] = below
                edges[found] = value
                found += 1
        before = value
    most, run = zeros, 0
    for place in range(len(ordered)):
        run = run + 1 if place and ordered[place] == ordered[place - 1] else 1
        most = max(most, run)
    return found, most


@compiled
def assign(column: Floats32, silent: Codes, edges: Floats32, codes: Codes) -> None:
    """The code of every row: the number of edges below its value, or ``silent`` where it has none."""
    rows = len(column)
    for row in range(rows):
        codes[row] = 0
    for place in range(len(edges)):
        edge = edges[place]
        for row in range(rows):
            codes[row] += edge < column[row]
    for row in range(rows):
        if np.isnan(column[row]):
            codes[row] = silent[row]


@compiled
def count(codes: Codes, cell: NDArray[np.int32], counts: Counts) -> None:
    """Add the rows to ``counts`` (cells, CODES) by their cell and code."""
    for row in range(len(codes)):
        counts[cell[row], codes[row]] += 1


def cut(values: Floats32, silent: Codes, cell: NDArray[np.int32], cells: int) -> tuple[Codes, Counts, Any]:
    """Cut some columns at their quantiles and count their rows.

    Parameters
    ----------
    values
        Shape (columns, rows); NaN is missing.
    silent
        Shape (rows,): the code of a missing value, ``MISSING_CODE`` and on.
    cell
        Shape (rows,): what else the rows are counted by, from 0 to ``cells - 1``.

    Returns
    -------
    codes (columns, rows), counts (columns, cells, CODES), and how often each column's most frequent value stands.
    """
    columns, rows = values.shape
    codes = np.empty((columns, rows), np.uint8)
    counts = np.zeros((columns, cells, CODES), np.int32)
    most = np.zeros(columns, np.int64)
    packed = np.empty(rows + 1, np.float32)
    edges = np.empty(VALUE_CODES, np.float32)
    for place in range(columns):
        kept, zeros = pack(values[place], packed)
        ordered = packed[:kept]
        ordered.sort()
        found, most[place] = cut_points(ordered, zeros, edges)
        assign(values[place], silent, edges[:found], codes[place])
        count(codes[place], cell, counts[place])
    return codes, counts, most
