"""What a run did, step by step: one file a run, written as it goes, so that a run that died is on record too."""

from __future__ import annotations

import datetime as dt
import json
import os
import resource
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bluemirror.errors import BluemirrorError
from bluemirror.workspace import Workspace

RUNNING, DONE, FAILED, DIED = "running", "done", "failed", "died"
"""How a run stands; it died if its process is gone and it did not say how it ended."""

FACTS = ("in_", "accepted", "quarantined", "observations", "variables", "rows", "passed", "changed")
"""What of a step's report is kept, where it has it."""


@dataclass(frozen=True)
class Step:
    """One library call of a run.

    Attributes
    ----------
    kind, name
        What was done (``source``, ``check``, ``variables``, ...) to what.
    started
        ISO 8601, UTC.
    seconds, cpu_seconds
        By the clock, and of all processors.
    peak_rss_mib
        Highest resident memory of the process during the step.
    error
        Kind of the error that ended it; empty if none did. Its text may quote a value, so it is not kept.
    facts
        Counts of its report.
    """

    kind: str
    name: str
    started: str
    seconds: float
    cpu_seconds: float
    peak_rss_mib: int
    error: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Kind and name."""
        return f"{self.kind} {self.name}".strip()


@dataclass(frozen=True)
class Run:
    """One run of a job.

    Attributes
    ----------
    started, finished
        ISO 8601, UTC; ``finished`` is None while it runs and if it died.
    outcome
        :data:`RUNNING`, :data:`DONE`, :data:`FAILED` or :data:`DIED`.
    told
        Why it failed: error text of the platform's own errors, which never quote a personal value.
    """

    run: str
    job: str
    started: str
    finished: str | None
    outcome: str
    told: str
    peak_rss_mib: int
    steps: tuple[Step, ...]

    def longest(self, count: int) -> list[Step]:
        """The steps that took most time."""
        return sorted(self.steps, key=lambda step: -step.seconds)[:count]

    @property
    def seconds(self) -> float | None:
        """From start to end; None without an end."""
        if self.finished is None:
            return None
        return (
            dt.datetime.fromisoformat(self.finished) - dt.datetime.fromisoformat(self.started)
        ).total_seconds()


class RunLog:
    """Writes a run down while it runs; a line each time something begins or ends."""

    def __init__(self, workspace: Workspace, job: str) -> None:
        now = dt.datetime.now(dt.UTC)
        self.run = f"{now:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"
        self.path = runs_folder(workspace) / f"{self.run}.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._peak = 0
        self._write(
            {"run": self.run, "job": job, "started": _spelled(now), "pid": os.getpid(), **_birth(os.getpid())}
        )

    @contextmanager
    def step(self, kind: str, name: str) -> Iterator[dict[str, Any]]:
        """Measure a step; put its report into the yielded mapping under ``report``."""
        began, clock, cpu = dt.datetime.now(dt.UTC), time.perf_counter(), _cpu()
        _forget_peak()
        told: dict[str, Any] = {}
        error = ""
        try:
            yield told
        except BaseException as problem:
            error = type(problem).__name__
            raise
        finally:
            peak = _peak_mib()
            self._peak = max(self._peak, peak)
            self._write(
                {
                    "step": {
                        "kind": kind,
                        "name": name,
                        "started": _spelled(began),
                        "seconds": round(time.perf_counter() - clock, 3),
                        "cpu_seconds": round(_cpu() - cpu, 3),
                        "peak_rss_mib": peak,
                        "error": error,
                        "facts": _facts(told.get("report")),
                    }
                }
            )

    def finish(self, error: BaseException | None = None) -> None:
        """Say how the run ended."""
        told = ""
        if error is not None:
            told = str(error) if isinstance(error, BluemirrorError) else type(error).__name__
        self._write(
            {
                "finished": _spelled(dt.datetime.now(dt.UTC)),
                "outcome": DONE if error is None else FAILED,
                "told": told,
                "peak_rss_mib": max(self._peak, _peak_mib()),
            }
        )

    def _write(self, line: Mapping[str, Any]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())


def runs_folder(workspace: Workspace) -> Path:
    """Where runs are written down."""
    return workspace.state / "runs"


def read_runs(workspace: Workspace, last: int | None = None) -> tuple[Run, ...]:
    """The runs of a workspace, newest first; only so many if ``last`` says so."""
    paths = sorted(runs_folder(workspace).glob("*.jsonl"), reverse=True)
    return tuple(read_run(path) for path in (paths if last is None else paths[:last]))


def read_run(path: Path) -> Run:
    """A run from its file. A last line that was cut off when its process was killed is left out."""
    lines = []
    for text in path.read_text(encoding="utf-8").splitlines():
        with suppress(json.JSONDecodeError):
            lines.append(json.loads(text))
    head = lines[0] if lines else {"run": path.stem, "job": "", "started": _spelled(dt.datetime.now(dt.UTC))}
    end = next((line for line in lines if "finished" in line), None)
    steps = tuple(Step(**line["step"]) for line in lines if "step" in line)
    unfinished = RUNNING if _lives(head) else DIED
    outcome = unfinished if end is None else end["outcome"]
    peak = max([step.peak_rss_mib for step in steps] + [(end or {}).get("peak_rss_mib", 0)])
    return Run(
        head["run"],
        head["job"],
        head["started"],
        (end or {}).get("finished"),
        outcome,
        (end or {}).get("told", ""),
        peak,
        steps,
    )


def keep_steps(workspace: Workspace, name: str) -> None:
    """Keep the steps of a run in the mart's table ``run_step``: a slow night can be seen against earlier ones."""
    import polars as pl

    from bluemirror.mart.writeback import write_table

    run = read_run(runs_folder(workspace) / f"{name}.jsonl")
    if not run.steps or not (workspace.mart / "current.json").is_file():
        return
    rows = [
        {
            "run": run.run,
            "number": number,
            "job": run.job,
            "kind": step.kind,
            "name": step.name,
            "started": dt.datetime.fromisoformat(step.started).replace(tzinfo=None),
            "seconds": step.seconds,
            "cpu_seconds": step.cpu_seconds,
            "peak_rss_mib": step.peak_rss_mib,
            "error": step.error,
        }
        for number, step in enumerate(run.steps)
    ]
    write_table(workspace, "run_step", pl.DataFrame(rows), ("run", "number"), run.run)


def _facts(report: Any) -> dict[str, Any]:
    found = {name.rstrip("_"): getattr(report, name, None) for name in FACTS}
    return {name: value for name, value in found.items() if isinstance(value, bool | int)}


def _spelled(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


def _cpu() -> float:
    """Processor seconds of this process and of its children that have ended."""
    return sum(os.times()[:4])


def _birth(pid: int) -> dict[str, str]:
    """When a process was started, as its system tells it: a number may be given to another process later."""
    with suppress(OSError):
        return {"born": Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]}
    return {}


def _lives(head: Mapping[str, Any]) -> bool:
    return bool(head.get("born")) and _birth(head["pid"]).get("born") == head["born"]


def _forget_peak() -> None:
    """Let the system count the highest memory anew, where it can (Linux)."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak_mib() -> int:
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
