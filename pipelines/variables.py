"""Observations and blocks: one pass over the mart computes all of them, each is an asset of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import dagster as dg

from bluemirror.variables import build
from pipelines.declared import Declared
from pipelines.journal import Journal
from pipelines.sources import source_key

GROUP = "variables"


def block_key(observation_set: str, block: str) -> dg.AssetKey:
    """Key of a block's asset."""
    return dg.AssetKey([GROUP, observation_set, block])


def observations_key(observation_set: str) -> dg.AssetKey:
    """Key of an observation set's asset."""
    return dg.AssetKey(["observations", observation_set])


def variable_assets(declared: Declared, journal: Journal) -> list[dg.AssetsDefinition]:
    """One computation an observation set, of its observations and of every block that describes its entity."""
    return [_assets(declared, journal, name) for name in declared.spine.observations]


def _observations(declared: Declared, observation_set: str) -> dg.AssetSpec:
    which = declared.spine.observation_set(observation_set)
    keys_table = declared.spine.entities[which.entity].keys_table
    # The tables that the query names are the words in it that are tables.
    words = set(re.findall(r"\w+", which.sql)) | ({keys_table} if keys_table else set())
    owner = declared.source_of
    return dg.AssetSpec(
        observations_key(observation_set),
        group_name=GROUP,
        kinds={"duckdb", "parquet"},
        description=f"{which.label_zh} / {which.label_en}: what is described, and when.",
        deps=sorted({source_key(owner[word]) for word in words if word in owner}),
    )


def _assets(declared: Declared, journal: Journal, observation_set: str) -> dg.AssetsDefinition:
    specs = [_observations(declared, observation_set)]
    specs += [
        dg.AssetSpec(
            block_key(observation_set, block.name),
            group_name=GROUP,
            kinds={"polars", "parquet"},
            description=f"{block.label.zh} / {block.label.en}: {declared.variables[block.name]:,} variables.",
            deps=[
                observations_key(observation_set),
                *sorted(source_key(source) for source in declared.sources_of(block)),
            ],
            tags={"entity": block.entity},
        )
        for block in declared.blocks_of(observation_set)
    ]

    @dg.multi_asset(name=f"compute_{observation_set}", specs=specs)
    def compute() -> Iterator[dg.MaterializeResult]:
        with journal.step("variables", observation_set) as keep:
            report = keep(build(declared.workspace, observation_set, log=journal.say))
        journal.say(
            f"variables {observation_set}: {report.observations:,} observations x {report.variables:,}"
            + ("" if report.changed else " (nothing changed)")
        )
        for spec in specs:
            values: dict[str, Any] = {"dagster/row_count": report.observations}
            if spec.key != observations_key(observation_set):
                values["variables"] = declared.variables[spec.key.path[-1]]
            yield dg.MaterializeResult(asset_key=spec.key, metadata=values)

    return compute
