"""From a file's text to the contract's types, a whole column at a time.

A value that is there but does not fit its type becomes null and is marked, so that the gate can name it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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

OFFSET = "+08:00"
"""What a time in China may end in; the mart keeps wall time."""


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
    return tidy_frame(column.to_frame()).to_series()


def tidy_frame(frame: pl.DataFrame) -> pl.DataFrame:
    """:func:`tidy` for all columns of a frame; in one go, because a step a column costs more than its values do."""
    import polars as pl

    text = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    floats = [name for name, dtype in frame.schema.items() if dtype == pl.Float64]
    frame = frame.with_columns(pl.col(text).str.strip_chars(), pl.col(floats).fill_nan(None))
    nothing = _flags(frame, {name: pl.col(name).is_in(list(NOTHING)) for name in text})
    return frame.with_columns(
        pl.when(~pl.col(name).is_in(list(NOTHING))).then(pl.col(name)) for name in nothing
    )


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
    values, failed = cast_frame(column.to_frame(), {column.name: kind})
    return values.to_series(), failed.get(column.name)


def cast_frame(frame: pl.DataFrame, kinds: Mapping[str, str]) -> tuple[pl.DataFrame, dict[str, pl.Series]]:
    """:func:`cast` for all columns of a frame.

    Parameters
    ----------
    frame
        Tidied columns.
    kinds
        Column -> contract type.

    Returns
    -------
    values, failed
        The typed columns, and the masks of those that hold values which do not fit.
    """
    import polars as pl

    whole = [name for name, kind in kinds.items() if kind in WHOLE and frame.schema[name] == pl.String]
    values = _cast(frame, {**kinds, **{name: f"whole {kinds[name]}" for name in whole}})
    failed = _unfit(frame, values)
    for name in whole:
        if name in failed:
            # What is not written as a plain whole number: looked at again, alone.
            rows = failed.pop(name).arg_true()
            left = frame[name].gather(rows).to_frame()
            again = _cast(left, {name: kinds[name]})
            values = values.with_columns(values[name].scatter(rows, again[name]))
            for unfit in _unfit(left, again).values():
                failed[name] = pl.repeat(False, frame.height, eager=True).scatter(rows.filter(unfit), True)
    return values, failed


WHOLE = ("int", "amount")
"""Types whose text is a plain whole number nearly always, which is read in a fraction of the time."""


def _cast(frame: pl.DataFrame, kinds: Mapping[str, str]) -> pl.DataFrame:
    import polars as pl

    makers: dict[str, Callable[[pl.Expr, Any, bool], pl.Expr]] = {
        "string": _string,
        "int": _int,
        "whole int": _whole,
        "float": _float,
        "amount": _amount,
        "whole amount": _whole_amount,
        "bool": _bool,
        "date": _date,
        "month": _month,
        "timestamp": _timestamp,
    }
    seen = {
        name: pl.col(name).str.ends_with(OFFSET)
        if kind == "timestamp"
        else pl.col(name).str.contains(",", literal=True)
        for name, kind in kinds.items()
        if frame.schema[name] == pl.String and kind in {"int", "float", "amount", "timestamp"}
    }
    odd = _flags(frame, seen)
    casts = [
        makers[kind](pl.col(name), frame.schema[name], name in odd).alias(name)
        for name, kind in kinds.items()
    ]
    # Lazily, because only then is what stands twice in an expression computed once.
    return frame.lazy().select(casts).collect()


def _unfit(frame: pl.DataFrame, values: pl.DataFrame) -> dict[str, pl.Series]:
    """Masks of the values that were there and are null now, for the columns that have any."""
    before, after = frame.null_count().row(0, named=True), values.null_count().row(0, named=True)
    fewer = [name for name in values.columns if after[name] > before[name]]
    return {name: values[name].is_null() & frame[name].is_not_null() for name in fewer}


def _flags(frame: pl.DataFrame, conditions: Mapping[str, pl.Expr]) -> list[str]:
    """Names of the conditions that hold on some row."""
    if not conditions:
        return []
    found = frame.select(condition.any().alias(name) for name, condition in conditions.items())
    return [name for name, there in found.row(0, named=True).items() if there]


def _number(column: pl.Expr, commas: bool) -> pl.Expr:
    """Text of a number without the commas that set thousands apart."""
    if not commas:
        return column
    grouped = column.str.contains(r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$")
    return _when(~grouped, column, column.str.replace_all(",", "", literal=True))


def _when(condition: pl.Expr, then: pl.Expr, otherwise: pl.Expr | None = None) -> pl.Expr:
    import polars as pl

    return pl.when(condition).then(then).otherwise(otherwise)


def _string(column: pl.Expr, dtype: Any, _odd: bool) -> pl.Expr:
    import polars as pl

    return column if dtype == pl.String else column.cast(pl.String, strict=False)


def _int(column: pl.Expr, dtype: Any, odd: bool) -> pl.Expr:
    import polars as pl

    if dtype == pl.Float64:
        column = _when(column == column.round(), column)
    return _number(column, odd).cast(pl.Int64, strict=False)


def _whole(column: pl.Expr, _dtype: Any, _odd: bool) -> pl.Expr:
    import polars as pl

    return column.cast(pl.Int64, strict=False)


def _whole_amount(column: pl.Expr, dtype: Any, odd: bool) -> pl.Expr:
    whole = _whole(column, dtype, odd)
    return _when(whole.is_between(-EXACT // FEN, EXACT // FEN), whole) * FEN


def _float(column: pl.Expr, _dtype: Any, odd: bool) -> pl.Expr:
    import polars as pl

    values = _number(column, odd).cast(pl.Float64, strict=False)
    return _when(values.is_finite(), values)


def _amount(column: pl.Expr, dtype: Any, odd: bool) -> pl.Expr:
    import polars as pl

    if dtype.is_integer():
        return _whole_amount(column, dtype, odd)
    exact = _float(column, dtype, odd) * FEN
    fen = exact.round()
    # A fraction of a fen is not money: rounding it away would hide a wrong unit. Beyond EXACT nobody can tell.
    money = ((exact - fen).abs() <= 0.01) & (fen.abs() < EXACT)
    return _when(money, fen).cast(pl.Int64, strict=False)


def _bool(column: pl.Expr, dtype: Any, odd: bool) -> pl.Expr:
    import polars as pl

    if dtype == pl.Boolean:
        return column
    text = _string(column, dtype, odd).str.to_lowercase()
    yes, no = text.is_in(["true", "1", "y", "yes"]), text.is_in(["false", "0", "n", "no"])
    return _when(yes | no, yes)


def _date(column: pl.Expr, dtype: Any, _odd: bool) -> pl.Expr:
    import polars as pl

    if dtype == pl.String:
        return _of_the_calendar(column.str.to_date("%Y-%m-%d", strict=False), 1)
    return _of_the_calendar(column.cast(pl.Date, strict=False), 1)


def _of_the_calendar(values: pl.Expr, a_day: int) -> pl.Expr:
    """Dates and times from year 1 to 9999: others are no dates elsewhere, and no file of ours can be read with them."""
    return _when(values.to_physical().is_between(FIRST_DAY * a_day, (LAST_DAY + 1) * a_day - 1), values)


def _month(column: pl.Expr, dtype: Any, _odd: bool) -> pl.Expr:
    import polars as pl

    if dtype == pl.String:
        fits = column.str.contains(r"^\d{4}-\d{2}$")
        day = (column + "-01").str.to_date("%Y-%m-%d", strict=False)
        return _when(fits, _of_the_calendar(day, 1))
    return _of_the_calendar(column.cast(pl.Date, strict=False), 1).dt.month_start()


def _timestamp(column: pl.Expr, dtype: Any, odd: bool) -> pl.Expr:
    import polars as pl

    if dtype == pl.String:
        text = column.str.replace(" ", "T", literal=True)
        text = text.str.strip_suffix(OFFSET) if odd else text
        moment = text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False)
    else:
        moment = column.cast(pl.Datetime("us"), strict=False)
    return _of_the_calendar(moment, 86_400_000_000)
