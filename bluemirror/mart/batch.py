"""A batch of files as typed tables: records numbered through, the contract's types, the two times.

Records (lines, documents) are numbered from 0 over all files of the batch that are not held back. Every table
carries ``_rec``, so that "the record is rejected" is one look into an array of booleans, whatever the table.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bluemirror.clock import day_end
from bluemirror.landing.landed import LandedFile, Read
from bluemirror.landing.limits import FIELD_BYTES
from bluemirror.landing.plan import PLACE, Plan, TablePlan
from bluemirror.mart.cast import cast_frame, dtype_of, tidy_frame
from bluemirror.mart.findings import Findings

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.contracts import Contract, Table, TimeRule

ROW = ("_rec", "_seq", "_parent", "event_time", "known_time", "_deleted")
"""Columns of a typed table beside the contract's fields."""


@dataclass
class Batch:
    """Typed tables of some files.

    Parameters
    ----------
    contract, files, days
        The contract, the files, and the delivery day of each file.
    counts
        Records of each file; 0 for a file that is held back.
    base
        Number of the first record of each file, and the number of all records at the end.
    tables
        Table name -> frame with the contract's fields (raw keys still in them) and :data:`ROW`.
    findings
        What was found so far.
    misfits
        (table, field) -> mask of the values that did not fit their type and are null now.
    """

    contract: Contract
    files: Sequence[LandedFile]
    days: Sequence[dt.date]
    counts: np.ndarray
    base: np.ndarray
    findings: Findings
    tables: dict[str, pl.DataFrame] = field(default_factory=dict)
    misfits: dict[tuple[str, str], pl.Series] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of records."""
        return int(self.base[-1])

    def file_of(self, records: np.ndarray) -> np.ndarray:
        """File number of each record."""
        return np.searchsorted(self.base, records, side="right") - 1

    def line_of(self, records: np.ndarray) -> np.ndarray:
        """Number of each record in its file, from 1."""
        return records - self.base[self.file_of(records)] + 1

    def day_ends(self) -> np.ndarray:
        """End of the delivery day of each record, datetime64[us]."""
        ends = np.array([np.datetime64(day_end(day), "us") for day in self.days], dtype="datetime64[us]")
        return np.repeat(ends, self.counts)


def make_batch(
    contract: Contract,
    plan: Plan,
    read: Read,
    files: Sequence[LandedFile],
    days: Sequence[dt.date],
    held: Mapping[int, object],
) -> Batch:
    """Number the records, cast every column, and set the two times.

    Parameters
    ----------
    read
        What the readers found.
    held
        File numbers that are held back; their rows are left out.
    """
    import polars as pl

    counts = np.array(
        [0 if f.number in held else read.counts.get(f.number, 0) for f in files], dtype=np.int64
    )
    base = np.concatenate([[0], np.cumsum(counts)])
    batch = Batch(contract, files, days, counts, base, Findings(int(base[-1])))
    for fault in read.lines:
        if fault.number not in held:
            record = np.array([base[fault.number] + fault.line - 1])
            fix = "ask the source to deliver the record again, whole, in a later delivery"
            batch.findings.error("", "", fault.rule, fix, record, [fault.detail])
    scopes = {}
    for number, rows in read.scopes.items():
        frame = rows.filter(~pl.col(PLACE[0]).is_in(list(held))) if held and rows.height else rows
        numbers = base[frame[PLACE[0]].to_numpy()] + frame[PLACE[1]].to_numpy() - 1
        scopes[number] = frame.with_columns(pl.Series("_rec", numbers, dtype=pl.Int32))
    for table_plan in plan.tables:
        table = contract.table(table_plan.name)
        batch.tables[table.name] = _typed(batch, table, table_plan, plan, scopes)
    _set_times(batch)
    return batch


def _typed(
    batch: Batch, table: Table, table_plan: TablePlan, plan: Plan, scopes: Mapping[int, pl.DataFrame]
) -> pl.DataFrame:
    import polars as pl

    frame = scopes[table_plan.scope]
    if not frame.height:
        return _no_rows(table, table_plan)
    tidied = tidy_frame(frame.select(pl.col(slot).alias(name) for name, slot in table_plan.fields))
    if table_plan.optional:
        there = tidied.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
        frame, tidied = frame.filter(there), tidied.filter(there)
    records = frame["_rec"].to_numpy()
    tidied = _bounded(batch, table, tidied, records)
    values, failed = cast_frame(tidied, {name: table.field(name).type for name, _ in table_plan.fields})
    for name, mask in failed.items():
        item = table.field(name)
        fix = f"ask the source to send it as {item.type}" + (
            ", yyyy-MM-dd" if item.type == "date" else ", yyyy-MM" if item.type == "month" else ""
        )
        known = batch.misfits.get((table.name, name))
        batch.misfits[table.name, name] = mask if known is None else mask | known
        batch.findings.column(table.name, item, "type", fix, records, tidied[name], mask)
    columns = values.get_columns()
    parent = _parent(frame, table_plan, plan, scopes)
    if table.tombstone is not None:
        name, mark = table.tombstone
        marks = next(column for column in columns if column.name == name)
        deleted = (marks.cast(pl.String) == str(mark)).fill_null(False).alias("_deleted")
    else:
        deleted = pl.repeat(False, frame.height, dtype=pl.Boolean, eager=True).alias("_deleted")
    return pl.DataFrame([*columns, frame["_rec"], frame["_seq"], parent.alias("_parent"), deleted])


def _bounded(batch: Batch, table: Table, tidied: pl.DataFrame, records: np.ndarray) -> pl.DataFrame:
    """The values that are not absurdly long; the others become findings."""
    import polars as pl

    longest = tidied.select(pl.col(pl.String).str.len_bytes().max())
    for name, size in (longest.row(0, named=True) if longest.width else {}).items():
        item = table.field(name)
        limit = max(FIELD_BYTES, 4 * (item.max_length or 0))
        if size is not None and size > limit:
            long = tidied[name].str.len_bytes() > limit
            fix = f"ask the source for values of {limit} bytes at most"
            batch.findings.column(table.name, item, "field_size", fix, records, tidied[name], long)
            batch.misfits[table.name, name] = long.fill_null(False)
            tidied = tidied.with_columns(tidied[name].set(long, None))
    return tidied


def _no_rows(table: Table, table_plan: TablePlan) -> pl.DataFrame:
    """What :func:`_typed` gives without rows: most tables of a bureau's report are empty on most days."""
    import polars as pl

    types = {name: dtype_of(table.field(name).type) for name, _ in table_plan.fields}
    own = {"_rec": pl.Int32, "_seq": pl.Int32, "_parent": pl.Int32, "_deleted": pl.Boolean}
    return pl.DataFrame(schema=types | own)


def _parent(
    frame: pl.DataFrame, table_plan: TablePlan, plan: Plan, scopes: Mapping[int, pl.DataFrame]
) -> pl.Series:
    """``_seq`` of the row that each row hangs under; null for the record's own tables."""
    import polars as pl

    target = table_plan.parent_scope
    if target is None:
        return pl.repeat(None, frame.height, dtype=pl.Int32, eager=True)
    if target == table_plan.scope:
        return frame["_seq"]
    if target == 0:
        return pl.repeat(0, frame.height, dtype=pl.Int32, eager=True)
    up, at = frame.select("_rec", pl.col("_up").alias("at")), plan.scopes[table_plan.scope].up
    while at not in {target, 0}:
        # The parent table stands further out than the enclosing group.
        step = scopes[at].select("_rec", pl.col("_seq").alias("at"), pl.col("_up").alias("next"))
        up = up.join(step, on=["_rec", "at"], how="left", maintain_order="left").select(
            "_rec", pl.col("next").alias("at")
        )
        at = plan.scopes[at].up
    return up["at"]


def _moment(batch: Batch, table: Table, frame: pl.DataFrame, rule: TimeRule) -> pl.Series:
    """Times of a rule; a date counts from its start, or to its end, as the contract says."""
    import polars as pl

    if rule.field is None:
        return pl.Series("moment", batch.day_ends()[frame["_rec"].to_numpy()], dtype=pl.Datetime("us"))
    values = frame[rule.field]
    if values.dtype == pl.Date and rule.at == "end":
        last = values.dt.month_end() if table.field(rule.field).type == "month" else values
        moment = last.cast(pl.Datetime("us")) + dt.timedelta(days=1, microseconds=-1)
    else:
        moment = values.cast(pl.Datetime("us"))
    if rule.plus_days:
        moment = moment + dt.timedelta(days=rule.plus_days)
    if rule.or_else is not None:
        moment = moment.zip_with(moment.is_not_null(), frame[rule.or_else].cast(pl.Datetime("us")))
    return moment.cast(pl.Datetime("us"))


def _set_times(batch: Batch) -> None:
    """Add ``known_time`` and ``event_time``; a child takes over what it does not state."""
    import polars as pl

    header = batch.contract.header
    frame = batch.tables[header.name]
    known = _moment(batch, header, frame, header.known_time) if header.known_time else None
    if known is None:
        known = pl.Series("moment", batch.day_ends()[frame["_rec"].to_numpy()], dtype=pl.Datetime("us"))
    event = _moment(batch, header, frame, header.event_time) if header.event_time else known
    known_by_record = np.full(batch.size, np.datetime64("NaT"), dtype="datetime64[us]")
    event_by_record = known_by_record.copy()
    places = frame["_rec"].to_numpy()
    known_by_record[places] = known.to_numpy()
    event_by_record[places] = event.to_numpy()
    for table in batch.contract.tables:
        frame = batch.tables[table.name]
        places = frame["_rec"].to_numpy()
        inherited = pl.Series("event_time", event_by_record[places], dtype=pl.Datetime("us"))
        if table.name == header.name:
            event = inherited
        else:
            above = batch.contract.table(table.parent) if table.parent else header
            if above.name != header.name and "event_time" in batch.tables[above.name].columns:
                mine = frame.select("_rec", pl.col("_parent").alias("_seq"))
                theirs = batch.tables[above.name].select("_rec", "_seq", "event_time")
                inherited = mine.join(theirs, on=["_rec", "_seq"], how="left", maintain_order="left")[
                    "event_time"
                ]
            event = inherited
            if table.event_time:
                own = _moment(batch, table, frame, table.event_time)
                event = own.zip_with(own.is_not_null(), inherited)
        batch.tables[table.name] = frame.with_columns(
            event.alias("event_time"),
            pl.Series("known_time", known_by_record[places], dtype=pl.Datetime("us")),
        )
