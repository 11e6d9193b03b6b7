"""`bluemirror init`: what is copied, how it is named, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from bluemirror.contracts import read_contracts
from bluemirror.errors import WorkspaceError
from bluemirror.scorecards.spec import read_specs
from bluemirror.templates import create
from bluemirror.variables.language import read_blocks
from bluemirror.workspace import Workspace


def test_makes_a_workspace_with_one_of_each(tmp_path: Path) -> None:
    written = create(tmp_path / "My Bank")
    workspace = Workspace.open(tmp_path / "My Bank")
    assert workspace.name == "my_bank"
    assert len(read_contracts(workspace.contracts_dir)) == 1
    assert len(read_blocks(workspace.families_dir)) == 1
    assert len(read_specs(workspace)) == 1
    assert all(path.is_file() for path in written)
    assert tmp_path / "My Bank" / ".gitignore" in written


def test_an_empty_folder_will_do(tmp_path: Path) -> None:
    assert create(tmp_path)


def test_writes_over_nothing(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(WorkspaceError) as caught:
        create(tmp_path)
    assert str(caught.value).splitlines() == [
        "a new workspace is not written over something that is there",
        f"  file:  {tmp_path}",
        "  rule:  init DIR needs a folder that does not exist yet, or is empty",
        "  fix:   name another folder, or empty this one first",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
