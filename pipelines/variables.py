"""Observations and blocks: one pass over the mart computes all of them, each is an asset of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import dagster as dg

from bluemirror.contracts import read_contracts
from bluemirror.variables import build, catalogue, load_blocks
from bluemirror.variables.spine import Spine, read_spine
from bluemirror.workspace import Workspace
from pipelines.journal import Journal
from pipelines.sources import source_key

GROUP = "variables"


def block_key(observation_set: str, block: str) -> dg.AssetKey:
    """Key of a block's asset."""
    return dg.AssetKey([GROUP, observation_set, block])


def observations_key(observation_set: str) -> dg.AssetKey:
    """Key of an observation set's asset."""
    return dg.AssetKey(["observations", observation_set])


def variable_assets(workspace: Workspace, journal: Journal) -> list[dg.AssetsDefinition]:
    """One computation an observation set, of its observations and of every block that describes its entity."""
    spine = read_spine(workspace)
    return [_assets(workspace, journal, spine, name) for name in spine.observations]


def blocks_of(workspace: Workspace, observation_set: str) -> list[Any]:
    """Blocks whose entity the observation set describes."""
    entity = read_spine(workspace).observation_set(observation_set).entity
    return [block for block in load_blocks(workspace) if block.entity == entity]


def _assets(
    workspace: Workspace, journal: Journal, spine: Spine, observation_set: str
) -> dg.AssetsDefinition:
    declared = spine.observations[observation_set]
    source_of = {
        table.name: source
        for source, contract in read_contracts(workspace.contracts_dir).items()
        for table in contract.tables
    }
    keys_table = spine.entities[declared.entity].keys_table
    words = set(re.findall(r"\w+", declared.sql)) | ({keys_table} if keys_table else set())
    counts: dict[str, int] = {}
    tables: dict[str, set[str]] = {}
    for variable in catalogue(workspace):
        counts[variable.block] = counts.get(variable.block, 0) + 1
        tables.setdefault(variable.block, set()).add(variable.table)
    specs = [
        dg.AssetSpec(
            observations_key(observation_set),
            group_name=GROUP,
            kinds={"duckdb", "parquet"},
            description=f"{declared.label_zh} / {declared.label_en}: what is described, and when.",
            deps=sorted({source_key(source_of[word]) for word in words if word in source_of}),
        )
    ]
    for block in blocks_of(workspace, observation_set):
        sources = {
            block.source,
            *(source_of[name] for name in tables.get(block.name, ()) if name in source_of),
        }
        if spine.calls is not None:
            sources.add(source_of[spine.calls.table])
        specs.append(
            dg.AssetSpec(
                block_key(observation_set, block.name),
                group_name=GROUP,
                kinds={"polars", "parquet"},
                description=f"{block.label.zh} / {block.label.en}: {counts.get(block.name, 0)} variables.",
                deps=[observations_key(observation_set), *sorted(source_key(source) for source in sources)],
                tags={"entity": block.entity},
            )
        )

    @dg.multi_asset(name=f"compute_{observation_set}", specs=specs)
    def compute() -> Iterator[dg.MaterializeResult]:
        with journal.step("variables", observation_set) as keep:
            report = keep(build(workspace, observation_set, log=journal.say))
        journal.say(
            f"variables {observation_set}: {report.observations:,} observations x {report.variables:,}"
            + ("" if report.changed else " (nothing changed)")
        )
        for spec in specs:
            values: dict[str, Any] = {"dagster/row_count": report.observations}
            if spec.key != observations_key(observation_set):
                values["variables"] = counts.get(spec.key.path[-1], 0)
            yield dg.MaterializeResult(asset_key=spec.key, metadata=values)

    return compute
