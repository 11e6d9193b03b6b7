"""What the gate found in a batch: which records broke which rule, with nothing raw in it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.contracts import Field

SHOWN = 40
"""Characters of a value that is shown at all."""
PERSONAL = frozenset({"personal", "sensitive"})
_LOOKS_PERSONAL = re.compile(r"\d{11}|@|[^\x20-\x7e]|[A-Za-z,.] +[A-Za-z]|[0-9a-fA-F]{32}")
"""Numbers of eleven digits, mail, any script but Latin, two words, hashes."""


def redact(value: Any, item: Field | None) -> str:
    """A value as it may be shown in quarantine, logs and errors.

    A field that is personal, keyed or never stored shows its length only, and so does whatever looks like an
    identity number, a phone, a name, an address or a hash in a field where none should be.
    """
    text = str(value)
    hidden = item is None or item.classification in PERSONAL or item.key is not None or item.drop
    if hidden or _LOOKS_PERSONAL.search(text):
        return f"<{len(text)} characters>"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}... ({len(text)} characters)"


@dataclass(frozen=True)
class Finding:
    """One rule broken by some records: record numbers in the batch and, beside each, a redacted value."""

    table: str
    field: str
    rule: str
    fix: str
    records: np.ndarray
    values: list[str]


@dataclass
class Findings:
    """All findings of a batch of ``size`` records."""

    size: int
    errors: list[Finding] = field(default_factory=list)
    warned: list[tuple[str, str, np.ndarray]] = field(default_factory=list)
    bad: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.bad = np.zeros(self.size, dtype=bool)

    def error(
        self, table: str, name: str, rule: str, fix: str, records: np.ndarray, values: list[str] | None = None
    ) -> None:
        """Note a broken rule of severity error: its records are rejected whole."""
        if len(records):
            self.bad[records] = True
            self.errors.append(Finding(table, name, rule, fix, records, values or [""] * len(records)))

    def warning(self, table: str, rule: str, records: np.ndarray) -> None:
        """Count a broken rule of severity warning."""
        if len(records):
            self.warned.append((table, rule, records))

    def column(
        self,
        table: str,
        item: Field,
        rule: str,
        fix: str,
        records: np.ndarray,
        raw: pl.Series,
        mask: pl.Series,
    ) -> None:
        """Note the rows of ``mask`` (null counts as passed) with the values of ``raw``."""
        rows = mask.fill_null(False).arg_true()
        if len(rows):
            values = ["" if value is None else redact(value, item) for value in raw.gather(rows).to_list()]
            self.error(table, item.name, rule, fix, records[rows.to_numpy()], values)
