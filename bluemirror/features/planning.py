"""What the registry should hold, as plain values: computed without importing Feast (which takes seconds)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
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

    ``reasons`` are the fields that say why values are missing, one a block; a scorecard bins by them. ``former`` says
    that the inputs mean something else today: they are read as they were declared.
    """

    service: ServicePlan
    observation_set: str
    entity: str
    key: str
    path: str
    blocks: tuple[str, ...]
    fields: tuple[FieldPlan, ...]
    tags: Mapping[str, str]
    former: bool = False

    def home(self, workspace: Workspace) -> Workspace:
        """Where the inputs are declared and stored."""
        from bluemirror.variables.kept import as_kept

        return as_kept(workspace, self.service.declared) if self.former else workspace

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

    ``entities`` are name -> key of what the spine describes. ``former`` are views of blocks as they meant before, which
    registered versions still read.
    """

    project: str
    entities: Mapping[str, str]
    views: tuple[ViewPlan, ...]
    servings: tuple[ServingPlan, ...]
    former: tuple[ViewPlan, ...] = ()

    @property
    def services(self) -> tuple[ServicePlan, ...]:
        """The services of all model versions that are not retired."""
        return tuple(serving.service for serving in self.servings)

    @property
    def digest(self) -> str:
        """Hash of the whole plan: equal plans need no second apply."""
        return _digest([FORM, self.project, sorted(self.entities.items()), sorted(self.digests.items())])

    @property
    def digests(self) -> dict[str, str]:
        """Name of a view -> hash of what it, and the service on it, is registered with."""
        found = {view.name: view.digest for view in (*self.views, *self.former)}
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
    from bluemirror.features.former import home_of, means_the_same
    from bluemirror.variables.spine import read_spine

    views = _views(workspace)
    spine = read_spine(workspace)
    meanings = {field.name: field.tags["meaning"] for view in views for field in view.fields}
    servings = []
    former: dict[str, ViewPlan] = {}
    by_declaration = {"": views}
    for service in read_services(workspace):
        now = means_the_same(service, meanings)
        if not now and not service.declared:
            continue
        key = "" if now else service.declared
        home = workspace if now else home_of(workspace, service, meanings)
        if key not in by_declaration:
            by_declaration[key] = _views(home)
        field_of = {field.name: (field, view) for view in by_declaration[key] for field in view.fields}
        entities = sorted({field_of[name][1].tags["entity"] for name in service.inputs})
        if len(entities) == 1:
            then = spine if now else read_spine(home)
            servings.append(_serving(home, service, then, entities[0], field_of, former=not now))
            if not now:
                read = {field_of[name][1].name: field_of[name][1] for name in service.inputs}
                former |= {name: view for name, view in read.items() if name not in {v.name for v in views}}
    return FeaturePlan(
        project=project_name(workspace),
        entities={name: entity.key for name, entity in spine.entities.items()},
        views=views,
        servings=tuple(servings),
        former=tuple(former.values()),
    )


def _views(workspace: Workspace) -> tuple[ViewPlan, ...]:
    """A view for each block that is declared and has a variable."""
    from bluemirror.contracts import read_contracts
    from bluemirror.variables import load_blocks
    from bluemirror.variables.catalogue import catalogue
    from bluemirror.variables.spine import read_spine

    variables: dict[str, list[Any]] = {}
    for variable in catalogue(workspace):
        variables.setdefault(variable.block, []).append(variable)
    contracts, spine = read_contracts(workspace.contracts_dir), read_spine(workspace)
    return tuple(
        _view(workspace, block, variables[block.name], contracts, spine)
        for block in load_blocks(workspace)
        if variables.get(block.name)
    )


def project_name(workspace: Workspace) -> str:
    """The Feast project: the workspace's name in the letters that Feast allows."""
    return "".join(sign if sign.isalnum() and sign.isascii() else "_" for sign in workspace.name.lower())


def _view(
    workspace: Workspace, block: Any, variables: list[Any], contracts: Mapping[str, Contract], spine: Any
) -> ViewPlan:
    from bluemirror.variables.arrivals import tables_read
    from bluemirror.variables.tables import Catalog

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
            "tables": ",".join(sorted(tables_read(block, Catalog(contracts), spine))),
            "contracts": ",".join(f"{one} {contracts[one].version}" for one in sources if one in contracts),
            "lineage": f"bluemirror lineage {block.name}",
        },
    )


def _serving(
    workspace: Workspace,
    service: ServicePlan,
    spine: Any,
    entity: str,
    field_of: Mapping[str, tuple[FieldPlan, ViewPlan]],
    *,
    former: bool,
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
            "tables": _together(views.values(), "tables"),
            "contracts": _together(views.values(), "contracts"),
            "lineage": f"bluemirror lineage {service.name}",
        },
        former=former,
    )


def _together(views: Iterable[ViewPlan], tag: str) -> str:
    """What stands in a tag of any of the views, each once."""
    return ",".join(sorted({part for view in views for part in view.tags[tag].split(",")}))


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
