"""What the registry should hold, as plain values: computed without importing Feast (which takes seconds)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bluemirror.features.services import ServicePlan, read_services
from bluemirror.workspace import Workspace

ENTITY = "observation"
JOIN_KEY = "observation_id"
TIMESTAMP = "event_timestamp"


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


@dataclass(frozen=True, slots=True)
class FeaturePlan:
    """Everything that :func:`bluemirror.features.apply` writes into the registry."""

    project: str
    views: tuple[ViewPlan, ...]
    services: tuple[ServicePlan, ...]

    @property
    def digest(self) -> str:
        """Hash of the whole plan: equal plans need no second apply."""
        return _digest(asdict(self))

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
    from bluemirror.variables import load_blocks
    from bluemirror.variables.catalogue import catalogue

    variables: dict[str, list[Any]] = {}
    for variable in catalogue(workspace):
        variables.setdefault(variable.block, []).append(variable)
    views = tuple(
        _view(workspace, block, variables[block.name])
        for block in load_blocks(workspace)
        if variables.get(block.name)
    )
    known = {field.name: field.tags["meaning"] for view in views for field in view.fields}
    return FeaturePlan(
        project=project_name(workspace),
        views=views,
        services=tuple(
            service for service in read_services(workspace) if service.inputs.items() <= known.items()
        ),
    )


def project_name(workspace: Workspace) -> str:
    """The Feast project: the workspace's name in the letters that Feast allows."""
    return "".join(sign if sign.isalnum() and sign.isascii() else "_" for sign in workspace.name.lower())


def _view(workspace: Workspace, block: Any, variables: list[Any]) -> ViewPlan:
    fields = tuple(_field(variable) for variable in variables)
    version = _digest([(field.name, field.tags["meaning"]) for field in fields])[:6]
    sources = sorted({variable.source for variable in variables})
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
            "label_zh": block.label.zh,
            "label_en": block.label.en,
            "meaning": version,
            "source": ",".join(sources),
            "stages": ",".join(stages),
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
