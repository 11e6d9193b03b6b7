"""Bring the Feast registry to what the declarations say, and touch nothing when it is there already."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bluemirror.atomic import write_json
from bluemirror.features.planning import FeaturePlan, plan
from bluemirror.features.store import ensure_settings, open_store, quiet, read_settings
from bluemirror.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ApplyReport:
    """What an apply did. ``removed`` names views and services that are no longer declared."""

    project: str
    views: int
    variables: int
    services: tuple[str, ...]
    removed: tuple[str, ...]
    changed: bool
    seconds: float


def apply(
    workspace: Workspace, *, force: bool = False, log: Callable[[str], None] | None = None
) -> ApplyReport:
    """Register entity, views and services; skipped when the plan's hash is the one applied last.

    Parameters
    ----------
    force
        Apply even if nothing changed.
    log
        Called with a line of progress before the slow part.
    """
    start = time.monotonic()
    features = plan(workspace)
    settings = ensure_settings(workspace).read_text(encoding="utf-8")
    stamp = workspace.state / "feast" / "applied.json"
    digest = f"{features.digest}:{settings}"
    before = _applied(stamp)
    changed = force or before.get("digest") != digest or not _registry_is_there(workspace)
    removed: tuple[str, ...] = ()
    if changed:
        digests = features.digests
        known = before.get("views", {}) if before.get("settings") == settings and not force else {}
        if log:
            log(f"registering {len(digests)} views with Feast")
        with quiet():
            removed = _register(workspace, features, digests, known)
        write_json(stamp, {"digest": digest, "settings": settings, "views": digests})
    return ApplyReport(
        project=features.project,
        views=len(features.views),
        variables=sum(len(view.fields) for view in features.views),
        services=tuple(service.name for service in features.services),
        removed=removed,
        changed=changed,
        seconds=time.monotonic() - start,
    )


def _register(
    workspace: Workspace, features: FeaturePlan, digests: Mapping[str, str], known: Mapping[str, str]
) -> tuple[str, ...]:
    """Bring the registry to the plan: what is there as it should be is left alone; names of what was removed."""
    from bluemirror.features.objects import feast_objects

    store = open_store(workspace)
    # Names alone: a view of some thousand fields takes a quarter of a second to become an object.
    registered = store.registry.proto()
    mine = features.project
    views = {view.spec.name for view in registered.feature_views if view.spec.project == mine}
    services = {each.spec.name for each in registered.feature_services if each.spec.project == mine}
    sources = {each.name for each in registered.data_sources if each.project == mine}
    same = {name for name in views if digests.get(name) is not None and known.get(name) == digests[name]}
    objects = feast_objects(features, without=same)
    kept = {*digests, *(service.name for service in features.services)}
    gone = [store.get_feature_service(name) for name in sorted(services - kept)]
    gone += [store.get_feature_view(name) for name in sorted(views - kept)]
    gone += [store.get_data_source(name) for name in sorted(sources - {f"{name}_files" for name in digests})]
    store.apply(objects, objects_to_delete=gone, partial=False)
    return tuple(sorted({*(services - kept), *(views - kept)}))


def _registry_is_there(workspace: Workspace) -> bool:
    """Whether a registry in a file is still there; a server's is looked at when something is asked of it."""
    path = read_settings(workspace)["registry"]["path"]
    return "://" in path or (workspace.feature_repo / path).is_file()


def _applied(stamp: Path) -> dict[str, Any]:
    """What the last apply wrote down."""
    if not stamp.is_file():
        return {}
    return dict(json.loads(stamp.read_text(encoding="utf-8")))
