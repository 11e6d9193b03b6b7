"""The point-in-time match: to each asked (key, moment) the newest row that had happened, was known and still holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bluemirror.errors import StoreError

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

NONE = -1
"""Row number of "there is no such row"."""


def match(
    rows: NDArray[np.int64],
    happened: NDArray[np.int64],
    created: NDArray[np.int64] | None,
    asked: NDArray[np.int64],
    moment: NDArray[np.int64],
    *,
    ttl: int | None = None,
    known: bool = False,
) -> NDArray[np.int64]:
    """Row number for each question, ``NONE`` where no row counts.

    Of the rows with the asked key and ``happened <= moment``, the one that happened last counts; of several at the same
    moment the one created last; of several created at once the last stored. It counts only if
    ``happened + ttl >= moment``.

    Parameters
    ----------
    rows, happened, created
        Key code, event time and creation time of every stored row, times in microseconds; shape (stored,).
    asked, moment
        Key code (``NONE`` if no row has this key) and moment of every question; shape (questions,).
    ttl
        Microseconds for which a row holds; forever if None.
    known
        Leave out rows with ``created > moment``: what was backfilled later was not known then.
    """
    if not len(rows) or not len(asked):
        return np.full(len(asked), NONE, np.int64)
    order = np.lexsort((happened, rows) if created is None else (created, happened, rows))
    # One number for (key, moment): moments are replaced by their rank among those stored.
    times = np.unique(happened)
    width = len(times) + 1
    stored = rows[order] * width + np.searchsorted(times, happened[order]) + 1
    question = asked * width + np.searchsorted(times, moment, side="right")
    at = np.searchsorted(stored, question, side="right") - 1
    found = (at >= 0) & (asked >= 0)
    found[found] = rows[order[at[found]]] == asked[found]
    if known and created is not None:
        _step_back(at, found, rows[order], created[order], asked, moment)
    result = np.where(found, order[np.where(found, at, 0)], NONE)
    if ttl is not None:
        expired = found & (happened[np.where(found, result, 0)] + ttl < moment)
        result[expired] = NONE
    return result


def _step_back(
    at: NDArray[np.int64],
    found: NDArray[np.bool_],
    rows: NDArray[np.int64],
    created: NDArray[np.int64],
    asked: NDArray[np.int64],
    moment: NDArray[np.int64],
) -> None:
    """Move each question back, row by row of its key, to one that had been created; ``at`` and ``found`` change."""
    late = np.flatnonzero(found)
    late = late[created[at[late]] > moment[late]]
    while len(late):
        at[late] -= 1
        gone = at[late] < 0
        gone[~gone] = rows[at[late[~gone]]] != asked[late[~gone]]
        found[late[gone]] = False
        late = late[~gone]
        late = late[created[at[late]] > moment[late]]


def key_codes(
    stored: pl.DataFrame, asked: pl.DataFrame, keys: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Equal numbers for equal keys, of stored rows and of questions; ``NONE`` for a question whose key is not stored.

    Parameters
    ----------
    stored, asked
        The key columns, under the same names; a question's column is cast to the type of the stored one.

    Raises
    ------
    StoreError
        If a question's key cannot be a stored key: another type.
    """
    import polars as pl

    for key in keys:
        kind = stored[key].dtype
        if asked[key].dtype != kind:
            try:
                asked = asked.with_columns(pl.col(key).cast(kind))
            except pl.exceptions.PolarsError:
                raise StoreError(
                    f"the entity frame's {key} is {asked[key].dtype}, the stored one {kind}",
                    field=key,
                    rule="an entity key has the type of the stored key",
                    fix=f"cast {key} to {kind}",
                ) from None
    keys = list(keys)
    codes = stored.unique(keys, maintain_order=False).select(keys).with_row_index("code")

    def coded(frame: pl.DataFrame) -> NDArray[np.int64]:
        joined = frame.select(keys).join(codes, on=keys, how="left", maintain_order="left")
        return joined["code"].cast(pl.Int64).fill_null(NONE).to_numpy()

    return coded(stored), coded(asked)
