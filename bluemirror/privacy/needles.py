"""The values to look for, and whether a text holds one."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bluemirror.errors import BluemirrorError

if TYPE_CHECKING:
    import polars as pl

FORMS = ("md5", "sha1", "sha256", "sm3")
"""Hashes that vendors make of a value: with a list of all phones at hand, they are as good as the value."""
HEX = r"[0-9a-fA-F]{32,64}"
LEAST_BYTES = 6
"""A shorter value stands in some text by chance."""


class Needles:
    """Values by what they identify.

    Parameters
    ----------
    values
        Value -> what it is (id_no, phone, name ...).
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self.entity = {
            value.lower(): what for value, what in values.items() if len(value.encode()) >= LEAST_BYTES
        }
        self.short = len(values) - len(self.entity)
        self._patterns = list(self.entity)
        self._hashed = {
            digest: what
            for value, what in values.items()
            for digest in _hashes(value)
            if value.lower() in self.entity
        }

    @cached_property
    def _digests(self) -> pl.Series:
        import polars as pl

        return pl.Series(list(self._hashed), dtype=pl.String)

    def __len__(self) -> int:
        return len(self.entity)

    def found(self, texts: pl.Series) -> dict[int, Counter[str]]:
        """Which of some texts hold values, and of what kind: position -> kind -> how many different ones.

        A plain hash of a value counts as the value. A number within a longer one is another number.
        """
        import polars as pl

        if not self._patterns or not len(texts):
            return {}
        maybe = (
            texts.str.contains_any(self._patterns, ascii_case_insensitive=True).fill_null(False).arg_true()
        )
        held: dict[int, Counter[str]] = {}
        some = texts.gather(maybe).str.to_lowercase()
        lists = some.str.extract_many(self._patterns, overlapping=True).to_list()
        for place, text, values in zip(maybe.to_list(), some.to_list(), lists, strict=True):
            for value in set(values):
                if _alone(text, value):
                    held.setdefault(place, Counter())[self.entity[value]] += 1
        hexes = texts.str.contains(HEX).fill_null(False).arg_true()
        digests = pl.DataFrame(
            {"place": hexes, "digest": texts.gather(hexes).str.to_lowercase().str.extract_all(HEX)}
        )
        known = digests.explode("digest").filter(pl.col("digest").is_in(self._digests)).unique()
        for place, digest in known.iter_rows():
            held.setdefault(place, Counter())[f"{self._hashed[digest]} (plain hash)"] += 1
        return held


def read_needles(file: Path) -> Needles:
    """The list of a file: Parquet or CSV with a column ``value`` (and ``entity``), or a value a line.

    Raises
    ------
    BluemirrorError
        If the file is not there, has no such column or holds nothing.
    """
    import polars as pl

    try:
        if file.suffix == ".parquet":
            frame = pl.read_parquet(file)
        elif file.suffix == ".csv":
            frame = pl.read_csv(file, infer_schema=False)
        else:
            frame = pl.DataFrame({"value": file.read_text(encoding="utf-8").splitlines()})
    except (OSError, UnicodeDecodeError, pl.exceptions.PolarsError) as error:
        raise _unusable(file, f"cannot be read ({type(error).__name__})") from None
    if "value" not in frame.columns:
        raise _unusable(file, "has no column 'value'")
    if "entity" not in frame.columns:
        frame = frame.with_columns(entity=pl.lit("value"))
    frame = frame.select(pl.col("value").cast(pl.String).str.strip_chars(), pl.col("entity").cast(pl.String))
    values = dict(frame.filter(pl.col("value").str.len_bytes() > 0).iter_rows())
    if not values:
        raise _unusable(file, "holds no value")
    return Needles(values)


def _unusable(file: Path, what: str) -> BluemirrorError:
    return BluemirrorError(
        f"the list of values {what}",
        file=file,
        rule="a Parquet or CSV file with a column value (and entity), or a text file with a value a line",
        fix="name the list; a simulation writes one into its truth folder",
    )


def _hashes(value: str) -> Iterable[str]:
    for form in FORMS:
        try:
            yield hashlib.new(form, value.encode()).hexdigest()
        except ValueError:  # a build of OpenSSL without it
            continue


def _alone(text: str, value: str) -> bool:
    """Whether a value stands somewhere without digits or letters of its own kind running on beside it."""
    at = text.find(value)
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(value) : at + len(value) + 1]
        if not (_runs_on(before, value[0]) or _runs_on(value[-1], after)):
            return True
        at = text.find(value, at + 1)
    return False


def _runs_on(one: str, other: str) -> bool:
    return one.isdigit() and other.isdigit() and one.isascii() and other.isascii()
