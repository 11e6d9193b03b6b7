"""A small planted share of broken records, so that quarantine has something to hold from the first run on."""

from __future__ import annotations

import numpy as np
import polars as pl

from simulator.streams import Streams

SPOILED = "_spoiled"
SPOILED_REASON = "77"
"""Query reason of a spoiled bureau report: a code that no table knows."""
Plant = tuple[str, str, pl.Expr]
"""Column, what is put there, which rows may be taken (none that a customer's story hangs on)."""
PLANTS: dict[str, Plant] = {
    "telco_tenure": ("status", "Z", pl.col("hit") == "1"),
    "ml_apply": ("hit", "2", pl.lit(True)),
    "ml_overdue": ("overdue_level", "M9", pl.col("hit") == "1"),
    "own_txn": ("txn_class", "lottery", pl.col("op") == "c"),
    "app_event": ("event_type", "swipe", pl.col("event_type") == "home"),
    "device_fp": ("os", "symbian", pl.lit(True)),
    "own_apply": ("channel", "fax", pl.col("status") == "submitted"),
    "own_customer": ("birth_date", "2001-02-30", pl.col("valid_to").is_not_null()),
    "own_repay": ("five_class", "8", pl.col("dpd") == 1),
    "source_call": ("result", "maybe", pl.col("source") == "ml_overdue"),
}
"""Unknown codes, and a day that no calendar has."""


def spoil(
    plant: Plant | None, frame: pl.DataFrame, purpose: str, month: int, streams: Streams, share: float
) -> pl.DataFrame:
    """``frame`` with a share of its rows broken and the column ``_spoiled`` telling which."""
    none = np.zeros(frame.height, bool)
    if plant is None or not frame.height:
        return frame.hstack([pl.Series(SPOILED, none)])
    column, value, eligible = plant
    chosen = streams.of(f"spoil {purpose}", month).random(frame.height) < share
    if not chosen.any():
        return frame.hstack([pl.Series(SPOILED, none)])
    broken = pl.Series(chosen) & frame.select(eligible.fill_null(False).alias(SPOILED)).to_series()
    return frame.with_columns(
        broken.alias(SPOILED),
        pl.when(broken).then(pl.lit(value)).otherwise(pl.col(column).cast(pl.String)).alias(column),
    )
