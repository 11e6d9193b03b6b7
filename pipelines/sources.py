"""One asset a source: its deliveries in the mart, with the contract's expectations as asset check."""

from __future__ import annotations

from typing import Any

import dagster as dg

from bluemirror.contracts import Contract
from bluemirror.mart.check import check_source
from bluemirror.mart.ingest import ingest_source
from bluemirror.workspace import Workspace
from pipelines.declared import Declared
from pipelines.journal import Journal

GROUP = "mart"
RETRY = dg.RetryPolicy(max_retries=2, delay=10, backoff=dg.Backoff.EXPONENTIAL)


def source_key(source: str) -> dg.AssetKey:
    """Key of a source's asset."""
    return dg.AssetKey([GROUP, source])


def source_assets(
    declared: Declared, journal: Journal
) -> list[dg.AssetsDefinition | dg.AssetChecksDefinition]:
    """Asset and check of every contract."""
    made: list[dg.AssetsDefinition | dg.AssetChecksDefinition] = []
    for source, contract in declared.contracts.items():
        made += [
            _asset(declared.workspace, journal, source, contract),
            _check(declared.workspace, journal, source),
        ]
    return made


def _asset(workspace: Workspace, journal: Journal, source: str, contract: Contract) -> dg.AssetsDefinition:
    tables = ", ".join(table.name for table in contract.tables)

    @dg.asset(
        key=source_key(source),
        group_name=GROUP,
        kinds={*contract.landing.formats[:2], "parquet"},
        description=f"{contract.name_zh} / {contract.name_en}. Tables: {tables}.",
        tags={"domain": _tag(contract.domain), "contract": _tag(contract.version)},
        retry_policy=RETRY,
    )
    def delivered() -> dg.MaterializeResult:
        with journal.step("source", source) as keep:
            report = keep(ingest_source(workspace, source, log=journal.say))
        journal.say(
            f"ingest {source}: {report.in_:,} in = {report.accepted:,} accepted + {report.quarantined:,} quarantined"
            + ("" if report.changed else " (no new delivery)")
        )
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": report.accepted,
                "rows in": report.in_,
                "accepted": report.accepted,
                "quarantined": report.quarantined,
                "new deliveries": str(report.new_deliveries),
                "waiting": str(report.waiting),
                "warnings": str(report.warnings),
                "contract": dg.MetadataValue.path(str(contract.path)),
            }
        )

    return delivered


def _check(workspace: Workspace, journal: Journal, source: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=source_key(source),
        name="contract",
        blocking=True,
        description="Every expectation of the contract, by Great Expectations over all rows of the mart.",
    )
    def contract() -> dg.AssetCheckResult:
        with journal.step("check", source) as keep:
            report = keep(check_source(workspace, source))
        journal.say(
            f"check {source}: {'passed' if report.passed else 'FAILED'}"
            + (" (the same rows as before)" if report.recalled else "")
        )
        return dg.AssetCheckResult(passed=report.passed, metadata=check_metadata(report))

    return contract


def check_metadata(report: Any) -> dict[str, Any]:
    """Counts and one table line an expectation."""
    lines = ["| table | expectation | rows | failed | passed |", "|---|---|---:|---:|---|"]
    lines += [" | ".join(["", *map(str, result), ""]).strip() for result in report.results]
    return {"expectations": len(report.results), "results": dg.MetadataValue.md("\n".join(lines))}


def _tag(text: str) -> str:
    """A value that Dagster allows as a tag."""
    return "".join(sign if sign.isalnum() or sign in "._-" else "_" for sign in str(text))[:63]
