"""A variable: one column of a block, and the hash of what it means."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from bluemirror.variables.declarations import Block, Family, Windows


@dataclass(frozen=True, slots=True)
class Variable:
    """One column of a block: what it is called, what it means and where it comes from.

    Attributes
    ----------
    window
        Token of its window, ``""`` if it has none.
    null_means
        Why the value may be null although the source answered.
    columns
        Columns of ``table`` (and its parent) that the value is computed from.
    meaning
        Hash of everything that defines the value; a changed meaning is another hash.
    """

    name: str
    block: str
    family: str
    source: str
    table: str
    label_zh: str
    label_en: str
    unit: str
    window: str
    null_means: str
    columns: tuple[str, ...]
    meaning: str
    stages: tuple[str, ...] = ()
    cost_yuan: float = 0.0
    first_day: str = ""


def _axis(windows: Windows) -> tuple[object, ...]:
    return () if windows.along is None else (windows.along, windows.forward)


def meaning_hash(block: Block, family: Family, *parts: object) -> str:
    """Twelve hex digits that change when the way a value is computed changes; labels do not count."""
    per = family.per
    basis = repr(
        (
            block.source,
            block.miss,
            family.table,
            family.match,
            sorted(family.columns.items()),
            family.where,
            family.exclude_self,
            (family.windows.unit, family.windows.grain, *_axis(family.windows)),
            None
            if family.via is None
            else (family.via.table, family.via.from_, family.via.through, family.via.to),
            None if per is None else (per.table, per.key, sorted(per.columns.items()), per.where),
            parts,
        )
    )
    return hashlib.sha256(basis.encode()).hexdigest()[:12]
