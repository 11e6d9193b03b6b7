"""Whether the fields of a source look as they did: share of empty values and distribution, week against eight weeks.

Distributions are compared by the population stability index. Coded fields and flags are their own bins; numbers are cut
at the deciles of the eight weeks. Empty values are not a bin: their share has a test of its own, which says more.
Of answers only those with a record count: whether there is one is the hit rate's to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bluemirror.desk.evidence import ENOUGH, evidence_above, psi, psi_limit, share_range
from bluemirror.desk.known import day, moment, quote, text
from bluemirror.desk.windows import Windows

if TYPE_CHECKING:
    import duckdb

    from bluemirror.contracts import Contract, Field, Table

PSI_SHIFT = 0.25
"""From here on a distribution counts as another one, by the custom of credit scoring (0.1 is worth a look)."""
LEAST_RECENT, LEAST_BEFORE = 200, 500
"""Records with a value that both windows must have: below, PSI is mostly noise (its mean without any change is
about (bins - 1)(1/n + 1/m), so 0.06 for ten bins and 200 records against 500)."""
FALSE_ALARMS = 1e-6
"""Chance that PSI of an unchanged field passes its limit; there are a thousand fields and more."""
EMPTY_SHIFT = 0.05
"""Change of the share of empty values from which on it matters."""
CODES = 60
"""Codes of a field, the most frequent first, that are bins of their own."""
SAMPLED = 200_000
"""Records that the deciles are taken from."""
NUMBERS = frozenset({"int", "float", "amount"})


@dataclass(frozen=True)
class FieldDrift:
    """One field, the recent week against the eight weeks before.

    Parameters
    ----------
    table, field, label_zh, label_en
        Which.
    recent, before
        Records of the two windows.
    empty, empty_before
        Share of them without a value.
    psi, limit
        Population stability index and what chance alone does not pass; None where a window has too few records.
    shifted, emptied
        Whether distribution, and share of empty values, changed by more than chance and enough to matter.
    moved
        The bin that contributes most, with its share now and before, as text; "" without PSI.
    """

    table: str
    field: str
    label_zh: str
    label_en: str
    recent: int
    before: int
    empty: float
    empty_before: float
    psi: float | None = None
    limit: float | None = None
    shifted: bool = False
    emptied: bool = False
    moved: str = ""


def contract_drift(
    connection: duckdb.DuckDBPyConnection, contract: Contract, windows: Windows
) -> tuple[FieldDrift, ...]:
    """Drift of every field of every table of a source that has records in the recent week.

    Tables are views over at least the windows' deliveries, at most those known by the as-of day.
    """
    found: list[FieldDrift] = []
    for table in contract.tables:
        found += _table_drift(connection, contract, table, windows)
    return tuple(found)


def _table_drift(
    connection: duckdb.DuckDBPyConnection, contract: Contract, table: Table, windows: Windows
) -> list[FieldDrift]:
    # What was delivered under an earlier version of the contract lacks the columns that came later.
    there = set(connection.table(table.name).columns)
    # How often a record was found, and with which verdict, is the hit rate's and the match rate's to tell.
    verdict = table.hit[0] if table.hit else None
    watched = [
        (field, column)
        for field in table.fields
        for column in _watched(field)
        if column in there and field.name != verdict
    ]
    if not watched:
        return []
    rows = _rows(contract, table, windows)
    edges = _deciles(connection, rows, watched)
    asked = ["recent", "count(*)", "count(DISTINCT _doc)"]
    for field, column in watched:
        asked.append(f"count({quote(column)})")
        if column in edges:
            cuts = ", ".join(repr(edge) for edge in edges[column])
            asked.append(f"histogram(CAST({quote(column)} AS DOUBLE), [{cuts}]::DOUBLE[])")
        elif _coded(field):
            asked.append(f"histogram(CAST({quote(column)} AS VARCHAR))")
        else:
            asked.append("NULL")
    result = connection.sql(f"SELECT {', '.join(asked)} FROM ({rows}) GROUP BY recent").fetchall()
    by_window = {bool(row[0]): row[1:] for row in result}
    if True not in by_window or False not in by_window:
        return []
    now, before = by_window[True], by_window[False]
    drifts = []
    for position, (field, column) in enumerate(watched):
        at = 2 + 2 * position
        drifts.append(
            _compare(
                table,
                field,
                column,
                now[:2],
                before[:2],
                now[at : at + 2],
                before[at : at + 2],
                edges.get(column),
            )
        )
    return drifts


def _watched(field: Field) -> tuple[str, ...]:
    """The mart column that is looked at: none if it is dropped; of a key one form (only its emptiness is)."""
    columns = [name for name, _ in field.columns]
    return tuple(columns[:1])


def _coded(field: Field) -> bool:
    return field.codes is not None or field.type == "bool"


def _binned(field: Field) -> bool:
    """Numbers, but not those that count through the records."""
    return field.type in NUMBERS and not field.primary_key and field.key is None


def _rows(contract: Contract, table: Table, windows: Windows) -> str:
    """Rows of the two windows by known time, with ``recent``; of answers those with a record."""
    chosen = (
        f"SELECT *, known_time >= {day(windows.recent)} AS recent FROM {quote(table.name)} "
        f"WHERE known_time >= {day(windows.baseline)} AND known_time <= {moment(windows.end)} "
        "AND NOT coalesce(_deleted, false)"
    )
    found = with_record(contract)
    if found is None:
        return chosen
    if table.name == contract.header.name:
        return f"{chosen} AND {found}"
    return f"{chosen} AND _doc IN (SELECT _doc FROM {quote(contract.header.name)} WHERE {found})"


def with_record(contract: Contract) -> str | None:
    """The condition on an answer's header that it has a record; None where every answer has one."""
    if contract.header.hit is None:
        return None
    field, yes = contract.header.hit
    return f"CAST({quote(field)} AS VARCHAR) IN ({', '.join(text(value) for value in yes)})"


def _deciles(
    connection: duckdb.DuckDBPyConnection,
    rows: str,
    watched: Sequence[tuple[Field, str]],
) -> dict[str, list[float]]:
    """Column -> its distinct deciles over the eight weeks, of a fixed sample of the records where there are many."""
    numbers = [column for field, column in watched if _binned(field)]
    if not numbers:
        return {}
    steps = ", ".join(f"{step / 10}" for step in range(1, 10))
    asked = ", ".join(f"quantile_disc(CAST({quote(column)} AS DOUBLE), [{steps}])" for column in numbers)
    size = connection.sql(f"SELECT count(*) FROM ({rows}) WHERE NOT recent").fetchall()[0][0]
    every = max(size // SAMPLED, 1)
    sample = f" AND hash(_doc, _seq) % {every} = 0" if every > 1 else ""
    found = connection.sql(f"SELECT {asked} FROM ({rows}) WHERE NOT recent{sample}").fetchall()[0]
    return {
        column: sorted(set(cuts))
        for column, cuts in zip(numbers, found, strict=True)
        if cuts and None not in cuts
    }


def _compare(
    table: Table,
    field: Field,
    column: str,
    now: Sequence[int],
    before: Sequence[int],
    values: Sequence[Any],
    values_before: Sequence[Any],
    edges: list[float] | None,
) -> FieldDrift:
    rows, records = now
    rows_before, records_before = before
    empty, empty_before = 1 - values[0] / rows, 1 - values_before[0] / rows_before
    drift: dict[str, Any] = {
        "table": table.name,
        "field": column,
        "label_zh": field.label_zh,
        "label_en": field.label_en,
        "recent": rows,
        "before": rows_before,
        "empty": empty,
        "empty_before": empty_before,
    }
    if records >= LEAST_RECENT and records_before >= LEAST_BEFORE:
        drift["emptied"] = _emptied(empty, records, empty_before, records_before)
    if values[1] is None or values_before[1] is None:
        return FieldDrift(**drift)
    # Records, not rows, are the sample: the parts of one record are alike.
    size = min(values[0], records)
    size_before = min(values_before[0], records_before)
    if size < LEAST_RECENT or size_before < LEAST_BEFORE:
        return FieldDrift(**drift)
    names, counts, counts_before = _bins(values[1], values_before[1])
    index = psi(counts_before, counts)
    limit = psi_limit(len(names), size_before, size, FALSE_ALARMS)
    return FieldDrift(
        **drift,
        psi=index,
        limit=limit,
        shifted=index >= max(PSI_SHIFT, limit),
        moved=_moved(names, counts, counts_before, edges),
    )


def _emptied(empty: float, records: int, empty_before: float, records_before: int) -> bool:
    if abs(empty - empty_before) < EMPTY_SHIFT:
        return False
    low, high = share_range(round(empty_before * records_before), records_before)
    count = round(empty * records)
    above = evidence_above(count, records, high)
    below = evidence_above(records - count, records, 1 - low)
    return max(above, below) >= ENOUGH


def _bins(
    now: dict[Any, int], before: dict[Any, int]
) -> tuple[list[Any], np.ndarray[Any, np.dtype[np.float64]], np.ndarray[Any, np.dtype[np.float64]]]:
    """Bins of both histograms, and counts now and before; rare codes beyond :data:`CODES` are one bin."""
    names = sorted({*now, *before}, key=lambda name: (-before.get(name, 0), str(name)))
    kept, rest = names[:CODES], names[CODES:]
    counts = [float(now.get(name, 0)) for name in kept]
    counts_before = [float(before.get(name, 0)) for name in kept]
    if rest:
        kept = [*kept, "..."]
        counts.append(float(sum(now.get(name, 0) for name in rest)))
        counts_before.append(float(sum(before.get(name, 0) for name in rest)))
    return kept, np.array(counts), np.array(counts_before)


def _moved(
    names: list[Any],
    now: np.ndarray[Any, np.dtype[np.float64]],
    before: np.ndarray[Any, np.dtype[np.float64]],
    edges: list[float] | None,
) -> str:
    share, share_before = now / now.sum(), before / before.sum()
    parts = (share - share_before) * np.log((share + 1e-4) / (share_before + 1e-4))
    most = int(np.argmax(parts))
    name = names[most]
    if edges is not None:
        at = sorted(names).index(name)
        cuts = sorted(edges)
        low = f"over {cuts[at - 1]:g}" if at else ""
        high = f"up to {cuts[at]:g}" if at < len(cuts) else ""
        name = " ".join(part for part in (low, high) if part)
    return f"{name}: {share_before[most]:.1%} to {share[most]:.1%}"
