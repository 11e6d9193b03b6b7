"""The code location: ``dagster dev -m pipelines.definitions``.

``BLUEMIRROR_WORKSPACE`` names the workspace (default: the current folder).
"""

import os

import dagster as dg

from bluemirror.workspace import Workspace
from pipelines.platform import platform


@dg.definitions
def definitions() -> dg.Definitions:
    """Assets, checks, jobs and schedules of the workspace."""
    return platform(Workspace.open(os.environ.get("BLUEMIRROR_WORKSPACE", ".")))
