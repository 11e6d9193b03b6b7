"""Where Dagster keeps its runs: SQLite in the workspace's state folder, shared by ``run`` and ``ui``."""

from __future__ import annotations

import os
from pathlib import Path

import dagster as dg

from bluemirror.atomic import write_text
from bluemirror.workspace import Workspace

_HEAD = "# Written by bluemirror."
_SETTINGS = """\
# Written by bluemirror. The embedded default: one process, SQLite; a production instance has its own file.
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  runs:
    # The night commits by rename and can be repeated; two at once would only do the same work twice.
    max_concurrent_runs: 1
"""


def dagster_home(workspace: Workspace) -> Path:
    """The workspace's Dagster folder, made if need be; ``DAGSTER_HOME`` in the environment wins."""
    named = os.environ.get("DAGSTER_HOME")
    home = Path(named) if named else workspace.state / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    settings = home / "dagster.yaml"
    ours = not settings.is_file() or settings.read_text(encoding="utf-8").startswith(_HEAD)
    if ours and (not settings.is_file() or settings.read_text(encoding="utf-8") != _SETTINGS):
        write_text(settings, _SETTINGS)
    return home


def open_instance(workspace: Workspace) -> dg.DagsterInstance:
    """The instance whose runs ``bluemirror ui`` shows."""
    return dg.DagsterInstance.from_config(str(dagster_home(workspace)))
