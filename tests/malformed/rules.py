"""The contract's own SQL asked of judged records, all at once, by DuckDB."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import duckdb
import polars as pl

from bluemirror.contracts import Contract, Rule, Table
from tests.malformed.oracle import Verdict

TYPES: dict[str, Any] = {
    "string": pl.String,
    "int": pl.Int64,
    "float": pl.Float64,
    "amount": pl.Int64,
    "bool": pl.Boolean,
    "date": pl.Date,
    "month": pl.Date,
    "timestamp": pl.Datetime("us"),
}


def frames(contract: Contract, verdicts: Sequence[Verdict]) -> dict[str, pl.DataFrame]:
    """Typed rows of all records, with the record's number as ``_doc``."""
    made = {}
    for table in contract.tables:
        fields = [item for item in table.fields if not item.drop]
        rows = [(number, row) for number, verdict in enumerate(verdicts) for row in verdict.rows[table.name]]
        columns: dict[str, pl.Series] = {
            item.name: pl.Series(
                item.name, [row.values[item.name] for _, row in rows], dtype=TYPES[item.type]
            )
            for item in fields
        }
        columns["_doc"] = pl.Series("_doc", [number for number, _ in rows], dtype=pl.Int64)
        columns["_seq"] = pl.Series("_seq", [row.seq for _, row in rows], dtype=pl.Int32)
        columns["_parent"] = pl.Series("_parent", [row.parent for _, row in rows], dtype=pl.Int32)
        columns["_deleted"] = pl.Series("_deleted", [row.deleted for _, row in rows], dtype=pl.Boolean)
        made[table.name] = pl.DataFrame(columns)
    return made


def broken_rules(contract: Contract, verdicts: Sequence[Verdict]) -> dict[tuple[str, str], set[int]]:
    """(table, rule) of severity error -> numbers of the records that break it."""
    asked = {
        (table.name, rule.name): query
        for table in contract.tables
        for rule in table.rules
        if rule.severity == "error" and (query := _query(contract, table, rule))
    }
    found = {}
    for key, numbers in zip(asked, _answers(contract, verdicts, list(asked.values())), strict=True):
        # Where a query fails each record is asked alone, and the one that it fails on breaks the rule.
        found[key] = {
            number
            for number, verdict in enumerate(verdicts)
            if (numbers is None and _answers(contract, [verdict], [asked[key]]) != [set()])
            or (numbers is not None and number in numbers)
        }
    return found


def _answers(
    contract: Contract, verdicts: Sequence[Verdict], queries: Sequence[str]
) -> list[set[int] | None]:
    """Records that each query finds, None for a query that fails."""
    connection = database()
    connection.execute("DROP SCHEMA IF EXISTS asked CASCADE; CREATE SCHEMA asked; USE asked")
    for name, frame in frames(contract, verdicts).items():
        connection.register(f"_{name}", frame.to_arrow())
        connection.execute(f'CREATE TABLE "{name}" AS SELECT * FROM "_{name}"')
        connection.unregister(f"_{name}")
    found: list[set[int] | None] = []
    for query in queries:
        try:
            found.append({row[0] for row in connection.sql(query).fetchall()})
        except duckdb.Error:
            found.append(None)
    connection.execute("USE main")
    return found


@cache
def database() -> duckdb.DuckDBPyConnection:
    """The connection that all rules are asked on."""
    return duckdb.connect(config={"threads": 1})


def _query(contract: Contract, table: Table, rule: Rule) -> str | None:
    """Numbers of the records that break a rule; null counts as kept, deleted rows are not asked."""
    if rule.kind == "document_sql":
        return f"SELECT DISTINCT _doc FROM ({rule.expression.strip().rstrip(';')}) WHERE _doc IS NOT NULL"
    if rule.kind not in {"sql", "values", "null"}:
        return None
    condition = rule.expression
    if rule.kind == "null":
        condition = " AND ".join(f'"{name}" IS NOT NULL' for name in rule.fields)
    header = contract.header.name
    rows = f'SELECT t.*, h AS header FROM "{table.name}" t JOIN "{header}" h ON h._doc = t._doc'
    if table.parent and table.parent != header:
        rows = (
            f'SELECT t.*, h AS header, p AS parent FROM "{table.name}" t JOIN "{header}" h ON h._doc = t._doc'
            f' LEFT JOIN "{table.parent}" p ON p._doc = t._doc AND p._seq = t._parent'
        )
    elif table.parent:
        rows = rows.replace("h AS header", "h AS header, h AS parent")
    # A row on which a condition cannot be computed breaks it.
    kept = f"coalesce(TRY(coalesce(({condition}), true)), false)"
    return f"SELECT DISTINCT _doc FROM ({rows}) AS t WHERE NOT _deleted AND NOT {kept}"
