"""Alerts from the call ledger: outages, all-miss, moved hit rates, slow answers, wrong prices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bluemirror.desk.alerts import ERROR, WARN, Alert
from bluemirror.desk.calls import TABLE, CallDay, CallFigures
from bluemirror.desk.evidence import (
    ENOUGH,
    Flags,
    cusum,
    cusum_limit,
    evidence_above,
    evidence_below,
    share_range,
)
from bluemirror.desk.known import day, quote
from bluemirror.desk.windows import BASELINE_DAYS, RECENT_DAYS, Windows

if TYPE_CHECKING:
    import datetime as dt

    import duckdb

    from bluemirror.contracts import Contract

LEAST_ANSWERS = 50
"""Answers of the eight weeks from which on a source's usual rates are known well enough."""
COLLAPSE = 0.25
"""An all-miss is a hit rate of a quarter of the usual one, or less."""
ERRORS_ALLOWED = 0.01
"""Share of failed calls that passes without a promise of the contract."""
OUTAGE = 0.25
"""An outage is a share of failures of this much at least."""
MOVED = 0.10
"""Change of a hit or match rate against the weeks before that matters; a broken promise matters from 0.02 on."""
BROKEN = 0.02
SLOWER = 1.5
"""How many times as long half of the answers must take as in the weeks before."""


@dataclass(frozen=True)
class Stream:
    """The calls of a source's recent week that went out, in order: day numbers, failures, and hits of the answered."""

    days: np.ndarray[tuple[int], np.dtype[np.int64]]
    failed: Flags
    hit: Flags


def streams(connection: duckdb.DuckDBPyConnection, windows: Windows) -> dict[str, Stream]:
    """Of every source that was called in the recent week."""
    frame = connection.sql(
        f"SELECT source, day - {day(windows.recent)} AS day, outcome = 'error' AS failed, outcome = 'hit' AS hit "
        f"FROM {TABLE} WHERE NOT cached AND day >= {day(windows.recent)} "
        f"ORDER BY source, t, request, {quote('application')}, entity, result"
    ).pl()
    return {
        str(name): Stream(
            part["day"].to_numpy().astype(np.int64), part["failed"].to_numpy(), part["hit"].to_numpy()
        )
        for (name,), part in frame.group_by("source", maintain_order=True)
    }


@dataclass(frozen=True)
class Watched:
    """What the alerts of one source's calls are made from: figures of the as-of day, week, four weeks and baseline."""

    contract: Contract
    windows: Windows
    today: CallFigures
    week: CallFigures
    month: CallFigures
    baseline: CallFigures
    stream: Stream | None
    slow: Mapping[str, int]
    days: tuple[CallDay, ...]

    def weeks(self, of: Callable[[CallFigures], tuple[int, int]]) -> list[float]:
        """A rate (count, of how many) in each week of the baseline that has enough to say."""
        counts: dict[int, list[int]] = {}
        for each in self.days:
            week = (self.windows.as_of - each.day).days // RECENT_DAYS
            if 1 <= week <= BASELINE_DAYS // RECENT_DAYS:
                pair = counts.setdefault(week, [0, 0])
                pair[0] += of(each.figures)[0]
                pair[1] += of(each.figures)[1]
        return [count / of_many for count, of_many in counts.values() if of_many >= LEAST_ANSWERS / 2]


def call_alerts(watched: Watched) -> list[Alert]:
    """Alerts about the calls of one source; of a cause and its consequence only the cause."""
    alerts = _outage(watched)
    if not alerts:
        alerts += _error_rate(watched)
    missed = _all_miss(watched)
    alerts += missed or _hit_rate(watched)
    alerts += _match_rate(watched)
    alerts += _latency(watched)
    return alerts + _mispriced(watched)


def _alert(watched: Watched, kind: str, severity: str, cause: str, since: dt.date | None = None) -> Alert:
    return Alert(watched.contract.source, kind, severity, cause, since or watched.windows.as_of)


def _promise(contract: Contract, name: str) -> tuple[float | None, float | None]:
    level = contract.promised(name)
    if level is None or isinstance(level.value, str):
        return None, None
    return float(level.value), level.upper


def _sequential(
    events: Flags, days: np.ndarray[tuple[int], np.dtype[np.int64]], usual: float, changed: float
) -> int | None:
    """Day number since which the share of ``events`` is a changed one, if it still is on the as-of day (day 6)."""
    if not len(events) or days[-1] != 6:
        return None
    sums = cusum(events, usual, changed)
    today = days == 6
    # Old trouble may stand in the sum for long: the day's own calls must speak for the change, too.
    steps = np.where(events, np.log(changed / usual), np.log((1 - changed) / (1 - usual)))
    if sums[today].max() < cusum_limit(len(events)) or steps[today].sum() <= 0:
        return None
    at = int(np.flatnonzero(today & (sums >= cusum_limit(len(events))))[0])
    empty = np.flatnonzero(sums[: at + 1] == 0)
    start = int(empty[-1]) + 1 if len(empty) else 0
    return int(days[start])


def _outage(watched: Watched) -> list[Alert]:
    stream, base = watched.stream, watched.baseline
    if stream is None:
        return []
    promised = _promise(watched.contract, "errorRate")[0] or ERRORS_ALLOWED
    known = share_range(base.errors, base.outside)[1] if base.outside >= LEAST_ANSWERS else 0.0
    usual = min(max(promised, known), 0.5)
    since = _sequential(stream.failed, stream.days, usual, max(OUTAGE, min(5 * usual, 0.9)))
    if since is None:
        return []
    figures = watched.today
    cause = (
        f"{figures.errors} of {figures.outside} calls failed ({figures.timeouts} of them timed out); "
        f"before {_percent(base.error_rate)}"
    )
    return [_alert(watched, "outage", ERROR, cause, _day(watched, since))]


def _error_rate(watched: Watched) -> list[Alert]:
    promised = _promise(watched.contract, "errorRate")[0]
    month = watched.month
    if promised is None or month.outside < LEAST_ANSWERS:
        return []
    evidence = evidence_above(month.errors, month.outside, promised)
    if evidence < ENOUGH:
        return []
    cause = (
        f"{month.errors} of {month.outside:,} calls of four weeks failed ({_percent(month.error_rate)}); "
        f"promised at most {_percent(promised)}"
    )
    return [_alert(watched, "error_rate", WARN, cause)]


def _all_miss(watched: Watched) -> list[Alert]:
    stream, base = watched.stream, watched.baseline
    if stream is None or base.answered < LEAST_ANSWERS:
        return []
    usual = share_range(base.hits, base.answered)[0]
    if usual <= 0:
        return []
    answered = ~stream.failed
    since = _sequential(~stream.hit[answered], stream.days[answered], 1 - usual, 1 - COLLAPSE * usual)
    if since is None:
        return []
    figures = watched.today
    cause = f"{figures.hits} of {figures.answered} answers had a record; before {_percent(base.hit_rate)}"
    return [_alert(watched, "all_miss", ERROR, cause, _day(watched, since))]


def _hit_rate(watched: Watched) -> list[Alert]:
    low, high = _promise(watched.contract, "hitRate")
    month = watched.month
    if low is not None and month.answered >= LEAST_ANSWERS and month.hit_rate is not None:
        below = evidence_below(month.hits, month.answered, low)
        above = evidence_above(month.hits, month.answered, high if high is not None else 1.0)
        off = month.hit_rate < low - BROKEN or month.hit_rate > (high if high is not None else 1.0) + BROKEN
        if max(below, above) >= ENOUGH and off:
            cause = (
                f"{_percent(month.hit_rate)} of {month.answered:,} answers of four weeks; "
                f"promised {_percent(low)} to {_percent(high)}"
            )
            return [_alert(watched, "hit_rate", WARN, cause)]
    return _moved(watched, "hit_rate", lambda f: (f.hits, f.answered), "answers had a record")


def _match_rate(watched: Watched) -> list[Alert]:
    return _moved(
        watched, "match_rate", lambda f: (f.matches, f.matches + f.mismatches), "verdicts were a match"
    )


def _moved(
    watched: Watched, kind: str, of: Callable[[CallFigures], tuple[int, int]], what: str
) -> list[Alert]:
    """A rate of the week that chance does not make of that before, and that none of the weeks before had."""
    now, before = of(watched.week), of(watched.baseline)
    if now[1] < LEAST_ANSWERS or before[1] < LEAST_ANSWERS:
        return []
    low, high = share_range(*before)
    rate, usual = now[0] / now[1], watched.weeks(of)
    evidence = max(evidence_above(*now, high), evidence_below(*now, low))
    inside = bool(usual) and min(usual) <= rate <= max(usual)
    if abs(rate - before[0] / before[1]) < MOVED or evidence < ENOUGH or inside:
        return []
    shares = _percent(rate), _percent(before[0] / before[1])
    cause = f"{now[0]} of {now[1]:,} {what} in a week ({shares[0]}); before {shares[1]}"
    return [_alert(watched, kind, WARN, cause, watched.windows.recent)]


def _latency(watched: Watched) -> list[Alert]:
    p50, p99 = (_promise(watched.contract, f"responseTime{which}")[0] for which in ("P50", "P99"))
    today, base = watched.today, watched.baseline
    answered = today.answered
    told = (
        f"half of {answered:,} answers took over {today.p50_ms:g} ms, one in a hundred over {today.p99_ms:g} ms"
        if answered and today.p50_ms is not None
        else ""
    )
    if p50 is not None and p99 is not None and answered:
        half = evidence_above(watched.slow.get("p50", 0), answered, 0.5)
        worst = evidence_above(watched.slow.get("p99", 0), answered, 0.01)
        if max(half, worst) >= ENOUGH:
            cause = f"{told}; promised {p50:g} and {p99:g} ms"
            return [_alert(watched, "slow", WARN, cause)]
    if answered and base.answered >= LEAST_ANSWERS and today.p50_ms and base.p50_ms:
        evidence = evidence_above(watched.slow.get("usual", 0), answered, 0.5)
        if today.p50_ms >= SLOWER * base.p50_ms and evidence >= ENOUGH:
            cause = f"{told}; before {base.p50_ms:g} and {base.p99_ms:g} ms"
            return [_alert(watched, "slower", WARN, cause)]
    return []


def _mispriced(watched: Watched) -> list[Alert]:
    month = watched.month
    if not month.mispriced:
        return []
    cause = (
        f"{month.mispriced:,} of {month.calls:,} calls of four weeks cost something else than the contract says: "
        f"{month.cost_yuan:,.2f} yuan in the ledger, {month.expected_yuan:,.2f} by the price table"
    )
    return [_alert(watched, "mispriced", WARN, cause, watched.windows.last(28))]


def slow_answers(
    connection: duckdb.DuckDBPyConnection,
    contracts: Mapping[str, Contract],
    baseline: Mapping[str, CallFigures],
    windows: Windows,
) -> dict[str, dict[str, int]]:
    """Answers of the as-of day that took longer than promised (``p50``, ``p99``) and than usual (``usual``)."""
    import polars as pl

    rows = []
    for source, contract in contracts.items():
        p50, p99 = (_promise(contract, f"responseTime{which}")[0] for which in ("P50", "P99"))
        rows.append((source, p50, p99, baseline[source].p50_ms if source in baseline else None))
    limits = pl.DataFrame(
        rows,
        schema={"source": pl.String, "p50": pl.Float64, "p99": pl.Float64, "usual": pl.Float64},
        orient="row",
    )
    connection.register("_desk_limits", limits)
    found = connection.sql(
        "SELECT source, count(*) FILTER (latency > p50), count(*) FILTER (latency > p99), "
        f"count(*) FILTER (latency > usual) FROM {TABLE} JOIN _desk_limits USING (source) "
        f"WHERE NOT cached AND outcome <> 'error' AND day = {day(windows.as_of)} GROUP BY source"
    ).fetchall()
    connection.unregister("_desk_limits")
    return {source: {"p50": half, "p99": worst, "usual": usual} for source, half, worst, usual in found}


def _day(watched: Watched, number: int) -> dt.date:
    import datetime as dt

    return watched.windows.recent + dt.timedelta(days=number)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
