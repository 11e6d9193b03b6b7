"""A new source is a contract and one file of the simulator: simulated, ingested, listed, documented, an asset."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import bluemirror
from bluemirror.cli.main import main
from bluemirror.workspace import Workspace
from tests.fixtures_flagship import copy_declarations

MADE_UP = Path(__file__).parent / "made_up"
SOURCE = "lamp_hours"


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Workspace:
    """The flagship with one source more: two files added, none changed; three months of 300 customers landed."""
    root = tmp_path_factory.mktemp("made_up") / "bank"
    workspace = copy_declarations(root)
    shutil.copytree(
        repository / "simulator", root / "simulator", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(MADE_UP / f"{SOURCE}.odcs.yaml", workspace.contracts_dir)
    shutil.copy(MADE_UP / f"{SOURCE}.py", root / "simulator" / "sources")
    # In a process of its own, so that the workspace's simulator is the one that is imported.
    child = subprocess.run(
        [
            sys.executable,
            "-m",
            "bluemirror.cli.main",
            "--workspace",
            ".",
            "simulate",
            "--customers",
            "300",
            "--months",
            "3",
        ],
        capture_output=True,
        text=True,
        cwd=root,
        env=os.environ | {"BLUEMIRROR_DEBUG": "1", "PYTHONPATH": str(root)},
        check=False,
    )
    assert child.returncode == 0, child.stderr[-3000:]
    return workspace


def told(capsys: pytest.CaptureFixture[str], workspace: Workspace, *argv: str) -> dict[str, Any]:
    """JSON that a verb prints."""
    assert main(["--workspace", str(workspace.root), *argv, "--json"]) == 0
    return dict(json.loads(capsys.readouterr().out.splitlines()[-1]))


def test_two_files_are_enough(bank: Workspace, repository: Path) -> None:
    """Nothing that was copied from the repository differs, and exactly two files are new."""
    here = {path.relative_to(bank.root) for path in bank.root.rglob("*.*") if path.is_file()}
    declared = {
        path for path in here if path.parts[0] not in {"data", "landing"} and "__pycache__" not in path.parts
    }
    new = {path for path in declared if not (repository / path).is_file()}
    assert {str(path) for path in new} == {
        f"data_contracts/{SOURCE}.odcs.yaml",
        f"simulator/sources/{SOURCE}.py",
    }
    for path in declared - new:
        assert (bank.root / path).read_bytes() == (repository / path).read_bytes(), path


def test_it_is_ingested_listed_and_documented(
    bank: Workspace, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    counts = told(capsys, bank, "ingest", SOURCE, "source_call")["sources"][SOURCE]
    assert counts["accepted"] > 0
    assert counts["in"] == counts["accepted"] + counts["quarantined"]
    rows = told(capsys, bank, "sources", "--pages", str(tmp_path))["sources"]
    mine = {row["source"]: row for row in rows}[SOURCE]
    assert mine["accepted"] == counts["accepted"]
    assert mine["contract_version"] == "1.0.0"
    assert 0.5 < mine["hit_rate"] < 1
    assert mine["cost_yuan"] > 0
    assert "近30天点亮时长" in (tmp_path / f"{SOURCE}.html").read_text(encoding="utf-8")
    connection = bluemirror.connect(bank)
    try:
        hours, calls = connection.sql(
            f"SELECT (SELECT count(hours_30d) FROM {SOURCE}), (SELECT count(*) FROM source_call WHERE source = '{SOURCE}')"
        ).fetchall()[0]
    finally:
        connection.close()
    assert 0 < hours <= calls
    checked = told(capsys, bank, "contracts", "check", SOURCE)["sources"]
    assert checked[0]["held_version"] == "1.0.0"


def test_its_rules_hold_over_what_was_simulated(bank: Workspace) -> None:
    from bluemirror.mart import check_source, ingest_source

    ingest_source(bank, SOURCE)
    assert check_source(bank, SOURCE).passed


def test_it_is_an_asset_with_a_check(bank: Workspace) -> None:
    import dagster as dg

    from pipelines.platform import platform

    graph = platform(bank).resolve_asset_graph()
    key = dg.AssetKey(["mart", SOURCE])
    assert key in graph.get_all_asset_keys()
    assert [check.name for check in graph.get(key).check_keys]
