"""What the registry should hold, as plain values: computed without importing Feast (which takes seconds)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from bluemirror.features.services import ServicePlan, read_services
from bluemirror.workspace import Workspace

if TYPE_CHECKING:
    from bluemirror.contracts import Contract

ENTITY = "observation"
JOIN_KEY = "observation_id"
TIMESTAMP = "event_timestamp"
FORM = 2
"""Counts up when the same plan is registered in another way."""


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """One variable as a field of a view; ``tags`` hold its labels, unit, window and meaning hash."""

    name: str
    description: str
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ViewPlan:
    """One block as a view. ``name`` ends in the meaning version, so a changed meaning is another view."""

    name: str
    block: str
    description: str
    path: str
    fields: tuple[FieldPlan, ...]
    tags: Mapping[str, str]

    @property
    def digest(self) -> str:
        """Hash of everything that the view is registered with."""
        fields = [(field.name, field.description, sorted(field.tags.items())) for field in self.fields]
        return _digest([self.name, self.description, self.path, fields, sorted(self.tags.items())])


@dataclass(frozen=True, slots=True)
class ServingPlan:
    """What one model version is served from: its inputs as one view, found by the key of the described entity.

    ``reasons`` are the fields that say why values are missing, one a block; a scorecard bins by them.
    """

    service: ServicePlan
    observation_set: str
    entity: str
    key: str
    path: str
    blocks: tuple[str, ...]
    fields: tuple[FieldPlan, ...]
    tags: Mapping[str, str]

    @property
    def name(self) -> str:
        """Name of the view; the version fixes the meanings of its variables."""
        return f"serving_{self.service.name}"

    @property
    def reasons(self) -> tuple[str, ...]:
        """Names of the fields that say why values of a block are missing."""
        return tuple(f"{block}__reason" for block in self.blocks)

    @property
    def digest(self) -> str:
        """Hash of everything that the view and its service are registered with."""
        fields = [(field.name, field.description, sorted(field.tags.items())) for field in self.fields]
        return _digest(
            [asdict(self.service), self.key, self.path, self.blocks, fields, sorted(self.tags.items())]
        )


@dataclass(frozen=True, slots=True)
class FeaturePlan:
    """Everything that :func:`bluemirror.features.apply` writes into the registry.

    ``entities`` are name -> key of what the spine describes.
    """

    project: str
    entities: Mapping[str, str]
    views: tuple[ViewPlan, ...]
    servings: tuple[ServingPlan, ...]

    @property
    def services(self) -> tuple[ServicePlan, ...]:
        """The services of all model versions whose inputs mean what they meant."""
        return tuple(serving.service for serving in self.servings)

    @property
    def digest(self) -> str:
        """Hash of the whole plan: equal plans need no second apply."""
        return _digest([FORM, self.project, sorted(self.entities.items()), sorted(self.digests.items())])

    @property
    def digests(self) -> dict[str, str]:
        """Name of a view -> hash of what it, and the service on it, is registered with."""
        found = {view.name: view.digest for view in self.views}
        return found | {serving.name: serving.digest for serving in self.servings}

    @property
    def view_of(self) -> dict[str, ViewPlan]:
        """Name of a variable -> the view that serves it."""
        return {field.name: view for view in self.views for field in view.fields}

    @property
    def meanings(self) -> dict[str, str]:
        """Name of a variable -> hash of its meaning."""
        return {field.name: field.tags["meaning"] for view in self.views for field in view.fields}


def plan(workspace: Workspace) -> FeaturePlan:
    """Derive the registry's content from the family files, the contracts and the published services.

    Raises
    ------
    FamilyError, ContractError
        If a declaration is written wrongly.
    """
    from bluemirror.contracts import read_contracts
    from bluemirror.variables import load_blocks
    from bluemirror.variables.catalogue import catalogue
    from bluemirror.variables.spine import read_spine

    variables: dict[str, list[Any]] = {}
    for variable in catalogue(workspace):
        variables.setdefault(variable.block, []).append(variable)
    blocks = [block for block in load_blocks(workspace) if variables.get(block.name)]
    contracts = read_contracts(workspace.contracts_dir)
    views = tuple(_view(workspace, block, variables[block.name], contracts) for block in blocks)
    spine = read_spine(workspace)
    field_of = {field.name: (field, view) for view in views for field in view.fields}
    servings = []
    for service in read_services(workspace):
        if any(
            name not in field_of or field_of[name][0].tags["meaning"] != meaning
            for name, meaning in service.inputs.items()
        ):
            continue
        entities = sorted({field_of[name][1].tags["entity"] for name in service.inputs})
        if len(entities) == 1:
            servings.append(_serving(workspace, service, spine, entities[0], field_of))
    return FeaturePlan(
        project=project_name(workspace),
        entities={name: entity.key for name, entity in spine.entities.items()},
        views=views,
        servings=tuple(servings),
    )


def project_name(workspace: Workspace) -> str:
    """The Feast project: the workspace's name in the letters that Feast allows."""
    return "".join(sign if sign.isalnum() and sign.isascii() else "_" for sign in workspace.name.lower())


def _view(
    workspace: Workspace, block: Any, variables: list[Any], contracts: Mapping[str, Contract]
) -> ViewPlan:
    fields = tuple(_field(variable) for variable in variables)
    version = _digest([(field.name, field.tags["meaning"]) for field in fields])[:6]
    sources = sorted({source for variable in variables for source in variable.source.split("+")})
    domains = sorted({contracts[source].domain for source in sources if source in contracts} - {""})
    stages = sorted({stage for variable in variables for stage in variable.stages})
    return ViewPlan(
        name=f"{block.name}__{version}",
        block=block.name,
        description=f"{block.label.zh} / {block.label.en}: {len(fields)} variables",
        # One view over every observation set that holds the block: observation ids tell the rows apart.
        path=str(workspace.variables / "*" / block.name / "*.parquet"),
        fields=fields,
        tags={
            "block": block.name,
            "entity": block.entity,
            "domain": ", ".join(domains),
            "label_zh": block.label.zh,
            "label_en": block.label.en,
            "meaning": version,
            "source": ",".join(sources),
            "stages": ",".join(stages),
        },
    )


def _serving(
    workspace: Workspace,
    service: ServicePlan,
    spine: Any,
    entity: str,
    field_of: Mapping[str, tuple[FieldPlan, ViewPlan]],
) -> ServingPlan:
    observation_set = service.observation_set or spine.set_of(entity)
    views = {field_of[name][1].name: field_of[name][1] for name in service.inputs}
    sources = sorted({source for view in views.values() for source in view.tags["source"].split(",")})
    return ServingPlan(
        service=service,
        observation_set=observation_set,
        entity=entity,
        key=spine.entities[entity].key,
        path=str(workspace.variables / observation_set / "observations" / "*.parquet"),
        blocks=tuple(sorted(view.block for view in views.values())),
        fields=tuple(field_of[name][0] for name in service.inputs),
        tags={
            "model": service.model,
            "version": service.version,
            "entity": entity,
            "views": ",".join(sorted(views)),
            "source": ",".join(sources),
        },
    )


def _field(variable: Any) -> FieldPlan:
    tags = {
        "label_zh": variable.label_zh,
        "label_en": variable.label_en,
        "meaning": variable.meaning,
        "null_means": variable.null_means,
        "stages": ",".join(variable.stages),
        "unit": variable.unit,
        "window": variable.window,
    }
    return FieldPlan(
        name=variable.name,
        description=f"{variable.label_zh} / {variable.label_en}",
        tags={key: str(value) for key, value in tags.items() if value not in (None, "")},
    )


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
