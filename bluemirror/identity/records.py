"""What is compared: one record an entity and description, with the moment from which it was known, as SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bluemirror.contracts.model import PARTS
from bluemirror.identity.columns import SPELT, key_columns, named_column
from bluemirror.mart.versions import quote

if TYPE_CHECKING:
    from bluemirror.contracts import Field
    from bluemirror.identity.declared import Declared, Match

NAME = "name"
"""Prefix of the columns of a person's name."""


def records_sql(declared: Declared, match: Match) -> str:
    """Records of a match.

    Columns: ``unique_id``, ``entity_id``, ``known`` (microseconds: the record was never known before), and those that
    ``bluemirror.identity.settings`` compares: the parts and ``shingles`` of what is spelt; of an entity with fields
    ``name``, its shingles, and one column a field that agrees.
    """
    if match.table is None:
        return _spelt(declared, match)
    return _described(declared, match)


def _spelt(declared: Declared, match: Match) -> str:
    """Every spelling in every table whose contract takes it apart."""
    kind = declared.entities[match.entity]
    assert kind.spelt is not None
    parts = (*PARTS[kind.spelt], "shingles")
    found = [
        f"SELECT {quote(columns[0].name)} AS entity_id, known_time, "
        + ", ".join(
            f"{quote(f'{field.name}_part_{part}')} AS {quote(part)}" for part in parts
        )
        + f" FROM {quote(table.name)} WHERE {quote(columns[0].name)} IS NOT NULL"
        for contract in declared.contracts.values()
        for table in contract.tables
        for field in table.fields
        if (columns := [column for column in key_columns(field, kind) if column.form == SPELT])
    ]  # fmt: skip
    taken = ", ".join(f"any_value({quote(part)}) AS {quote(part)}" for part in parts)
    return (
        f"SELECT entity_id AS unique_id, entity_id, epoch_us(min(known_time)) AS known, {taken}"
        f" FROM ({' UNION ALL '.join(found)}) GROUP BY entity_id"
    )


def _described(declared: Declared, match: Match) -> str:
    """Every description that the table ever gave: somebody who moved is compared as they were, too."""
    assert match.table is not None
    assert match.person_name is not None
    kind = declared.entities[match.entity]
    assert kind.own is not None
    _, table = declared.table(match.table)
    key = named_column(declared, match.table, kind.own.field, kind)
    norm, *parts, shingles = (name for name, _ in table.field(match.person_name).part_columns)
    columns = {NAME: norm, f"{NAME}_given": parts[-1], f"{NAME}_shingles": shingles}
    columns |= {name: agreeing(table.field(name)) for name in match.agree}
    listed = ", ".join(f"{quote(column)} AS {quote(name)}" for name, column in columns.items())
    named = ", ".join(quote(name) for name in columns)
    return (
        f"SELECT entity_id || '/' || row_number() OVER (PARTITION BY entity_id ORDER BY known, {named}) AS unique_id, *"
        f" FROM (SELECT {quote(key.name)} AS entity_id, epoch_us(min(known_time)) AS known, {listed}"
        f" FROM {quote(table.name)} WHERE {quote(key.name)} IS NOT NULL AND {quote(norm)} IS NOT NULL GROUP BY ALL)"
    )


def agreeing(field: Field) -> str:
    """The column by which two records agree in a field: its normal spelling, if it is taken apart."""
    return field.part_columns[0][0] if field.part_columns else field.columns[0][0]
