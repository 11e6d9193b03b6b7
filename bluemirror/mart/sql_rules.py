"""The contract's own rules, as SQL: conditions on one row, and queries over the tables of whole records."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from bluemirror.errors import ContractError
from bluemirror.mart.batch import Batch
from bluemirror.mart.findings import redact

if TYPE_CHECKING:
    import duckdb
    import polars as pl
    import pyarrow as pa

    from bluemirror.contracts import Rule, Table

_OTHER_ROW = re.compile(r"\b(header|parent)\.(\w+)")
PART_ROWS = 122_880
"""Rows of one part; DuckDB's own groups of rows are as large."""
CONDITIONS = ("sql", "values", "null")
FIX = "the source's data contradicts itself: ask for a corrected record in a later delivery"


@cache
def _database() -> duckdb.DuckDBPyConnection:
    import duckdb

    return duckdb.connect()


@contextmanager
def scratch() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of one's own to the in-memory DuckDB of this process; opening a DuckDB a source would cost more."""
    connection = _database().cursor()
    try:
        yield connection
    finally:
        connection.close()


def check_sql(batch: Batch, connection: duckdb.DuckDBPyConnection) -> None:
    """Run row rules and document rules. A condition that is null (a value is missing) counts as kept."""
    _check_row_rules(batch, connection)
    _check_document_rules(batch, connection)


def _check_row_rules(batch: Batch, connection: duckdb.DuckDBPyConnection) -> None:
    import duckdb
    import polars as pl

    for table in batch.contract.tables:
        rules = [rule for rule in table.rules if rule.kind in CONDITIONS]
        frame = batch.tables[table.name]
        if not rules or not frame.height:
            continue
        looked = {match for rule in rules for match in _OTHER_ROW.findall(_condition(rule))}
        frame = _with_other_rows(batch, table, frame, looked)
        needed = frame.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias("_i"))
        conditions = [_OTHER_ROW.sub(r'"\1.\2"', _condition(rule)) for rule in rules]
        with _registered(connection, {"_rows": needed}):
            try:
                broken = _ask(connection, _rows_breaking(conditions, "coalesce(({}), true)"))
            except duckdb.Error:
                # A value that a rule stumbles over (a cast, a division) breaks it; the other rows are asked as ever.
                guarded = _rows_breaking(conditions, "coalesce(TRY(coalesce(({}), true)), false)")
                broken = _run(batch, connection, guarded, table, rules)
        rows = broken["_i"]
        if not len(rows):
            continue
        records = frame["_rec"].to_numpy()
        for n, rule in enumerate(rules):
            hit = rows[broken[f"r{n}"]]
            if rule.severity == "error":
                values = [_shown(table, row) for row in _sample(frame, table, rule, hit)]
                batch.findings.error(table.name, "", rule.name, FIX, records[hit], values)
            else:
                batch.findings.warning(table.name, rule.name, records[hit])


def _rows_breaking(conditions: Sequence[str], kept: str) -> str:
    """The query for the rows on which some condition is not kept; ``kept`` says when, ``{}`` stands for it."""
    flags = ", ".join(f"NOT {kept.format(text)} AS r{n}" for n, text in enumerate(conditions))
    anyone = " OR ".join(f"r{n}" for n in range(len(conditions)))
    return f"SELECT * FROM (SELECT _i, {flags} FROM _rows WHERE NOT _deleted) WHERE {anyone} ORDER BY _i"


def _condition(rule: Rule) -> str:
    """SQL over the fields as they were sent; a key is not hashed yet, so null rules name the field itself."""
    if rule.kind == "null":
        return " AND ".join(f'"{name}" IS NOT NULL' for name in rule.fields)
    return rule.expression


def _check_document_rules(batch: Batch, connection: duckdb.DuckDBPyConnection) -> None:
    import duckdb
    import polars as pl

    asked = [
        (table, rule)
        for table in batch.contract.tables
        for rule in table.rules
        if rule.kind == "document_sql"
    ]
    if not asked or not batch.size:
        return
    words = {word for _, rule in asked for word in re.findall(r"\w+", rule.expression.lower())}
    frames = {
        name: frame.with_columns(pl.col("_rec").alias("_doc"))
        for name, frame in batch.tables.items()
        if name.lower() in words
    }
    with _registered(connection, frames):
        for table, rule in asked:
            query = f"SELECT DISTINCT _doc FROM ({rule.expression.strip().rstrip(';')}) ORDER BY _doc"
            try:
                records = _documents(_ask(connection, query))
            except duckdb.Error:
                records = _one_by_one(batch, connection, frames, query, table, rule)
            if rule.severity == "error":
                batch.findings.error(table.name, "", rule.name, FIX, records)
            else:
                batch.findings.warning(table.name, rule.name, records)


def _documents(found: dict[str, np.ndarray]) -> np.ndarray:
    documents = found["_doc"]
    given = documents.compressed() if isinstance(documents, np.ma.MaskedArray) else documents
    return given.astype(np.int64)


def _one_by_one(
    batch: Batch,
    connection: duckdb.DuckDBPyConnection,
    frames: dict[str, pl.DataFrame],
    query: str,
    table: Table,
    rule: Rule,
) -> np.ndarray:
    """Documents that break a rule which some document cannot even be asked: halves, until those stand alone."""
    import duckdb
    import polars as pl

    with _registered(connection, {name: frame.clear() for name, frame in frames.items()}):
        _run(
            batch, connection, query, table, [rule]
        )  # A query that fails on nothing at all is the contract's fault.
    broken, waiting = [], [np.arange(batch.size)]
    while waiting:
        part = waiting.pop()
        mine = {
            name: frame.filter(pl.col("_rec").is_between(int(part[0]), int(part[-1])))
            for name, frame in frames.items()
        }
        with _registered(connection, mine):
            try:
                broken.append(_documents(_ask(connection, query)))
            except duckdb.Error:
                middle = len(part) // 2
                if middle:
                    waiting += [part[middle:], part[:middle]]
                else:
                    broken.append(part)
    for name, frame in frames.items():
        connection.register(name, _in_parts(frame))
    return np.unique(np.concatenate(broken))


def _with_other_rows(
    batch: Batch, table: Table, frame: pl.DataFrame, looked: set[tuple[str, str]]
) -> pl.DataFrame:
    """Add the header's or the parent row's values that rules look at, as columns ``header.x``, ``parent.x``."""
    import polars as pl

    header = batch.contract.header.name
    above = table.parent or header
    places: pl.Series | None = None
    for kind, name in sorted(looked):
        other = batch.tables[header if kind == "header" else above]
        if name not in other.columns:
            raise ContractError(
                f"a rule of {table.name} looks at {kind}.{name}, which is not there",
                file=batch.contract.path,
                rule=f"{kind}. is followed by a field of {header if kind == 'header' else above}",
                fix="correct the name",
            )
        if kind == "header" or above == header:
            # One row a record: it is looked up by the record's number, which costs a fraction of a join.
            if places is None:
                places = _places(batch, frame["_rec"].to_numpy())
            frame = frame.with_columns(other[name].gather(places).alias(f"{kind}.{name}"))
        else:
            value = pl.col(name).alias(f"{kind}.{name}")
            theirs = other.select("_rec", pl.col("_seq").alias("_parent"), value)
            frame = frame.join(theirs, on=["_rec", "_parent"], how="left", maintain_order="left")
    return frame


def _places(batch: Batch, records: np.ndarray) -> pl.Series:
    """Row of the header table for each record number, null where a record has none."""
    import polars as pl

    rows = np.full(batch.size, -1, dtype=np.int64)
    header = batch.tables[batch.contract.header.name]["_rec"].to_numpy()
    rows[header] = np.arange(len(header))
    places = pl.Series(rows[records])
    return places.set(places < 0, None)


@contextmanager
def _registered(connection: duckdb.DuckDBPyConnection, frames: dict[str, pl.DataFrame]) -> Iterator[None]:
    for name, frame in frames.items():
        connection.register(name, _in_parts(frame))
    try:
        yield
    finally:
        for name in frames:
            connection.unregister(name)


def _in_parts(frame: pl.DataFrame) -> pa.Table:
    """A frame as Arrow, in parts that DuckDB's threads can share: it reads a single part with a single thread."""
    import pyarrow as pa

    whole = frame.to_arrow()
    return pa.Table.from_batches(whole.to_batches(max_chunksize=PART_ROWS), whole.schema)


def _ask(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, np.ndarray]:
    """The columns of an answer; executed, because a relation binds its query twice, which is half of what it takes."""
    return connection.execute(query).fetchnumpy()


def _run(
    batch: Batch, connection: duckdb.DuckDBPyConnection, query: str, table: Table, rules: list[Rule]
) -> dict[str, np.ndarray]:
    import duckdb

    try:
        return _ask(connection, query)
    except duckdb.Error as error:
        # Only the kind of the error: its text may quote a value of a row.
        raise ContractError(
            f"a rule of {table.name} cannot be computed ({type(error).__name__})",
            file=batch.contract.path,
            rule=", ".join(rule.name for rule in rules),
            fix="try the rule's SQL in DuckDB; it sees the contract's fields, amounts in fen",
        ) from None


def _sample(frame: pl.DataFrame, table: Table, rule: Rule, rows: np.ndarray) -> list[dict[str, Any]]:
    names = _named(table, rule)
    return frame.select(names)[rows].to_dicts() if names else [{} for _ in rows]


def _shown(table: Table, row: dict[str, Any]) -> str:
    return ", ".join(
        f"{name}={'' if value is None else redact(value, table.field(name))}" for name, value in row.items()
    )


def _named(table: Table, rule: Rule) -> list[str]:
    """Fields that a rule's text names."""
    text = _OTHER_ROW.sub(" ", _condition(rule))
    words = set(re.findall(r"\w+", text))
    return [item.name for item in table.fields if item.name in words and not item.drop][:6]
