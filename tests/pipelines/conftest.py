"""A small workspace that landed but has not run yet, a copy a test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bluemirror.templates import create
from bluemirror.workspace import Workspace


@pytest.fixture(scope="session")
def landed_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace that ``init`` makes, landed for few customers."""
    from bluemirror.cli.hooks import land

    root = tmp_path_factory.mktemp("pipelines") / "pipeline_bank"
    create(root)
    land(Workspace.open(root), print, {"customers": 120, "months": 12})
    return root


@pytest.fixture
def landed(landed_once: Path, tmp_path: Path) -> Workspace:
    """A copy of its own for the test."""
    root = tmp_path / landed_once.name
    shutil.copytree(landed_once, root)
    return Workspace.open(root)
