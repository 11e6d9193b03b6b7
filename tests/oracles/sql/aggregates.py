"""Every aggregate as one DuckDB expression over the rows that meet a condition.

A row has ``time`` and ``ref``, ``rn`` (its place among the rows in time), ``since`` (days or months back), ``m`` (the month
of a series, 0 the newest), numbers ``v_<column>`` and texts ``s_<column>``.
"""

from __future__ import annotations

from dataclasses import dataclass

TINY = 1e-6
"""A deviation below a millionth of the mean is rounding."""
QUANTILES = {"median": 0.5, "p10": 0.1, "p25": 0.25, "p75": 0.75, "p90": 0.9}
DAY = 86_400_000_000


@dataclass(frozen=True)
class Asked:
    """What is aggregated: the column's name in the rows (None: the rows), a second one, and months of a series."""

    of: str | None
    by: str | None
    months: int


def spread(mean: str, deviation: str) -> str:
    return f"CASE WHEN {deviation} <= {TINY} * abs({mean}) THEN 0.0 ELSE {deviation} END"


def sql(agg: str, asked: Asked, held: str) -> str:
    """``agg`` over the rows where ``held``."""
    if agg in SERIES:
        return SERIES[agg](_series(asked, held), asked.months)
    number, text = f"v_{asked.of}", f"s_{asked.of}"
    where = f"FILTER (WHERE {held})"
    if agg == "count":
        return f"count(*) {where}"
    if agg == "any":
        return f"CAST(count(*) {where} > 0 AS INTEGER)"
    if agg == "sum":
        return f"coalesce(sum({number}) {where}, 0)"
    if agg in ("min", "max"):
        return f"{agg}({number}) {where}"
    mean, deviation = f"avg({number}) {where}", f"stddev_pop({number}) {where}"
    if agg == "mean":
        return mean
    if agg == "std":
        return spread(mean, deviation)
    if agg == "cv":
        return f"({spread(mean, deviation)}) / nullif({mean}, 0)"
    if agg == "ratio":
        both = f"FILTER (WHERE {held} AND v_{asked.of} IS NOT NULL AND v_{asked.by} IS NOT NULL)"
        return f"sum(v_{asked.of}) {both} / nullif(sum(v_{asked.by}) {both}, 0)"
    if agg in ("since_last", "since_first"):
        return f"{'min' if agg == 'since_last' else 'max'}(since) {where}"
    if agg == "distinct":
        return f"count(DISTINCT {text}) {where}"
    if agg in ("first", "last"):
        pick = "arg_min" if agg == "first" else "arg_max"
        return f"{pick}({number}, rn) FILTER (WHERE {held} AND {number} IS NOT NULL)"
    if agg in QUANTILES:
        return f"quantile_cont({number}, {QUANTILES[agg]}) {where}"
    if agg.startswith("gap_"):
        return _gaps(agg.removeprefix("gap_"), held)
    return _concentration(agg, asked, held)


def _gaps(statistic: str, held: str) -> str:
    times = f"list(epoch_us(time) ORDER BY rn) FILTER (WHERE {held})"
    gaps = (
        f"list_transform(range(2, len({times}) + 1), lambda i: (({times})[i] - ({times})[i - 1]) / {DAY}.0)"
    )
    if statistic == "std":
        return spread(f"list_avg({gaps})", f"list_aggregate({gaps}, 'stddev_pop')")
    return f"list_{'avg' if statistic == 'mean' else statistic}({gaps})"


def _concentration(agg: str, asked: Asked, held: str) -> str:
    if asked.by is None:
        amounts = f"map_values(histogram(s_{asked.of}) FILTER (WHERE {held}))"
    else:
        some = f"{held} AND s_{asked.of} IS NOT NULL AND v_{asked.by} > 0"
        pairs = f"list({{'k': s_{asked.of}, 'w': v_{asked.by}}}) FILTER (WHERE {some})"
        amounts = (
            f"list_transform(list_distinct(list_transform({pairs}, lambda x: x.k)), "
            f"lambda k: list_sum(list_transform(list_filter({pairs}, lambda x: x.k = k), lambda x: x.w)))"
        )
    whole = f"list_sum({amounts})"
    if agg == "hhi":
        return f"list_sum(list_transform({amounts}, lambda a: (a / {whole}) * (a / {whole})))"
    if agg == "entropy":
        return f"-list_sum(list_transform({amounts}, lambda a: (a / {whole}) * ln(a / {whole})))"
    return f"list_sum((list_reverse_sort({amounts}))[1:{agg.removeprefix('top')}]) / {whole}"


# Series ------------------------------------------------------------------------------------------------------------------


def _series(asked: Asked, held: str) -> list[str]:
    """Count or sum of each month, the newest first."""
    what = "count(*)" if asked.of is None else f"sum(v_{asked.of})"
    return [f"coalesce({what} FILTER (WHERE {held} AND m = {k}), 0)" for k in range(asked.months)]


def _slope(months: list[str], count: int) -> str:
    middle = (count - 1) / 2
    below = sum((k - middle) ** 2 for k in range(count))
    return " + ".join(f"({middle - k} * {month})" for k, month in enumerate(months)).join(
        ("(", f") / {below}")
    )


def _all(months: list[str]) -> str:
    return f"[{', '.join(f'CAST({month} AS DOUBLE)' for month in months)}]"


def _deviation(months: list[str]) -> str:
    return spread(f"list_avg({_all(months)})", f"list_aggregate({_all(months)}, 'stddev_pop')")


def _marks(months: list[str], active: bool) -> str:
    """One letter a month, the newest first: 1 where it is counted."""
    return " || ".join(
        f"CASE WHEN {month} > 0 THEN '{int(active)}' ELSE '{int(not active)}' END" for month in months
    )


def _longest(months: list[str], active: bool) -> str:
    return f"list_max(list_transform(string_split({_marks(months, active)}, '0'), lambda run: length(run)))"


def _now(months: list[str], active: bool) -> str:
    return f"length(regexp_extract({_marks(months, active)}, '^1*'))"


SERIES = {
    "months_active": lambda months, _: " + ".join(f"CAST({month} <> 0 AS INTEGER)" for month in months),
    "month_mean": lambda months, _: f"list_avg({_all(months)})",
    "month_max": lambda months, _: f"list_max({_all(months)})",
    "month_min": lambda months, _: f"list_min({_all(months)})",
    "month_std": lambda months, _: _deviation(months),
    "month_cv": lambda months, _: f"({_deviation(months)}) / nullif(list_avg({_all(months)}), 0)",
    "month_slope": _slope,
    "run_max": lambda months, _: _longest(months, True),
    "run_now": lambda months, _: _now(months, True),
    "quiet_max": lambda months, _: _longest(months, False),
    "quiet_now": lambda months, _: _now(months, False),
}


def fold(over: str, value: str, held: str) -> str:
    """From units to the observation."""
    if over == "any":
        return f"count(*) FILTER (WHERE {held} AND {value} > 0)"
    if over == "sum":
        return f"coalesce(sum({value}) FILTER (WHERE {held}), 0)"
    return f"{'avg' if over == 'mean' else over}({value}) FILTER (WHERE {held})"
