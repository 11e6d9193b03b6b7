"""The health of every variable: one asset over all blocks of the night, a check a question."""
# No annotations as text here: Dagster reads the class of the configuration from them.

from collections.abc import Iterator

import dagster as dg

from bluemirror.desk.alerts import ERROR
from bluemirror.health.alerts import CHECKS, KINDS
from bluemirror.health.nightly import Night
from bluemirror.health.publishing import publish
from pipelines.declared import Declared
from pipelines.desk import Day, markdown_table
from pipelines.journal import Journal
from pipelines.variables import block_key

HEALTH_KEY = dg.AssetKey(["health", "variables"])
HEALTH_OP = HEALTH_KEY.to_python_identifier()


def health_asset(declared: Declared, journal: Journal) -> dg.AssetsDefinition:
    """Figures of every stored variable as of the newest day described; its checks tell, they do not block."""
    checks = [
        dg.AssetCheckSpec(
            name,
            asset=HEALTH_KEY,
            description=f"{zh} / {en}: "
            + ", ".join(f"{kind.zh} {kind.en}" for kind in KINDS.values() if kind.check == name)
            + ". Tells, does not block.",
        )
        for name, (zh, en) in CHECKS.items()
    ]
    blocks = [
        block_key(name, block.name)
        for name in declared.spine.observations
        for block in declared.blocks_of(name)
    ]

    @dg.asset(
        key=HEALTH_KEY,
        group_name="health",
        kinds={"parquet", "html"},
        deps=blocks,
        check_specs=checks,
        description="变量健康 / health of variables: is every one there, and does it look as it did.",
    )
    def variable_health(config: Day) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        with journal.step("health", "variables") as keep:
            report = keep(publish(declared.workspace, config.as_of, log=journal.say))
        made = report.night
        severities = made.alerts["severity"].to_list()
        journal.say(
            f"health: {len(made.variables):,} variables as of {made.as_of}, {severities.count(ERROR)} errors, "
            f"{len(severities) - severities.count(ERROR)} warnings"
            + ("" if report.changed else " (nothing changed)")
        )
        yield dg.MaterializeResult(
            asset_key=HEALTH_KEY,
            metadata={
                "dagster/row_count": len(made.variables),
                "as of": str(made.as_of),
                "observations": made.observations,
                "moved against last week": int(made.variables["moved_week"].sum()),
                "away from training": int(made.variables["moved_training"].sum()),
                "page": dg.MetadataValue.path(str(report.page)),
            },
        )
        for name in CHECKS:
            yield _result(made, name)

    return variable_health


def _result(made: Night, check: str) -> dg.AssetCheckResult:
    """Passed without an alert of this check; the severity is that of the worst."""
    rows = [row for row in made.alerts.iter_rows(named=True) if KINDS[row["kind"]].check == check]
    told = [
        (row["severity"], row["source"], KINDS[row["kind"]].en, row["cause"], row["todo"]) for row in rows
    ]
    errors = any(row["severity"] == ERROR for row in rows)
    head = ("severity", "source", "alert", "cause", "what to do")
    return dg.AssetCheckResult(
        passed=not rows,
        check_name=check,
        asset_key=HEALTH_KEY,
        severity=dg.AssetCheckSeverity.ERROR if errors else dg.AssetCheckSeverity.WARN,
        metadata={
            "alerts": len(rows),
            "what and why": dg.MetadataValue.md(markdown_table(head, told) if told else "none"),
        },
    )
