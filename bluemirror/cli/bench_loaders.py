"""What somebody would write instead of ingesting: the files of a source into typed tables, nothing checked.

The tables have the rows and columns of the contract (keys as they were sent). No rule is asked, no key is hashed, no
file is held back, nothing is kept for later; a value that does not fit its type is null, a line that cannot be read is
passed over.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluemirror.contracts.model import DUCKDB_TYPES
from bluemirror.landing.plan import compile_plan, split_path
from bluemirror.landing.tree import Node

if TYPE_CHECKING:
    from bluemirror.contracts import Contract, Field, Table

LINES = {
    ".csv": "read_csv({files}, header = true, all_varchar = true, ignore_errors = true)",
    ".jsonl": "read_json({files}, format = 'newline_delimited', columns = {columns}, ignore_errors = true)",
    ".parquet": "read_parquet({files})",
}
DOCUMENTS = (".xml", ".json")


def duckdb_typed_tables(contract: Contract, landing: Path, data: Path) -> int:
    """DuckDB reads all files of a source of lines at once into the tables of a database file; returns the rows."""
    import duckdb

    files = _files(contract, landing, tuple(LINES))
    if not files:
        return 0
    kinds = {path.suffix for path in files}
    parts = [
        _lines(contract, kind, [path for path in files if path.suffix == kind]) for kind in sorted(kinds)
    ]
    rows = 0
    with duckdb.connect(str(data / f"{contract.source}.duckdb")) as connection:
        lines = " UNION ALL BY NAME ".join(f"SELECT * FROM {part}" for part in parts)
        connection.execute(
            f"CREATE TEMP TABLE _lines AS SELECT row_number() OVER () AS _doc, * FROM ({lines})"
        )
        for table in contract.tables:
            connection.execute(f'CREATE TABLE "{table.name}" AS {_query(table)}')
            rows += connection.execute(f'SELECT count(*) FROM "{table.name}"').fetchall()[0][0]
    return rows


def lxml_and_json(contract: Contract, landing: Path, data: Path) -> int:
    """Each document is parsed by lxml or json and searched path by path; tables go to Parquet; returns the rows."""
    import polars as pl
    from lxml import etree

    rows: dict[str, list[dict[str, Any]]] = {table.name: [] for table in contract.tables}
    for number, path in enumerate(_files(contract, landing, DOCUMENTS)):
        try:
            if path.suffix == ".xml":
                root: Any = etree.parse(path).getroot()
                children, value = _elements, _text
            else:
                root = json.loads(path.read_bytes())
                children, value = _objects, _item
        except (etree.XMLSyntaxError, ValueError):
            continue
        for table in contract.tables:
            for seq, node in enumerate(_nodes(root, table, children)):
                row = {field.name: value(node, field.physical or field.name) for field in _kept(table)}
                rows[table.name].append({"_doc": number, "_seq": seq} | row)
    for table in contract.tables:
        schema = {"_doc": pl.Int64, "_seq": pl.Int64} | {field.name: pl.String for field in _kept(table)}
        frame = pl.DataFrame(rows[table.name], schema=schema)
        frame.with_columns(_cast(field) for field in _kept(table)).write_parquet(
            data / f"{table.name}.parquet"
        )
    return sum(map(len, rows.values()))


def _kept(table: Table) -> list[Field]:
    return [field for field in table.fields if not field.drop]


def _files(contract: Contract, landing: Path, suffixes: tuple[str, ...]) -> list[Path]:
    return sorted(
        path
        for path in (landing / contract.source).glob("*/*")
        if path.suffix in suffixes and path.name != contract.landing.complete
    )


def _lines(contract: Contract, kind: str, files: list[Path]) -> str:
    listed = "[" + ", ".join(f"'{path}'" for path in files) + "]"
    node = compile_plan(contract).scopes[0].node
    columns = "{" + ", ".join(f"'{name}': '{shape}'" for name, shape in _shapes(node)) + "}"
    return LINES[kind].format(files=listed, columns=columns)


def _shapes(node: Node) -> Iterator[tuple[str, str]]:
    """Names and DuckDB types of what stands at a place of the tree, every value as text."""
    yield from ((name, "VARCHAR") for name in node.leaves)
    inner = [(name, below, "") for name, below in node.groups.items()]
    inner += [(name, scope.node, "[]") for name, scope in node.repeats.items()]
    for name, below, many in inner:
        fields = ", ".join(f'"{part}" {shape}' for part, shape in _shapes(below))
        yield name, f"STRUCT({fields}){many}"


def _query(table: Table) -> str:
    rows, here = "SELECT _doc, _lines AS x FROM _lines", "x"
    for name, repeats in split_path(table.path):
        here = f'{here}."{name}"'
        if repeats:
            rows, here = f"SELECT _doc, unnest({here}) AS x FROM ({rows})", "x"
    columns = [f'{_typed(field, here)} AS "{field.name}"' for field in _kept(table)]
    return f"SELECT _doc, {', '.join(columns)} FROM ({rows})"


def _typed(field: Field, here: str) -> str:
    value = ".".join([here, *(f'"{name}"' for name, _ in split_path(field.physical or field.name))])
    if field.type == "amount":
        return f"CAST(round(TRY_CAST({value} AS DOUBLE) * 100) AS BIGINT)"
    if field.type == "month":
        return f"TRY_CAST(CAST({value} AS VARCHAR)[:7] || '-01' AS DATE)"
    return f"TRY_CAST({value} AS {DUCKDB_TYPES[field.type]})"


def _nodes(root: Any, table: Table, children: Callable[[Any, str], list[Any]]) -> list[Any]:
    nodes = [root]
    for name, _ in split_path(table.path):
        nodes = [child for node in nodes for child in children(node, name)]
    return nodes


def _elements(node: Any, name: str) -> list[Any]:
    return list(node.findall(name))


def _text(node: Any, path: str) -> str | None:
    text: str | None = node.findtext(path)
    return text


def _objects(node: Any, name: str) -> list[Any]:
    found = node.get(name)
    found = found if isinstance(found, list) else [found]
    return [item for item in found if isinstance(item, dict)]


def _item(node: Any, path: str) -> str | None:
    for name in path.split("/"):
        node = node.get(name) if isinstance(node, dict) else None
    return None if node is None else str(node)


def _cast(field: Field) -> Any:
    import polars as pl

    column = pl.col(field.name)
    number = column.str.replace_all(",", "", literal=True)
    casts = {
        "int": number.cast(pl.Int64, strict=False),
        "float": number.cast(pl.Float64, strict=False),
        "amount": (number.cast(pl.Float64, strict=False) * 100).round().cast(pl.Int64),
        "date": column.str.to_date("%Y-%m-%d", strict=False),
        "month": (column + "-01").str.to_date("%Y-%m-%d", strict=False),
        "timestamp": column.str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False),
        "bool": column.is_in(["1", "true"]),
    }
    return casts.get(field.type, column).alias(field.name)
