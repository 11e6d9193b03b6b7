"""What a source costs beside what it is bought for: applications and approvals."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bluemirror.desk.calls import TABLE, contracted
from bluemirror.desk.known import day, newest_sql, quote, text
from bluemirror.desk.windows import Windows

if TYPE_CHECKING:
    import duckdb

    from bluemirror.contracts import Contract
    from bluemirror.variables.spine import Spine


@dataclass(frozen=True)
class Spending:
    """Cost of the calls that were made for applications, and those applications.

    Parameters
    ----------
    cost_yuan
        Cost of the window's calls that name an application.
    applications
        Applications that they name.
    approvals
        Those of them that are approved, as far as known by the as-of day.
    """

    cost_yuan: float = 0.0
    applications: int = 0
    approvals: int = 0

    @property
    def per_application(self) -> float | None:
        """Yuan an application that asked the source; None without one."""
        return self.cost_yuan / self.applications if self.applications else None

    @property
    def per_approval(self) -> float | None:
        """Yuan an approval among them: what the rejected cost is carried by the approved."""
        return self.cost_yuan / self.approvals if self.approvals else None


def spending(
    connection: duckdb.DuckDBPyConnection,
    spine: Spine,
    contracts: Mapping[str, Contract],
    windows: Windows,
    first: dt.date,
) -> dict[str, Spending]:
    """Spending by source over the calls from ``first`` on; empty if ledger or spine know no applications."""
    declared = spine.applications
    if declared is None or spine.calls is None or spine.calls.application is None:
        return {}
    table = contracted(
        spine, contracts, "applications", declared.table, {"id": declared.id, "status": declared.status}
    )
    columns = {
        "id": f"CAST({quote(declared.id)} AS VARCHAR)",
        "status": f"CAST({quote(declared.status)} AS VARCHAR)",
    }
    approved = ", ".join(text(status) for status in declared.approved)
    found = connection.sql(
        f"WITH approved AS (SELECT id FROM ({newest_sql(table, windows.end, columns)}) WHERE status IN ({approved})), "
        "asked AS (SELECT source, application, sum(CAST(round(cost * 10000) AS BIGINT)) AS cost "
        f"FROM {TABLE} WHERE application IS NOT NULL AND day >= {day(first)} GROUP BY ALL) "
        "SELECT a.source, sum(a.cost) / 10000.0, count(*), count(p.id) "
        "FROM asked a LEFT JOIN approved p ON p.id = a.application GROUP BY a.source"
    ).fetchall()
    return {source: Spending(float(cost), int(asked), int(won)) for source, cost, asked, won in found}
