"""The state of every source: what came, what was taken, what it cost."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

    from bluemirror.contracts import Contract
    from bluemirror.workspace import Workspace


@dataclass(frozen=True)
class SourceState:
    """One source, over all committed deliveries.

    Parameters
    ----------
    source, contract_version
        The source and the version of its contract.
    in_, accepted, quarantined
        Landed records; always ``in_ == accepted + quarantined``.
    deliveries, last_delivery
        How many, and the day of the last.
    waiting
        Deliveries without their completing file.
    rejected_by_rule
        Rule -> records of the quarantine that broke it first.
    warnings
        ``table.rule`` -> rows.
    calls, hit_rate, cost_yuan
        From the call ledger, where the workspace declares one and it knows the source; else None.
    """

    source: str
    contract_version: str
    in_: int
    accepted: int
    quarantined: int
    deliveries: int
    last_delivery: dt.date | None
    waiting: int
    rejected_by_rule: dict[str, int]
    warnings: dict[str, int]
    calls: int | None = None
    hit_rate: float | None = None
    cost_yuan: float | None = None


def source_state(workspace: Workspace) -> dict[str, SourceState]:
    """State of every source that has a contract, by name.

    Reads the manifests, not the data, but for the call ledger.
    """
    from bluemirror.contracts import read_contracts
    from bluemirror.landing.deliveries import deliveries
    from bluemirror.mart.manifests import read_manifest, read_snapshot

    contracts = read_contracts(workspace.contracts_dir)
    snapshot = read_snapshot(workspace)
    ledger = _ledger(workspace, contracts)
    found = {}
    for source, contract in contracts.items():
        committed = [entry for _, entry in sorted(snapshot.of(source).items())]
        rejected: dict[str, int] = {}
        warned: dict[str, int] = {}
        for entry in committed:
            if not entry.counts["quarantined"] and not entry.warned:
                continue
            manifest = read_manifest(workspace, entry)
            for held in manifest["files"].values():
                if held["held"]:
                    rejected[held["held"]] = rejected.get(held["held"], 0) + held["rows"]
            for rule, count in manifest["rejected_by_rule"].items():
                rejected[rule] = rejected.get(rule, 0) + count
            for rule, count in manifest["warnings"].items():
                warned[rule] = warned.get(rule, 0) + count
        arrived = deliveries(workspace, contract) if workspace.landing.is_dir() else ()
        calls, hit_rate, cost = ledger.get(source, (None, None, None))
        total = {name: sum(e.counts[name] for e in committed) for name in ("in", "accepted", "quarantined")}
        found[source] = SourceState(
            source,
            contract.version,
            total["in"],
            total["accepted"],
            total["quarantined"],
            len(committed),
            committed[-1].day if committed else None,
            sum(not delivery.complete for delivery in arrived),
            rejected,
            warned,
            calls,
            hit_rate,
            cost,
        )
    return found


def _ledger(
    workspace: Workspace, contracts: dict[str, Contract]
) -> dict[str, tuple[int, float | None, float | None]]:
    """Source -> calls, hit rate, cost in yuan, if ``spine.yaml`` declares the call ledger."""
    import yaml

    path = workspace.feature_repo / "spine.yaml"
    if not path.is_file():
        return {}
    calls = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("calls")
    if not calls:
        return {}
    from bluemirror.mart.connect import connect

    connection = connect(workspace)
    try:
        return _count(connection, calls, contracts)
    finally:
        connection.close()


def _count(
    connection: duckdb.DuckDBPyConnection, calls: dict[str, Any], contracts: dict[str, Contract]
) -> dict[str, tuple[int, float | None, float | None]]:
    reason = {str(value): name for name in ("hit", "no_hit", "error") for value in calls.get(name, ())}
    cost_field = calls.get("cost")
    cost = f'sum("{cost_field}")' if cost_field else "NULL"
    query = (
        f'SELECT "{calls["source"]}", CAST("{calls["result"]}" AS VARCHAR), count(*), {cost}'
        f' FROM "{calls["table"]}" GROUP BY 1, 2'
    )
    found: dict[str, list[float]] = {}
    for source, result, count, paid in connection.sql(query).fetchall():
        if source not in contracts:
            continue
        entry = found.setdefault(source, [0, 0, 0, 0.0])
        entry[0] += count
        entry[1] += count if reason.get(result) == "hit" else 0
        entry[2] += count if reason.get(result) == "no_hit" else 0
        # The ledger's own cost (fen) is what was paid; without it, the contract's price of each result.
        entry[3] += paid / 100 if paid is not None else count * contracts[source].price(result)
    return {
        source: (int(calls_), hits / (hits + misses) if hits + misses else None, round(paid, 2))
        for source, (calls_, hits, misses, paid) in found.items()
    }
