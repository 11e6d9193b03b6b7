"""From a file's text to the contract's types, a whole column at a time.

A value that is there but does not fit its type becomes null and is marked, so that the gate can name it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

NOTHING = ("", "--", "null", "NULL")
"""Ways in which sources write "no value"."""
FEN = 100
"""Fen in a yuan: amounts are kept as integers of fen, because float sums lose cents."""
EXACT = 2**53
"""Beyond so many fen (90 trillion yuan) a float cannot tell one from the next."""
FIRST_DAY, LAST_DAY = -719_162, 2_932_896
"""Days from 1970-01-01 to the first of year 1 and to the last of year 9999."""


def dtype_of(kind: str) -> Any:
    """Type of a column of a contract type once it is cast."""
    import polars as pl

    types = {
        "string": pl.String,
        "int": pl.Int64,
        "float": pl.Float64,
        "amount": pl.Int64,
        "bool": pl.Boolean,
        "date": pl.Date,
        "month": pl.Date,
        "timestamp": pl.Datetime("us"),
    }
    return types[kind]


def tidy(column: pl.Series) -> pl.Series:
    """Text without surrounding blanks, with :data:`NOTHING` as null; other types as they are, NaN as null."""
    import polars as pl

    if column.dtype == pl.String:
        text = column.str.strip_chars()
        nothing = text.is_in(list(NOTHING))
        return text.set(nothing, None) if nothing.any() else text
    if column.dtype == pl.Float64:
        return column.fill_nan(None)
    return column


def cast(column: pl.Series, kind: str) -> tuple[pl.Series, pl.Series | None]:
    """Cast a tidied column to a contract type.

    Parameters
    ----------
    column
        Text, or a typed column of a file that has types.
    kind
        string, int, float, amount, bool, date, month or timestamp.

    Returns
    -------
    values, failed
        The typed column, and a mask of the values that do not fit (None if all do).
    """
    import polars as pl

    makers = {
        "string": _string,
        "int": _int,
        "float": _float,
        "amount": _amount,
        "bool": _bool,
        "date": _date,
        "month": _month,
        "timestamp": _timestamp,
    }
    values = makers[kind](column)
    if values.null_count() == column.null_count():
        return values, None
    failed = values.is_null() & column.is_not_null()
    return values, failed if isinstance(failed, pl.Series) and failed.any() else None


def _without_commas(column: pl.Series) -> pl.Series:
    if not column.str.contains(",", literal=True).any():
        return column
    grouped = column.str.contains(r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$")
    return column.zip_with(~grouped.fill_null(False), column.str.replace_all(",", "", literal=True))


def _string(column: pl.Series) -> pl.Series:
    import polars as pl

    return column if column.dtype == pl.String else column.cast(pl.String, strict=False)


def _int(column: pl.Series) -> pl.Series:
    import polars as pl

    if column.dtype == pl.String:
        return _without_commas(column).cast(pl.Int64, strict=False)
    if column.dtype == pl.Float64:
        return column.set(column != column.round(), None).cast(pl.Int64, strict=False)
    return column.cast(pl.Int64, strict=False)


def _float(column: pl.Series) -> pl.Series:
    import polars as pl

    if column.dtype == pl.String:
        column = _without_commas(column)
    values = column.cast(pl.Float64, strict=False)
    return values.set(~values.is_finite().fill_null(True), None)


def _amount(column: pl.Series) -> pl.Series:
    import polars as pl

    if column.dtype.is_integer():
        whole = column.cast(pl.Int64, strict=False)
        return whole.set(~whole.is_between(-EXACT // FEN, EXACT // FEN).fill_null(True), None) * FEN
    yuan = _float(column)
    fen = (yuan * FEN).round()
    # A fraction of a fen is not money: rounding it away would hide a wrong unit. Beyond EXACT nobody can tell.
    money = (((yuan * FEN) - fen).abs() <= 0.01) & (fen.abs() < EXACT)
    return fen.set(~money.fill_null(True), None).cast(pl.Int64, strict=False)


def _bool(column: pl.Series) -> pl.Series:
    import polars as pl

    if column.dtype == pl.Boolean:
        return column
    text = _string(column).str.to_lowercase()
    yes, no = text.is_in(["true", "1", "y", "yes"]), text.is_in(["false", "0", "n", "no"])
    return yes.set(~(yes | no).fill_null(False), None)


def _date(column: pl.Series) -> pl.Series:
    import polars as pl

    if column.dtype == pl.String:
        return _of_the_calendar(column.str.to_date("%Y-%m-%d", strict=False))
    return _of_the_calendar(column.cast(pl.Date, strict=False))


def _of_the_calendar(values: pl.Series) -> pl.Series:
    """Dates and times from year 1 to 9999: others are no dates elsewhere, and no file of ours can be read with them."""
    import polars as pl

    a_day = 1 if values.dtype == pl.Date else 86_400_000_000
    inside = values.to_physical().is_between(FIRST_DAY * a_day, (LAST_DAY + 1) * a_day - 1).fill_null(True)
    return values if inside.all() else values.set(~inside, None)


def _month(column: pl.Series) -> pl.Series:
    import polars as pl

    if column.dtype == pl.String:
        fits = column.str.contains(r"^\d{4}-\d{2}$").fill_null(False)
        return _of_the_calendar((column + "-01").str.to_date("%Y-%m-%d", strict=False).set(~fits, None))
    return _of_the_calendar(column.cast(pl.Date, strict=False)).dt.month_start()


def _timestamp(column: pl.Series) -> pl.Series:
    import polars as pl

    if column.dtype != pl.String:
        return _of_the_calendar(column.cast(pl.Datetime("us"), strict=False))
    text = column.str.replace(" ", "T", literal=True)
    if text.str.ends_with("+08:00").any():
        text = text.str.strip_suffix("+08:00")
    return _of_the_calendar(text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False))
