"""The Great Expectations suite of a contracted table, to be run over all rows of the mart.

Each expectation carries the rule that it stands for in ``meta``: ``severity`` (error or warning), ``rule``,
``dimension``, ``table`` and ``fields``. Conditions that DuckDB's dialect of Great Expectations does not know
(regular expressions, the contract's own SQL) become queries for the rows that break them; such a query returns
where the rows came from and never a value.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

from bluemirror.contracts.model import Field, Rule, Table

if TYPE_CHECKING:
    import great_expectations as gx
    from great_expectations.expectations.expectation import Expectation

HASH = "^[0-9a-f]{32}$"
"""A keyed hash as the mart stores it."""
SYSTEM_COLUMNS = ("event_time", "known_time", "_doc", "_seq", "_delivery", "_file", "_line", "_deleted")
_BATCH = "(SELECT * FROM {batch})"
_WHERE_FROM = "t._doc, t._file, t._line"


def suite(table: Table) -> gx.ExpectationSuite:
    """Everything that the contract promises of ``table``.

    Columns present; required fields not null; coded fields in their code set; numbers within their bounds;
    patterns and lengths; keys hashed; one version of a business key at one known time; the contract's rules.

    Parameters
    ----------
    table
        A table of a contract. Its view in the mart, and those of the other tables of its contract, are what
        the suite is run against.
    """
    import great_expectations as gx

    expectations = [_columns(table)]
    expectations += [_never_null(table, name, name) for name in ("event_time", "known_time")]
    for field in table.fields:
        expectations += _field(table, field)
    if table.business_key:
        expectations.append(_one_version(table))
    expectations += [made for rule in table.rules if (made := _rule(table, rule)) is not None]
    return gx.ExpectationSuite(name=table.name, expectations=expectations)


def _gxe() -> Any:
    """The expectations by class name; untyped, because their module exports them without saying so."""
    return import_module("great_expectations.expectations")


def _said(
    table: Table, rule: str, dimension: str | None, *fields: str, severity: str = "error"
) -> dict[str, Any]:
    """Severity and meta of an expectation."""
    meta = {
        "severity": severity,
        "rule": rule,
        "dimension": dimension,
        "table": table.name,
        "fields": list(fields),
    }
    return {"meta": meta, "severity": "critical" if severity == "error" else "warning"}


def _columns(table: Table) -> Expectation:
    return _gxe().ExpectTableColumnsToMatchSet(
        column_set=[name for name, _ in table.columns] + list(SYSTEM_COLUMNS),
        exact_match=False,
        **_said(table, "columns", "conformity"),
    )


def _never_null(table: Table, column: str, field: str) -> Expectation:
    said = _said(table, f"required: {field}", "completeness", field)
    if table.tombstone is not None:  # a tombstone may come without its other fields
        return _rows_breaking(f't."{column}" IS NOT NULL', _BATCH + " AS t", said)
    return _gxe().ExpectColumnValuesToNotBeNull(column=column, **said)


def _field(table: Table, field: Field) -> list[Expectation]:
    made: list[Expectation] = []
    columns = [name for name, _ in field.columns]
    if field.required:
        made += [_never_null(table, column, field.name) for column in columns]
    if field.key is not None:
        # pattern and lengths are about the raw value, which never gets here
        columns += [name for name, _ in field.part_columns[:1]]
        return made + [_matches(table, field, column, HASH, "keyed hash") for column in columns]
    for column in columns:
        if field.codes is not None:
            said = _said(table, f"codes: {field.name}", "conformity", field.name)
            made.append(
                _gxe().ExpectColumnValuesToBeInSet(column=column, value_set=list(field.codes), **said)
            )
        low, high = field.bounds
        if low is not None or high is not None:
            said = _said(table, f"bounds: {field.name}", "conformity", field.name)
            made.append(
                _gxe().ExpectColumnValuesToBeBetween(column=column, min_value=low, max_value=high, **said)
            )
        if field.pattern is not None:
            made.append(_matches(table, field, column, field.pattern, "pattern"))
        if field.min_length is not None or field.max_length is not None:
            low, high = field.min_length or 0, field.max_length
            within = f'length(t."{column}") >= {low}' + (
                f' AND length(t."{column}") <= {high}' if high is not None else ""
            )
            said = _said(table, f"length: {field.name}", "conformity", field.name)
            made.append(_rows_breaking(within, _BATCH + " AS t", said))
    return made


def _matches(table: Table, field: Field, column: str, pattern: str, what: str) -> Expectation:
    condition = f"""regexp_matches(t."{column}", '{pattern.replace("'", "''")}')"""
    said = _said(table, f"{what}: {field.name}", "conformity", field.name)
    return _rows_breaking(condition, _BATCH + " AS t", said)


def _one_version(table: Table) -> Expectation:
    """Of one key, two versions are never known at the same moment: the newest could not be told."""
    columns = [*table.key_columns, "known_time"] if table.header is None else ["_doc", *table.key_columns]
    listed = ", ".join(f'"{column}"' for column in columns)
    query = f"SELECT count(*) AS n FROM {_BATCH} AS t GROUP BY {listed} HAVING count(*) > 1"
    return _query(query, _said(table, "one version at a time", "uniqueness", *table.business_key))


def _rule(table: Table, rule: Rule) -> Expectation | None:
    """A contract's own rule; duplicates within a delivery and row counts are asked per delivery."""
    said = _said(table, rule.name, rule.dimension, *rule.fields, severity=rule.severity)
    if rule.kind in {"sql", "null", "values"}:
        return _rows_breaking(rule.expression, table.rule_rows(_BATCH), said)
    if rule.kind == "document_sql":
        # the query reads the tables by name; asking only for documents of the batch keeps it to what is checked
        found = (
            f"SELECT DISTINCT d._doc FROM ({{rule}}) AS d WHERE d._doc IN (SELECT _doc FROM {_BATCH} AS b)"
        )
        return _query(found, said, rule=rule.expression)
    if rule.kind == "duplicate":
        columns = ["_delivery", *(table.field(name).columns[0][0] for name in rule.fields)]
        listed = ", ".join(f'"{column}"' for column in columns)
        return _query(f"SELECT count(*) AS n FROM {_BATCH} AS t GROUP BY {listed} HAVING count(*) > 1", said)
    if rule.kind == "row_count":
        limits = [f"count(*) < {rule.minimum}"] * (rule.minimum is not None)
        limits += [f"count(*) > {rule.maximum}"] * (rule.maximum is not None)
        outside = " OR ".join(limits)
        return _query(
            f"SELECT _delivery, count(*) AS n FROM {_BATCH} AS t GROUP BY _delivery HAVING {outside}", said
        )
    return None


def _rows_breaking(condition: str, rows: str, said: dict[str, Any]) -> Expectation:
    """Query for the rows on which a condition is false; null counts as fulfilled."""
    return _query(
        f"SELECT {_WHERE_FROM} FROM {rows} WHERE NOT t._deleted AND NOT ({{rule}})", said, rule=condition
    )


def _query(query: str, said: dict[str, Any], *, rule: str = "") -> Expectation:
    """A query whose rows are the unexpected ones; ``{rule}`` stands for SQL from the contract."""
    return _gxe().UnexpectedRowsExpectation(
        unexpected_rows_query=query.replace("{rule}", _literal(rule)), **said
    )


def _literal(sql: str) -> str:
    """SQL that passes unchanged through ``str.format`` (braces) and SQLAlchemy's ``text`` (colons)."""
    doubled = sql.replace("{", "{{").replace("}", "}}")
    return re.sub(r"(?<!:):(?=\w)", r"\\:", doubled)
