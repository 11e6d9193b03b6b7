"""Registered versions whose variables mean something else today: they go on as they were declared, until retired.

The declarations of a version are kept when it is registered. Once the workspace says something else, its blocks are
computed under these, in folders of their own, and its view reads those.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bluemirror.errors import ModelError
from bluemirror.features.services import ServicePlan, read_services
from bluemirror.workspace import Workspace

if TYPE_CHECKING:
    from bluemirror.variables.building import BuildReport


def means_the_same(service: ServicePlan, meanings: Mapping[str, str]) -> bool:
    """Whether all inputs mean today (name -> hash of the meaning) what they meant when the version was registered."""
    return all(meanings.get(name) == meaning for name, meaning in service.inputs.items())


def home_of(
    workspace: Workspace, service: ServicePlan, meanings: Mapping[str, str] | None = None
) -> Workspace:
    """Where a version's variables are declared and stored: the workspace, or its data under former declarations.

    Parameters
    ----------
    meanings
        Name -> hash of the meaning of every variable today; read if it is not given.

    Raises
    ------
    ModelError
        If its variables mean something else today, and how they were declared was not kept.
    """
    from bluemirror.variables import catalogue
    from bluemirror.variables.kept import as_kept

    if meanings is None:
        meanings = {one.name: one.meaning for one in catalogue(workspace)}
    if means_the_same(service, meanings):
        return workspace
    if not service.declared:
        changed = next(name for name, meaning in service.inputs.items() if meanings.get(name) != meaning)
        raise ModelError(
            f"{service.name} reads {changed}, which means something else today",
            file=workspace.families_dir,
            field=changed,
            rule="a version goes on as it was declared if its declarations were kept when it was registered",
            fix="bring the family back as it was, or train and promote a new version",
        )
    return as_kept(workspace, service.declared)


def build_former(
    workspace: Workspace, log: Callable[[str], None] | None = None, model: str | None = None
) -> tuple[BuildReport, ...]:
    """Compute what versions read that mean something else than today; what is stored already is left alone.

    Parameters
    ----------
    model
        Only for versions of this model.
    """
    from bluemirror.variables import build, catalogue
    from bluemirror.variables.spine import read_spine

    meanings = {one.name: one.meaning for one in catalogue(workspace)}
    sets: dict[tuple[str, str], Workspace] = {}
    for service in read_services(workspace):
        if not service.declared or means_the_same(service, meanings) or model not in (None, service.model):
            continue
        home = home_of(workspace, service, meanings)
        sets[service.declared, set_of(home, service)] = home
    done = []
    for (_, observation_set), home in sets.items():
        if read_spine(home).observations.get(observation_set):
            _take_over(workspace, home, observation_set)
            done.append(build(home, observation_set, log))
    return tuple(done)


def set_of(home: Workspace, service: ServicePlan) -> str:
    """The observations that a version describes: those it was trained on, or the first set of its inputs' entity."""
    from bluemirror.variables import load_blocks
    from bluemirror.variables.spine import read_spine

    if service.observation_set:
        return service.observation_set
    first = next(iter(service.inputs))
    entity = next(block.entity for block in load_blocks(home) if first.startswith(f"{block.name}_"))
    return read_spine(home).set_of(entity)


def _take_over(workspace: Workspace, home: Workspace, observation_set: str) -> None:
    """Let values that are still there from before a meaning changed stand as the first of their new place."""
    from bluemirror.contracts import read_contracts
    from bluemirror.variables import load_blocks
    from bluemirror.variables.meaning import meaning_of
    from bluemirror.variables.plan import block_variables
    from bluemirror.variables.spine import read_spine

    contracts, spine = read_contracts(home.contracts_dir), read_spine(home)
    root, source = home.variables / observation_set, workspace.variables / observation_set
    for block in load_blocks(home):
        live = root / block.name
        if live.exists():
            continue
        meaning = meaning_of(block, block_variables(block), contracts, spine)
        before = next(iter(sorted(source.glob(f".{block.name}@{meaning}.*"))), None)
        if before is None or not (before / "deliveries.json").is_file():
            continue
        folder = root / before.name
        folder.mkdir(parents=True)
        for path in before.iterdir():
            os.link(path, folder / path.name)
        live.symlink_to(folder.name, target_is_directory=True)
