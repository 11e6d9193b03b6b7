"""What a training set says, as one number that does not depend on the order of its rows.

Each row has a hash, and the rows' hashes are summed. So what was taken out can be subtracted: a training set from which
a person was erased still proves that nothing else in it changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import polars as pl

ROWS = 16_384
"""Rows that stand as one block of numbers at a time."""

BYTES = 16
MODULUS = 1 << (8 * BYTES)


def content(frame: pl.DataFrame, values: Collection[str]) -> int:
    """Sum of the hashes of all rows.

    Parameters
    ----------
    frame
        Any columns; their order counts.
    values
        Those of them that are variables (Float32): their bits count; null and nan are the same. Of the other columns
        the text counts.
    """
    import polars as pl

    known = set(values)
    others = [name for name in frame.columns if name not in known]
    ordered = [name for name in frame.columns if name in known]
    total = 0
    for first in range(0, len(frame), ROWS):
        part = frame[first : first + ROWS]
        texts = (
            part.select(pl.struct(others).struct.json_encode()).to_series().to_list()
            if others
            else [""] * len(part)
        )
        numbers = np.empty((len(part), len(ordered)), dtype=np.float32)
        for place, name in enumerate(ordered):
            numbers[:, place] = part[name].fill_null(float("nan")).to_numpy()
        numbers[np.isnan(numbers)] = np.float32("nan")  # one pattern of bits for all of them
        for text, row in zip(texts, numbers, strict=True):
            digest = hashlib.sha256(text.encode() + b"\0" + row.tobytes()).digest()
            total += int.from_bytes(digest[:BYTES], "big")
    return total % MODULUS


def as_text(total: int) -> str:
    """The sum as 32 hexadecimal digits."""
    return f"{total % MODULUS:0{2 * BYTES}x}"


def from_text(text: str) -> int:
    """The sum from its digits."""
    return int(text, 16)
