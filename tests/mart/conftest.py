"""A small workspace with one source of each format, and ways to put deliveries into it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl
import pytest

from bluemirror.workspace import Workspace

CONTRACTS = Path(__file__).parent / "contracts"
Deliver = Callable[..., Path]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """An empty workspace with the contracts of this folder and a hash key of its own."""
    monkeypatch.setenv("BLUEMIRROR_KEY", "a key for tests")
    monkeypatch.delenv("BLUEMIRROR_DATA", raising=False)
    root = tmp_path / "bank"
    shutil.copytree(CONTRACTS, root / "data_contracts")
    (root / "workspace.yaml").write_text("name: bank\n")
    (root / "landing").mkdir()
    return Workspace.open(root)


@pytest.fixture
def deliver(workspace: Workspace) -> Deliver:
    """Write files of a delivery; ``rows`` completes it (None leaves it waiting)."""

    def write(
        source: str, day: str, files: Mapping[str, str | bytes | pl.DataFrame], rows: Mapping[str, int] | None
    ) -> Path:
        folder = workspace.landing / source / day
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            if isinstance(content, pl.DataFrame):
                content.write_parquet(folder / name)
            else:
                (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        if rows is not None:
            listed = {"files": {name: {"rows": n} for name, n in rows.items()}}
            (folder / "_DONE.json").write_text(json.dumps(listed))
        return folder

    return write
