"""The feature store's settings and the way to open it: always by its folder, never by import."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluemirror.atomic import write_text
from bluemirror.clock import ZONE
from bluemirror.errors import WorkspaceError
from bluemirror.features.planning import project_name
from bluemirror.workspace import Workspace

if TYPE_CHECKING:
    from bluemirror.features.online_tables import Tables

SETTINGS = "feature_store.yaml"
OFFLINE_STORE = "bluemirror.features.offline_store.ParquetOfflineStore"
REGISTRY_STORE = "bluemirror.features.sql_registry.SqlRegistryStore"
SQLITE_STORE = "bluemirror.features.online_store.PackedSqliteOnlineStore"
REDIS_STORE = "bluemirror.features.online_store.PackedRedisOnlineStore"
_HEAD = "# Feast settings. The views are made from families/*.yaml: see definitions.py.\n"


def expected_settings(workspace: Workspace) -> dict[str, Any]:
    """What ``feature_store.yaml`` says unless told otherwise; paths are relative to the ``feature_repo`` folder."""
    state = Path(os.path.relpath(workspace.state, workspace.feature_repo)) / "feast"
    return {
        "project": project_name(workspace),
        "provider": "local",
        "registry": {
            "registry_type": "file",
            "registry_store_type": REGISTRY_STORE,
            "path": (state / "registry.sqlite").as_posix(),
        },
        "offline_store": {"type": OFFLINE_STORE, "timezone": ZONE},
        "online_store": {"type": SQLITE_STORE, "path": (state / "online").as_posix()},
        "entity_key_serialization_version": 3,
        # Feast would stamp a naive entity frame as UTC; here naive is wall time, in frames as in files.
        "coerce_tz_aware": False,
        # Otherwise every apply scans all data for a baseline.
        "data_quality_monitoring": {"auto_baseline": False},
    }


def read_settings(workspace: Workspace) -> dict[str, Any]:
    """``feature_store.yaml``, written when it is missing and checked when it is there.

    The registry may stand in PostgreSQL instead (``registry.path: postgresql+psycopg://...``) and the online store on a
    Redis server (``online_store: {type: ...PackedRedisOnlineStore, address: redis://...}``). With ``BLUEMIRROR_DATA``
    set, what stands in files is in that data folder.

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
        return expected
    found = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    moved = bool(os.environ.get("BLUEMIRROR_DATA"))
    for key, value in expected.items():
        if found.get(key) == value or _elsewhere(key, found.get(key)):
            continue
        if moved and key in ("registry", "online_store"):
            found[key] = value
            continue
        raise WorkspaceError(
            "the feature store's settings do not fit the workspace",
            file=path,
            field=key,
            rule=f"{key} is {value!r}",
            fix="correct the line, or delete the file: it is written again",
        )
    return dict(found)


def _elsewhere(key: str, value: Any) -> bool:
    """Whether a section names a server that the platform works with as well."""
    if not isinstance(value, dict):
        return False
    if key == "registry":
        server = str(value.get("path", "")).startswith("postgresql+psycopg://")
        return server and value.get("registry_store_type") == REGISTRY_STORE
    return key == "online_store" and value.get("type") == REDIS_STORE and "address" in value


def ensure_settings(workspace: Workspace) -> Path:
    """Write ``feature_store.yaml`` when it is missing, check it when it is there (see :func:`read_settings`)."""
    read_settings(workspace)
    return workspace.feature_repo / SETTINGS


def open_store(workspace: Workspace, folders: Iterable[Path] = ()) -> Any:
    """The workspace's ``feast.FeatureStore``; ``definitions.py`` is not imported for it.

    Paths of the settings are relative to the repository folder. With ``BLUEMIRROR_DATA`` set, registry and
    online store are in that data folder instead.

    Parameters
    ----------
    folders
        Observation sets that history is read from; all that the spine declares if none is named.
    """
    settings = read_settings(workspace)
    only = [str(folder) for folder in folders]
    if only:
        settings = settings | {"offline_store": settings["offline_store"] | {"folders": only}}
    (workspace.state / "feast").mkdir(parents=True, exist_ok=True)
    with quiet():
        from feast import FeatureStore

        if not os.environ.get("BLUEMIRROR_DATA") and not only:
            return FeatureStore(repo_path=str(workspace.feature_repo))
    return open_configured(workspace, settings)


def open_configured(workspace: Workspace, settings: dict[str, Any]) -> Any:
    """A ``feast.FeatureStore`` with other settings than those of the file; relative paths are from the repository on.

    Feast takes the path of a registry that comes in a configuration from the folder that the process stands in.
    """
    with quiet():
        from feast import FeatureStore
        from feast.repo_config import RepoConfig

        path = str(settings["registry"]["path"])
        if "://" not in path:
            path = str((workspace.feature_repo / path).resolve())
        settings = settings | {"registry": settings["registry"] | {"path": path}}
        return FeatureStore(config=RepoConfig(**settings, repo_path=workspace.feature_repo))


def open_online(workspace: Workspace) -> Tables:
    """Where the workspace's published rows are kept, without Feast."""
    from bluemirror.features.online_tables import open_tables

    settings = read_settings(workspace)["online_store"]
    return open_tables(
        {name: os.path.expandvars(value) for name, value in settings.items()}, workspace.feature_repo
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Feast's import-time deprecation notes, which no user of ours can act on, off the screen."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
