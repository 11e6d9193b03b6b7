"""What one sees: a page that needs nothing from outside and that a browser filters, and eighty columns of text."""

from __future__ import annotations

import datetime as dt
import json
import re
import unicodedata
from pathlib import Path

import pytest

from bluemirror.cli.main import main
from bluemirror.health import publish
from bluemirror.workspace import Workspace
from tests import browser
from tests.health.world import BLOCKS, LAST, Fault, write


@pytest.fixture(scope="module")
def broken(quiet_once: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("broken") / "bank"
    workspace = write(folder, {"face_live": Fault("down", LAST - dt.timedelta(days=6))}, quiet_once)
    publish(workspace, LAST - dt.timedelta(days=1))
    publish(workspace, LAST)
    return workspace


@pytest.fixture(scope="module")
def page(broken: Workspace) -> Path:
    return broken.data / "health" / "variables.html"


def test_nothing_comes_from_outside(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"""(src|href)\s*=\s*["']?https?:""", text)
    assert "default-src 'none'" in text


def test_every_variable_is_there_once_with_every_column(page: Path) -> None:
    found = re.search(r'id="data">(.*?)</script>', page.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    data = json.loads(found.group(1))
    names = [row[0] for row in data["rows"]]
    assert len(names) == len(set(names)) > 1000
    columns = data["columns"]
    assert {len(row) for row in data["rows"]} == {len(columns)}
    # Reasons and quantiles follow their first column, which the program counts on from.
    assert columns[columns.index("missing") + 1 :][: len(data["reasons"]) - 1] == data["reasons"][1:]
    first = columns.index("quantiles")
    assert columns[first + 1 :][: len(data["quantiles"]) - 1] == data["quantiles"][1:]


def test_a_browser_opens_a_source(page: Path, tmp_path: Path) -> None:
    shown = browser.shown(page, "variables-of-face_live", tmp_path / "profile")
    rows = re.findall(r'<div class="row" tabindex="0".*?<code>(.*?)</code>', shown)
    assert 0 < len(rows) < 60
    assert all(name.startswith("face_live_") for name in rows)
    found = re.search(r'<output id="found"[^>]*>([\d,]+) / ([\d,]+)</output>', shown)
    assert found is not None
    assert int(found.group(1)) == 102
    # The alert, and the source's row on top of the table.
    assert shown.count('<section class="alert') == 1
    assert re.search(r"<tbody>\s*<tr data-state=\"error\"[^>]*>.*?face_live", shown, re.DOTALL)


def _width(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in line)


@pytest.mark.parametrize("source", [[], ["face_live"]])
def test_the_terminal_shows_it_in_eighty_columns(
    broken: Workspace, source: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--workspace", str(broken.root), "health", *source]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(_width, lines)) <= 80
    assert any(line.startswith("!!") and ("face_live" in line or "fell silent" in line) for line in lines)


def test_as_json(broken: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--workspace", str(broken.root), "health", "--json"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [alert["source"] for alert in result["alerts"]] == ["face_live"]
    assert result["alerts"][0]["kind"] == "silent"
    assert result["alerts"][0]["since"] == str(LAST - dt.timedelta(days=1))
    assert {one["source"] for one in result["sources"]} == set(BLOCKS)
    assert result["variables"] > 1000
    assert not result["changed"]


def test_a_source_that_is_none_gets_the_nearest_name(
    broken: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--workspace", str(broken.root), "health", "face_alive"]) == 2
    assert "write face_live" in capsys.readouterr().err
