"""Which variables of the catalogue may enter a model: patterns, stages, and what each costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from bluemirror.errors import ModelError

if TYPE_CHECKING:
    from bluemirror.scorecards.spec import ModelSpec
    from bluemirror.workspace import Workspace


@dataclass(frozen=True)
class CandidateSet:
    """The variables that may enter, by name, and how many were refused for their stage."""

    variables: Mapping[str, Any]
    refused_by_stage: int

    @property
    def block_of(self) -> dict[str, str]:
        """Name to block."""
        return {name: v.block for name, v in self.variables.items()}

    @property
    def by_block(self) -> dict[str, list[str]]:
        """Block to names, both in catalogue order."""
        found: dict[str, list[str]] = {}
        for name, v in self.variables.items():
            found.setdefault(v.block, []).append(name)
        return found

    def source_cost(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """What the sources of ``names`` cost: source, variables, yuan a query (a source is asked once)."""
        lines: dict[str, dict[str, Any]] = {}
        for name in names:
            v = self.variables[name]
            line = lines.setdefault(v.source, {"source": v.source, "variables": 0, "yuan_a_query": 0.0})
            line["variables"] += 1
            line["yuan_a_query"] = max(line["yuan_a_query"], float(v.cost_yuan or 0.0))
        return sorted(lines.values(), key=lambda x: (-x["yuan_a_query"], x["source"]))


def candidates(workspace: Workspace, spec: ModelSpec) -> CandidateSet:
    """The candidates of a model from the catalogue.

    Variables of a source whose contract does not allow the model's stage are left out and counted; one that is
    named in full in the declaration is an error.

    Raises
    ------
    ModelError
        If a name asked for does not exist or is refused, or nothing is left.
    """
    from bluemirror.variables import catalogue, load_blocks
    from bluemirror.variables.spine import read_spine

    entity = read_spine(workspace).observation_set(spec.observation_set).entity
    stored = {block.name for block in load_blocks(workspace) if block.entity == entity}
    everything = {v.name: v for v in catalogue(workspace) if v.block in stored}
    _refuse_wrong_names(spec, everything, stored)
    asked = {
        name: v
        for name, v in everything.items()
        if _matches(v.block, spec.candidates.blocks)
        and _matches(name, spec.candidates.names)
        and not _matches(name, spec.candidates.exclude)
    }
    allowed = {name: v for name, v in asked.items() if spec.stage in v.stages}
    if not allowed:
        raise ModelError(
            "no variable may enter this model",
            file=spec.file,
            field="candidates",
            rule=f"blocks, names and exclude leave variables whose sources allow the stage {spec.stage!r}",
            fix=f"{len(asked)} match the patterns; widen them, or look at the stages in the contracts",
        )
    return CandidateSet(allowed, len(asked) - len(allowed))


def _matches(text: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(text, p) for p in patterns)


def _refuse_wrong_names(spec: ModelSpec, everything: Mapping[str, Any], blocks: set[str]) -> None:
    import difflib

    for key, patterns, known in (
        ("candidates.blocks", spec.candidates.blocks, blocks),
        ("candidates.names", spec.candidates.names, set(everything)),
    ):
        for pattern in patterns:
            if any(c in pattern for c in "*?["):
                continue
            if pattern not in known:
                near = difflib.get_close_matches(pattern, sorted(known), 1)
                raise ModelError(
                    f"there is no {pattern!r}",
                    file=spec.file,
                    field=key,
                    rule="names of the catalogue, or patterns with * and ?",
                    fix=f"did you mean {near[0]!r}?" if near else "bluemirror catalogue search TEXT",
                )
            variable = everything.get(pattern)
            if variable is not None and spec.stage not in variable.stages:
                raise ModelError(
                    f"{pattern!r} may not be used in a {spec.stage}-loan model",
                    file=spec.file,
                    field=key,
                    rule=f"the contract of {variable.source} allows {', '.join(variable.stages)}",
                    fix="remove it, or choose a variable whose source allows the stage",
                )
