"""The spine: which entities there are, by which keys sources know them, and what is to be described."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bluemirror.errors import FamilyError
from bluemirror.variables.dealings import (
    Applications,
    Bills,
    Calls,
    need,
    read_applications,
    read_bills,
    read_calls,
)
from bluemirror.variables.yaml_lines import read_yaml
from bluemirror.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Entity:
    """Something that is described: its key, and the state table that gives its other keys as of a moment."""

    name: str
    key: str
    keys_table: str | None
    keys_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ObservationSet:
    """A named query that yields observations: observation_id, the entity's key, as_of, carried keys."""

    name: str
    entity: str
    sql: str
    path: Path
    label_zh: str = ""
    label_en: str = ""


@dataclass(frozen=True, slots=True)
class Spine:
    """The declarations of ``feature_repo/spine.yaml``."""

    entities: Mapping[str, Entity]
    observations: Mapping[str, ObservationSet]
    calls: Calls | None
    path: Path
    bills: Bills | None = None
    applications: Applications | None = None

    def observation_set(self, name: str) -> ObservationSet:
        """The set called ``name``; FamilyError with the nearest name if there is none."""
        if name not in self.observations:
            near = difflib.get_close_matches(name, self.observations, 1)
            raise FamilyError(
                f"there is no observation set {name!r}",
                file=self.path,
                field="observations",
                rule=f"observation sets here are {', '.join(self.observations)}",
                fix=f"use {near[0]}" if near else "declare it under observations:",
            )
        return self.observations[name]

    def set_of(self, entity: str) -> str:
        """Name of the first set that describes ``entity``; FamilyError if none does."""
        for one in self.observations.values():
            if one.entity == entity:
                return one.name
        raise FamilyError(
            f"no observation set describes the entity {entity!r}",
            file=self.path,
            field="observations",
            rule="a block's entity is that of an observation set",
            fix=f"declare a set with entity: {entity}, or correct the block's entity",
        )


def read_spine(workspace: Workspace) -> Spine:
    """Read the spine of ``workspace``.

    Raises
    ------
    FamilyError
        If it is absent or an entry is incomplete.
    """
    path = workspace.feature_repo / "spine.yaml"
    if not path.is_file():
        raise FamilyError(
            "the workspace has no spine",
            file=path,
            rule="the spine declares entities and observation sets",
            fix="write one, beginning from the one that bluemirror init makes",
        )
    content = read_yaml(path)
    known = ("entities", "observations", "calls", "bills", "applications")
    unknown = sorted(set(content) - set(known))
    if unknown:
        raise FamilyError(
            f"the spine does not know {unknown[0]!r}",
            file=path,
            field=unknown[0],
            rule=f"the spine has {', '.join(known)}",
            fix="remove it or correct its spelling",
        )
    entities = {}
    for name, body in need(path, content, "entities", "the spine").items():
        keys = body.get("keys_from") or {}
        entities[name] = Entity(
            name,
            str(need(path, body, "key", f"entity {name}")),
            keys.get("table"),
            tuple(keys.get("columns") or ()),
        )
    observations = {}
    for name, body in need(path, content, "observations", "the spine").items():
        what = f"observation set {name}"
        entity = str(need(path, body, "entity", what))
        if entity not in entities:
            raise FamilyError(
                f"{what} describes the entity {entity!r}, which is not declared",
                file=path,
                field=name,
                rule=f"entities here are {', '.join(entities)}",
                fix="declare the entity or correct its name",
            )
        sql_file = workspace.feature_repo / str(need(path, body, "sql", what))
        if not sql_file.is_file():
            raise FamilyError(
                f"the query of {what} does not exist",
                file=sql_file,
                field=name,
                rule="sql: names a file below feature_repo/",
                fix="write it: select observation_id, the entity's key, as_of",
            )
        label = body.get("label") or {}
        observations[name] = ObservationSet(
            name,
            entity,
            sql_file.read_text(encoding="utf-8"),
            sql_file,
            str(label.get("zh", name)),
            str(label.get("en", name)),
        )
    return Spine(
        entities,
        observations,
        read_calls(path, content.get("calls")),
        path,
        read_bills(path, content.get("bills")),
        read_applications(path, content.get("applications")),
    )
