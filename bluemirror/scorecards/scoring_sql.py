"""A scorecard as one DuckDB query, and as plain Python for one row: the same score as the estimator, to the last bit.

All three add the same float64 numbers in the same order: base points, then the points of each variable as it entered.
Numbers are written with all their bits (``repr``) and read as DOUBLE: a bare ``0.1`` would be a DECIMAL in DuckDB.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bluemirror.scorecards.binning_table import INTERVAL, MISSING, SPECIAL, BinningTable

if TYPE_CHECKING:
    from bluemirror.scorecards.scorecard import ScorecardClassifier


def scoring_sql(
    card: ScorecardClassifier,
    table: str,
    keys: Sequence[str] = (),
    reasons: Mapping[str, str] | None = None,
    *,
    parts: bool = False,
) -> str:
    """The query that scores ``table``.

    Parameters
    ----------
    card
        A fitted scorecard.
    table
        What to read, as SQL: a view, ``read_parquet(...)``, a sub-query in brackets. It has a column for each of
        ``card.variables_``; null and NaN are missing.
    keys
        Columns that are passed on.
    reasons
        Variable to the column that holds why its source is silent (0 to 4, as stored beside the variables), where the
        specials do not stand in the variable itself. Then the query reads variables as they are stored.
    parts
        Also a column ``points_<variable>`` for each variable; with the base points they sum to the score.

    Returns
    -------
    A SELECT with the keys, ``score``, ``log_odds`` (of bad) and ``probability``. Score and log odds are those of the
    estimator bit by bit; the probability is as exact as the database's ``exp``.
    """
    from bluemirror.scorecards.stored import REASONS, SPECIALS

    specials = dict(zip(REASONS, SPECIALS, strict=True))
    columns = [f"    {_name(k)}" for k in keys]
    for number, variable in enumerate(card.variables_):
        reason = (reasons or {}).get(variable)
        columns.append(f"    {_bin(card.tables_[variable], reason, specials)} AS bin_{number}")
    points = [_lookup(number, card.points_table_.of(v)) for number, v in enumerate(card.variables_)]
    odds = [
        _lookup(number, weight * card.tables_[v].weights)
        for number, (v, weight) in enumerate(zip(card.variables_, card.coef_[0], strict=True))
    ]
    score = _sum([_number(card.points_table_.base), *points])
    outer = [f"    {_name(k)}" for k in keys]
    outer += [f"    {score} AS score", f"    {_sum([_number(card.intercept_), *odds])} AS log_odds"]
    outer += ["    1 / (1 + exp(-log_odds)) AS probability"]
    if parts:
        named = zip(card.variables_, points, strict=True)
        outer += [f"    {p} AS {_name('points_' + v)}" for v, p in named]
    inner = ",\n".join(columns) if columns else "    1"
    return (
        f"WITH binned AS (\n  SELECT\n{inner}\n  FROM {table}\n)\nSELECT\n"
        + ",\n".join(outer)
        + "\nFROM binned"
    )


def _bin(table: BinningTable, reason: str | None, specials: Mapping[int, float]) -> str:
    value = f"CAST({_name(table.variable)} AS DOUBLE)"
    missing = next(i for i, b in enumerate(table.bins) if b.kind == MISSING)
    of_special = {b.value: i for i, b in enumerate(table.bins) if b.kind == SPECIAL}
    absent = f"{value} IS NULL OR isnan({value})"
    cases = []
    if reason is not None:
        cases = [
            f"WHEN ({absent}) AND {_name(reason)} = {code} THEN {of_special[special]}"
            for code, special in specials.items()
            if special in of_special
        ]
    cases.append(f"WHEN {absent} THEN {missing}")
    cases += [f"WHEN {value} = {_number(v)} THEN {i}" for v, i in of_special.items() if v is not None]
    cases += [f"WHEN {value} <= {_number(edge)} THEN {i}" for i, edge in enumerate(table.edges)]
    return f"CASE {' '.join(cases)} ELSE {len(table.edges)} END"


def _lookup(number: int, values: Any) -> str:
    cases = " ".join(f"WHEN {i} THEN {_number(v)}" for i, v in enumerate(values))
    return f"CASE bin_{number} {cases} END"


def _sum(terms: Sequence[str]) -> str:
    """Terms added from left to right; brackets keep the order."""
    total = terms[0]
    for term in terms[1:]:
        total = f"({total} + {term})"
    return total


def _number(value: float) -> str:
    return f"'{float(value)!r}'::DOUBLE"


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


@dataclass(frozen=True)
class RowScore:
    """The score of one row: ``score`` = base points + the sum of ``points``; ``log_odds`` of bad."""

    score: float
    log_odds: float
    points: Mapping[str, float]

    @property
    def probability(self) -> float:
        """Of bad."""
        return 1 / (1 + math.exp(-self.log_odds))


class RowScorer:
    """Scores one row at a time without arrays: for a decision that waits, some microseconds a row.

    Parameters
    ----------
    card
        A fitted scorecard; what is needed of it is copied.
    """

    def __init__(self, card: ScorecardClassifier) -> None:
        self._base = card.points_table_.base
        self._intercept = float(card.intercept_)
        self._variables = []
        for variable, weight in zip(card.variables_, card.coef_[0], strict=True):
            table = card.tables_[variable]
            kinds = [b.kind for b in table.bins]
            specials = {b.value: i for i, b in enumerate(table.bins) if b.kind == SPECIAL}
            points = card.points_table_.of(variable).tolist()
            odds = (weight * table.weights).tolist()
            assert kinds[: len(table.edges) + 1] == [INTERVAL] * (len(table.edges) + 1)
            self._variables.append(
                (variable, table.edges, specials, kinds.index(MISSING), points, odds),
            )

    def score(self, row: Mapping[str, float | None]) -> RowScore:
        """Score a mapping of variable to value; None, NaN and an absent variable are missing."""
        score, log_odds = self._base, self._intercept
        parts = {}
        for variable, edges, specials, missing, points, odds in self._variables:
            value = row.get(variable)
            if value is None or math.isnan(value):
                place = missing
            else:
                place = specials.get(value, -1)
                if place < 0:
                    place = bisect_left(edges, value)
            parts[variable] = points[place]
            score += points[place]
            log_odds += odds[place]
        return RowScore(score, log_odds, parts)
