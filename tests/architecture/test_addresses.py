"""No committed file names a path of somebody's machine or the address of a package index."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

# Each pattern has a bracket or so inside, and thus does not match itself.
FORBIDDEN = {
    "a machine's path": re.compile(r"(?<![\w.~>)}])/(?:root|work|home|tmp|Users|opt)/\w"),
    "a package index": re.compile(r"pypi[.]org|python[h]osted|--(?:extra-)?index[-]url|--find[-]links"),
}
TEXT = {".py", ".md", ".yaml", ".yml", ".toml", ".lock", ".sql", ".txt", ".ipynb", ".cfg", ".json", ".sh", ""}


@pytest.fixture(scope="module")
def committed(repository: Path) -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=repository, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [repository / line for line in listed.stdout.splitlines()]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_nothing_committed_names(what: str, committed: list[Path], repository: Path) -> None:
    found = [
        f"{file.relative_to(repository)}:{number}: {line.strip()[:100]}"
        for file in committed
        if file.suffix in TEXT and file.is_file()
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if FORBIDDEN[what].search(line)
    ]
    assert not found, f"{what} is named:\n" + "\n".join(found)


def test_the_lock_holds_requirements_only(repository: Path) -> None:
    lines = (repository / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.lstrip().startswith("#")]
    assert all(
        re.fullmatch(r"[a-z0-9._-]+(\[[a-z0-9,_-]+\])?==[^\s;]+( ; .+)?", pin, re.IGNORECASE) for pin in pins
    )
    assert len(pins) > 100


def test_no_file_hides_its_idea(committed: list[Path]) -> None:
    vague = [
        file.name for file in committed if re.fullmatch(r"(utils?|helpers?|misc|common|base)\.py", file.name)
    ]
    assert not vague
