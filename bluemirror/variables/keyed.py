"""The rows of a table that a key names: by a column of its own, or by one of the rows that hang under it.

A document may say whom it is about in a list: ``match: {IDENTITY_TABLE.mark: company_code}`` finds the documents in
which a row of that list has the key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bluemirror.errors import FamilyError
from bluemirror.mart.versions import quote

if TYPE_CHECKING:
    from bluemirror.contracts import Contract, Table


def place(contract: Contract, table: Table, column: str) -> tuple[str | None, str]:
    """The table under ``table`` that holds the key (None: itself), and the column.

    Raises
    ------
    FamilyError
        If ``column`` names a table that does not hang under ``table``.
    """
    child, _, name = column.rpartition(".")
    if not child:
        return None, name
    under = [one.name for one in contract.tables if one.parent is not None and one.header == table.name]
    if child not in under:
        raise FamilyError(
            f"no rows of {child} hang under {table.name}",
            field="match",
            rule="the key stands in the table itself, or in a table below it",
            fix=f"write one of {', '.join(under)}" if under else "write match: {COLUMN: KEY}",
        )
    return child, name


def joined(contract: Contract, table: Table, column: str) -> str:
    """SQL that joins the rows ``t`` of ``table`` to ``_keys k`` by their key."""
    child, name = place(contract, table, column)
    if child is None:
        return f"JOIN _keys k ON t.{quote(name)} = k._value"
    marks = f"SELECT DISTINCT _doc, {quote(name)} AS _mark FROM {quote(child)}"
    return f"JOIN ({marks}) m ON m._doc = t._doc JOIN _keys k ON m._mark = k._value"


def about(contract: Contract, table: Table, column: str, alias: str, keys: int = 1) -> str:
    """SQL that is true of a row ``alias`` of ``table`` whose key is one of ``keys`` parameters ``?``."""
    child, name = place(contract, table, column)
    listed = ", ".join("?" * keys)
    if child is None:
        return f"coalesce({alias}.{quote(name)} IN ({listed}), false)"
    return f"{alias}._doc IN (SELECT _doc FROM {quote(child)} WHERE {quote(name)} IN ({listed}))"
