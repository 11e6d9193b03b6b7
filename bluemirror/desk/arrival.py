"""Whether the night may go on without a source: asked while the night is still reading the others."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from bluemirror.desk.freshness import Freshness, freshness

if TYPE_CHECKING:
    from bluemirror.contracts import Contract
    from bluemirror.workspace import Workspace


def arrival(workspace: Workspace, contract: Contract) -> Freshness:
    """Freshness of a source as of the newest day on which anything has landed, read or not yet.

    A source that never delivered does not block: there is no night before to compare this one with.
    """
    from bluemirror.mart.manifests import read_snapshot

    days = [one.day for one in read_snapshot(workspace).of(contract.source).values()]
    return freshness(contract, days, max([newest_landed(workspace), *days]))


def newest_landed(workspace: Workspace) -> dt.date:
    """The newest day that names a delivery folder of any source; the beginning of time without one."""
    newest = dt.date.min
    for source in workspace.landing.iterdir() if workspace.landing.is_dir() else ():
        names = [each.name for each in source.iterdir() if each.name[:1].isdigit()] if source.is_dir() else []
        for name in sorted(names, reverse=True)[:1]:
            try:
                newest = max(newest, dt.date.fromisoformat(name))
            except ValueError:
                # Its own ingestion says what is wrong with the folder.
                continue
    return newest
