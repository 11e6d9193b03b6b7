"""The morning: fine, to look at, or to act; as text, as a page, as JSON, posted."""

from __future__ import annotations

import datetime as dt
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import bluemirror
from bluemirror.cli.main import main
from bluemirror.cli.morning import morning_lines
from bluemirror.errors import LandingError, WorkspaceError
from bluemirror.mart.writeback import write_table
from bluemirror.night import RunLog, morning_after, read_runs
from bluemirror.night.delivery import WEBHOOK, post_morning, write_morning
from bluemirror.night.morning import slow_steps, spent
from bluemirror.night.record import DONE, Run, Step
from bluemirror.workspace import Workspace


@pytest.fixture
def bank(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path, "bank", tmp_path / "data", tmp_path / "landing")


@pytest.fixture
def after(small_workspace: Path) -> Workspace:
    """A workspace after its first run; look, do not touch."""
    return Workspace.open(small_workspace)


def test_a_run_leaves_a_morning(after: Workspace) -> None:
    made = morning_after(after)
    assert made.run.outcome == DONE
    assert made.failed == ()
    assert made.headline.startswith("The run finished in ")
    assert {"source", "check", "variables", "model"} <= {step.kind for step in made.run.steps}
    page = (after.data / "morning" / "morning.html").read_text(encoding="utf-8")
    assert made.headline in page
    assert not re.search(r"(src|href)=\"(https?:)?//", page)
    kept = json.loads((after.data / "morning" / "morning.json").read_text(encoding="utf-8"))
    assert kept["run"]["run"] == made.run.run
    assert made.headline in (after.root / "run.txt").read_text(encoding="utf-8")
    with bluemirror.connect(after) as connection:
        steps = connection.sql("SELECT kind, name, seconds FROM run_step ORDER BY number").fetchall()
    assert steps == [(step.kind, step.name, step.seconds) for step in made.run.steps]
    lines = list(morning_lines(made))
    assert max(map(len, lines)) <= 80


def test_costs_and_alerts_come_from_the_newest_scorecard(after: Workspace) -> None:
    made = morning_after(after)
    with bluemirror.connect(after) as connection:
        frame = connection.sql(
            "SELECT * FROM source_scorecard WHERE as_of = (SELECT max(as_of) FROM source_scorecard)"
        ).pl()
        alerts = connection.sql(
            "SELECT count(*) FROM source_alert WHERE as_of = (SELECT max(as_of) FROM source_alert)"
        ).fetchall()
        scores = connection.sql("SELECT count(*) FROM model_score").fetchall()
    assert made.as_of == str(frame["as_of"][0])
    assert made.cost_day == pytest.approx(frame["day_cost_yuan"].fill_null(0).sum())
    assert len([one for one in made.alerts if one.about in frame["source"].to_list()]) >= alerts[0][0]
    assert sum(one.scores for one in made.scores) == scores[0][0]


def test_a_failed_run_asks_to_act(bank: Workspace) -> None:
    log = RunLog(bank, "night")
    with pytest.raises(LandingError), log.step("check", "ml_apply"):
        raise LandingError("the mart does not meet its contract", field="ml_apply", rule="r", fix="f")
    log.finish(LandingError("the mart does not meet its contract", field="ml_apply", rule="r", fix="f"))
    made = morning_after(bank)
    assert made.state == "act"
    assert "the mart does not meet its contract" in made.headline
    assert made.failed == ("check ml_apply: LandingError",)
    text = write_morning(bank, made).read_text(encoding="utf-8")
    assert "check ml_apply: LandingError" in text


def test_there_was_no_run(bank: Workspace) -> None:
    with pytest.raises(WorkspaceError, match="there was no run"):
        morning_after(bank)
    RunLog(bank, "night").finish()
    with pytest.raises(WorkspaceError, match="no run yesterday"):
        morning_after(bank, "yesterday")


def run_of(number: int, **seconds: float) -> Run:
    steps = [Step(name, "", "", taken, taken, 100, "", {"changed": True}) for name, taken in seconds.items()]
    return Run(f"{number}", "night", f"2026-01-{number:02d}T00:00:00+00:00", None, DONE, "", 0, tuple(steps))


def test_slow_is_against_earlier_runs() -> None:
    earlier = [run_of(number, a=10.0 + number, b=1.0, c=100.0) for number in range(1, 6)]
    found = slow_steps(run_of(9, a=30.0, b=4.0, c=120.0, d=50.0), earlier)
    assert [(one.step, one.seconds, one.usual) for one in found] == [("a", 30.0, 13.0)]
    assert slow_steps(run_of(9, a=30.0), earlier[:2]) == ()


@pytest.fixture
def hook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that keeps what is posted to it; under /no it refuses."""
    got: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append(json.loads(body))
            self.send_response(500 if self.path == "/no" else 204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_it_is_posted_where_one_is_configured(
    bank: Workspace, hook: tuple[str, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, got = hook
    RunLog(bank, "night").finish()
    made = morning_after(bank)
    monkeypatch.delenv(WEBHOOK, raising=False)
    assert not post_morning(made)
    monkeypatch.setenv(WEBHOOK, f"{address}/secret")
    assert post_morning(made)
    assert got[0]["headline"] == made.headline
    for wrong, why in (
        (f"{address}/no", "answered 500"),
        ("file:///etc", "http"),
        ("http://127.0.0.1:9", "not answer"),
    ):
        monkeypatch.setenv(WEBHOOK, wrong)
        with pytest.raises(WorkspaceError, match=why) as told:
            post_morning(made)
        assert wrong not in str(told.value)


def test_the_verb(bank: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    (bank.root / "workspace.yaml").write_text("name: bank\n", encoding="utf-8")
    RunLog(bank, "night").finish()
    assert main(["--workspace", str(bank.root), "--json", "morning", "--html"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["state"] == "fine"
    assert Path(found["page"]).is_file()


def test_what_was_kept_out_and_late_is_told(after: Workspace, tmp_path: Path) -> None:
    import shutil

    root = tmp_path / after.root.name
    shutil.copytree(after.root, root, symlinks=True)
    workspace = Workspace.open(root)
    with bluemirror.connect(workspace) as connection:
        frame = connection.sql("SELECT * FROM source_scorecard ORDER BY as_of DESC LIMIT 1").pl()
    day = frame["as_of"][0] + dt.timedelta(days=1)
    frame = frame.with_columns(
        as_of=pl.lit(day), freshness=pl.lit("late"), late_hours=pl.lit(30.0), week_quarantined=pl.lit(4)
    )
    write_table(workspace, "source_scorecard", frame, ("as_of", "source"), day.isoformat())
    made = morning_after(workspace)
    assert made.state != "fine"
    assert [one.source for one in made.late] == frame["source"].to_list()
    text = "\n".join(morning_lines(made))
    assert "late, 30 hours" in text
    assert "4 of" in text
    assert len(read_runs(workspace)) == 1


@pytest.mark.parametrize(("seconds", "text"), [(47.4, "47 s"), (725, "12 min 5 s"), (10920, "3 h 2 min")])
def test_time_spent(seconds: float, text: str) -> None:
    assert spent(seconds) == text
