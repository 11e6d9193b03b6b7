"""From plan to Feast objects: the one place that builds entities, views and services."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from bluemirror.features.planning import (
    ENTITY,
    JOIN_KEY,
    TIMESTAMP,
    FeaturePlan,
    FieldPlan,
    ServingPlan,
    ViewPlan,
    plan,
)
from bluemirror.features.source_rows import BLOCKS, COMPUTED
from bluemirror.workspace import Workspace


def declare(file: str | Path) -> dict[str, Any]:
    """All Feast objects of the workspace that ``file`` (its ``feature_repo/definitions.py``) stands in.

    Returns
    -------
    name -> entity, view or service, ready to become names of that module.
    """
    objects = feast_objects(plan(Workspace.open(Path(file).resolve().parent.parent)))
    return {f"{type(each).__name__.lower()}_{each.name}": each for each in objects}


def feast_objects(features: FeaturePlan, without: Collection[str] = ()) -> list[Any]:
    """Entities, views and services of the plan, in this order.

    Parameters
    ----------
    without
        Names of views, and of the views that services stand on, that are left out.
    """
    from feast import Entity, FeatureService, ValueType

    observation = Entity(
        name=ENTITY,
        join_keys=[JOIN_KEY],
        value_type=ValueType.STRING,
        description="one row to describe: an application, a customer on a night",
    )
    entities = {
        name: Entity(
            name=name,
            join_keys=[key],
            value_type=ValueType.STRING,
            description="whom observations describe; serving views are found by it",
        )
        for name, key in features.entities.items()
    }
    views = [
        _view(view, observation) for view in (*features.views, *features.former) if view.name not in without
    ]
    services = []
    for serving in features.servings:
        if serving.name in without:
            continue
        view = _serving_view(serving, entities[serving.entity])
        service = serving.service
        views.append(view)
        services.append(
            FeatureService(
                name=service.name,
                features=[view[list(service.inputs)]],
                description=f"the {len(service.inputs)} inputs of {service.model}, version {service.version}",
                tags=dict(serving.tags),
                owner=service.owner,
            )
        )
    return [observation, *entities.values(), *views, *services]


def _reason(block: str) -> Any:
    from feast import Field
    from feast.types import Int32

    return Field(
        name=f"{block}__reason",
        dtype=Int32,
        description="why values are missing: 0 answered, 1 not applicable, 2 not queried, 3 no hit, 4 error",
    )


def _fields(fields: Iterable[FieldPlan]) -> list[Any]:
    from feast import Field
    from feast.types import Float32

    return [
        Field(name=field.name, dtype=Float32, description=field.description, tags=dict(field.tags))
        for field in fields
    ]


def _serving_view(serving: ServingPlan, entity: Any) -> Any:
    """A model version's inputs, found by the key of the entity: offline as of any moment, online as published."""
    from feast import FeatureView, FileSource
    from feast.data_format import ParquetFormat

    return FeatureView(
        name=serving.name,
        entities=[entity],
        ttl=None,
        source=FileSource(
            name=f"{serving.name}_files",
            path=serving.path,
            file_format=ParquetFormat(),
            timestamp_field=TIMESTAMP,
            description=f"observations {serving.observation_set} with the variables of {len(serving.blocks)} blocks",
            tags={COMPUTED: "bluemirror features", BLOCKS: ",".join(serving.blocks)},
        ),
        schema=[*(_reason(block) for block in serving.blocks), *_fields(serving.fields)],
        online=True,
        description=f"inputs of {serving.service.model}, version {serving.service.version}, by {serving.key}",
        owner=serving.service.owner,
        tags=dict(serving.tags),
    )


def _view(view: ViewPlan, entity: Any) -> Any:
    from feast import FeatureView, FileSource
    from feast.data_format import ParquetFormat

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
        schema=[_reason(view.block), *_fields(view.fields)],
        online=False,
        description=view.description,
        owner=view.tags["domain"],
        tags=dict(view.tags),
    )
