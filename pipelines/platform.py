"""From a workspace's declarations to Dagster definitions."""

from __future__ import annotations

import dagster as dg

from bluemirror.workspace import Workspace
from pipelines.declared import Declared
from pipelines.desk import desk_assets
from pipelines.health import health_asset
from pipelines.identity import identity_assets
from pipelines.jobs import jobs, schedules
from pipelines.journal import Journal
from pipelines.models import model_assets
from pipelines.online import online_asset
from pipelines.registry import registry_asset
from pipelines.sources import source_assets
from pipelines.variables import variable_assets


def platform(workspace: Workspace, journal: Journal | None = None) -> dg.Definitions:
    """Assets, checks, jobs and schedules of whatever ``workspace`` declares.

    Parameters
    ----------
    journal
        Where progress and reports go; by default progress goes to the log.
    """
    journal = journal or Journal()
    declared = Declared.read(workspace)
    made = [
        *source_assets(declared, journal),
        *desk_assets(declared, journal),
        *identity_assets(declared, journal),
        *variable_assets(declared, journal),
        health_asset(declared, journal),
        registry_asset(declared, journal),
        *model_assets(declared, journal),
        online_asset(declared, journal),
    ]
    return dg.Definitions(
        assets=[each for each in made if not isinstance(each, dg.AssetChecksDefinition)],
        asset_checks=[each for each in made if isinstance(each, dg.AssetChecksDefinition)],
        jobs=jobs(),
        schedules=schedules(),
        # Within a run the library uses the threads; steps side by side would only add their memory.
        executor=dg.in_process_executor,
        metadata={"workspace": workspace.name},
    )
