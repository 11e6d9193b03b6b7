"""Answers with records in them: a header and the list of what it found."""

from __future__ import annotations

import numpy as np
import polars as pl

from simulator.calls import HIT, Calls
from simulator.deliveries import moment


def heading(calls: Calls, which: np.ndarray) -> pl.DataFrame:
    """The columns with which every answer begins: ``at``, ``req_id``, the two moments and ``hit``.

    Parameters
    ----------
    calls
        The calls of a batch.
    which
        Entries that the source answered.
    """
    return pl.DataFrame(
        {
            "at": which,
            "req_id": [calls.request[at] for at in which.tolist()],
            "query_ts": calls.request_ts[which] + np.timedelta64(2, "ms"),
            "report_ts": calls.response_ts[which],
            "hit": np.where(calls.result[which] == HIT, "1", "0"),
        }
    ).with_columns(moment("query_ts"), moment("report_ts"))


def with_records(
    head: pl.DataFrame, records: pl.DataFrame, name: str = "records", count: str = "record_count"
) -> pl.DataFrame:
    """``head`` with the list of its records and their number.

    Parameters
    ----------
    head
        One row an answer, told apart by ``at``.
    records
        One row a record, with the ``at`` of its answer, in the order in which they are listed.
    name, count
        The new columns.
    """
    nested = records.group_by("at", maintain_order=True).agg(
        pl.struct(pl.exclude("at")).alias(name), pl.len().cast(pl.Int64).alias(count)
    )
    return head.join(nested, on="at", how="left", maintain_order="left").with_columns(
        pl.col(count).fill_null(0), pl.col(name).fill_null([])
    )
