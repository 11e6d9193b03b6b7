"""The import-time budget: the library and the command line start at once and load nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BUDGET_SECONDS = 0.5
HEAVY = {
    "dagster",
    "duckdb",
    "feast",
    "great_expectations",
    "lxml",
    "matplotlib",
    "mlflow",
    "numpy",
    "optbinning",
    "optuna",
    "pandas",
    "polars",
    "pyarrow",
    "scipy",
    "sklearn",
    "sqlalchemy",
    "xgboost",
}
PROBE = """
import json, sys, time
begin = time.process_time()
import {module}
print(json.dumps([time.process_time() - begin, sorted({{name.split(".")[0] for name in sys.modules}})]))
"""


@pytest.mark.parametrize("module", ["bluemirror", "bluemirror.cli.main"])
def test_import_is_light(module: str, repository: Path) -> None:
    runs = []
    for _ in range(3):  # the best of three: the machine may be busy
        child = subprocess.run(
            [sys.executable, "-c", PROBE.format(module=module)],
            capture_output=True,
            text=True,
            check=True,
            cwd=repository,
        )
        runs.append(json.loads(child.stdout))
    loaded = HEAVY & set(runs[0][1])
    assert not loaded, f"import {module} loads {', '.join(sorted(loaded))}"
    assert min(seconds for seconds, _ in runs) < BUDGET_SECONDS
