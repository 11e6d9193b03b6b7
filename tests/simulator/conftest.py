"""A small simulated bank, landed once for all tests of the simulator, and ways to read its files plainly."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bluemirror.workspace import Workspace
from simulator import land

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
def landed(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """260 customers over 36 months. Read only."""
    workspace = declared(tmp_path_factory.mktemp("simulator") / "bank")
    land(workspace, customers=CUSTOMERS, months=36, seed=SEED)
    return workspace


def _plain(node: ET.Element) -> Any:
    """An XML node as the JSON of the same tree would hold it."""
    if not len(node):
        return node.text
    out: dict[str, Any] = {}
    for child in node:
        value = _plain(child)
        if child.tag not in out:
            out[child.tag] = value
        elif isinstance(out[child.tag], list):
            out[child.tag].append(value)
        else:
            out[child.tag] = [out[child.tag], value]
    return out


@pytest.fixture(scope="session")
def read_report() -> Callable[[Path], dict[str, Any]]:
    """Reads one report, XML or JSON, into the same tree."""

    def read(path: Path) -> dict[str, Any]:
        if path.suffix == ".json":
            return json.loads(path.read_text(encoding="utf-8"))
        return _plain(ET.parse(path).getroot())

    return read


@pytest.fixture(scope="session")
def reports(landed: Workspace, read_report: Callable[[Path], dict[str, Any]]) -> list[dict[str, Any]]:
    """Every report of the landing folder, in order of its number."""
    paths = sorted((landed.landing / "pboc_person").glob("*/[0-9]*"), key=lambda path: path.name)
    return [read_report(path) for path in paths]


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
