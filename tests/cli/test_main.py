"""The command line as a user meets it: help, errors as text, exit codes, one JSON line."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bluemirror.cli import main as command_line
from bluemirror.cli.main import VERBS, main
from bluemirror.errors import BluemirrorError


def test_starts_at_once() -> None:
    best = min(_seconds([sys.executable, "-m", "bluemirror.cli.main", "--help"]) for _ in range(3))
    bare = min(_seconds([sys.executable, "-c", "pass"]) for _ in range(3))
    assert best - bare < 0.3


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([verb, "--help"])
    assert stop.value.code == 0
    assert verb in capsys.readouterr().out


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_leads_to_a_function(verb: str) -> None:
    module, _, function = VERBS[verb][0].partition(":")
    assert callable(getattr(__import__(f"bluemirror.cli.{module}", fromlist=[function]), function))


@pytest.mark.parametrize("verb", ["ingest", "features", "run", "sources", "simulate", "score"])
def test_a_folder_that_is_no_workspace_is_said_without_traceback(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--workspace", str(tmp_path), verb]) == 2
    text = capsys.readouterr().err
    assert "this folder is not a workspace" in text
    assert str(tmp_path / "workspace.yaml") in text
    assert "bluemirror init DIR" in text
    assert "Traceback" not in text


def test_an_unexpected_error_shows_no_message_that_may_quote_data(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(args: object, console: object) -> None:
        raise KeyError("110101199003071234")

    monkeypatch.setattr("bluemirror.cli.sources.sources", broken)
    monkeypatch.delenv("BLUEMIRROR_DEBUG", raising=False)
    assert main(["sources"]) == 1
    text = capsys.readouterr().err
    assert "unexpected KeyError while doing sources" in text
    assert "110101" not in text


def test_json_is_one_object_on_the_last_line_and_the_only_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def verb(args: object, console: command_line.Console) -> dict[str, int]:
        console.say("progress")
        console.table(("名称", "n"), [("甲", 1000)])
        return {"answer": 42}

    monkeypatch.setattr("bluemirror.cli.sources.sources", verb)
    for arguments in (["sources", "--json"], ["--json", "sources"]):
        assert main(arguments) == 0
        out = capsys.readouterr()
        assert json.loads(out.out) == {"answer": 42}
        assert "progress" in out.err


def test_errors_show_file_rule_and_fix(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def verb(args: object, console: object) -> None:
        raise BluemirrorError("wrong", file="a.yaml", field="b", rule="c holds", fix="write d")

    monkeypatch.setattr("bluemirror.cli.sources.sources", verb)
    assert main(["sources"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "error: wrong",
        "  file:  a.yaml",
        "  field: b",
        "  rule:  c holds",
        "  fix:   write d",
    ]
