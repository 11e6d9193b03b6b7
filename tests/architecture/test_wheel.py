"""The wheel holds bluemirror alone and works in an environment with nothing but its base dependencies."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def base_requirements(repository: Path) -> set[str]:
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {re.split(r"[<>=!~\[ ]", one)[0].lower() for one in project["dependencies"]}


def run(*command: str | Path, cwd: Path) -> str:
    child = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, cwd=cwd, check=False
    )
    assert child.returncode == 0, f"{command}\n{child.stdout}\n{child.stderr}"
    return child.stdout


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=repository)
    (built,) = folder.glob("*.whl")
    return built


def test_wheel_holds_the_library_alone(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"bluemirror"}
    assert not [name for name in names if "__pycache__" in name or name.endswith(".parquet")]
    assert "bluemirror/templates/workspace/workspace.yaml" in names


def test_wheel_works_in_an_empty_environment(wheel: Path, repository: Path, tmp_path: Path) -> None:
    home = tmp_path / "venv"
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is None:
        pytest.skip("uv is not installed here")
    lock = repository / "requirements.lock"
    run(uv, "pip", "install", "--quiet", "--python", python, "--constraint", lock, wheel, cwd=tmp_path)

    listed = run(uv, "pip", "list", "--quiet", "--python", python, "--format", "freeze", cwd=tmp_path)
    assert {line.split("==")[0].lower() for line in listed.split() if "==" in line} >= base_requirements(
        repository
    )
    assert "dagster" not in listed
    assert "scikit-learn" not in listed

    where = run(python, "-c", "import bluemirror; print(bluemirror.__file__)", cwd=tmp_path)
    assert str(home) in where
    command = home / "bin" / "bluemirror"
    assert "catalogue" in run(command, "--help", cwd=tmp_path)
    run(command, "init", tmp_path / "bank", cwd=tmp_path)
    found = run(command, "--workspace", tmp_path / "bank", "catalogue", "search", "late", cwd=tmp_path)
    assert "repay_due" in found
