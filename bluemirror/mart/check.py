"""The contract's expectations on every accepted row, by Great Expectations.

The gate keeps bad records out; this looks again at what is in the mart, with another engine and from the same
contract, so that a hole in the gate does not go unseen.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bluemirror.contracts import Contract, Table
    from bluemirror.mart.manifests import Snapshot
    from bluemirror.workspace import Workspace

COPY_BELOW = 200_000


@dataclass(frozen=True)
class CheckResult:
    """One expectation: iterates as (table, expectation, rows, failed, passed).

    Parameters
    ----------
    table, expectation
        Mart table, and the rule of the contract that the expectation stands for.
    rows
        Rows of the table.
    failed
        Rows against it (for a rule about groups, the groups); None if it could not be computed.
    passed
        Whether it holds.
    severity
        error (blocking) or warning.
    error
        Why it could not be computed, without any value, or "".
    """

    table: str
    expectation: str
    rows: int
    failed: int | None
    passed: bool
    severity: str
    error: str = ""

    def __iter__(self) -> Iterator[Any]:
        return iter((self.table, self.expectation, self.rows, self.failed, self.passed))


@dataclass(frozen=True)
class CheckReport:
    """All expectations of a source; ``passed`` looks only at those of severity error.

    ``recalled`` tells that these very rows had been checked before, against the same contract.
    """

    source: str
    passed: bool
    rows: int
    results: tuple[CheckResult, ...]
    recalled: bool = False

    @property
    def failures(self) -> tuple[CheckResult, ...]:
        """Expectations that do not hold, warnings included."""
        return tuple(result for result in self.results if not result.passed)


def check_source(workspace: Workspace, source: str) -> CheckReport:
    """Run the suites of a source's tables over all rows of the mart.

    Great Expectations works on a DuckDB with views over the committed Parquet, in a temporary folder: it
    writes nothing into the workspace and sends nothing home. The report is kept, and recalled while neither the
    rows nor the contract change.

    Raises
    ------
    ContractError
        If the contract is written wrongly.
    """
    from bluemirror.contracts import read_contract
    from bluemirror.mart.adopted import of_this_major
    from bluemirror.mart.checked import fingerprint, recall, remember
    from bluemirror.mart.manifests import read_snapshot

    contract = read_contract(workspace.contracts_dir / f"{source}.odcs.yaml")
    # What came under an earlier major version was checked by that one's rules.
    state = of_this_major(contract, read_snapshot(workspace))
    mark = fingerprint(workspace, contract, state)
    before = recall(workspace, source, mark)
    if before is not None:
        return before
    with tempfile.TemporaryDirectory(prefix="bluemirror-check-") as folder:
        rows = _prepare(workspace, contract, state, Path(folder) / "mart.duckdb")
        with _engine(Path(folder) / "mart.duckdb") as datasource:
            results = [
                result
                for table in contract.tables
                if rows[table.name]
                for result in _run(datasource, table, rows[table.name])
            ]
    passed = all(result.passed for result in results if result.severity == "error")
    report = CheckReport(source, passed, sum(rows.values()), tuple(results))
    remember(workspace, report, mark)
    return report


def _prepare(workspace: Workspace, contract: Contract, state: Snapshot, path: Path) -> dict[str, int]:
    """A database file with the views of a contract; returns rows per table."""
    import duckdb

    from bluemirror.mart.connect import define_views

    rows = {
        table.name: sum(
            committed.tables.get(table.name, 0) for committed in state.of(contract.source).values()
        )
        for table in contract.tables
    }
    with duckdb.connect(str(path)) as connection:
        define_views(connection, workspace, contract, state)
        # Many rules over a few tables: copying once is cheaper than opening every delivery's file each time.
        # A single large table is asked so little that it is not.
        if len(rows) > 1 or sum(rows.values()) < COPY_BELOW:
            for name in rows:
                connection.execute(f'CREATE TABLE "_{name}" AS SELECT * FROM "{name}"')
                connection.execute(f'DROP VIEW "{name}"')
                connection.execute(f'ALTER TABLE "_{name}" RENAME TO "{name}"')
    return rows


@contextmanager
def _engine(path: Path) -> Iterator[Any]:
    """A Great Expectations data source on a DuckDB file, in a context that leaves no files."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    datasource = context.data_sources.add_sql(
        "mart", connection_string=f"duckdb:///{path}", create_temp_table=False
    )
    engine = datasource.get_execution_engine()
    held = engine.engine.connect()

    @contextmanager
    def connection() -> Iterator[Any]:
        # DuckDB hands results over lazily, and Great Expectations would close the connection before it
        # reads them. A failed query must not take the following ones down with its transaction.
        try:
            yield held
        except Exception:
            held.rollback()
            raise

    setattr(engine, "get_connection", connection)  # noqa: B010 - on this engine alone, not on its class
    try:
        yield datasource
    finally:
        held.close()
        engine.engine.dispose()


def _run(datasource: Any, table: Table, rows: int) -> list[CheckResult]:
    from bluemirror.contracts.expectations import suite

    asset = datasource.add_table_asset(table.name, table_name=table.name)
    batch = asset.add_batch_definition_whole_table("all").get_batch()
    outcome = batch.validate(suite(table), result_format="BASIC")
    return [_result(table, rows, result) for result in outcome.results]


def _result(table: Table, rows: int, result: Any) -> CheckResult:
    meta = result.expectation_config.meta or {}
    error = ""
    failed: int | None = None
    raised = _raised(result.exception_info)
    if raised:
        error = raised
    else:
        value = result.result
        failed = value.get("unexpected_count")
        if failed is None:
            observed = value.get("observed_value")
            failed = int(observed) if isinstance(observed, int) else int(not result.success)
    return CheckResult(
        table.name,
        str(meta.get("rule", result.expectation_config.type)),
        rows,
        failed,
        bool(result.success) and not error,
        str(meta.get("severity", "error")),
        error,
    )


def _raised(info: Any) -> str:
    """The kind of an exception; its text may quote a value, so it is not kept."""
    if not info:
        return ""
    entries = [info] if "raised_exception" in info else list(info.values())
    for entry in entries:
        if entry.get("raised_exception"):
            text = str(entry.get("exception_message", ""))
            return f"the query failed: {text.split(':', maxsplit=1)[0][:80]}" if text else "the query failed"
    return ""
