"""Timestamps of whatever kind as microseconds since 1970 in UTC, so that two of them can be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bluemirror.errors import StoreError

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

UTC = "UTC"


def instants(values: pl.Series, zone: str, *, up: bool = False) -> NDArray[np.int64]:
    """Moments of ``values`` in microseconds.

    Parameters
    ----------
    values
        Datetime with or without a time zone, Date, or text in ISO 8601; no nulls.
    zone
        Where naive values are wall time; Feast's own stores say UTC.
    up
        Round what is finer than a microsecond up instead of down: a stored row then never counts too early.

    Raises
    ------
    StoreError
        If the column does not hold moments.
    """
    import polars as pl

    if values.dtype == pl.String:
        values = _read(values)
    if values.dtype == pl.Date:
        values = values.cast(pl.Datetime("us"))
    if not isinstance(values.dtype, pl.Datetime):
        raise StoreError(
            f"the column {values.name} holds {values.dtype}, not moments",
            field=values.name,
            rule="a timestamp is a datetime, a date, or text in ISO 8601",
            fix="convert the column",
        )
    if values.dtype.time_zone is None and zone != UTC:
        values = values.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        if values.null_count():
            raise StoreError(
                f"{values.null_count()} moments of {values.name} do not exist in {zone}",
                field=values.name,
                rule="a moment without a time zone is wall time of the store's zone",
                fix="give the column a time zone",
            )
    numbers = values.to_physical().to_numpy().astype(np.int64, copy=False)
    unit = getattr(values.dtype, "time_unit", "us")
    if unit == "ms":
        return numbers * 1000
    if unit == "ns":
        return -(-numbers // 1000) if up else numbers // 1000
    return numbers


def instant(moment: Any, zone: str) -> int:
    """One ``datetime`` in microseconds, as :func:`instants` counts them."""
    import polars as pl

    return int(instants(pl.Series("moment", [moment]), zone)[0])


def _read(values: pl.Series) -> pl.Series:
    import polars as pl

    try:
        # Text that states an offset is a moment of its own; other text is wall time.
        if values.str.contains(r"(?:Z|[+-]\d\d:?\d\d)$").any():
            return values.str.to_datetime(time_unit="us", time_zone="UTC")
        return values.str.to_datetime(time_unit="us")
    except pl.exceptions.PolarsError:
        raise StoreError(
            f"the column {values.name} holds text that is no moment",
            field=values.name,
            rule="a timestamp is a datetime, a date, or text in ISO 8601",
            fix="write 2026-03-31T23:59:59",
        ) from None
