"""Whether the fields of a source look as they did: share of empty values and distribution, week against eight weeks.

Distributions are compared by the population stability index. Coded fields and flags are their own bins; numbers are cut
at the deciles of the eight weeks. Empty values are not a bin: their share has a test of its own, which says more.
Of answers only those with a record count: whether there is one is the hit rate's to say.

A month has its own rhythm (paydays, monitoring on the first), so a week must also differ by more than any of the eight
weeks differed from the other seven.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bluemirror.desk.evidence import ENOUGH, evidence_above, evidence_below, psi, psi_limit, share_range
from bluemirror.desk.known import day, moment, quote, text
from bluemirror.desk.windows import RECENT_DAYS, Windows

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
SAMPLED = 300_000
"""Rows of a table, about, that are looked at where it has more: whole records, always the same ones."""
ROWS = "_desk_rows"
NUMBERS = frozenset({"int", "float", "amount"})


@dataclass(frozen=True)
class FieldDrift:
    """One field, the recent week against the eight weeks before.

    Parameters
    ----------
    table, field, label_zh, label_en
        Which.
    recent, before
        Rows of the two windows that were looked at.
    empty, empty_before
        Share of them without a value.
    psi, limit
        Population stability index and what chance alone does not pass; None where a window has too few records.
    usual
        The highest index of one of the eight weeks against the other seven.
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
    usual: float | None = None
    shifted: bool = False
    emptied: bool = False
    moved: str = ""


def contract_drift(
    connection: duckdb.DuckDBPyConnection, contract: Contract, windows: Windows, rows: Mapping[str, int]
) -> tuple[FieldDrift, ...]:
    """Drift of every field of every table of a source that has records in the recent week.

    Tables are views over at least the windows' deliveries, at most those known by the as-of day; ``rows`` says how many
    rows each has there. Of a table with more than :data:`SAMPLED` a fixed share of the records is looked at.
    """
    found: list[FieldDrift] = []
    for table in contract.tables:
        if rows.get(table.name):
            found += _table_drift(connection, contract, table, windows, max(rows[table.name] // SAMPLED, 1))
    return tuple(found)


def _table_drift(
    connection: duckdb.DuckDBPyConnection, contract: Contract, table: Table, windows: Windows, every: int
) -> list[FieldDrift]:
    # How often a record was found, and with which verdict, is the hit rate's and the match rate's to tell.
    verdict = table.hit[0] if table.hit else None
    watched = [
        (field, column) for field in table.fields for column in _watched(field) if field.name != verdict
    ]
    if not watched:
        return []
    # Read once: three passes over many small files would cost three times as much.
    columns = ", ".join(quote(column) for _, column in watched)
    rows = _rows(contract, table, windows, columns, every)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {ROWS} AS {rows}")
    edges = _deciles(connection, watched)
    asked = ["week", "count(*)", "count(DISTINCT _doc)"]
    for field, column in watched:
        asked.append(f"count({quote(column)})")
        if column in edges:
            cuts = ", ".join(repr(edge) for edge in edges[column])
            asked.append(f"histogram(CAST({quote(column)} AS DOUBLE), [{cuts}]::DOUBLE[])")
        elif _coded(field):
            asked.append(f"histogram(CAST({quote(column)} AS VARCHAR))")
        else:
            asked.append("NULL")
    found = connection.sql(f"SELECT {', '.join(asked)} FROM {ROWS} GROUP BY week ORDER BY week").fetchall()
    weeks = {int(row[0]): row[1:] for row in found}
    if 0 not in weeks or len(weeks) < 2:
        return []
    drifts = []
    for position, (field, column) in enumerate(watched):
        at = 2 + 2 * position
        seen = {week: Seen(row[0], row[1], row[at], _histogram(row[at + 1])) for week, row in weeks.items()}
        drifts.append(_compare(table, field, column, seen, edges.get(column)))
    return drifts


@dataclass(frozen=True)
class Seen:
    """One field in some weeks: rows, records that they belong to, rows with a value, and values by bin if binned."""

    rows: int
    records: int
    filled: int
    bins: Counter[Any] | None

    @property
    def empty(self) -> float:
        """Share of rows without a value."""
        return 1 - self.filled / self.rows if self.rows else 0.0

    @property
    def sample(self) -> int:
        """Records with a value: the parts of one record are alike, so that rows would count too much."""
        return min(self.filled, self.records)

    @classmethod
    def together(cls, weeks: Iterable[Seen]) -> Seen:
        """Some weeks as one."""
        each = list(weeks)
        binned = [week.bins for week in each if week.bins is not None]
        return cls(
            sum(week.rows for week in each),
            sum(week.records for week in each),
            sum(week.filled for week in each),
            sum(binned, Counter()) if binned else None,
        )


def _histogram(value: Any) -> Counter[Any] | None:
    return None if value is None else Counter(value)


def _watched(field: Field) -> tuple[str, ...]:
    """The mart column that is looked at: none if it is dropped; of a key one form (only its emptiness is)."""
    columns = [name for name, _ in field.columns]
    return tuple(columns[:1])


def _coded(field: Field) -> bool:
    return field.codes is not None or field.type == "bool"


def _binned(field: Field) -> bool:
    """Numbers, but not those that count through the records."""
    return field.type in NUMBERS and not field.primary_key and field.key is None


def _rows(contract: Contract, table: Table, windows: Windows, columns: str, every: int) -> str:
    """Rows of the nine weeks by known time, with ``week`` (0 is the recent one); of answers those with a record."""
    sample = f" AND hash(_doc) % {every} = 0" if every > 1 else ""
    chosen = (
        f"SELECT ({day(windows.as_of)} - CAST(known_time AS DATE)) // {RECENT_DAYS} AS week, _doc, {columns} "
        f"FROM {quote(table.name)} "
        f"WHERE known_time >= {day(windows.baseline)} AND known_time <= {moment(windows.end)} "
        f"AND NOT coalesce(_deleted, false){sample}"
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
    connection: duckdb.DuckDBPyConnection, watched: Sequence[tuple[Field, str]]
) -> dict[str, list[float]]:
    """Column -> its distinct deciles over the eight weeks."""
    numbers = [column for field, column in watched if _binned(field)]
    if not numbers:
        return {}
    steps = ", ".join(f"{step / 10}" for step in range(1, 10))
    asked = ", ".join(f"quantile_disc(CAST({quote(column)} AS DOUBLE), [{steps}])" for column in numbers)
    found = connection.sql(f"SELECT {asked} FROM {ROWS} WHERE week > 0").fetchall()[0]
    return {
        column: sorted(set(cuts))
        for column, cuts in zip(numbers, found, strict=True)
        if cuts and None not in cuts
    }


def _compare(
    table: Table, field: Field, column: str, weeks: Mapping[int, Seen], edges: list[float] | None
) -> FieldDrift:
    now, before = weeks[0], Seen.together(seen for week, seen in weeks.items() if week)
    past = {
        week: (seen, Seen.together(other for at, other in weeks.items() if at not in {0, week}))
        for week, seen in weeks.items()
        if week
    }
    drift: dict[str, Any] = {
        "table": table.name,
        "field": column,
        "label_zh": field.label_zh,
        "label_en": field.label_en,
        "recent": now.rows,
        "before": before.rows,
        "empty": now.empty,
        "empty_before": before.empty,
    }
    if now.records >= LEAST_RECENT and before.records >= LEAST_BEFORE:
        drift["emptied"] = _emptied(now, before, past.values())
    if now.bins is None or before.bins is None or now.sample < LEAST_RECENT or before.sample < LEAST_BEFORE:
        return FieldDrift(**drift)
    names, counts, counts_before = _bins(now.bins, before.bins)
    index = psi(counts_before, counts)
    limit = psi_limit(len(names), before.sample, now.sample, FALSE_ALARMS)
    usual = max((_index(seen, rest) for seen, rest in past.values()), default=0.0)
    return FieldDrift(
        **drift,
        psi=index,
        limit=limit,
        usual=usual,
        shifted=index >= max(PSI_SHIFT, limit, usual),
        moved=_moved(names, counts, counts_before, edges),
    )


def _index(seen: Seen, rest: Seen) -> float:
    """PSI of one week against others; 0 where it has too little to say."""
    if not seen.bins or not rest.bins or seen.sample < LEAST_RECENT / 2:
        return 0.0
    _, counts, counts_before = _bins(seen.bins, rest.bins)
    return psi(counts_before, counts)


def _emptied(now: Seen, before: Seen, past: Iterable[tuple[Seen, Seen]]) -> bool:
    change = abs(now.empty - before.empty)
    usual = max(
        (abs(seen.empty - rest.empty) for seen, rest in past if seen.records >= LEAST_RECENT / 2), default=0.0
    )
    if change < EMPTY_SHIFT or change <= usual:
        return False
    low, high = share_range(round(before.empty * before.records), before.records)
    count = round(now.empty * now.records)
    return max(evidence_above(count, now.records, high), evidence_below(count, now.records, low)) >= ENOUGH


def _bins(
    now: Mapping[Any, int], before: Mapping[Any, int]
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
