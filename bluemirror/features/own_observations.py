"""Observations that somebody brings: a frame or a file of keys and moments, checked row by row, nothing lost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluemirror.clock import ONE_DAY, ONE_MICROSECOND, ZONE
from bluemirror.errors import ModelError
from bluemirror.features.planning import JOIN_KEY, TIMESTAMP

if TYPE_CHECKING:
    import polars as pl

AS_OF = "as_of"
REASON = "left_out_because"
NO_KEY = "has no key"
NO_MOMENT = "has no moment that can be read"


@dataclass(frozen=True)
class OwnObservations:
    """What was brought, as it can be described.

    Attributes
    ----------
    rows
        observation_id (String), the entity's key (String), as_of (naive wall time), then every other column that came;
        in the order in which they came.
    left_out
        The rows that cannot be described, as they came, with the reason in ``left_out_because``.
    origin
        The file they came from, or the kind of frame.
    came, places
        Everything as it came, and observation_id with the place of its row there.
    """

    rows: pl.DataFrame
    left_out: pl.DataFrame
    origin: str
    came: pl.DataFrame
    places: pl.DataFrame

    def without(self, rows: pl.DataFrame, reason: str) -> OwnObservations:
        """The same, with ``rows`` (their ids in observation_id) moved to what is left out."""
        import polars as pl

        gone = self.places.join(rows, on=JOIN_KEY, how="semi")["place"].sort()
        if gone.is_empty():
            return self
        told = self.came[gone].with_columns(pl.lit(reason).alias(REASON))
        return replace(
            self,
            rows=self.rows.join(rows, on=JOIN_KEY, how="anti", maintain_order="left"),
            left_out=pl.concat([self.left_out, told]),
        )


def read_own(brought: Any, key: str) -> OwnObservations:
    """Read what a data scientist brings.

    Parameters
    ----------
    brought
        A Polars, pandas or Arrow frame, or the path of a Parquet or CSV file. It has the entity's key and ``as_of``
        (or ``event_timestamp``): a moment, or a day, which stands for its end. Moments with a zone are turned into wall
        time of the platform. ``observation_id`` names the rows; without it they are named by key and moment. What else
        there is (labels, weights) stays as it is.
    key
        Name of the entity's key.

    Raises
    ------
    ModelError
        If it cannot be read, a column is missing, or an id stands twice.
    """
    import polars as pl

    frame, origin = _frame(brought)
    file = origin if isinstance(brought, str | Path) else None
    if AS_OF not in frame.columns and TIMESTAMP in frame.columns:
        frame = frame.rename({TIMESTAMP: AS_OF})
    for column in (key, AS_OF):
        if column not in frame.columns:
            raise ModelError(
                f"the observations have no column {column}",
                file=file,
                field=column,
                rule=f"observations have {key} and as_of; observation_id if they have names; labels as they like",
                fix=f"rename one of {', '.join(frame.columns[:8])}, or add the column",
            )
    came = frame
    frame = frame.with_columns(
        pl.col(key).cast(pl.String).str.strip_chars().replace("", None),
        _moment(frame[AS_OF], file).alias(AS_OF),
    )
    bad = frame.select(
        pl.when(pl.col(key).is_null())
        .then(pl.lit(NO_KEY))
        .when(pl.col(AS_OF).is_null())
        .then(pl.lit(NO_MOMENT))
        .otherwise(None)
        .alias(REASON)
    )[REASON]
    frame = _named(frame.filter(bad.is_null()), key, file)
    rest = [name for name in frame.columns if name not in (JOIN_KEY, key, AS_OF)]
    return OwnObservations(
        rows=frame.select(JOIN_KEY, key, AS_OF, *rest),
        left_out=came.with_columns(bad).filter(bad.is_not_null()),
        origin=origin,
        came=came,
        places=pl.DataFrame({JOIN_KEY: frame[JOIN_KEY], "place": bad.is_null().arg_true()}),
    )


def _frame(brought: Any) -> tuple[pl.DataFrame, str]:
    import polars as pl

    if isinstance(brought, str | Path):
        return _file(Path(brought)), str(brought)
    if isinstance(brought, pl.LazyFrame):
        brought = brought.collect()
    if isinstance(brought, pl.DataFrame):
        return brought, "a Polars frame"
    module = type(brought).__module__.partition(".")[0]
    if module == "pandas":
        named = [name for name in brought.index.names if name is not None]
        return pl.from_pandas(brought.reset_index() if named else brought), "a pandas frame"
    if module == "pyarrow":
        found = pl.from_arrow(brought)
        if isinstance(found, pl.DataFrame):
            return found, "an Arrow table"
    raise ModelError(
        f"observations cannot be read from a {type(brought).__name__}",
        rule="observations are a Polars, pandas or Arrow frame, or the path of a Parquet or CSV file",
        fix="turn it into one of these",
    )


def _file(path: Path) -> pl.DataFrame:
    import polars as pl

    readers = {".parquet": pl.read_parquet, ".csv": pl.read_csv}
    reader: Any = readers.get(path.suffix.lower())
    if reader is None or not path.is_file():
        raise ModelError(
            "there is no such file of observations"
            if reader
            else "the file of observations is of no known kind",
            file=path,
            rule="observations stand in a .parquet or .csv file",
            fix="correct the path" if reader else "write it as Parquet or CSV",
        )
    # Keys stay text: a number read as one would lose its leading zeros.
    options = {"infer_schema": False} if path.suffix.lower() == ".csv" else {}
    try:
        frame: pl.DataFrame = reader(path, **options)
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError):
        raise ModelError(
            "the file of observations cannot be read",
            file=path,
            rule=f"a {path.suffix.lower()} file is whole and in UTF-8, a CSV with one header line",
            fix="write it anew, or bring it as a frame",
        ) from None
    return _numbers(frame) if options else frame


def _numbers(frame: pl.DataFrame) -> pl.DataFrame:
    """Columns of a CSV that hold plain numbers only, as numbers: not those that a leading zero marks as names."""
    import polars as pl

    found = []
    for column in frame.get_columns():
        texts = column.drop_nulls()
        if len(texts) and texts.str.contains(r"^-?(0|[1-9]\d{0,17})$").all():
            found.append(column.cast(pl.Int64))
        elif len(texts) and texts.str.contains(r"^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$").all():
            found.append(column.cast(pl.Float64))
        else:
            found.append(column)
    return pl.DataFrame(found)


def _moment(column: pl.Series, file: str | None) -> pl.Series:
    """Moments as naive wall time in microseconds; a day stands for its end; null where nothing can be read."""
    import polars as pl

    kind = column.dtype
    if isinstance(kind, pl.Datetime):
        if kind.time_zone is not None:
            column = column.dt.convert_time_zone(ZONE).dt.replace_time_zone(None)
        return column.dt.cast_time_unit("us")
    to_end = ONE_DAY - ONE_MICROSECOND
    if kind == pl.Date:
        return column.cast(pl.Datetime("us")) + to_end
    if kind != pl.String:
        raise ModelError(
            f"as_of is a column of {kind}",
            file=file,
            field=AS_OF,
            rule="as_of is a moment, a day, or a text such as 2025-03-31 or 2025-03-31 12:00:00",
            fix="turn the column into moments",
        )
    texts = column.str.strip_chars().str.replace("T", " ", literal=True)
    zoned = texts.str.contains(r"(Z|[+-]\d{2}:?\d{2})$") & texts.str.contains(" ", literal=True)
    whole = texts.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False)
    short = texts.str.to_datetime("%Y-%m-%d %H:%M", time_unit="us", strict=False)
    days = texts.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us")) + to_end
    abroad = (
        texts.str.replace("Z$", "+00:00")
        .str.to_datetime("%Y-%m-%d %H:%M:%S%.f%z", time_unit="us", strict=False, time_zone="UTC")
        .dt.convert_time_zone(ZONE)
        .dt.replace_time_zone(None)
    )
    parts = pl.DataFrame({"zoned": zoned, "abroad": abroad, "whole": whole, "short": short, "days": days})
    return parts.select(
        pl.when("zoned").then("abroad").otherwise(pl.coalesce("whole", "short", "days")).alias(AS_OF)
    )[AS_OF]


def _named(frame: pl.DataFrame, key: str, file: str | None) -> pl.DataFrame:
    """With observation_id: as it came, or made of key and moment, and a number where these stand again."""
    import polars as pl

    if JOIN_KEY not in frame.columns:
        again = pl.int_range(pl.len()).over(key, AS_OF)
        name = pl.concat_str(pl.col(key), pl.lit("@"), pl.col(AS_OF).dt.strftime("%Y-%m-%dT%H:%M:%S%.6f"))
        return frame.with_columns(
            pl.when(again == 0)
            .then(name)
            .otherwise(pl.concat_str(name, pl.lit("#"), again + 1))
            .alias(JOIN_KEY)
        )
    frame = frame.with_columns(pl.col(JOIN_KEY).cast(pl.String))
    missing, twice = frame[JOIN_KEY].null_count(), int(frame[JOIN_KEY].is_duplicated().sum())
    if missing or twice:
        what = (
            f"{missing} observations have no observation_id" if missing else "an observation is listed twice"
        )
        raise ModelError(
            what if missing else f"{what}: {twice} rows share their observation_id",
            file=file,
            field=JOIN_KEY,
            rule="observation ids are unique",
            fix="drop the duplicates, or leave the column out: rows are then named by key and moment",
        )
    return frame
