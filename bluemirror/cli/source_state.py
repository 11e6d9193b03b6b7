"""What the mart holds of every source, and of which day it is."""

from __future__ import annotations

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
