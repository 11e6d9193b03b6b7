"""Rules about the rows of a delivery together: values that repeat, and how many rows there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bluemirror.mart.batch import Batch

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.contracts import Rule, Table


def check_library_rules(batch: Batch) -> None:
    """Run the ``duplicate`` and ``row_count`` rules; the other library rules are conditions on a row."""
    for table in batch.contract.tables:
        frame = batch.tables[table.name]
        for rule in table.rules:
            if rule.kind == "duplicate":
                _note(batch, table, rule, _repeated(batch, frame, rule), "the source sends each value once")
            elif rule.kind == "row_count":
                records = _miscounted(batch, frame, rule)
                _note(
                    batch,
                    table,
                    rule,
                    records,
                    f"expected rows {rule.expression}: ask for the whole delivery",
                )


def _days(batch: Batch, records: np.ndarray) -> np.ndarray:
    days = np.array(batch.days, dtype="datetime64[D]").astype(np.int64)
    return days[batch.file_of(records)] if len(days) else np.zeros(0, dtype=np.int64)


def _repeated(batch: Batch, frame: pl.DataFrame, rule: Rule) -> np.ndarray:
    import polars as pl

    records = frame["_rec"].to_numpy()
    values = frame.select(rule.fields).with_columns(pl.Series("_day", _days(batch, records)))
    again = ~values.select(pl.struct(pl.all()).is_first_distinct()).to_series()
    return records[again.to_numpy()]


def _miscounted(batch: Batch, frame: pl.DataFrame, rule: Rule) -> np.ndarray:
    """All records of the deliveries whose number of rows is out of bounds."""
    of_rows = _days(batch, frame["_rec"].to_numpy())
    of_records = _days(batch, np.arange(batch.size))
    wrong = []
    for day in np.unique(of_records):
        rows = int((of_rows == day).sum())
        low, high = rule.minimum, rule.maximum
        if (low is not None and rows < low) or (high is not None and rows > high):
            wrong.append(day)
    return np.flatnonzero(np.isin(of_records, wrong))


def _note(batch: Batch, table: Table, rule: Rule, records: np.ndarray, fix: str) -> None:
    if rule.severity == "error":
        batch.findings.error(table.name, ", ".join(rule.fields), rule.name, fix, records)
    else:
        batch.findings.warning(table.name, rule.name, records)
