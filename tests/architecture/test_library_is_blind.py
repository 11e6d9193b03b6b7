"""The library knows no source and no table of any workspace by name: everything comes from declarations."""

from __future__ import annotations

import builtins
import re
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
WORKSPACES = {
    "flagship": REPOSITORY,
    "taiwan": REPOSITORY / "tests" / "workspaces" / "taiwan",
    "template": REPOSITORY / "bluemirror" / "templates" / "workspace",
}


def declared_names(workspace: Path) -> set[str]:
    """Sources, tables and blocks of a workspace, read straight from its YAML."""
    names: set[str] = set()
    for file in workspace.glob("data_contracts/*.odcs.yaml"):
        contract = yaml.safe_load(file.read_text(encoding="utf-8"))
        names.add(contract["id"])
        names.update(table["name"] for table in contract["schema"])
    for file in workspace.glob("models/*/model.yaml"):
        names.add(yaml.safe_load(file.read_text(encoding="utf-8"))["model"])
    # A word of Python's own tells nothing of a source that is called the same (property); an invoice is a source's
    # bill, whatever else a workspace calls so.
    return names - set(dir(builtins)) - {"invoice"}


@pytest.mark.parametrize("workspace", WORKSPACES)
@pytest.mark.parametrize("package", ["bluemirror", "pipelines"])
def test_names_no_source_or_table(package: str, workspace: str) -> None:
    names = declared_names(WORKSPACES[workspace])
    assert names, f"{workspace} declares nothing"
    pattern = re.compile(r"\b(" + "|".join(sorted(map(re.escape, names))) + r")\b")
    found = [
        f"{file.relative_to(REPOSITORY)}:{number}: {line.strip()[:100]}"
        for file in sorted((REPOSITORY / package).rglob("*.py"))
        if "templates" not in file.parts
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, f"names of the {workspace} workspace:\n" + "\n".join(found)
