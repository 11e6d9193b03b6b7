"""A small workspace with computed variables, built once."""

from __future__ import annotations

from pathlib import Path

import pytest

from bluemirror.templates import create
from bluemirror.workspace import Workspace


@pytest.fixture(scope="session")
def computed(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The workspace that ``init`` makes, landed for few customers, its variables computed."""
    from bluemirror.cli.hooks import land
    from bluemirror.mart.ingest import ingest_source
    from bluemirror.variables import build
    from bluemirror.variables.spine import read_spine

    root = tmp_path_factory.mktemp("features") / "feature_bank"
    create(root)
    workspace = Workspace.open(root)
    land(workspace, print, {"customers": 150, "months": 14})
    for contract in workspace.contracts_dir.glob("*.odcs.yaml"):
        ingest_source(workspace, contract.name.removesuffix(".odcs.yaml"))
    for name in read_spine(workspace).observations:
        build(workspace, name)
    return workspace


@pytest.fixture
def copied(computed: Workspace, tmp_path: Path) -> Workspace:
    """The same workspace at another place: a test may change it."""
    import shutil

    root = tmp_path / computed.root.name
    # Not what other tests of the session made with it.
    ignored = shutil.ignore_patterns("state", "training_sets", "own_variables", "declared", "_snapshots")
    shutil.copytree(computed.root, root, symlinks=True, ignore=ignored)
    return Workspace.open(root)
