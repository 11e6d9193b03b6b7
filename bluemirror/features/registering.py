"""Bring the Feast registry to what the declarations say, and touch nothing when it is there already."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bluemirror.atomic import write_json
from bluemirror.features.planning import plan
from bluemirror.features.store import ensure_settings, open_store, quiet
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
    settings = ensure_settings(workspace)
    stamp = workspace.state / "feast" / "applied.json"
    registry = workspace.state / "feast" / "registry.db"
    digest = f"{features.digest}:{settings.read_text(encoding='utf-8')}"
    changed = force or not registry.is_file() or _applied(stamp) != digest
    removed: tuple[str, ...] = ()
    if changed:
        if log:
            log(f"registering {len(features.views)} views with Feast")
        from bluemirror.features.objects import feast_objects

        store = open_store(workspace)
        with quiet():
            objects = feast_objects(features)
            kept = {each.name for each in objects}
            gone = [
                each
                for each in [*store.list_feature_services(), *store.list_feature_views()]
                if each.name not in kept
            ]
            sources = {view.batch_source.name for view in objects if hasattr(view, "batch_source")}
            gone += [source for source in store.list_data_sources() if source.name not in sources]
            store.apply(objects, objects_to_delete=gone, partial=False)
        removed = tuple(sorted(each.name for each in gone if not each.name.endswith("_files")))
        write_json(stamp, {"digest": digest})
    return ApplyReport(
        project=features.project,
        views=len(features.views),
        variables=sum(len(view.fields) for view in features.views),
        services=tuple(service.name for service in features.services),
        removed=removed,
        changed=changed,
        seconds=time.monotonic() - start,
    )


def _applied(stamp: Path) -> str | None:
    if not stamp.is_file():
        return None
    return str(json.loads(stamp.read_text(encoding="utf-8")).get("digest"))
