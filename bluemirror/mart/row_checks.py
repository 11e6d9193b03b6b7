"""Checks of one column or one row: required, codes, ranges, patterns, times that lie in the future."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bluemirror.errors import ContractError
from bluemirror.mart.batch import Batch

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.contracts import Field, Table


def check_rows(batch: Batch) -> None:
    """Run all column checks of the contract on all tables of a batch."""
    ends = batch.day_ends()
    for table in batch.contract.tables:
        frame = batch.tables[table.name]
        if not frame.height:
            continue
        records = frame["_rec"].to_numpy()
        for item in table.fields:
            if not item.drop:
                _check_field(batch, table, item, frame, records)
        _check_times(batch, table, frame, records, ends)


def _check_field(batch: Batch, table: Table, item: Field, frame: pl.DataFrame, records: np.ndarray) -> None:
    column = frame[item.name]

    def found(rule: str, fix: str, mask: pl.Series) -> None:
        batch.findings.column(table.name, item, rule, fix, records, column, mask)

    if item.required and column.null_count():
        missing = column.is_null()
        if table.tombstone is not None and item.name not in table.business_key:
            # A deletion needs to say no more than what it deletes.
            missing = missing & ~frame["_deleted"]
        if (table.name, item.name) in batch.misfits:
            missing = missing & ~batch.misfits[table.name, item.name]
        found("required", "ask the source to fill the field", missing)
    if item.codes:
        known = column.is_in(list(item.codes)) if item.type == "string" else _coded(column, item)
        found("codes", "ask the source for a listed code, or add the code to the contract", ~known)
    low, high = item.bounds
    if low is not None:
        found(f"minimum {item.minimum:.15g}", "ask the source to correct the value", column < low)
    if high is not None:
        found(f"maximum {item.maximum:.15g}", "ask the source to correct the value", column > high)
    if item.type == "string":
        if item.pattern:
            found("pattern", f"send it in the form {item.pattern}", ~_matches(batch, column, item))
        size = column.str.len_chars()
        if item.min_length is not None:
            found(
                f"min_length {item.min_length}", "ask the source to correct the value", size < item.min_length
            )
        if item.max_length is not None:
            found(
                f"max_length {item.max_length}", "ask the source to correct the value", size > item.max_length
            )


def _coded(column: pl.Series, item: Field) -> pl.Series:
    import polars as pl

    return column.cast(pl.String).is_in(list(item.codes or ()))


def _matches(batch: Batch, column: pl.Series, item: Field) -> pl.Series:
    import polars as pl

    try:
        return column.str.contains(item.pattern or "")
    except pl.exceptions.PolarsError:
        raise ContractError(
            f"the pattern of {item.name!r} cannot be used",
            file=batch.contract.path,
            field=item.name,
            rule="patterns are regular expressions without look-around or back-references",
            fix="rewrite the pattern",
        ) from None


def _check_times(
    batch: Batch, table: Table, frame: pl.DataFrame, records: np.ndarray, ends: np.ndarray
) -> None:
    event, known = frame["event_time"].to_numpy(), frame["known_time"].to_numpy()
    limit = ends[records]
    header = table.name == batch.contract.header.name
    for name, times in (("event_time", event), ("known_time", known)):
        if name == "known_time" and not header:
            continue  # A child shares its header's.
        rule = getattr(table, name)
        if getattr(rule, "ahead", False):
            continue  # A planned event, such as a due date: its contract says that it may lie ahead.
        shown = rule.field if rule is not None and rule.field else name
        late = np.flatnonzero(times > limit)
        # The time itself may be a personal date, so the quarantine shows only which field it is.
        batch.findings.error(
            table.name,
            shown,
            "not_in_future",
            "no time may lie after the day of delivery: ask the source to correct it",
            records[late],
        )
        # A required field that is empty was named already.
        if header and not (rule is not None and rule.field and table.field(rule.field).required):
            batch.findings.error(
                table.name,
                shown,
                f"{name}_required",
                "every record needs it: ask the source to fill the field",
                records[np.isnat(times)],
            )
