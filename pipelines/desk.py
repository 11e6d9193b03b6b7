"""The data-source desk: one scorecard asset for all sources, a check a question; what blocks is checked apart."""
# No annotations as text here: Dagster reads the class of the configuration from them.

from collections.abc import Callable, Iterator, Sequence

import dagster as dg

from bluemirror.contracts import Contract
from bluemirror.desk.alerts import CHECKS, ERROR, KINDS, Alert
from bluemirror.desk.arrival import arrival
from bluemirror.desk.card import Scorecard, SourceCard
from bluemirror.desk.figures import NONE, count, milliseconds, percent, yuan
from bluemirror.desk.publishing import publish
from bluemirror.workspace import Workspace
from pipelines.declared import Declared
from pipelines.journal import Journal
from pipelines.sources import source_key

SCORECARD_KEY = dg.AssetKey(["desk", "source_scorecard"])
SCORECARD_OP = SCORECARD_KEY.to_python_identifier()


class Day(dg.Config):
    """As of which day: the schedule says yesterday; without it, the day of what is newest."""

    as_of: str | None = None


_FIGURES: dict[str, tuple[tuple[str, ...], Callable[[SourceCard], tuple[str, ...]]]] = {
    "freshness": (
        ("delivered", "due", "late, hours", "if late"),
        lambda each: (
            str(each.freshness.last or NONE),
            str(each.freshness.due or NONE),
            f"{each.freshness.late_hours:g}",
            each.freshness.policy,
        ),
    ),
    "hit_rate": (
        ("answers", "hit rate", "match rate", "8 weeks before"),
        lambda each: (
            count(each.week.answered),
            percent(each.week.hit_rate),
            percent(each.week.match_rate),
            percent(each.baseline.hit_rate),
        ),
    ),
    "error_rate": (
        ("calls", "errors", "timeouts", "8 weeks before"),
        lambda each: (
            count(each.week.outside),
            percent(each.week.error_rate, 2),
            count(each.week.timeouts),
            percent(each.baseline.error_rate, 2),
        ),
    ),
    "latency": (
        ("p50 ms", "promised", "p99 ms", "promised"),
        lambda each: (
            milliseconds(each.week.p50_ms),
            milliseconds(each.promised.p50_ms),
            milliseconds(each.week.p99_ms),
            milliseconds(each.promised.p99_ms),
        ),
    ),
    "bill": (
        ("month to date", "last bill", "expected", "difference"),
        lambda each: (
            yuan(each.month_to_date_yuan),
            yuan(each.last_bill.billed_yuan if each.last_bill else None),
            yuan(each.last_bill.expected_yuan if each.last_bill else None),
            yuan(each.last_bill.difference_yuan if each.last_bill else None),
        ),
    ),
    "drift": (
        ("fields", "moved", "emptied", "highest PSI"),
        lambda each: (
            count(len(each.drift)),
            count(sum(one.shifted for one in each.drift)),
            count(sum(one.emptied for one in each.drift)),
            f"{max((one.psi or 0.0 for one in each.drift), default=0.0):.3f}",
        ),
    ),
    "duplicates": (
        ("answers", "most repeated", "share before", "request ids repeated"),
        lambda each: (
            count(each.same.answers if each.same else None),
            count(each.same.same if each.same else None),
            percent(each.same.share_before if each.same else None),
            count(each.repeated_requests),
        ),
    ),
    "quarantine": (
        ("records, week", "quarantined", "share", "8 weeks before"),
        lambda each: (
            count(each.rejected.recent_in),
            count(each.rejected.recent_out),
            percent(each.rejected.share, 2),
            percent(
                each.rejected.before_out / each.rejected.before_in if each.rejected.before_in else None, 2
            ),
        ),
    ),
}
"""Check -> head and cells of its table, one row a source."""


def desk_assets(declared: Declared, journal: Journal) -> list[dg.AssetsDefinition | dg.AssetChecksDefinition]:
    """The scorecard with its checks, and a blocking check of every source without which the night must not go on."""
    made: list[dg.AssetsDefinition | dg.AssetChecksDefinition] = [_scorecard(declared, journal)]
    made += [
        _arrived(declared.workspace, journal, contract)
        for contract in declared.contracts.values()
        if contract.lateness.policy == "block"
    ]
    return made


def _scorecard(declared: Declared, journal: Journal) -> dg.AssetsDefinition:
    checks = [
        dg.AssetCheckSpec(
            name,
            asset=SCORECARD_KEY,
            description=f"{zh} / {en}: "
            + ", ".join(f"{kind.zh} {kind.en}" for kind in KINDS.values() if kind.check == name)
            + ". Tells, does not block.",
        )
        for name, (zh, en) in CHECKS.items()
    ]

    @dg.asset(
        key=SCORECARD_KEY,
        group_name="desk",
        kinds={"duckdb", "html"},
        deps=[source_key(source) for source in declared.contracts],
        check_specs=checks,
        description="数据源记分卡 / source scorecard: did each source come, is it right, what did it cost.",
    )
    def source_scorecard(config: Day) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        with journal.step("desk", "source_scorecard") as keep:
            report = keep(publish(declared.workspace, config.as_of, log=journal.say))
        card = report.card
        errors = sum(alert.severity == ERROR for alert in card.alerts)
        journal.say(
            f"desk: {len(card.sources)} sources as of {card.as_of}, {errors} errors, "
            f"{len(card.alerts) - errors} warnings" + ("" if report.changed else " (nothing changed)")
        )
        yield dg.MaterializeResult(
            asset_key=SCORECARD_KEY,
            metadata={
                "dagster/row_count": len(card.sources),
                "as of": str(card.as_of),
                "errors": errors,
                "warnings": len(card.alerts) - errors,
                "month to date, yuan": round(sum(each.month_to_date_yuan for each in card.sources), 2),
                "page": dg.MetadataValue.path(str(report.page)),
                "alerts": dg.MetadataValue.md(_alert_table(card.alerts)),
            },
        )
        for name in CHECKS:
            yield _result(card, name)

    return source_scorecard


def _result(card: Scorecard, check: str) -> dg.AssetCheckResult:
    """Passed without an alert of this check; the severity is that of the worst."""
    alerts = [alert for alert in card.alerts if alert.check == check]
    errors = any(alert.severity == ERROR for alert in alerts)
    head, cells = _FIGURES[check]
    rows = [(each.source, card.status(each.source), *cells(each)) for each in card.sources]
    return dg.AssetCheckResult(
        passed=not alerts,
        check_name=check,
        asset_key=SCORECARD_KEY,
        severity=dg.AssetCheckSeverity.ERROR if errors else dg.AssetCheckSeverity.WARN,
        metadata={
            "alerts": len(alerts),
            "what and why": dg.MetadataValue.md(_alert_table(alerts)),
            "sources": dg.MetadataValue.md(markdown_table(("source", "status", *head), rows)),
        },
    )


def _alert_table(alerts: Sequence[Alert]) -> str:
    if not alerts:
        return "none"
    rows = [(alert.severity, alert.source, alert.title, alert.cause, alert.todo) for alert in alerts]
    return markdown_table(("severity", "source", "alert", "cause", "what to do"), rows)


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; a bar in a cell does not end it."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def _arrived(workspace: Workspace, journal: Journal, contract: Contract) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=source_key(contract.source),
        name="arrived",
        blocking=True,
        description="Its contract lets the night wait: nothing is computed when it is later than granted.",
    )
    def arrived() -> dg.AssetCheckResult:
        with journal.step("arrived", contract.source) as keep:
            found = keep(arrival(workspace, contract))
        return dg.AssetCheckResult(
            passed=not found.blocks,
            metadata={
                "delivered": str(found.last or "never"),
                "due": str(found.due or "at once"),
                "late, hours": found.late_hours,
                "granted, hours": found.granted_hours,
            },
        )

    return arrived
