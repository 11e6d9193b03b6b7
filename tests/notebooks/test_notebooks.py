"""Notebooks run from top to bottom; one is kept with what it shows, so that it can be read without a workspace."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import nbformat
import pytest

from bluemirror.workspace import Workspace

REPOSITORY = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
KEPT = REPOSITORY / "notebooks" / "write_a_family.ipynb"
"""Kept with its outputs; it asks for a table of the flagship."""

BARE = [file for file in NOTEBOOKS if file != KEPT]


def _code(book: Any) -> list[Any]:
    return [cell for cell in book.cells if cell.cell_type == "code"]


def _run(file: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    from nbclient import NotebookClient

    monkeypatch.setenv("BLUEMIRROR_WORKSPACE", str(workspace))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(REPOSITORY), os.environ.get("PYTHONPATH", ""))))
    book = nbformat.read(file, as_version=4)
    NotebookClient(
        book, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(file.parent)}}
    ).execute()
    return book


def _shown(book: Any) -> list[list[tuple[str, ...]]]:
    """Of each cell the kinds of what it shows."""
    return [
        [tuple(sorted(output.get("data", {output.output_type: ""}))) for output in cell.outputs]
        for cell in _code(book)
    ]


@pytest.mark.parametrize("file", BARE, ids=lambda one: one.stem)
def test_stored_without_outputs(file: Path) -> None:
    book = nbformat.read(file, as_version=4)
    nbformat.validate(book)
    assert not [cell for cell in _code(book) if cell.outputs or cell.execution_count is not None]


@pytest.mark.slow
@pytest.mark.parametrize("file", BARE, ids=lambda one: one.stem)
def test_runs(file: Path, small_workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = _run(file, small_workspace, monkeypatch)
    shown = [output for cell in _code(book) for output in cell.outputs]
    assert any("text/html" in output.get("data", {}) for output in shown), "drawn for a notebook"


def test_kept_outputs_are_those_of_one_run() -> None:
    """From top to bottom, nothing left out, no error, nothing said on the side."""
    book = nbformat.read(KEPT, as_version=4)
    nbformat.validate(book)
    cells = _code(book)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert {output.output_type for output in outputs} == {"execute_result", "stream"}
    assert all(output.name == "stdout" for output in outputs if output.output_type == "stream")
    assert sum("text/html" in output.get("data", {}) for output in outputs) >= 5


@pytest.mark.slow
def test_kept_outputs_are_what_it_shows(flagship: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """On other customers the numbers are others; what is declared, and the mistake, are shown word for word."""
    before = nbformat.read(KEPT, as_version=4)
    after = _run(KEPT, flagship.root, monkeypatch)
    assert _shown(after) == _shown(before)
    for old, new in zip(_code(before), _code(after), strict=True):
        for one, other in zip(old.outputs, new.outputs, strict=True):
            if one.output_type == "stream" or old.source.rstrip().endswith(("draft", "block.families[0]")):
                assert one.get("text") == other.get("text")
                assert one.get("data") == other.get("data")
