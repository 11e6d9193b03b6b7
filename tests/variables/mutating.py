"""Changes of rows of a generated mart: of what was not known yet, and of what some variable counts."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bluemirror.contracts import Field, Table
from bluemirror.variables.declarations import Family
from bluemirror.variables.expressions import Tables
from bluemirror.variables.operators import OPERATORS
from bluemirror.variables.tensors import Tensor
from tests.oracles.sql.families import FamilySql

REMOVED = "*"
"""In place of a column: the row itself was taken away."""


@dataclass(frozen=True)
class Candidate:
    """A row that counts in a tensor, and the observations in which it does."""

    rid: int
    observations: tuple[int, ...]


def data_columns(table: Table) -> dict[str, Field]:
    """Columns of a table that hold a plain value."""
    return {name: item for item in table.fields for name, _ in item.columns}


def other_value(connection: Any, table: Table, column: str, rid: int, rng: np.random.Generator) -> Any:
    """A value for a row's column that differs from what it is, of the column's own kind."""
    item = data_columns(table)[column]
    ((now,),) = connection.sql(f'SELECT "{column}" FROM "o_{table.name}" WHERE rid = {rid}').fetchall()
    if item.type == "bool":
        return not now
    if now is not None and item.type in ("int", "amount", "float"):
        low, high = item.bounds
        if high is None or now * 3 + 17 <= high:
            return now * 3 + 17
        return low if low is not None and low < now else now - 1
    if now is not None and item.type in ("date", "month", "timestamp"):
        return now - dt.timedelta(days=int(rng.integers(400, 900)))
    if item.type == "string" and item.codes:
        return str(rng.choice([code for code in item.codes if code != now]))
    if item.type == "string" and (item.pattern is None or item.key is not None) and now is not None:
        numeral = now.replace(".", "", 1).isdigit()
        return "77" if numeral else f"{now}~{rid}"
    found = connection.sql(
        f'SELECT DISTINCT "{column}" FROM "o_{table.name}" WHERE "{column}" IS DISTINCT FROM '
        f'(SELECT "{column}" FROM "o_{table.name}" WHERE rid = {rid}) AND "{column}" IS NOT NULL ORDER BY 1'
    ).fetchall()
    return found[int(rng.integers(len(found)))][0]


def passing(tensor: Tensor) -> str:
    """SQL over the rows of :class:`FamilySql`: whether some variable of the tensor counts the row."""
    sides = ["real"]
    of, by = tensor.measure.of, tensor.measure.by
    if of is not None:
        # Some operator takes the column as a text, others as a number.
        sides.append(f"{'s' if OPERATORS[tensor.agg].kernel == 'value' else 'v'}_{of} IS NOT NULL")
    if by is not None:
        sides.append(f"v_{by} IS NOT NULL")
    if all(window.size is not None for window in tensor.windows):
        sides.append("(" + " OR ".join(f"w_{window.size}" for window in tensor.windows) + ")")
    sides += [
        "(" + " OR ".join(f"g_{one.name}_{group.name}" for group in one.groups) + ")" for one in tensor.slices
    ]
    return " AND ".join(sides)


def columns_of(family: Family, tensor: Tensor, tables: Tables) -> list[str]:
    """Columns of the family's own table that the tensor groups by or aggregates."""
    names = [tensor.measure.of, tensor.measure.by, *(one.column for one in tensor.slices)]
    found: set[str] = set()
    for name in names:
        if name is not None:
            read = (
                tables.columns(family.columns[name], family.table)
                if name in family.columns
                else {(family.table, name)}
            )
            found |= {column for table, column in read if table == family.table}
    return sorted(found)


def candidates(
    family_sql: FamilySql, tensor: Tensor, told: np.ndarray, wanted: int, rng: np.random.Generator
) -> list[Candidate]:
    """Rows that the tensor counts, chosen so that no observation sees two of them."""
    connection = family_sql.mart
    once = ""
    if tensor.agg == "distinct":
        once = f"QUALIFY count(*) OVER (PARTITION BY obs, unit, s_{tensor.measure.of}) = 1"
    units = "AND unit IN (SELECT unit FROM o_units)" if family_sql.family.per else ""
    rows = connection.run(
        f"SELECT rid, list(DISTINCT CAST(obs AS BIGINT)) FROM (SELECT * FROM o_base WHERE {passing(tensor)} {units} {once}) "
        "GROUP BY rid ORDER BY rid"
    ).fetchall()
    taken: set[int] = set()
    found = []
    for position in rng.permutation(len(rows)):
        rid, seen = rows[position]
        heard = tuple(sorted(obs for obs in seen if told[obs]))
        if heard and not taken.intersection(seen):
            taken.update(seen)
            found.append(Candidate(rid, heard))
        if len(found) == wanted:
            break
    return found


def variables_of(tensor: Tensor) -> int:
    """How many variables a tensor yields."""
    axes = (tensor.pairs or tensor.windows, *tensor.group_axes, *(one.groups for one in tensor.outer))
    return math.prod(len(axis) for axis in axes)


def told_apart(rows: FamilySql, tensor: Tensor, column: str, rid: int, values: Sequence[Any]) -> Any:
    """The first of ``values`` with which the tensor sees another row; LookupError if it sees none.

    Which hash an applicant was matched by may be all that is asked of a hash: another one is no change then.
    """
    table = f'"o_{rows.table.name}"'
    wanted = {f"v_{name}" for name in (tensor.measure.of, tensor.measure.by)} | {f"s_{tensor.measure.of}"}
    wanted |= {f"g_{one.name}_{group.name}" for one in tensor.slices for group in one.groups}
    asked = {name: text for name, text in rows.row_expressions().items() if name in wanted}

    def seen(source: str, *values: Any) -> list[Any]:
        query = rows.evaluation(source, rows.table.name, asked)
        return list(rows.mart.execute(query, list(values)).fetchall())

    now = seen(f"(SELECT * FROM {table} WHERE rid = {rid})")
    ((kind,),) = rows.mart.execute(
        f"SELECT data_type FROM duckdb_columns() WHERE table_name = ? AND column_name = '{column}'",
        [f"o_{rows.table.name}"],
    ).fetchall()
    for value in values:
        changed = f'(SELECT * REPLACE (CAST(? AS {kind}) AS "{column}") FROM {table} WHERE rid = {rid})'
        if seen(changed, value) != now:
            return value
    raise LookupError(column)


def change(
    connection: Any,
    rows: FamilySql,
    tensor: Tensor,
    column: str,
    found: Sequence[Candidate],
    rng: np.random.Generator,
) -> list[Candidate]:
    """Change (or remove) rows in the mart's own table, such that the tensor sees others; those that were."""
    table = rows.table
    done = []
    for row in found:
        where = f'(_doc, _seq) IN (SELECT (_doc, _seq) FROM "o_{table.name}" WHERE rid = {row.rid})'
        if column == REMOVED:
            connection.execute(f'DELETE FROM "{table.name}" WHERE {where}')
            done.append(row)
            continue
        values = [other_value(connection, table, column, row.rid, rng) for _ in range(4)]
        # Another value in place of one of several leaves their number as it is; none in its place does not.
        several = OPERATORS[tensor.agg].kernel == "value"
        try:
            value = told_apart(rows, tensor, column, row.rid, [None, *values] if several else [*values, None])
        except LookupError:
            continue
        connection.execute(f'UPDATE "{table.name}" SET "{column}" = ? WHERE {where}', [value])
        done.append(row)
    return done


def mutate_later(
    connection: Any, table: Table, header: Table, cut: dt.datetime, rng: np.random.Generator, count: int
) -> int:
    """Change ``count`` rows of which nothing was known at ``cut``, or that had not happened; return how many."""
    name, columns = table.name, data_columns(table)
    protected = set(table.key_columns)
    plain = [one for one in columns if one not in protected]
    top = table.name == header.name
    future = f"OR event_time > TIMESTAMP '{cut}'" if top else ""
    rows = connection.sql(
        f"SELECT _doc, _seq, known_time > TIMESTAMP '{cut}' FROM \"{name}\" WHERE known_time > TIMESTAMP '{cut}' {future} "
        "ORDER BY _doc, _seq"
    ).fetchall()
    past = connection.sql(
        f"SELECT _doc, _seq FROM \"{name}\" WHERE known_time <= TIMESTAMP '{cut}' ORDER BY _doc, _seq"
    ).fetchall()
    if not rows:
        return 0
    for _ in range(count):
        doc, seq, unknown = rows[int(rng.integers(len(rows)))]
        where = f"_doc = {doc} AND _seq = {seq}"
        column = str(rng.choice(plain)) if plain else None
        kind = int(rng.integers(5)) if unknown else 0
        if kind == 1:
            connection.execute(f'DELETE FROM "{name}" WHERE {where}')
        elif kind == 2:
            connection.execute(f'UPDATE "{name}" SET _deleted = NOT coalesce(_deleted, false) WHERE {where}')
        elif kind == 3:
            days = int(rng.integers(-900, 900))
            connection.execute(
                f'UPDATE "{name}" SET event_time = event_time + INTERVAL ({days}) DAY WHERE {where}'
            )
        elif kind == 4 and past and top:
            # A late correction, or a late tombstone, of a row that was known.
            doc, seq = past[int(rng.integers(len(past)))]
            later = cut + dt.timedelta(seconds=int(rng.integers(1, 30_000_000)))
            connection.execute(
                f"INSERT INTO \"{name}\" SELECT * REPLACE (TIMESTAMP '{later}' AS known_time, "
                f"CAST(TIMESTAMP '{later}' AS DATE) AS _delivery, {'true' if rng.random() < 0.5 else 'false'} AS _deleted, "
                f'_doc + 1000000000 AS _doc) FROM "{name}" WHERE _doc = {doc} AND _seq = {seq}'
            )
        elif column is not None:
            connection.execute(
                f'UPDATE "{name}" SET "{column}" = (SELECT "{column}" FROM "{name}" ORDER BY hash(_doc, _seq, {int(rng.integers(1 << 30))}) '
                f"LIMIT 1) WHERE {where}"
            )
    return count
