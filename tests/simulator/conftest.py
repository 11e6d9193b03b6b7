"""A small simulated bank, landed once for all tests of the simulator, and ways to read its files plainly."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bluemirror.workspace import Workspace
from simulator import land
from simulator.pboc_form import Form
from simulator.pboc_relational import Sheets
from simulator.pboc_tree import Report
from simulator.reports import written
from tests import report_files

REPOSITORY = Path(__file__).resolve().parents[2]
CUSTOMERS, SEED = 260, 11


def declared(folder: Path) -> Workspace:
    """A workspace with the flagship's contracts and nothing else."""
    folder.mkdir(parents=True)
    shutil.copy(REPOSITORY / "workspace.yaml", folder)
    shutil.copytree(REPOSITORY / "data_contracts", folder / "data_contracts")
    return Workspace.open(folder)


@pytest.fixture
def fresh(tmp_path: Path) -> Workspace:
    """A workspace of the test's own, without data."""
    return declared(tmp_path / "bank")


@pytest.fixture(scope="session")
def landed_and_said(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, list[Report]]:
    """260 customers over 36 months, and what their bureau reports said before they were written. Read only."""
    workspace = declared(tmp_path_factory.mktemp("simulator") / "bank")
    said: list[Report] = []
    write = written

    def listening(report: Report, form: Form) -> str | Sheets:
        said.append(report)
        return write(report, form)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("simulator.reports.written", listening)
        land(workspace, customers=CUSTOMERS, months=36, seed=SEED)
    return workspace, said


@pytest.fixture(scope="session")
def landed(landed_and_said: tuple[Workspace, list[Report]]) -> Workspace:
    """260 customers over 36 months. Read only."""
    return landed_and_said[0]


@pytest.fixture(scope="session")
def said(landed_and_said: tuple[Workspace, list[Report]]) -> list[Report]:
    """What the bureau's reports said before they were written. Read only."""
    return landed_and_said[1]


@pytest.fixture(scope="session")
def reports(landed: Workspace) -> list[dict[str, Any]]:
    """Every report of the landing folder, in order of its number."""
    paths = (landed.landing / "pboc_person").glob("*/[!_]*")
    found = [report for path in sorted(paths) for report in report_files.reports(path)]
    return sorted(found, key=lambda report: report["PRH"]["PA01"]["PA01A"]["PA01AI01"])


@pytest.fixture(scope="session")
def lines(landed: Workspace) -> Callable[[str], Any]:
    """All delivered lines of a source as one Polars frame of texts (Parquet: of its own types)."""
    import polars as pl

    readers: dict[str, Callable[[Path], pl.DataFrame]] = {
        ".csv": lambda path: pl.read_csv(path, infer_schema=False),
        ".jsonl": lambda path: pl.read_ndjson(path, infer_schema_length=None),
        ".parquet": pl.read_parquet,
    }

    def read(source: str) -> pl.DataFrame:
        paths: Iterator[Path] = (landed.landing / source).glob("*/*")
        files = sorted(path for path in paths if path.suffix in readers)
        return pl.concat([readers[path.suffix](path) for path in files], how="diagonal_relaxed")

    return read
