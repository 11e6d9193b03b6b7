"""A declared model that tests change at will, and a small workspace with computed variables."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from bluemirror.scorecards.spec import ModelSpec, read_spec
from bluemirror.workspace import Workspace

DECLARED = {
    "model": "card",
    "title": {"zh": "评分卡", "en": "Scorecard"},
    "owner": "trainer",
    "reviewers": ["reviewer"],
    "stage": "pre",
    "observation_set": "application",
    "population": {"sql": "select observation_id from observation", "text": "everybody"},
    "label": {"sql": "label.sql", "horizon": "30 days late in 6 months"},
    "split": {
        "by": "time",
        "train_from": "as_of - 24 months",
        "train_to": "as_of - 13 months",
        "oot_from": "as_of - 12 months",
        "oot_to": "as_of",
    },
}


@pytest.fixture
def declare(tmp_path: Path) -> Callable[..., ModelSpec]:
    """Write a model's declaration, changed at a path of keys, and read it."""
    (tmp_path / "workspace.yaml").write_text("name: small\n", encoding="utf-8")
    folder = tmp_path / "models" / "card"
    folder.mkdir(parents=True)
    (folder / "label.sql").write_text("select 1", encoding="utf-8")

    def write(changes: dict[str, Any] | None = None) -> ModelSpec:
        plain: Any = copy.deepcopy(DECLARED)
        for path, value in (changes or {}).items():
            *way, last = path.split(".")
            at = plain
            for step in way:
                at = at.setdefault(step, {})
            if value is None:
                at.pop(last, None)
            else:
                at[last] = value
        (folder / "model.yaml").write_text(yaml.safe_dump(plain, allow_unicode=True), encoding="utf-8")
        return read_spec(Workspace.open(tmp_path), "card")

    return write


@pytest.fixture(scope="session")
def computed(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The workspace that ``init`` makes, with variables computed."""
    from bluemirror.cli.hooks import land
    from bluemirror.mart.ingest import ingest_source
    from bluemirror.templates import create
    from bluemirror.variables import build

    root = tmp_path_factory.mktemp("scorecards") / "score_bank"
    create(root)
    workspace = Workspace.open(root)
    land(workspace, print, {})
    for contract in workspace.contracts_dir.glob("*.odcs.yaml"):
        ingest_source(workspace, contract.name.removesuffix(".odcs.yaml"))
    build(workspace, "month")
    return workspace
