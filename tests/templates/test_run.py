"""The workspace that `init` makes runs at once, ends with a summary, and a second run changes nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def test_summary(small_workspace: Path) -> None:
    told = (small_workspace / "run.txt").read_text(encoding="utf-8")
    assert "loan_instalment" in told
    assert "72,000" in told
    assert "late_payer" in told


def test_second_run_changes_nothing(small_workspace: Path, repository: Path) -> None:
    child = subprocess.run(
        [sys.executable, "-m", "bluemirror.cli.main", "--workspace", str(small_workspace), "run", "--json"],
        capture_output=True,
        text=True,
        cwd=repository,
        env=os.environ | {"BLUEMIRROR_DEBUG": "1"},
        check=False,
    )
    assert child.returncode == 0, child.stdout[-3000:] + child.stderr[-3000:]
    result = json.loads(child.stdout.strip().splitlines()[-1])
    assert result["changed"] == []
    assert result["sources"]["loan_instalment"] == {"in": 72_000, "accepted": 72_000, "quarantined": 0}
    assert 0.6 < result["models"]["late_payer"]["scorecard"]["auc"] < 0.95
