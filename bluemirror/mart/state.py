"""The state of every source: what came, what was taken, what was kept out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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


def source_state(workspace: Workspace) -> dict[str, SourceState]:
    """State of every source that has a contract, by name.

    Reads the manifests, not the data. What calls brought and cost is told by :mod:`bluemirror.desk`.
    """
    from bluemirror.contracts import read_contracts
    from bluemirror.landing.deliveries import deliveries
    from bluemirror.mart.manifests import read_manifest, read_snapshot

    contracts = read_contracts(workspace.contracts_dir)
    snapshot = read_snapshot(workspace)
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
        )
    return found
