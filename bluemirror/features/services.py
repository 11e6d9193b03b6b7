"""Feature services: the exact inputs of each registered model version, kept as one readable file each."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from bluemirror.atomic import write_json
from bluemirror.errors import ModelError
from bluemirror.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """What one model version reads: variable -> meaning hash at the time of training.

    ``observation_set`` names the observations that it was trained on, ``owner`` who answers for it; empty if not told.
    """

    model: str
    version: str
    inputs: Mapping[str, str]
    observation_set: str = ""
    owner: str = ""

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
    from bluemirror.variables.catalogue import catalogue

    meanings = {variable.name: variable.meaning for variable in catalogue(workspace)}
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


def _folder(workspace: Workspace) -> Path:
    return workspace.state / "feast" / "services"


def _read(path: Path) -> ServicePlan:
    content = json.loads(path.read_text(encoding="utf-8"))
    return ServicePlan(**content)
