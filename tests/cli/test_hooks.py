"""The land hook: found below the workspace, given the options it knows, refused with a reason otherwise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bluemirror.cli import hooks
from bluemirror.cli.main import main
from bluemirror.errors import WorkspaceError

HOOK = """
from pathlib import Path

def land(workspace, *, log, customers=3, note="none"):
    folder = workspace.landing / "people" / "2024-01-31"
    folder.mkdir(parents=True)
    log(f"{customers} customers, {note}")
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    name = f"landing_hook_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(HOOK)
    (tmp_path / "workspace.yaml").write_text(f"name: small\nland: {name}:land\n")
    return tmp_path


def test_simulate_passes_the_options(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["--workspace", str(workspace), "simulate", "--customers", "7", "--option", "note=x", "--json"])
        == 0
    )
    out = capsys.readouterr()
    assert "7 customers, x" in out.err
    assert json.loads(out.out)["deliveries"] == 1


def test_an_option_that_the_hook_does_not_know(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--workspace", str(workspace), "simulate", "--months", "7"]) == 2
    text = capsys.readouterr().err
    assert "has no option 'months'" in text
    assert "its options are customers, note" in text


def test_an_option_without_value(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--workspace", str(workspace), "simulate", "--option", "note"]) == 2
    assert "'note' is not NAME=VALUE" in capsys.readouterr().err


def test_no_hook_and_no_landing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "workspace.yaml").write_text("name: bare\n")
    assert main(["--workspace", str(tmp_path), "simulate"]) == 2
    assert "nothing that fills its landing folder" in capsys.readouterr().err
    assert main(["--workspace", str(tmp_path), "run"]) == 2
    text = capsys.readouterr().err
    assert "the landing folder is missing or empty" in text
    assert str(tmp_path / "landing") in text


def test_a_hook_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "workspace.yaml").write_text("name: bare\nland: nowhere_to_be_found:land\n")
    assert main(["--workspace", str(tmp_path), "simulate"]) == 2
    assert "the land hook nowhere_to_be_found:land cannot be found" in capsys.readouterr().err


def test_without_pipelines_run_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "find_spec", lambda _: None)
    with pytest.raises(WorkspaceError, match="code location is not here") as error:
        hooks.pipelines("embedded")
    assert "ingest, features, train and score" in str(error.value)
