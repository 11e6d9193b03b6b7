"""Which mart column names an entity, and in which form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bluemirror.identity.declared import HEADER, Declared, EntityKind

if TYPE_CHECKING:
    from bluemirror.contracts import Field

OWN = "own"
SPELT = "norm"
RANKS = (OWN, SPELT, "plain", "md5", "sha1", "sha256", "sm3")
"""Forms of a key, the one that names an entity first."""


@dataclass(frozen=True, slots=True)
class KeyColumn:
    """A mart column with keys of an entity in one form."""

    name: str
    form: str
    of_header: bool = False


def key_columns(field: Field, kind: EntityKind) -> tuple[KeyColumn, ...]:
    """Columns of ``field`` that name entities of ``kind``, the preferred form first; none if it is no such key."""
    if field.key is None:
        own = kind.own is not None and field.name in (kind.own.field, *kind.own.also)
        return (KeyColumn(field.name, OWN),) if own else ()
    found = []
    if kind.spelt is not None and field.key.parts == kind.spelt:
        found.append(KeyColumn(field.part_columns[0][0], SPELT))
    if field.key.entity == kind.key:
        forms = field.key.forms or (field.key.form,)
        found += [KeyColumn(name, form) for (name, _), form in zip(field.columns, forms, strict=True)]
    return tuple(sorted(found, key=lambda column: RANKS.index(column.form)))


def named_column(declared: Declared, table: str, name: str, kind: EntityKind) -> KeyColumn:
    """The column that an entry means by a field of ``table`` (or of its header): its preferred form."""
    contract, found = declared.table(table)
    of_header = name.startswith(HEADER)
    holder = contract.header if of_header else found
    column = key_columns(holder.field(name.removeprefix(HEADER)), kind)[0]
    return KeyColumn(column.name, column.form, of_header)
