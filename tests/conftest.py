"""What every test shares: the hash key of tests, and quiet, reproducible surroundings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Before any library is imported: no telemetry, no display, two threads at most.
os.environ.setdefault("BLUEMIRROR_KEY", "the key of the tests")
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("POLARS_MAX_THREADS", "2")
os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
os.environ.setdefault("FEAST_USAGE", "False")

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
