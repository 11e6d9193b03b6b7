"""The catalogue's page: complete, self-contained, and nothing in a label can break out of it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from bluemirror.variables import load_blocks
from bluemirror.variables.catalogue import catalogue
from bluemirror.variables.page import page_html
from bluemirror.workspace import Workspace
from tests import browser


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    workspace = Workspace.open(repository)
    return page_html("flagship", load_blocks(workspace), catalogue(workspace))


def _data(page: str) -> dict[str, list[list[object]]]:
    found = re.search(r'id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    data: dict[str, list[list[object]]] = json.loads(found.group(1))
    return data


def test_every_variable_is_there_once(page: str, repository: Path) -> None:
    names = [row[0] for row in _data(page)["rows"]]
    assert names == [one.name for one in catalogue(Workspace.open(repository))]
    assert len(names) > 20_000


def test_nothing_comes_from_outside(page: str) -> None:
    assert not re.search(r"""(src|href)\s*=\s*["']?https?:""", page)
    assert "default-src 'none'" in page
    assert len(page.encode()) < 12 * 2**20


def test_a_label_stays_text(repository: Path) -> None:
    workspace = Workspace.open(repository)
    blocks = load_blocks(workspace)
    one = replace(catalogue(workspace)[0], label_en="</script><script>alert(1)</script>")
    page = page_html("<b>", blocks, [one])
    assert "<script>alert" not in page
    assert "<title><b>" not in page
    assert _data(page)["rows"][0][2] == one.label_en


def test_a_browser_filters_it(page: str, tmp_path: Path) -> None:
    path = tmp_path / "catalogue.html"
    path.write_text(page, encoding="utf-8")
    shown = browser.shown(path, "ml_apply_app_360d_orgs", tmp_path / "profile")
    rows = re.findall(r'<div class="row" tabindex="0".*?<code>(.*?)</code>', shown)
    assert 0 < len(rows) < 60
    assert all("ml_apply_app_360d_orgs" in name for name in rows)
