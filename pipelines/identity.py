"""The identity tables: one asset for entities and ties, one for clusters, a check a question."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dagster as dg

from bluemirror.identity import build_clusters, build_spine, is_declared, read_declared
from pipelines.declared import Declared
from pipelines.journal import Journal
from pipelines.sources import source_key

GROUP = "identity"
SPINE_KEY = dg.AssetKey([GROUP, "entity_spine"])
CLUSTERS_KEY = dg.AssetKey([GROUP, "entity_clusters"])
SPINE_CHECKS = ("counts", "orphan_links", "intervals")


def identity_assets(declared: Declared, journal: Journal) -> list[dg.AssetsDefinition]:
    """Both assets; none in a workspace that declares no entities."""
    workspace = declared.workspace
    if not is_declared(workspace):
        return []
    identity = read_declared(workspace, declared.contracts)

    @dg.asset(
        key=SPINE_KEY,
        group_name=GROUP,
        kinds={"duckdb", "parquet"},
        description="Entities, the keys that mean them, and the ties between them, as known at each moment.",
        deps=[source_key(source) for source in identity.sources],
        check_specs=[dg.AssetCheckSpec(name, asset=SPINE_KEY) for name in SPINE_CHECKS],
    )
    def entity_spine() -> Iterator[Any]:
        with journal.step("identity", "spine") as keep:
            report = keep(build_spine(workspace, log=journal.say))
        yield dg.MaterializeResult(
            metadata={
                "dagster/row_count": sum(counts["versions"] for counts in report.links.values()),
                "entities": dict(report.entities),
                "pairs": {name: counts["pairs"] for name, counts in report.links.items()},
            }
        )
        yield from _answers(report)

    names = [f"{match}_{what}" for match in identity.matches for what in ("counts", "not_too_large")]

    @dg.asset(
        key=CLUSTERS_KEY,
        group_name=GROUP,
        kinds={"duckdb", "parquet"},
        description="Spellings and registrations that mean one thing, matched on keyed parts by splink.",
        deps=[SPINE_KEY, *(source_key(source) for source in identity.compared_sources)],
        check_specs=[dg.AssetCheckSpec(name, asset=CLUSTERS_KEY) for name in names],
    )
    def entity_clusters() -> Iterator[Any]:
        with journal.step("identity", "clusters") as keep:
            report = keep(build_clusters(workspace, log=journal.say))
        yield dg.MaterializeResult(
            metadata={
                "dagster/row_count": sum(int(counts["entities"]) for counts in report.matches.values()),
                **{name: dict(counts) for name, counts in report.matches.items()},
            }
        )
        yield from _answers(report)

    return [entity_spine, entity_clusters]


def _answers(report: Any) -> Iterator[dg.AssetCheckResult]:
    for check in report.checks:
        yield dg.AssetCheckResult(
            check_name=check.name,
            passed=check.passed,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"counted": check.detail},
        )
