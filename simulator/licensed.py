"""Consumer data of platforms: only through a licensed credit bureau, and under an authorisation that holds."""

from __future__ import annotations

import numpy as np
import polars as pl

HOLDS_DAYS = 180
"""Days that an authorisation holds [stated]."""


def authorised(head: pl.DataFrame, asked: np.ndarray) -> pl.DataFrame:
    """``head`` of answers with the channel, the number of the authorisation and its last day.

    Parameters
    ----------
    head
        One row an answer, with ``req_id``.
    asked
        Moment of each question.
    """
    until = asked.astype("datetime64[D]") + np.timedelta64(HOLDS_DAYS, "D")
    return head.with_columns(
        pl.lit(True).alias("via_bureau"),
        pl.format("AU{}", pl.col("req_id").str.slice(2)).alias("auth_id"),
        pl.Series("auth_until", until),
    )
