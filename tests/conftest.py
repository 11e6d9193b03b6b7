"""What every test shares: the hash key of tests, and quiet, reproducible surroundings."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import Phase, settings

# Before any library is imported: no telemetry, no display, two threads at most.
os.environ.pop("BLUEMIRROR_DEBUG", None)
os.environ.setdefault("BLUEMIRROR_KEY", "the key of the tests")
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("POLARS_MAX_THREADS", "2")
os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
os.environ.setdefault("FEAST_USAGE", "False")

# Fixtures of one flagship workspace for the whole session: asked for by name, never imported (an imported session
# fixture is built once for each module that imports it).
pytest_plugins = ["tests.fixtures_flagship"]

# A mutant needs to be seen, not to be told in its simplest form.
if os.environ.get("BLUEMIRROR_NO_SHRINK"):
    settings.register_profile("no shrink", phases=(Phase.explicit, Phase.generate))
    settings.load_profile("no shrink")

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The repository root, which is the flagship workspace."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real public data beside the repository; skips where it is absent."""
    folder = Path(os.environ.get("BLUEMIRROR_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the real public data is not here: {folder.name} beside the repository is absent")
    return folder


@pytest.fixture(scope="session")
def small_workspace(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """What `bluemirror init` makes, after one run: 3,000 borrowers, one source, one model.

    Shared by the tests of a session: look, do not touch.
    """
    target = tmp_path_factory.mktemp("small") / "bank"
    for command in (["init", str(target)], ["--workspace", str(target), "run"]):
        child = subprocess.run(
            [sys.executable, "-m", "bluemirror.cli.main", *command],
            capture_output=True,
            text=True,
            cwd=repository,
            env=os.environ | {"BLUEMIRROR_DEBUG": "1"},
            check=False,
        )
        assert child.returncode == 0, child.stdout[-3000:] + child.stderr[-3000:]
        (target / "run.txt").write_text(child.stdout, encoding="utf-8")
    return target


if "PYTEST_XDIST_WORKER" in os.environ:
    # Registered first, so run last, when all results have been sent: see pytest_unconfigure.
    atexit.register(os._exit, 0)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave without DuckDB's list of leaked objects, which would be the last thing on the screen.

    Great Expectations keeps its engine in a cycle that the interpreter does not collect at its end, and DuckDB's
    bindings then print a hundred lines about it. Everything that was registered to run at exit still runs.
    """
    status = getattr(config, "exit_status", None)
    if status is not None and "duckdb" in sys.modules and not hasattr(config, "workerinput"):
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(status))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.exit_status = exitstatus  # type: ignore[attr-defined]
