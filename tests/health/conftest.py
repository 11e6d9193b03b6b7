"""The quiet bank, written once; tests that keep nights do so in a data folder of their own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bluemirror.workspace import Workspace
from tests.health.world import write


@pytest.fixture(scope="session")
def quiet_once(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Fifteen months in which nothing happens. Read only."""
    return write(tmp_path_factory.mktemp("health") / "quiet")


@pytest.fixture
def quiet(quiet_once: Workspace, tmp_path: Path) -> Workspace:
    """The same variables, with room to keep nights in."""
    return apart(quiet_once, tmp_path / "data")


def apart(workspace: Workspace, data: Path) -> Workspace:
    """``workspace`` with another data folder that holds the same variables."""
    data.mkdir(parents=True)
    (data / "variables").symlink_to(workspace.variables)
    return replace(workspace, data=data)
