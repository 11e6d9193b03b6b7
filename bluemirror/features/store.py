"""The feature store's settings and the way to open it: always by its folder, never by import."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bluemirror.atomic import write_text
from bluemirror.clock import ZONE
from bluemirror.errors import WorkspaceError
from bluemirror.features.planning import project_name
from bluemirror.workspace import Workspace

SETTINGS = "feature_store.yaml"
OFFLINE_STORE = "bluemirror.features.offline_store.ParquetOfflineStore"
_HEAD = "# Feast settings. The views are made from families/*.yaml: see definitions.py.\n"


def expected_settings(workspace: Workspace) -> dict[str, Any]:
    """What ``feature_store.yaml`` must say; paths are relative to the ``feature_repo`` folder."""
    state = Path(os.path.relpath(workspace.state, workspace.feature_repo)) / "feast"
    return {
        "project": project_name(workspace),
        "provider": "local",
        "registry": {"registry_type": "file", "path": (state / "registry.db").as_posix()},
        "offline_store": {"type": OFFLINE_STORE, "timezone": ZONE},
        "online_store": {"type": "sqlite", "path": (state / "online.db").as_posix()},
        "entity_key_serialization_version": 3,
        # Feast would stamp a naive entity frame as UTC; here naive is wall time, in frames as in files.
        "coerce_tz_aware": False,
        # Otherwise every apply scans all data for a baseline.
        "data_quality_monitoring": {"auto_baseline": False},
    }


def ensure_settings(workspace: Workspace) -> Path:
    """Write ``feature_store.yaml`` when it is missing, check it when it is there.

    Raises
    ------
    WorkspaceError
        If the file says something that the platform does not work with.
    """
    import yaml

    path = workspace.feature_repo / SETTINGS
    expected = expected_settings(workspace)
    if not path.is_file():
        write_text(path, _HEAD + yaml.safe_dump(expected, sort_keys=False))
        return path
    found = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    moved = bool(os.environ.get("BLUEMIRROR_DATA"))
    for key, value in expected.items():
        if found.get(key) != value and not (moved and key in ("registry", "online_store")):
            raise WorkspaceError(
                "the feature store's settings do not fit the workspace",
                file=path,
                field=key,
                rule=f"{key} is {value!r}",
                fix="correct the line, or delete the file: it is written again",
            )
    return path


def open_store(workspace: Workspace) -> Any:
    """The workspace's ``feast.FeatureStore``; ``definitions.py`` is not imported for it.

    Paths of the settings are relative to the repository folder. With ``BLUEMIRROR_DATA`` set, registry and
    online store are in that data folder instead.
    """
    path = ensure_settings(workspace)
    (workspace.state / "feast").mkdir(parents=True, exist_ok=True)
    with quiet():
        from feast import FeatureStore
        from feast.repo_config import load_repo_config

        if not os.environ.get("BLUEMIRROR_DATA"):
            return FeatureStore(repo_path=str(workspace.feature_repo))
        config = load_repo_config(workspace.feature_repo, path)
        config.registry_config["path"] = str(workspace.state / "feast" / "registry.db")
        config.online_config["path"] = str(workspace.state / "feast" / "online.db")
        return FeatureStore(config=config)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Feast's import-time deprecation notes, which no user of ours can act on, off the screen."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
