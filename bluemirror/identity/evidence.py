"""Where two keys are seen together: the rows of the mart that an entry of ``entities.yaml`` is about, as SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bluemirror.identity.columns import KeyColumn, key_columns, named_column
from bluemirror.identity.declared import HEADER, Declared, EntityKind, Link, Seen
from bluemirror.mart.versions import quote, versions_sql

if TYPE_CHECKING:
    from bluemirror.contracts import Contract, Table


def evidence_sql(declared: Declared, link: Link, seen: Seen, number: int) -> str:
    """All that one entry has ever said.

    Columns: ``seen`` (the ``number`` of the entry's link and source), ``a_form``, ``a_key``, ``b_form``, ``b_key``,
    ``role``, ``vf`` and ``vt`` (holds from, up to), ``last`` (last moment of which it says something), ``known``,
    ``until`` (when a newer version of the row said otherwise). Versions that say the same of the same thing are one.
    """
    contract, table = declared.table(seen.table)
    ends = [
        named_column(declared, seen.table, name, declared.entities[kind])
        for name, kind in ((seen.from_, link.from_), (seen.to, link.to))
    ]
    rows, top = rows_sql(contract, table)
    a, b = (_reference(column, top) for column in ends)
    role = "NULL" if seen.as_ is None else f"'{seen.as_}'"
    if seen.role is not None:
        role = f"CAST({_field(seen.role, contract, table, top)} AS VARCHAR)"
    if contract.header.valid_to is not None:
        to = f"CAST({top}.{quote(contract.header.valid_to)} AS TIMESTAMP)"  # its parts hold as long as a record does
        last = f"coalesce({to}, t.event_time)"
    else:
        to = "NULL" if seen.holds_days is None else f"t.event_time + INTERVAL {seen.holds_days} DAY"
        last = "t.event_time"
    where = f" AND ({seen.where})" if seen.where else ""
    same = "PARTITION BY thing, a_key, b_key, role, vf, vt ORDER BY known"
    said = "a_key, b_key, role, vf, vt, last, known, until"
    return f"""
        WITH version AS (
          SELECT {_thing(contract.header, top)} AS thing, {a} AS a_key, {b} AS b_key, {role} AS role,
            t.event_time AS vf, CAST({to} AS TIMESTAMP) AS vt, {last} AS last, t.known_time AS known,
            {top}._superseded AS until
          FROM {rows}
          WHERE NOT coalesce({top}._deleted, false) AND {a} IS NOT NULL AND {b} IS NOT NULL{where}
        ),
        changed AS (SELECT DISTINCT thing FROM version WHERE until IS NOT NULL),
        run AS (
          SELECT *, sum(fresh) OVER ({same} ROWS UNBOUNDED PRECEDING) AS run
          FROM (
            SELECT *, CASE WHEN lag(until) OVER ({same}) = known THEN 0 ELSE 1 END AS fresh
            FROM version SEMI JOIN changed USING (thing) WHERE until IS NULL OR known < until
          )
        ),
        told AS (
          SELECT {said} FROM version ANTI JOIN changed USING (thing)
          UNION ALL
          SELECT a_key, b_key, role, vf, vt, last, min(known),
            CASE WHEN bool_or(until IS NULL) THEN NULL ELSE max(until) END
          FROM run GROUP BY thing, a_key, b_key, role, vf, vt, last, run
        )
        SELECT {number}::SMALLINT AS seen, '{ends[0].form}' AS a_form, '{ends[1].form}' AS b_form, {said} FROM told
    """


def rows_sql(contract: Contract, table: Table) -> tuple[str, str]:
    """Rows of a table as ``t``, with the versions of their record's own row, and the alias of that row."""
    if table.name == contract.header.name:
        return f"({versions_sql(table)}) t", "t"
    return f"{quote(table.name)} t JOIN ({versions_sql(contract.header)}) top ON top._doc = t._doc", "top"


def ties_sql(declared: Declared, kind: EntityKind) -> list[str]:
    """Pairs of keys that mean one entity: columns ``a_form``, ``a_key``, ``b_form``, ``b_key``, ``known``, ``until``.

    The forms of a value that was sent plain belong together for good; whose number somebody has is a row of a table
    and can be corrected.
    """
    found = []
    for contract in declared.contracts.values():
        for table in contract.tables:
            for field in table.fields:
                columns = key_columns(field, kind)
                found += [_forms_sql(table, columns[0], other) for other in columns[1:]]
    if kind.own is not None:
        own = kind.own
        contract, table = declared.table(own.table)
        first = named_column(declared, own.table, own.field, kind)
        second = named_column(declared, own.table, own.key_field, kind)
        rows, top = rows_sql(contract, table)
        a, b = _reference(first, top), _reference(second, top)
        found.append(f"""
            SELECT '{first.form}' AS a_form, {a} AS a_key, '{second.form}' AS b_form, {b} AS b_key,
              t.known_time AS known, {top}._superseded AS until
            FROM {rows}
            WHERE NOT coalesce({top}._deleted, false) AND {a} IS NOT NULL AND {b} IS NOT NULL
        """)
    return found


def _forms_sql(table: Table, first: KeyColumn, other: KeyColumn) -> str:
    a, b = quote(first.name), quote(other.name)
    return f"""
        SELECT '{first.form}' AS a_form, {a} AS a_key, '{other.form}' AS b_form, {b} AS b_key,
          min(known_time) AS known, NULL::TIMESTAMP AS until
        FROM {quote(table.name)} WHERE {a} IS NOT NULL AND {b} IS NOT NULL GROUP BY 2, 4
    """


def _reference(column: KeyColumn, top: str) -> str:
    return f"{top if column.of_header else 't'}.{quote(column.name)}"


def _field(name: str, contract: Contract, table: Table, top: str) -> str:
    holder = contract.header if name.startswith(HEADER) else table
    alias = top if name.startswith(HEADER) else "t"
    return f"{alias}.{quote(holder.field(name.removeprefix(HEADER)).columns[0][0])}"


def _thing(header: Table, top: str) -> str:
    """What tells versions of one row from another row: its business key; a state's begins with each interval."""
    key = [f"{top}.{quote(name)}" for name in header.key_columns] or [f"{top}._doc"]
    if header.kind == "state":
        key.append(f"{top}.event_time")
    return f"hash({', '.join(key)})"
