"""The Feast registry as an asset: views of every block, services of every model version."""

from __future__ import annotations

import dagster as dg

from bluemirror.features import apply
from pipelines.declared import Declared
from pipelines.journal import Journal
from pipelines.variables import block_key

REGISTRY_KEY = dg.AssetKey(["features", "registry"])


def registry_asset(declared: Declared, journal: Journal) -> dg.AssetsDefinition:
    """One asset: what users ask variables of."""
    deps = [
        block_key(name, block.name)
        for name in declared.spine.observations
        for block in declared.blocks_of(name)
    ]

    @dg.asset(
        key=REGISTRY_KEY,
        group_name="features",
        kinds={"feast"},
        deps=deps,
        description="Feast registry: one view a block, one service a registered model version.",
    )
    def registry() -> dg.MaterializeResult:
        with journal.step("features", "registry") as keep:
            report = keep(apply(declared.workspace, log=journal.say))
        journal.say(
            f"features: {report.views} views, {report.variables:,} variables, {len(report.services)} services"
            + ("" if report.changed else " (nothing changed)")
        )
        return dg.MaterializeResult(
            metadata={
                "views": report.views,
                "variables": report.variables,
                "services": ", ".join(report.services) or "none yet",
                "removed": ", ".join(report.removed) or "none",
            }
        )

    return registry
