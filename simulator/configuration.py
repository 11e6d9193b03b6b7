"""A workspace's own assumptions: ``simulation.yaml`` beside ``workspace.yaml`` changes any number of the simulation.

::

    bank: {approval_target: 0.55, outages: []}
    sources:
      court_enforce: {person: -7.5}

What can be changed, and what each number means, is listed in ``docs/simulation.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from bluemirror.errors import WorkspaceError
from bluemirror.workspace import Workspace
from simulator.assumptions import DEFAULT, Assumptions, Outage
from simulator.sources import outside_sources

FILE = "simulation.yaml"


@dataclass(frozen=True)
class Configuration:
    """Assumptions of the bank, and of the sources that have been given others than their own."""

    bank: Assumptions = DEFAULT
    sources: Mapping[str, Any] = field(default_factory=dict)


def read_configuration(workspace: Workspace) -> Configuration:
    """What ``simulation.yaml`` of a workspace says; the defaults without one.

    Raises
    ------
    bluemirror.errors.WorkspaceError
        For a name that nothing is called by, or a value of another type than the default's.
    """
    import yaml

    path = workspace.root / FILE
    if not path.is_file():
        return Configuration()
    said = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    _known(said, ("bank", "sources"), path, "")
    known = outside_sources()
    given = said.get("sources") or {}
    _known(given, tuple(known), path, "sources")
    return Configuration(
        bank=_changed(DEFAULT, said.get("bank") or {}, path, "bank"),
        sources={
            name: _changed(known[name].assume, values or {}, path, f"sources.{name}")
            for name, values in given.items()
        },
    )


def _changed(default: Any, values: Mapping[str, Any], path: Path, where: str) -> Any:
    names = tuple(item.name for item in fields(default))
    _known(values, names, path, where)
    return replace(
        default,
        **{
            name: _like(getattr(default, name), value, path, f"{where}.{name}")
            for name, value in values.items()
        },
    )


def _like(default: Any, value: Any, path: Path, where: str) -> Any:
    """``value`` as what the default is: YAML has lists and mappings where the simulation has tuples and outages."""
    if where == "bank.outages" and isinstance(value, list):
        return tuple(Outage(**item) for item in value)
    if isinstance(default, tuple) and isinstance(value, list):
        return tuple(tuple(item) if isinstance(item, list) else item for item in value)
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, type(default)) or (isinstance(default, Mapping) and isinstance(value, Mapping)):
        return value
    raise WorkspaceError(
        f"{where} is a {type(value).__name__}",
        file=path,
        field=where,
        rule=f"it is a {type(default).__name__}, like its default {default!r}",
        fix="write a value of that kind, or leave it out",
    )


def _known(said: Any, names: tuple[str, ...], path: Path, where: str) -> None:
    if not isinstance(said, Mapping):
        raise WorkspaceError(
            f"{where or FILE} is no mapping",
            file=path,
            field=where,
            rule="it maps names to values",
            fix="write name: value",
        )
    for name in said:
        if name not in names:
            close = get_close_matches(str(name), names, n=1)
            raise WorkspaceError(
                f"nothing is called {name!r}",
                file=path,
                field=f"{where}.{name}".strip("."),
                rule="simulation.yaml changes the numbers that docs/simulation.md lists",
                fix=f"write {close[0]!r}" if close else "take a name from the list",
            )
