"""A run is written down as it goes: what ended, what failed, and that it died."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from bluemirror.errors import LandingError
from bluemirror.night import RunLog, read_runs
from bluemirror.night.record import DIED, DONE, FAILED, RUNNING, runs_folder
from bluemirror.workspace import Workspace


@pytest.fixture
def bank(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path, "bank", tmp_path / "data", tmp_path / "landing")


def test_steps_and_their_end(bank: Workspace) -> None:
    log = RunLog(bank, "night")
    assert read_runs(bank)[0].outcome == RUNNING
    with log.step("source", "own_apply") as told:
        time.sleep(0.05)
        told["report"] = SimpleNamespace(in_=7, accepted=6, quarantined=1, changed=True, text="kept out")
    with log.step("check", "own_apply") as told:
        told["report"] = SimpleNamespace(passed=False)
    log.finish()
    (run,) = read_runs(bank)
    assert (run.job, run.outcome, run.told) == ("night", DONE, "")
    assert [step.title for step in run.steps] == ["source own_apply", "check own_apply"]
    assert run.steps[0].facts == {"in": 7, "accepted": 6, "quarantined": 1, "changed": True}
    assert run.steps[1].facts == {"passed": False}
    assert run.seconds is not None
    assert 0.05 <= run.steps[0].seconds <= run.seconds
    assert run.peak_rss_mib >= run.steps[0].peak_rss_mib > 10


def test_memory_is_that_of_the_step(bank: Workspace) -> None:
    log = RunLog(bank, "night")
    with log.step("large", ""):
        block = bytearray(300 << 20)
        block[::4096] = b"x" * len(block[::4096])
        del block
    with log.step("small", ""):
        pass
    log.finish()
    large, small = read_runs(bank)[0].steps
    assert large.peak_rss_mib >= small.peak_rss_mib + 200


def test_an_error_is_on_record_without_what_it_says(bank: Workspace) -> None:
    log = RunLog(bank, "night")
    with pytest.raises(ValueError, match="quotes a value"), log.step("variables", "application"):
        raise ValueError("quotes a value")
    log.finish(ValueError("quotes a value"))
    (run,) = read_runs(bank)
    assert (run.outcome, run.told, run.steps[0].error) == (FAILED, "ValueError", "ValueError")
    assert "quotes" not in (runs_folder(bank) / f"{run.run}.jsonl").read_text(encoding="utf-8")
    log = RunLog(bank, "night")
    log.finish(LandingError("the source is late", field="ml_apply", rule="it comes daily", fix="call it"))
    assert any("the source is late" in one.told for one in read_runs(bank))


def test_a_killed_run_died(bank: Workspace, repository: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from bluemirror.night import RunLog;"
        "from bluemirror.workspace import Workspace; root = Path(sys.argv[1]);"
        "log = RunLog(Workspace(root, 'bank', root / 'data', root / 'landing'), 'night');"
        "step = log.step('source', 'a'); step.__enter__(); step.__exit__(None, None, None); time.sleep(600)"
    )
    child = subprocess.Popen([sys.executable, "-c", program, str(bank.root)], cwd=repository)
    try:
        until = time.monotonic() + 60
        while not (read_runs(bank) and read_runs(bank)[0].steps):
            assert time.monotonic() < until
            time.sleep(0.05)
        assert read_runs(bank)[0].outcome == RUNNING
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    with (runs_folder(bank) / f"{read_runs(bank)[0].run}.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"step": {"kind": "sou')
    (run,) = read_runs(bank)
    assert (run.outcome, run.finished, len(run.steps)) == (DIED, None, 1)
