"""Late binding to what lies outside the library: a workspace's land hook, the Dagster code location."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from bluemirror.errors import WorkspaceError
from bluemirror.workspace import SETTINGS, Workspace

PIPELINES = "pipelines"


def land(workspace: Workspace, say: Callable[[str], None], options: Mapping[str, Any]) -> Any:
    """Call the workspace's land hook, which fills its landing folder.

    The hook is a function of the workspace; its further parameters are its options, ``log`` takes progress.

    Raises
    ------
    WorkspaceError
        If there is no hook, it cannot be found, or it does not know an option.
    """
    if workspace.land_hook is None:
        raise WorkspaceError(
            "this workspace has nothing that fills its landing folder",
            file=workspace.root / SETTINGS,
            field="land",
            rule="land: names a function as module:function",
            fix=f"put deliveries into {workspace.landing}, or declare the hook",
        )
    module_name, _, name = workspace.land_hook.partition(":")
    on_path(workspace.root)
    try:
        hook = getattr(import_module(module_name), name or "land")
    except (ModuleNotFoundError, AttributeError) as error:
        raise WorkspaceError(
            f"the land hook {workspace.land_hook} cannot be found",
            file=workspace.root / SETTINGS,
            field="land",
            rule="land: names a function as module:function, below the workspace folder or installed",
            fix="correct the name, or install what it needs",
        ) from error
    parameters = inspect.signature(hook).parameters
    known = [name for name in list(parameters)[1:] if name != "log"]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise WorkspaceError(
            f"the land hook {workspace.land_hook} has no option {unknown[0]!r}",
            file=workspace.root / SETTINGS,
            field=unknown[0],
            rule=f"its options are {', '.join(known) or 'none'}",
            fix="leave the option out or correct its name",
        )
    given = dict(options)
    if "log" in parameters:
        given["log"] = say
    return hook(workspace, **given)


def pipelines(module: str) -> ModuleType:
    """The module ``pipelines.<module>`` of the Dagster code location.

    Raises
    ------
    WorkspaceError
        If there is none: a serving machine has the library alone.
    """
    on_path(Path.cwd())
    for needed, what, fix in (
        (
            PIPELINES,
            "the Dagster code location is not here",
            "run from the repository's root, where pipelines/ is",
        ),
        ("dagster", "Dagster is not installed", "install the platform's full requirements (make run does)"),
    ):
        if find_spec(needed) is None:
            raise WorkspaceError(
                what,
                rule="run and ui go through Dagster: they need pipelines/ beside the library",
                fix=fix + "; without it, use ingest, features, train and score one after the other",
            )
    return import_module(f"{PIPELINES}.{module}")


def on_path(folder: Path) -> None:
    """Make modules below ``folder`` importable, after everything that already is."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
