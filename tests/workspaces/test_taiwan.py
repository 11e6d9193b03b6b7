"""A second bank, on real data: the same commands, no code of its own in the library."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent / "taiwan"
FILE = "taiwan_credit.csv"


@pytest.fixture(scope="module")
def data(repository: Path) -> Path:
    given = os.environ.get("TAIWAN_DATA")
    folder = Path(given) if given else repository.parent / "shared" / "data" / "taiwan"
    file = folder if folder.is_file() else folder / FILE
    if not file.is_file():
        pytest.skip(f"{FILE} is not here; name its folder in TAIWAN_DATA")
    return file


@pytest.fixture(scope="module")
def workspace(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy without landing and data, so that a test never meets what a user made."""
    target = tmp_path_factory.mktemp("taiwan") / "taiwan"
    shutil.copytree(HERE, target, ignore=shutil.ignore_patterns("landing", "data", "__pycache__"))
    return target


def bluemirror(repository: Path, workspace: Path, data: Path, *arguments: str) -> Any:
    command = [
        sys.executable,
        "-m",
        "bluemirror.cli.main",
        "--workspace",
        str(workspace),
        *arguments,
        "--json",
    ]
    child = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=repository,
        env=os.environ | {"TAIWAN_DATA": str(data), "BLUEMIRROR_DEBUG": "1"},
        check=False,
    )
    assert child.returncode == 0, child.stdout[-3000:] + child.stderr[-3000:]
    return json.loads(child.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="module")
def result(repository: Path, workspace: Path, data: Path) -> Any:
    return bluemirror(repository, workspace, data, "run")


@pytest.mark.slow
def test_every_row_is_accounted_for(result: Any) -> None:
    assert result["sources"]["card_statement"] == {"in": 180_000, "accepted": 180_000, "quarantined": 0}
    assert result["sources"]["card_client"]["in"] == 30_000
    for counts in result["sources"].values():
        assert counts["in"] == counts["accepted"] + counts["quarantined"]


@pytest.mark.slow
def test_families_make_at_least_150_variables(result: Any) -> None:
    assert result["variables"] >= 150
    assert result["observations"] == 30_000


@pytest.mark.slow
def test_models_reach_what_is_published(result: Any) -> None:
    model = result["models"]["card_default"]
    assert model["scorecard"]["auc"] >= 0.770
    assert model["challenger"]["auc"] >= 0.780
    assert model["scorecard"]["psi"] < 0.1


@pytest.mark.slow
@pytest.mark.usefixtures("result")
def test_values_are_those_of_the_file(repository: Path, workspace: Path, data: Path) -> None:
    """Four variables of three clients, counted by hand from the public file."""
    from bluemirror.variables import read_variables
    from bluemirror.workspace import Workspace

    with data.open(encoding="utf-8-sig", newline="") as lines:
        clients = {one["ID"]: one for one in csv.DictReader(lines)}
    ids = ["1", "2", "12345"]
    statuses = ("PAY_0", "PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6")
    names = [
        "statement_status_late2p_6m_months",
        "statement_usage_3m_util_max",
        "statement_payment_6m_amt_sum",
        "client_profile_limit",
    ]
    frame = read_variables(Workspace.open(workspace), "client", names, observation_ids=ids)
    rows = {row["observation_id"]: row for row in frame.to_dicts()}
    for number in ids:
        client = clients[number]
        limit = float(client["LIMIT_BAL"])
        by_hand = (
            sum(int(client[status]) >= 2 for status in statuses),
            max(float(client[f"BILL_AMT{month}"]) / limit for month in (1, 2, 3)),
            sum(float(client[f"PAY_AMT{month}"]) for month in range(1, 7)),
            limit,
        )
        assert [rows[number][name] for name in names] == pytest.approx(by_hand, rel=1e-6)


@pytest.mark.slow
@pytest.mark.usefixtures("result")
def test_second_run_changes_nothing(repository: Path, workspace: Path, data: Path) -> None:
    again = bluemirror(repository, workspace, data, "run")
    assert again["changed"] == []


def test_absent_data_is_named(repository: Path, tmp_path: Path) -> None:
    """Where the public file is not, the hook says so, and what to do."""
    bank = tmp_path / "taiwan"
    shutil.copytree(HERE, bank, ignore=shutil.ignore_patterns("landing", "data", "__pycache__"))
    child = subprocess.run(
        [sys.executable, "-m", "bluemirror.cli.main", "--workspace", str(bank), "simulate"],
        capture_output=True,
        text=True,
        cwd=repository,
        env=os.environ | {"TAIWAN_DATA": str(tmp_path / "nowhere")},
        check=False,
    )
    assert child.returncode == 2
    assert f"the public data file {FILE} is not here" in child.stderr + child.stdout
    assert "TAIWAN_DATA=FOLDER" in child.stderr + child.stdout
