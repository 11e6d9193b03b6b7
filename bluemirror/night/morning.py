"""What one person needs to know in the morning, from what the night left behind; nothing is computed anew."""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from bluemirror.desk.alerts import ERROR
from bluemirror.desk.freshness import FRESH
from bluemirror.errors import WorkspaceError
from bluemirror.night.record import DIED, DONE, FAILED, RUNNING, Run, Step, read_runs

if TYPE_CHECKING:
    import duckdb

    from bluemirror.workspace import Workspace

EARLIER = 10
"""Runs before this one that a step is held against."""
SLOW, SLOW_SECONDS = 1.5, 5.0
"""A step is slow if it took so many times the median of earlier runs that did the same, and so many seconds more."""

FINE, LOOK, ACT = "fine", "look", "act"
"""What the morning asks for: nothing, to look at something, to act before scores go out."""


@dataclass(frozen=True)
class SlowStep:
    """A step that took longer than it used to; ``usual`` is the median of earlier runs."""

    step: str
    seconds: float
    usual: float


@dataclass(frozen=True)
class Alert:
    """What is wrong with a source or its variables."""

    about: str
    check: str
    severity: str
    cause: str


@dataclass(frozen=True)
class Arrived:
    """Records of a source: on the newest day of the scorecard's week, and what was kept out."""

    source: str
    last_delivery: str | None
    freshness: str
    late_hours: float
    week_records: int
    week_quarantined: int


@dataclass(frozen=True)
class Scored:
    """Scores that a model version gave; ``day`` is the newest day that was scored."""

    model: str
    version: str
    scores: int
    day: str


@dataclass(frozen=True)
class Morning:
    """The morning after a run.

    Attributes
    ----------
    state
        :data:`FINE`, :data:`LOOK` or :data:`ACT`.
    headline
        One sentence.
    as_of
        Day up to which the sources were looked at; None without a scorecard.
    late, quarantined
        Sources that are not in time; sources of whose week's records some were kept out.
    failed
        Checks and steps that did not pass.
    alerts
        Of the data-source desk and of the health of variables, the serious ones first.
    cost_day, cost_month
        What the sources' calls cost on the day, and in its month so far, in yuan.
    slow
        Steps that took longer than in earlier runs.
    """

    workspace: str
    state: str
    headline: str
    run: Run
    as_of: str | None
    late: tuple[Arrived, ...]
    quarantined: tuple[Arrived, ...]
    failed: tuple[str, ...]
    alerts: tuple[Alert, ...]
    cost_day: float | None
    cost_month: float | None
    scores: tuple[Scored, ...]
    slow: tuple[SlowStep, ...]

    def as_dict(self) -> dict[str, Any]:
        """The same as one JSON object."""
        return asdict(self) | {"seconds": self.run.seconds}


def morning_after(workspace: Workspace, run: str | None = None) -> Morning:
    """The morning after ``run`` (default: the newest).

    Raises
    ------
    WorkspaceError
        If there was no run, or none of that name.
    """
    runs = read_runs(workspace)
    chosen = next((one for one in runs if run in (None, one.run)), None)
    if chosen is None:
        raise WorkspaceError(
            "there was no run" if run is None else f"there was no run {run}",
            file=workspace.state / "runs",
            rule="the morning is about a run",
            fix="bluemirror run" if run is None else f"runs are {', '.join(one.run for one in runs[:5])}",
        )
    earlier = [one for one in runs if one.started < chosen.started and one.job == chosen.job][:EARLIER]
    kept = _kept(workspace)
    failed = (
        *(f"{step.title}: {step.error}" for step in chosen.steps if step.error),
        *(f"{step.title}: did not pass" for step in chosen.steps if step.facts.get("passed") is False),
    )
    alerts = tuple(
        sorted((Alert(**row) for row in kept.alerts), key=lambda one: (one.severity != ERROR, one.about))
    )
    sources = [Arrived(**row) for row in kept.sources]
    late = tuple(one for one in sources if one.freshness != FRESH)
    state, headline = _judged(chosen, failed, alerts, late)
    return Morning(
        workspace.name,
        state,
        headline,
        chosen,
        kept.as_of,
        late,
        tuple(one for one in sources if one.week_quarantined),
        failed,
        alerts,
        kept.cost_day,
        kept.cost_month,
        tuple(Scored(**row) for row in kept.scores),
        slow_steps(chosen, earlier),
    )


def slow_steps(run: Run, earlier: Sequence[Run]) -> tuple[SlowStep, ...]:
    """Steps of ``run`` that took longer than they used to, the slowest first.

    Only steps that did something are compared: a source without a new delivery takes no time.
    """
    usual: dict[str, list[float]] = {}
    for one in earlier:
        for step in one.steps:
            if _worked(step):
                usual.setdefault(step.title, []).append(step.seconds)
    found = []
    for step in run.steps:
        if _worked(step) and len(usual.get(step.title, ())) >= 3:
            median = statistics.median(usual[step.title])
            if step.seconds > SLOW * median and step.seconds > median + SLOW_SECONDS:
                found.append(SlowStep(step.title, step.seconds, round(median, 3)))
    return tuple(sorted(found, key=lambda one: one.usual - one.seconds))


def _worked(step: Step) -> bool:
    return not step.error and step.facts.get("changed") is not False


def _judged(
    run: Run, failed: Sequence[str], alerts: Sequence[Alert], late: Sequence[Arrived]
) -> tuple[str, str]:
    when = "" if run.seconds is None else f" in {spent(run.seconds)}"
    if run.outcome == FAILED:
        return ACT, f"The run failed{when}: {(run.told or (failed or ['see its steps'])[0]).splitlines()[0]}"
    if run.outcome == DIED:
        last = run.steps[-1].title if run.steps else "its start"
        return ACT, f"The run died after {last}; run it again: what was committed is not done again."
    if run.outcome == RUNNING:
        return LOOK, f"The run has not ended; {len(run.steps)} steps so far."
    assert run.outcome == DONE
    errors = sum(alert.severity == ERROR for alert in alerts)
    notes = [
        f"{count} {one if count == 1 else more}"
        for count, one, more in (
            (len(failed), "failed check", "failed checks"),
            (errors, "serious alert", "serious alerts"),
            (len(alerts) - errors, "warning", "warnings"),
            (len(late), "source not in time", "sources not in time"),
        )
        if count
    ]
    if failed or errors:
        return ACT, f"The run finished{when}, with {', '.join(notes)}."
    if notes:
        return LOOK, f"The run finished{when}, with {', '.join(notes)}."
    return FINE, f"The run finished{when}; nothing needs you."


def spent(seconds: float) -> str:
    """``47 s``, ``12 min 5 s``, ``3 h 2 min``."""
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    if whole < 7200:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


@dataclass(frozen=True)
class _Kept:
    """What the mart's own tables say."""

    as_of: str | None
    sources: Sequence[Mapping[str, Any]]
    alerts: Sequence[Mapping[str, Any]]
    cost_day: float | None
    cost_month: float | None
    scores: Sequence[Mapping[str, Any]]


def _kept(workspace: Workspace) -> _Kept:
    import bluemirror

    if not (workspace.mart / "current.json").is_file():
        return _Kept(None, (), (), None, None, ())
    with bluemirror.connect(workspace) as connection:
        there = {
            name
            for (name,) in connection.sql(
                "SELECT view_name FROM duckdb_views() WHERE NOT internal"
            ).fetchall()
        }
        sources: list[dict[str, Any]] = []
        as_of: dt.date | None = None
        cost_day = cost_month = None
        if "source_scorecard" in there:
            ((as_of,),) = connection.sql("SELECT max(as_of) FROM source_scorecard").fetchall()
            day = f"WHERE as_of = DATE '{as_of}'"
            sources = _rows(
                connection,
                "SELECT source, CAST(last_delivery AS VARCHAR) AS last_delivery, freshness, late_hours, "
                f"week_records, week_quarantined FROM source_scorecard {day} ORDER BY source",
            )
            ((cost_day, cost_month),) = connection.sql(
                f"SELECT sum(day_cost_yuan), sum(month_to_date_yuan) FROM source_scorecard {day}"
            ).fetchall()
        alerts: list[dict[str, Any]] = []
        for table, about in (("source_alert", '"check"'), ("health_alert", "kind")):
            if table in there:
                alerts += _rows(
                    connection,
                    f'SELECT source AS about, {about} AS "check", severity, cause FROM {table} '
                    f"WHERE as_of = (SELECT max(as_of) FROM {table})",
                )
        scores = _rows(connection, _SCORES) if "model_score" in there else []
    return _Kept(None if as_of is None else str(as_of), sources, alerts, cost_day, cost_month, scores)


_SCORES = """
SELECT model, CAST(version AS VARCHAR) AS version, count(*) AS scores, CAST(max(CAST(as_of AS DATE)) AS VARCHAR) AS day
FROM model_score GROUP BY ALL ORDER BY model, version
"""


def _rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    return connection.sql(sql).pl().to_dicts()
