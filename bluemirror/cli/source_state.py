"""What the mart holds of every source, what its calls brought and cost, and whether it is fresh."""

from __future__ import annotations

import datetime as dt
from typing import Any

from bluemirror.workspace import Workspace


def snapshot_day(workspace: Workspace) -> str | None:
    """The day of the newest committed delivery: the as_of of everything computed from this snapshot."""
    from bluemirror.mart.manifests import read_snapshot

    days = [day for source in read_snapshot(workspace).deliveries.values() for day in source]
    return max(days, default=None)


def source_counts(workspace: Workspace) -> dict[str, dict[str, int]]:
    """Landed records of every source over all committed deliveries: in, accepted, quarantined."""
    from bluemirror.mart.state import source_state

    return {
        source: {"in": state.in_, "accepted": state.accepted, "quarantined": state.quarantined}
        for source, state in source_state(workspace).items()
    }


def source_rows(workspace: Workspace) -> list[dict[str, Any]]:
    """One row a contract, with the keys of ``sources --json``."""
    from bluemirror.contracts import read_contracts
    from bluemirror.mart.state import source_state

    newest = snapshot_day(workspace)
    contracts = read_contracts(workspace.contracts_dir)
    return [
        {
            "source": source,
            "contract_version": state.contract_version,
            "last_delivery": state.last_delivery.isoformat() if state.last_delivery else None,
            "accepted": state.accepted,
            "quarantined": state.quarantined,
            "hit_rate": None if state.hit_rate is None else round(state.hit_rate, 4),
            "cost_yuan": state.cost_yuan,
            "fresh": bool(
                state.last_delivery and newest and _fresh(contracts[source], state.last_delivery, newest)
            ),
            "waiting": state.waiting,
        }
        for source, state in source_state(workspace).items()
    ]


def _fresh(contract: Any, last: dt.date, newest: str) -> bool:
    """Whether the source has come as often as its contract promises, seen from the newest day of the mart."""
    from bluemirror.contracts.service_levels import in_hours

    frequency = contract.promised("frequency")
    promised = (in_hours(frequency) or 24) / 24 if frequency else 1.0
    late = contract.lateness.after_hours / 24
    return (dt.date.fromisoformat(newest) - last).days <= promised + late
