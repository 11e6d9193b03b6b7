"""Every file below a folder, looked through for values that must not be there."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluemirror.privacy.needles import Needles
from bluemirror.privacy.texts import texts_of

if TYPE_CHECKING:
    import polars as pl

BATCH_BYTES = 64 << 20
"""Text searched at a time: building the search for 100,000 values costs a second."""
LEAST_NUMBER = 10**9
"""Smaller whole numbers are no phone, card or identity number."""


@dataclass(frozen=True)
class Finding:
    """Values in one place: the file, its column (or ""), what they are, and how many different ones."""

    file: str
    column: str
    entity: str
    values: int


@dataclass
class Searched:
    """What was searched, and what was found.

    Parameters
    ----------
    files, parquet, bytes
        Files, how many of them Parquet, and their size.
    values
        Values that were looked for.
    findings
        Where some stand; empty if all is well.
    """

    files: int = 0
    parquet: int = 0
    bytes: int = 0
    values: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Different raw values found, place by place."""
        return sum(finding.values for finding in self.findings)


@dataclass
class _Pile:
    """Texts that wait to be searched together, each with its place."""

    needles: Needles
    found: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _texts: list[pl.Series] = field(default_factory=list)
    _places: list[tuple[str, str]] = field(default_factory=list)
    _bytes: int = 0

    def add(self, texts: pl.Series, file: str, column: str) -> None:
        """Put texts of one place on the pile."""
        if not len(texts):
            return
        self._texts.append(texts)
        self._places.append((file, column))
        self._bytes += int(texts.str.len_bytes().sum() or 0)
        if self._bytes > BATCH_BYTES:
            self.search()

    def search(self) -> None:
        """Search what is on the pile."""
        import polars as pl

        if not self._texts:
            return
        held = self.needles.found(pl.concat(self._texts, rechunk=True))
        ends = list(accumulate(len(texts) for texts in self._texts))
        for at, kinds in held.items():
            place = self._places[bisect_right(ends, at)]
            for entity, count in kinds.items():
                self.found[(*place, entity)] += count
        self._texts, self._places, self._bytes = [], [], 0


def search(
    folder: Path,
    needles: Needles,
    leave_out: Iterable[Path] = (),
    log: Callable[[str], None] | None = None,
) -> Searched:
    """Look into every file below ``folder``.

    Parameters
    ----------
    needles
        The values.
    leave_out
        Folders and files that may hold them, such as that of the list itself.
    log
        Takes lines of progress.

    Returns
    -------
    Searched
        Counts and findings; the values themselves are nowhere in it.
    """
    out = {path.resolve() for path in leave_out}
    pile, done = _Pile(needles), Searched(values=len(needles))
    tables: dict[tuple[Path, str], list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.is_symlink() or out & {path.resolve(), *path.resolve().parents}:
            continue
        done.files += 1
        done.bytes += path.stat().st_size
        name = str(path.relative_to(folder))
        pile.add(_series([name]), name, "<its name>")
        if path.suffix == ".parquet":
            done.parquet += 1
            tables.setdefault((path.parent.parent, path.name), []).append(path)
        else:
            pile.add(_series(texts_of(path.read_bytes())), name, "")
    if log:
        log(f"{done.files:,} files, {done.parquet:,} of them Parquet in {len(tables):,} groups")
    groups = {_label(folder, files): files for files in tables.values()}
    for label, files in groups.items():
        for file, column, texts in _cells(folder, label, files):
            pile.add(texts, file, column)
    pile.search()
    # A group of many files was searched as one table; only where it holds something is each file looked into.
    for label in {place[0] for place in pile.found} & groups.keys():
        if len(groups[label]) > 1:
            for place in [place for place in pile.found if place[0] == label]:
                del pile.found[place]
            for one in groups[label]:
                for name, column, texts in _cells(folder, str(one.relative_to(folder)), [one]):
                    pile.add(texts, name, column)
    pile.search()
    done.findings = [Finding(*place, count) for place, count in sorted(pile.found.items())]
    return done


def _series(texts: Iterable[str]) -> pl.Series:
    import polars as pl

    return pl.Series("text", list(texts), dtype=pl.String)


def _label(folder: Path, files: list[Path]) -> str:
    first = files[0].relative_to(folder)
    return str(first) if len(files) == 1 else str(first.parent.parent / "*" / first.name)


def _cells(folder: Path, label: str, files: list[Path]) -> Iterator[tuple[str, str, pl.Series]]:
    """The different cells of some files of one name, column by column; file by file where their columns differ."""
    import polars as pl

    try:
        yield from [(label, column, texts) for column, texts in _columns(files)]
    except pl.exceptions.PolarsError:
        if len(files) == 1:  # No Parquet after all.
            yield label, "", _series(texts_of(files[0].read_bytes()))
        for file in files if len(files) > 1 else ():
            yield from _cells(folder, str(file.relative_to(folder)), [file])


def _columns(files: list[Path]) -> Iterator[tuple[str, pl.Series]]:
    """Different values of each column that can hold text or long numbers, as text."""
    import polars as pl

    frame = pl.scan_parquet(files)
    numbers = (pl.Int64, pl.UInt64, pl.Float64)
    for column, dtype in frame.collect_schema().items():
        chosen = pl.col(column)
        kind: Any = dtype
        if isinstance(dtype, pl.List | pl.Array):
            chosen, kind = chosen.explode(), dtype.inner
        if kind in numbers:
            chosen = chosen.filter(chosen.abs() >= LEAST_NUMBER)
            chosen = chosen.cast(pl.Int64, strict=False).cast(pl.String)
        elif isinstance(kind, pl.Struct):
            chosen = chosen.struct.json_encode()
        elif kind == pl.Binary:
            chosen = chosen.cast(pl.String, strict=False)
        elif kind not in (pl.String, pl.Categorical, pl.Enum):
            continue
        yield column, frame.select(chosen.cast(pl.String).unique().drop_nulls()).collect().to_series()
    yield "<columns>", pl.Series(list(frame.collect_schema()), dtype=pl.String)
