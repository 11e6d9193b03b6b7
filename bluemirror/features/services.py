"""Feature services: the exact inputs of each registered model version, kept as one readable file each."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bluemirror.atomic import write_json
from bluemirror.errors import ModelError
from bluemirror.workspace import Workspace

RETIRED = "retired"
"""Folder of the services that were let go of."""


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """What one model version reads: variable -> meaning hash at the time of training.

    ``observation_set`` names the observations that it was trained on, ``owner`` who answers for it; empty if not told.
    ``declared`` names what its variables were declared by (:mod:`bluemirror.variables.kept`).
    """

    model: str
    version: str
    inputs: Mapping[str, str]
    observation_set: str = ""
    owner: str = ""
    declared: str = ""

    @property
    def name(self) -> str:
        """Name of the feature service."""
        return service_name(self.model, self.version)


def service_name(model: str, version: str | int) -> str:
    """``<model>_v<version>``: how a model version's inputs are asked for."""
    return f"{model}_v{version}"


def publish_service(
    workspace: Workspace,
    model: str,
    version: str | int,
    names: Iterable[str],
    *,
    observation_set: str = "",
    owner: str = "",
) -> ServicePlan:
    """Write down that ``model`` version ``version`` reads exactly the variables ``names``.

    The next :func:`bluemirror.features.apply` registers it. A version's inputs never change: publishing the
    same again does nothing.

    Parameters
    ----------
    observation_set
        The observations that it describes; by default the first set of the inputs' entity.
    owner
        Who answers for the version; Feast's page shows it.

    Raises
    ------
    ModelError
        If a variable is not in the catalogue, or the version was published with other inputs.
    """
    from bluemirror.variables import load_blocks
    from bluemirror.variables.catalogue import catalogue
    from bluemirror.variables.kept import keep_declarations, with_lenders

    known = {variable.name: variable for variable in catalogue(workspace)}
    meanings = {name: variable.meaning for name, variable in known.items()}
    wanted = sorted(set(names))
    missing = [name for name in wanted if name not in meanings]
    if missing:
        raise ModelError(
            f"model {model} version {version} reads a variable that no family makes: {missing[0]}",
            file=workspace.families_dir,
            field=missing[0],
            rule="a feature service holds variables of the catalogue",
            fix="bluemirror catalogue search TEXT finds the names there are",
        )
    inputs = {name: meanings[name] for name in wanted}
    service = ServicePlan(model, str(version), inputs, observation_set, owner)
    path = _folder(workspace) / f"{service.name}.json"
    if (path.parent / RETIRED / path.name).is_file():
        raise ModelError(
            f"model {model} version {version} was retired",
            file=path.parent / RETIRED / path.name,
            rule="a version that was retired does not come back",
            fix="register a new version",
        )
    if path.is_file():
        before = _read(path)
        if before.inputs != service.inputs:
            raise ModelError(
                f"model {model} version {version} was published with other inputs",
                file=path,
                rule="the inputs of a registered version never change",
                fix="register a new version",
            )
        return before
    blocks = with_lenders(load_blocks(workspace), {known[name].block for name in wanted})
    service = replace(service, declared=keep_declarations(workspace, blocks))
    write_json(path, asdict(service))
    return service


def read_services(workspace: Workspace) -> tuple[ServicePlan, ...]:
    """Every published service, by name; services whose variables changed meaning since are among them."""
    return tuple(_read(path) for path in sorted(_folder(workspace).glob("*.json")))


def find_service(workspace: Workspace, name: str) -> ServicePlan:
    """The service called ``name``, or that of the newest version of the model called so.

    Raises
    ------
    ModelError
        If there is neither.
    """
    services = read_services(workspace)
    for service in services:
        if service.name == name:
            return service
    mine = [service for service in services if service.model == name]
    if mine:
        return max(mine, key=lambda one: (int(one.version) if one.version.isdigit() else 0, one.version))
    near = difflib.get_close_matches(name, [*(s.name for s in services), *(s.model for s in services)], 1)
    raise ModelError(
        f"no registered model is called {name!r}",
        file=_folder(workspace),
        field=name,
        rule="a model is known by its name, or by its name and version (NAME_v2), once it is registered",
        fix=f"did you mean {near[0]}?"
        if near
        else "bluemirror train MODEL registers one; or name variables in a list",
    )


def retire_service(workspace: Workspace, model: str, version: str | int) -> ServicePlan:
    """Let go of a version's service: it is not registered, computed or published any more.

    What only it needed is removed: its rows online, and values and declarations under a meaning that nobody else reads.

    Raises
    ------
    ModelError
        If there is no such service.
    """
    from bluemirror.features.online_tables import table_name
    from bluemirror.features.planning import project_name
    from bluemirror.features.registering import apply
    from bluemirror.features.retention import forget_unread
    from bluemirror.features.store import open_online

    name = service_name(model, version)
    path = _folder(workspace) / f"{name}.json"
    if not path.is_file():
        known = ", ".join(one.name for one in read_services(workspace))
        raise ModelError(
            f"no registered version is called {name}",
            file=path,
            rule="what is retired is a registered version of a model",
            fix=f"registered are {known}" if known else "none is registered",
        )
    service = _read(path)
    kept = path.parent / RETIRED / path.name
    kept.parent.mkdir(exist_ok=True)
    path.rename(kept)
    apply(workspace)
    open_online(workspace).drop(table_name(project_name(workspace), f"serving_{name}"))
    forget_unread(workspace)
    return service


def _folder(workspace: Workspace) -> Path:
    return workspace.state / "feast" / "services"


def _read(path: Path) -> ServicePlan:
    content = json.loads(path.read_text(encoding="utf-8"))
    return ServicePlan(**content)
