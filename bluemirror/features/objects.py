"""From plan to Feast objects: the one place that builds entities, views and services."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bluemirror.features.planning import ENTITY, JOIN_KEY, TIMESTAMP, FeaturePlan, ViewPlan, plan
from bluemirror.features.source_rows import COMPUTED
from bluemirror.workspace import Workspace


def declare(file: str | Path) -> dict[str, Any]:
    """All Feast objects of the workspace that ``file`` (its ``feature_repo/definitions.py``) stands in.

    Returns
    -------
    name -> entity, view or service, ready to become names of that module.
    """
    objects = feast_objects(plan(Workspace.open(Path(file).resolve().parent.parent)))
    return {f"{type(each).__name__.lower()}_{each.name}": each for each in objects}


def feast_objects(features: FeaturePlan) -> list[Any]:
    """Entity, views and services of the plan, in this order."""
    from feast import Entity, FeatureService, ValueType

    entity = Entity(
        name=ENTITY,
        join_keys=[JOIN_KEY],
        value_type=ValueType.STRING,
        description="one row to describe: an application, a customer on a night",
    )
    views = {view.name: _view(view, entity) for view in features.views}
    view_of = features.view_of
    services = []
    for service in features.services:
        wanted: dict[str, list[str]] = {}
        for name in service.inputs:
            wanted.setdefault(view_of[name].name, []).append(name)
        services.append(
            FeatureService(
                name=service.name,
                features=[views[view][names] for view, names in sorted(wanted.items())],
                description=f"the {len(service.inputs)} inputs of {service.model}, version {service.version}",
                tags={"model": service.model, "version": service.version},
            )
        )
    return [entity, *views.values(), *services]


def _view(view: ViewPlan, entity: Any) -> Any:
    from feast import FeatureView, Field, FileSource
    from feast.data_format import ParquetFormat
    from feast.types import Float32, Int32

    reason = Field(
        name=f"{view.block}__reason",
        dtype=Int32,
        description="why values are missing: 0 answered, 1 not applicable, 2 not queried, 3 no hit, 4 error",
    )
    return FeatureView(
        name=view.name,
        entities=[entity],
        ttl=None,
        source=FileSource(
            name=f"{view.name}_files",
            path=view.path,
            file_format=ParquetFormat(),
            timestamp_field=TIMESTAMP,
            description=f"variables of block {view.block}, every observation set",
            tags={COMPUTED: "bluemirror features"},
        ),
        schema=[reason]
        + [
            Field(name=field.name, dtype=Float32, description=field.description, tags=dict(field.tags))
            for field in view.fields
        ],
        online=False,
        description=view.description,
        tags=dict(view.tags),
    )
