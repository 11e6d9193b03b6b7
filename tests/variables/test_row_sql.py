"""Every SQL expression of the workspace, computed for one row at a time, gives what DuckDB gives."""

from __future__ import annotations

import math
import sys
from typing import Any

import duckdb
import polars as pl
import pytest

from bluemirror.contracts import read_contracts
from bluemirror.errors import FamilyError
from bluemirror.mart.connect import mart_columns
from bluemirror.mart.versions import quote
from bluemirror.variables import load_blocks
from bluemirror.variables.applicant.row_sql import row_function
from bluemirror.variables.generated import generate_mart
from bluemirror.variables.load import Request, column_sql, request_family, request_level
from bluemirror.variables.spine import read_spine
from bluemirror.variables.tables import Catalog
from bluemirror.workspace import Workspace

ROWS = 400
"""Rows of each table that are computed twice."""


def same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, float) and isinstance(theirs, float):
        return ours == theirs or (math.isnan(ours) and math.isnan(theirs))
    return type(ours) is type(theirs) and ours == theirs


def test_every_expression_of_the_workspace_gives_what_duckdb_gives(repository: Any) -> None:
    workspace = Workspace.open(repository)
    contracts = read_contracts(workspace.contracts_dir)
    catalog, blocks = Catalog(contracts), load_blocks(workspace)
    mart = generate_mart(contracts, blocks, read_spine(workspace), entities=60)
    asked: dict[str, Request] = {}
    headers: dict[str, str] = {}
    for block in blocks:
        for family in block.families:
            request = asked.setdefault(family.table, Request())
            headers[family.table] = catalog.header(family.table, block).name
            request_family(request, family)
            for one in family.attributes:
                sql = column_sql(family.columns, one.column)
                request.alias(f"CAST({sql} AS {'VARCHAR' if one.coded else 'DOUBLE'})")
            if family.per is not None and family.per.table is not None:
                headers[family.per.table] = headers[family.table]
                request_level(asked.setdefault(family.per.table, Request()), family)
    values = differing = expressions = 0
    examples = []
    for name, request in asked.items():
        contract = catalog.contract(name, blocks[0])
        table = contract.table(name)
        above = {"parent": table.parent, "header": headers[name]} if table.parent else {}
        joins = ""
        if table.parent:
            joins += f" JOIN {quote(table.parent)} parent ON parent._doc = t._doc AND parent._seq = t._parent"
            joins += f" JOIN {quote(headers[name])} header ON header._doc = t._doc"
            if table.parent == headers[name]:
                joins = joins.replace(" AND parent._seq = t._parent", "")
        columns = {
            "t": dict(mart_columns(table)),
            **{alias: dict(mart_columns(contract.table(other))) for alias, other in above.items()},
        }
        tables = {one.name: dict(mart_columns(one)) for one in contract.tables}
        picked = f"(SELECT * FROM {quote(name)} ORDER BY hash(_doc, _seq) LIMIT {ROWS}) t"
        # Without a join the names that stand alone are those of the row, as in the engine's own queries.
        needed = [key for key in above if any(f"{key}." in one for one in request.expressions)]
        kept = joins if needed else ""
        theirs = mart.connection.sql(
            f"SELECT t._doc, t._seq{request.select()} FROM {picked}{kept} ORDER BY t._doc, t._seq"
        ).fetchall()
        everything = {
            other: mart.connection.sql(f"SELECT * FROM {quote(other)}").pl().to_dicts()
            for other in {
                name,
                *above.values(),
                *(one.name for one in contract.tables if len(contract.tables) < 10),
            }
        }
        rows = {(row["_doc"], row["_seq"]): row for row in everything[name]}
        documents: dict[Any, dict[str, list[Any]]] = {}
        for other, found in everything.items():
            for row in found:
                documents.setdefault(row["_doc"], {}).setdefault(other, []).append(row)
        compute = row_function(list(request.expressions), columns, tables, duckdb.connect())
        sources = list(request.expressions)
        for document, sequence, *expected in theirs:
            row = rows[document, sequence]
            doc = documents[document]
            parent = header = None
            if table.parent:
                header = doc[headers[name]][0]
                parent = next(
                    one
                    for one in doc[table.parent]
                    if table.parent == headers[name] or one["_seq"] == row["_parent"]
                )
            for source, ours, other in zip(sources, compute(row, parent, header, doc), expected, strict=True):
                values += 1
                if not same(ours, other):
                    differing += 1
                    examples.append(f"{name}: {source}: {ours!r} against {other!r}")
        expressions += len(sources)
    sys.stdout.write(f"\n{expressions:,} expressions, {values:,} values in DuckDB too, {differing} differ\n")
    assert differing == 0, examples[:20]
    assert expressions > 1000
    assert values > 100 * expressions


COLUMNS = {
    "t": {
        "a": "BIGINT",
        "b": "BIGINT",
        "s": "VARCHAR",
        "d": "DATE",
        "ts": "TIMESTAMP",
        "f": "DOUBLE",
        "y": "BOOLEAN",
    }
}
EXPRESSIONS = (
    "a / b",
    "a % nullif(b, 0)",
    "-a % 3",
    "a * 0.01 + b",
    "0.1 * a / nullif(b, 0)",
    "greatest(a, b, 2.5)",
    "coalesce(a, f)",
    "a IN (1, b)",
    "a NOT IN (1, b)",
    "y AND a > 1",
    "y OR a > 1",
    "NOT y",
    "a BETWEEN b AND 5",
    "CASE WHEN a > 1 THEN 'x' WHEN y THEN s END",
    "CASE a WHEN 1 THEN b ELSE f END",
    "s || a",
    "right(s, 2)",
    "substr(s, 2, 2)",
    "regexp_replace(s, '[a-z]', '')",
    "regexp_extract(s, '[0-9]+$')",
    "length(regexp_replace(s, '[^0-9]', '', 'g'))",
    "TRY_CAST(s AS DOUBLE)",
    "d - 7 < CAST(ts AS DATE)",
    "d < ts",
    "date_diff('month', d, ts)",
    "date_diff('year', d, CAST(ts AS DATE))",
    "date_diff('minute', CAST(d AS TIMESTAMP), ts)",
    "date_diff('millisecond', CAST(d AS TIMESTAMP), ts) / 1000.0",
    "date_trunc('month', d)",
    "date_trunc('hour', ts)",
    "CAST(date_trunc('hour', ts) AS VARCHAR)",
    "CAST(y AS VARCHAR)",
    "CAST(d AS VARCHAR)",
    "CAST(ts AS VARCHAR)",
    "coalesce(d, DATE '2200-01-01')",
    "isodow(ts)",
    "f / 0",
    "concat(s, CASE WHEN y THEN 'y' END)",
)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_edges(expression: str) -> None:
    connection = duckdb.connect()
    connection.execute(
        """CREATE TABLE t AS SELECT row_number() OVER () AS n, * FROM
        (VALUES (1::BIGINT), (-7), (0), (NULL), (123456789)) a(a), (VALUES (0::BIGINT), (3), (-4), (NULL)) b(b),
        (VALUES ('12ab34'), (''), ('1.5'), (NULL)) s(s), (VALUES (DATE '2024-02-29'), (NULL), (DATE '1999-12-31')) d(d),
        (VALUES (TIMESTAMP '2024-03-01 00:00:00'), (TIMESTAMP '1969-12-31 23:59:59.9985'), (NULL)) ts(ts),
        (VALUES (0.0::DOUBLE), (-2.25), (NULL)) f(f), (VALUES (true), (false), (NULL)) y(y)"""
    )
    theirs = [value for (value,) in connection.sql(f"SELECT {expression} FROM t ORDER BY n").fetchall()]
    rows = connection.sql("SELECT * FROM t ORDER BY n").pl().to_dicts()
    compute = row_function([expression], COLUMNS, {}, connection)
    for row, other in zip(rows, theirs, strict=True):
        (ours,) = compute(row, None, None, {})
        assert same(ours, other) or ours == other, f"{row}: {ours!r} against {other!r}"


@pytest.mark.parametrize(
    "expression", ["soundex(s)", "(SELECT max(a) FROM u)", "CAST(f AS VARCHAR)", "f || s", "gone + 1"]
)
def test_what_is_not_known_is_refused(expression: str) -> None:
    with pytest.raises(FamilyError, match="cannot be computed for a fresh applicant"):
        row_function([expression], COLUMNS, {"u": {"a": "BIGINT"}}, duckdb.connect())


def test_frames_are_not_needed() -> None:
    """A row is a mapping, whoever made it."""
    compute = row_function(["a + 1"], COLUMNS, {}, duckdb.connect())
    assert compute(pl.DataFrame({"a": [1]}).row(0, named=True), None, None, {}) == (2,)
