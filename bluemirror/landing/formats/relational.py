"""ZIP files with the relational copy of many records; :mod:`bluemirror.landing.relational` tells their shape."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Sequence
from operator import itemgetter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from bluemirror.landing.landed import FileFault, LandedFile, Read, collecting_rows, content_of, empty_frames
from bluemirror.landing.limits import FILE_BYTES, MEMBERS, UNPACKED_BYTES
from bluemirror.landing.plan import Plan
from bluemirror.landing.relational import RelationalPlan, RelationalTable
from bluemirror.landing.tree import PLACE
from bluemirror.landing.tying import Tying

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.contracts import Contract

AGAIN = "ask the source to deliver the file again, whole, in a later delivery"
AGREED = "ask for the agreed tables and columns, or agree a new contract version"
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Others cannot be unpacked piece by piece, so a small file could ask for any amount of memory."""
Rows = list[tuple[str | None, ...]]


class _HeldError(Exception):
    """Why a whole file cannot be read."""

    def __init__(self, rule: str, detail: str, fix: str = AGAIN, name: str = "") -> None:
        super().__init__(detail)
        self.rule, self.detail, self.fix, self.name = rule, detail, fix, name


def read(plan: Plan, contract: Contract | None, files: Sequence[LandedFile]) -> Read:
    """Read the ZIP files of a contract that declares a relational copy."""
    result = Read(scopes=empty_frames(plan))
    if plan.relational is None:
        return result
    relational = plan.relational
    columns = {table.name: _wanted(relational, table) for table in relational.tables}
    numbers: dict[str, list[int]] = {table: [] for table in columns}
    rows: dict[str, Rows] = {table: [] for table in columns}
    with collecting_rows():
        for file in files:
            content = content_of(file, result)
            if content is None:
                continue
            try:
                found = _rows(relational, columns, content)
            except _HeldError as held:
                fault = FileFault(file.number, held.rule, held.detail, held.fix, field=held.name)
                result.faults.append(fault)
                continue
            result.counts[file.number] = 0
            for table, more in found.items():
                numbers[table] += [file.number] * len(more)
                rows[table] += more
        frames = {table: _frame(names, numbers[table], rows.pop(table)) for table, names in columns.items()}
    tied = Tying(plan, relational, frames)
    result.scopes, result.lines = tied.scopes, tied.lines
    result.counts |= tied.counts
    for number, (detail, name) in sorted(tied.refused.items()):
        count = result.counts.pop(number)
        result.faults.append(FileFault(number, "relational_keys", detail, AGAIN, rows=count, field=name))
    return result


def _keys(relational: RelationalPlan, table: RelationalTable) -> list[str]:
    names = relational.names
    return [names.parent if table.above else names.document, *([names.row] if table.numbered else [])]


def _wanted(relational: RelationalPlan, table: RelationalTable) -> list[str]:
    return [*_keys(relational, table), *(column for column, _ in table.columns)]


def _frame(names: Sequence[str], numbers: Sequence[int], rows: Rows) -> pl.DataFrame:
    import polars as pl

    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    series = [pl.Series(PLACE[0], numbers, dtype=pl.Int32)]
    series += [pl.Series(name, values, dtype=pl.String) for name, values in zip(names, columns, strict=True)]
    return pl.DataFrame(series)


def _rows(relational: RelationalPlan, columns: dict[str, list[str]], content: bytes) -> dict[str, Rows]:
    """The rows of every table of one file, keys first, without blanks around them."""
    unpacked = _members(content, list(columns))
    return {
        table.name: _table_rows(
            table, unpacked.pop(table.name), columns[table.name], _keys(relational, table)
        )
        for table in relational.tables
    }


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


def _table_rows(table: RelationalTable, content: bytes, wanted: Sequence[str], keys: Sequence[str]) -> Rows:
    csv.field_size_limit(FILE_BYTES)
    try:
        lines = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        header = next((line for line in lines if line), None)
        records = [line for line in lines if line]
    except (UnicodeDecodeError, csv.Error):
        detail = f"{table.name}: an open quote, or bytes that are not UTF-8"
        raise _HeldError("readable_csv", detail, name=table.name) from None
    if header is None:
        raise _HeldError("columns", f"{table.name} has no header line", AGREED, table.name)
    missing = [name for name in wanted if name not in header and name not in table.added]
    if missing:
        raise _HeldError("columns", f"{table.name} has no column {', '.join(missing)}", AGREED, missing[0])
    odd = next((at for at, line in enumerate(records, 1) if len(line) != len(header)), None)
    if odd is not None:
        detail = f"{table.name}, line {odd}: {len(records[odd - 1])} fields, the header has {len(header)}"
        raise _HeldError("readable_csv", detail, name=table.name)
    return _chosen(records, header, wanted, len(keys))


def _chosen(records: list[list[str]], header: list[str], wanted: Sequence[str], keys: int) -> Rows:
    """The wanted fields of each record, in their order; no value where there is none."""
    # The header's last place but one is an empty one, for columns that are not there.
    places = [header.index(name) if name in header else len(header) for name in wanted]
    take: Any = itemgetter(*places) if len(places) > 1 else lambda line: (line[places[0]],)
    rows = []
    for record in records:
        record.append("")
        values = take(record)
        rows.append((*(value.strip() or None for value in values[:keys]), *values[keys:]))
    return rows
