"""The flagship workspace with a few hundred simulated customers, built once a test session and never changed by a test.

``tests/conftest.py`` makes them known everywhere: ask for ``flagship`` or ``flagship_declarations`` by name, do not import
them (an imported session fixture is built again for each module that imports it).
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bluemirror.workspace import Workspace

REPOSITORY = Path(__file__).resolve().parents[1]
DECLARED = ("data_contracts", "feature_repo", "models")
CUSTOMERS = 240
SEED = 7
MONTHS = 20


def copy_declarations(target: Path) -> Workspace:
    """A workspace in ``target`` with everything the flagship declares and no data."""
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(REPOSITORY / "workspace.yaml", target / "workspace.yaml")
    for folder in DECLARED:
        if (REPOSITORY / folder).is_dir():
            shutil.copytree(
                REPOSITORY / folder, target / folder, ignore=shutil.ignore_patterns("__pycache__", "*.db")
            )
    return Workspace.open(target)


def simulate_and_ingest(
    workspace: Workspace, customers: int = CUSTOMERS, months: int = MONTHS, seed: int = SEED
) -> None:
    """Fill the landing folder with a small simulation and the mart with what it delivers."""
    from bluemirror.contracts import read_contracts
    from bluemirror.mart import ingest_source
    from simulator import land

    land(workspace, customers=customers, months=months, seed=seed)
    for source in read_contracts(workspace.contracts_dir):
        ingest_source(workspace, source)


@pytest.fixture
def flagship_declarations(tmp_path: Path) -> Workspace:
    """The flagship's declarations in a folder of the test's own, without data."""
    return copy_declarations(tmp_path / "flagship")


_BUILT: list[Workspace] = []
"""Importing a fixture into a module makes another fixture of it; the workspace is built for the first one only."""


@pytest.fixture(scope="session")
def flagship(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The flagship workspace with 240 customers over 20 months: simulated, ingested, variables built. Read only."""
    from bluemirror.variables import build
    from bluemirror.variables.spine import read_spine

    if not _BUILT:
        workspace = copy_declarations(tmp_path_factory.mktemp("flagship") / "workspace")
        simulate_and_ingest(workspace)
        for name in read_spine(workspace).observations:
            build(workspace, name)
        _BUILT.append(workspace)
    return _BUILT[0]
