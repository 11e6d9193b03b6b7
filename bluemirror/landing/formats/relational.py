"""ZIP files with the relational copy of many records; :mod:`bluemirror.landing.relational` tells their shape."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from bluemirror.landing.landed import FileFault, LandedFile, LineFault, Read, content_of, empty_frames
from bluemirror.landing.limits import MEMBERS, UNPACKED_BYTES
from bluemirror.landing.lines import gather
from bluemirror.landing.plan import Plan
from bluemirror.landing.relational import RelationalPlan, RelationalTable
from bluemirror.landing.tree import PLACE

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.contracts import Contract

AGAIN = "ask the source to deliver the file again, whole, in a later delivery"
AGREED = "ask for the agreed tables and columns, or agree a new contract version"
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Others cannot be unpacked piece by piece, so a small file could ask for any amount of memory."""


class _HeldError(Exception):
    """Why a whole file cannot be read."""

    def __init__(self, rule: str, detail: str, fix: str = AGAIN, name: str = "") -> None:
        super().__init__(detail)
        self.rule, self.detail, self.fix, self.name = rule, detail, fix, name


@dataclass
class _Copy:
    """What is known of one file so far.

    ``records`` ties BATCH_ID to the record's number; ``rows`` ties, for each table that others hang under, ID to
    record and row number.
    """

    number: int
    records: pl.DataFrame
    rows: dict[str, pl.DataFrame] = field(default_factory=dict)
    scopes: dict[int, pl.DataFrame] = field(default_factory=dict)
    lines: list[LineFault] = field(default_factory=list)


def read(plan: Plan, contract: Contract | None, files: Sequence[LandedFile]) -> Read:
    """Read the ZIP files of a contract that declares a relational copy."""
    result = Read(scopes=empty_frames(plan))
    if plan.relational is None:
        return result
    found: dict[int, list[pl.DataFrame]] = {scope.number: [] for scope in plan.scopes}
    for file in files:
        content = content_of(file, result)
        if content is None:
            continue
        rows: int | None = None
        try:
            frames = _frames(plan.relational, content)
            rows = frames[plan.relational.root.name].height
            copy = _tied(plan, plan.relational, frames, file.number)
        except _HeldError as held:
            fault = FileFault(file.number, held.rule, held.detail, held.fix, rows=rows, field=held.name)
            result.faults.append(fault)
            continue
        result.counts[file.number] = rows
        result.lines += copy.lines
        for number, frame in copy.scopes.items():
            found[number].append(frame)
    for number, parts in found.items():
        if parts:
            result.scopes[number] = gather(parts)
    return result


def _frames(relational: RelationalPlan, content: bytes) -> dict[str, pl.DataFrame]:
    """Every table of the copy as text columns, its keys without blanks."""
    unpacked = _members(content, [table.name for table in relational.tables])
    names = relational.names
    frames = {}
    for table in relational.tables:
        keys = [names.document] if table.above is None else [names.parent]
        if table.numbered:
            keys.append(names.row)
        wanted = [*keys, *(column for column, _ in table.columns)]
        frames[table.name] = _frame(table, unpacked.pop(table.name), wanted, keys)
    return frames


def _members(content: bytes, tables: Sequence[str]) -> dict[str, bytes]:
    """Content of each table's member; nothing is written to disk, and no more is unpacked than is allowed."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _unpack(archive, tables)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError):
        # The library's own message may quote a name of the file.
        raise _HeldError("readable_zip", f"not a whole ZIP file ({len(content)} bytes)") from None


def _unpack(archive: zipfile.ZipFile, tables: Sequence[str]) -> dict[str, bytes]:
    infos = archive.infolist()
    if len(infos) > MEMBERS:
        raise _HeldError("unpacked_size", f"{len(infos)} members, at most {MEMBERS} are opened")
    wanted = {f"{table}.csv".lower(): table for table in tables}
    chosen: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        table = wanted.get(PurePosixPath(info.filename).name.lower())
        if table is None:
            continue
        if table in chosen:
            raise _HeldError("columns", f"two members hold the table {table}", AGREED, table)
        chosen[table] = info
    missing = [table for table in tables if table not in chosen]
    if missing:
        raise _HeldError("columns", f"no member for: {', '.join(missing)}", AGREED, missing[0])
    unpacked, left = {}, UNPACKED_BYTES
    for table, info in chosen.items():
        if info.flag_bits & 1 or info.compress_type not in PACKINGS:
            raise _HeldError(
                "readable_zip", f"{table} is encrypted, or packed by another method than deflate"
            )
        with archive.open(info) as member:
            unpacked[table] = member.read(left + 1)
        left -= len(unpacked[table])
        if left < 0:
            raise _HeldError(
                "unpacked_size",
                f"more than {UNPACKED_BYTES >> 20} MiB unpacked",
                "ask the source to split the file",
                table,
            )
    return unpacked


def _frame(
    relational: RelationalTable, content: bytes, wanted: Sequence[str], keys: Sequence[str]
) -> pl.DataFrame:
    import polars as pl

    table = relational.name
    try:
        frame = pl.read_csv(content, infer_schema=False)
    except pl.exceptions.NoDataError:
        raise _HeldError("columns", f"{table} has no header line", AGREED, table) from None
    except pl.exceptions.PolarsError:
        # The reader's own message quotes the line, so it is not passed on.
        raise _HeldError(
            "readable_csv",
            f"{table}: a line has more fields than the header, an open quote, or bytes that are not UTF-8",
            name=table,
        ) from None
    absent = [name for name in wanted if name not in frame.columns]
    missing = [name for name in absent if name not in relational.added]
    if missing:
        raise _HeldError("columns", f"{table} has no column {', '.join(missing)}", AGREED, missing[0])
    frame = frame.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in absent)
    return frame.select(wanted).with_columns(pl.col(keys).str.strip_chars())


def _tied(plan: Plan, relational: RelationalPlan, frames: Mapping[str, pl.DataFrame], number: int) -> _Copy:
    """Give every row its record, its number in the record and the row that it hangs under."""
    import polars as pl

    root, names = relational.root, relational.names
    ids = frames[root.name][names.document]
    _unique(root.name, names.document, ids)
    records = pl.DataFrame(
        {names.document: ids, PLACE[1]: pl.int_range(1, len(ids) + 1, eager=True, dtype=pl.Int32)}
    )
    copy = _Copy(number, records)
    values: list[pl.DataFrame] = []
    for table in relational.tables:
        frame = frames[table.name]
        if table.above is None:
            placed = _by_record(table, frame, copy, names.document)
        else:
            placed = _by_parent(table, frame, copy, names.parent)
        if table.scope == 0:
            placed = _one_a_record(table, placed, copy)
            values.append(placed)
        else:
            copy.scopes[table.scope] = _as_scope(plan, table, placed, number)
        if table.numbered:
            _unique(table.name, names.row, placed[names.row])
            copy.rows[table.name] = placed.select(names.row, PLACE[1], PLACE[2])
    copy.scopes[0] = _record_scope(plan, relational, records, values, number)
    return copy


def _unique(table: str, column: str, ids: pl.Series) -> None:
    if ids.null_count() or ids.n_unique() < len(ids):
        raise _HeldError("relational_keys", f"{table}: {column} is empty or repeated", name=column)


def _lost(table: str, column: str, lines: pl.Series) -> None:
    if lines.null_count():
        raise _HeldError(
            "relational_keys", f"{table}: {lines.null_count()} rows whose {column} is nowhere", name=column
        )


def _by_record(table: RelationalTable, frame: pl.DataFrame, copy: _Copy, key: str) -> pl.DataFrame:
    import polars as pl

    placed = frame.join(copy.records, on=key, how="left", maintain_order="left")
    _lost(table.name, key, placed[PLACE[1]])
    placed = placed.sort(PLACE[1], maintain_order=True)
    return placed.with_columns(_counted(), pl.lit(0, dtype=pl.Int32).alias(PLACE[3]))


def _by_parent(table: RelationalTable, frame: pl.DataFrame, copy: _Copy, key: str) -> pl.DataFrame:
    import polars as pl

    assert table.above is not None
    above = copy.rows[table.above]
    above = above.select(pl.nth(0).alias(key), PLACE[1], pl.col(PLACE[2]).alias(PLACE[3]))
    placed = frame.join(above, on=key, how="left", maintain_order="left")
    _lost(table.name, key, placed[PLACE[1]])
    placed = placed.sort(PLACE[1], PLACE[3], maintain_order=True)
    return placed.with_columns(_counted())


def _counted() -> pl.Expr:
    import polars as pl

    return pl.int_range(pl.len(), dtype=pl.Int32).over(PLACE[1]).alias(PLACE[2])


def _one_a_record(table: RelationalTable, placed: pl.DataFrame, copy: _Copy) -> pl.DataFrame:
    """The first row of each record; a record with another is rejected."""
    import polars as pl

    for line in placed.filter(pl.col(PLACE[2]) > 0)[PLACE[1]].unique(maintain_order=True).to_list():
        detail = f"{table.name} has more than one row for this record"
        copy.lines.append(LineFault(copy.number, line, "relational_keys", detail))
    return placed.filter(pl.col(PLACE[2]) == 0)


def _as_scope(plan: Plan, table: RelationalTable, placed: pl.DataFrame, number: int) -> pl.DataFrame:
    import polars as pl

    slots = {slot: column for column, slot in table.columns}
    return placed.select(
        pl.lit(number, dtype=pl.Int32).alias(PLACE[0]),
        *PLACE[1:],
        *(pl.col(slots[slot]).alias(slot) for slot in plan.scopes[table.scope].slots[len(PLACE) :]),
    )


def _record_scope(
    plan: Plan, relational: RelationalPlan, records: pl.DataFrame, values: Sequence[pl.DataFrame], number: int
) -> pl.DataFrame:
    """One row a record, with the values of all wrappers side by side."""
    import polars as pl

    wrappers = [table for table in relational.tables if table.scope == 0]
    whole = records.select(PLACE[1])
    for table, placed in zip(wrappers, values, strict=True):
        mine = placed.select(PLACE[1], *(pl.col(column).alias(slot) for column, slot in table.columns))
        whole = whole.join(mine, on=PLACE[1], how="left", maintain_order="left")
    zero = pl.lit(0, dtype=pl.Int32)
    return whole.select(
        pl.lit(number, dtype=pl.Int32).alias(PLACE[0]),
        PLACE[1],
        zero.alias(PLACE[2]),
        zero.alias(PLACE[3]),
        *plan.scopes[0].slots[len(PLACE) :],
    )
