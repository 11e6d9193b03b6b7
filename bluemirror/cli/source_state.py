"""What the mart holds of every source, what its calls brought and cost, and whether it is fresh."""

from __future__ import annotations

import datetime as dt
from typing import Any

from bluemirror.workspace import Workspace

_PERIODS = {"y": 366, "m": 31, "w": 7, "d": 1, "h": 0}


def snapshot_day(workspace: Workspace) -> str | None:
    """The day of the newest committed delivery: the as_of of everything computed from this snapshot."""
    from bluemirror.mart.manifests import read_snapshot

    days = [day for source in read_snapshot(workspace).deliveries.values() for day in source]
    return max(days, default=None)


def source_counts(workspace: Workspace) -> dict[str, dict[str, int]]:
    """Landed records of every source over all committed deliveries: in, accepted, quarantined."""
    from bluemirror.contracts import read_contracts
    from bluemirror.mart.manifests import read_snapshot

    snapshot = read_snapshot(workspace)
    return {
        source: {
            key: sum(int(committed.counts[key]) for committed in snapshot.of(source).values())
            for key in ("in", "accepted", "quarantined")
        }
        for source in read_contracts(workspace.contracts_dir)
    }


def source_rows(workspace: Workspace) -> list[dict[str, Any]]:
    """One row a contract, with the keys of ``sources --json``."""
    from bluemirror.contracts import read_contracts
    from bluemirror.mart.manifests import read_snapshot

    snapshot = read_snapshot(workspace)
    newest = snapshot_day(workspace)
    counts = source_counts(workspace)
    calls = _calls(workspace) if newest else {}
    rows = []
    for source, contract in read_contracts(workspace.contracts_dir).items():
        days = sorted(snapshot.of(source))
        results = calls.get(source, {})
        asked = sum(results.values())
        prices = contract.price_by_result
        rows.append(
            {
                "source": source,
                "contract_version": contract.version,
                "last_delivery": days[-1] if days else None,
                "accepted": counts[source]["accepted"],
                "quarantined": counts[source]["quarantined"],
                "hit_rate": round(results.get("hit", 0) / asked, 4) if asked else None,
                "cost_yuan": round(sum(n * float(prices.get(result, 0.0)) for result, n in results.items()), 2)
                if asked
                else None,
                "fresh": bool(days and newest and _fresh(contract, days, newest)),
            }
        )
    return rows


def _fresh(contract: Any, days: list[str], newest: str) -> bool:
    """Whether the source has come as often as its contract promises, seen from the newest day of the mart."""
    frequency = next((level for level in contract.sla if level.property == "frequency"), None)
    promised = float(frequency.value) * _PERIODS.get(str(frequency.unit or "d")[:1].lower(), 1) if frequency else 1.0
    late = contract.lateness.after_hours / 24
    behind = (dt.date.fromisoformat(newest) - dt.date.fromisoformat(days[-1])).days
    return behind <= promised + late


def _calls(workspace: Workspace) -> dict[str, dict[str, int]]:
    """Source -> outcome (hit, no_hit, error) -> calls, from the ledger that the spine declares."""
    import bluemirror
    from bluemirror.variables.spine import read_spine

    if not (workspace.feature_repo / "spine.yaml").is_file():
        return {}
    calls = read_spine(workspace).calls
    if calls is None:
        return {}
    with bluemirror.connect(workspace) as connection:
        rows = connection.execute(
            f'SELECT "{calls.source}", "{calls.result}", count(*) FROM "{calls.table}" GROUP BY ALL'
        ).fetchall()
    found: dict[str, dict[str, int]] = {}
    for source, result, number in rows:
        outcome = calls.outcomes.get(str(result), "error")
        of_source = found.setdefault(str(source), {})
        of_source[outcome] = of_source.get(outcome, 0) + int(number)
    return found
