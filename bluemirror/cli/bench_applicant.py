"""``bench applicant``: one fresh applicant at a time, from raw payloads to every variable."""

from __future__ import annotations

import gc
import time
from typing import Any

import numpy as np

from bluemirror.cli.applicant_replay import replay
from bluemirror.cli.console import Console
from bluemirror.cli.memory import PeakMemory
from bluemirror.errors import WorkspaceError
from bluemirror.workspace import Workspace

APPLICANTS = 400
"""Applicants that are measured, unless told otherwise."""
WARM = 20
"""Applicants before them: loops are compiled, plans worked out."""


def bench_applicant(workspace: Workspace, console: Console, applicants: int | None = None) -> dict[str, Any]:
    """Measure applications of this workspace as if they came today.

    What had become known of an application on the day before its moment is left out of the mart that is loaded, and
    given raw, as its sources sent it. The time from parsed records to variables is the one with a budget; the time
    from raw payloads to records (reading, every check of the contracts, hashing) is told beside it. ``variables`` are
    all variables of all entities; an application without a company has no value of those of companies.

    Raises
    ------
    WorkspaceError
        If nothing has been ingested, or its landing files are gone.
    """
    from bluemirror.mart.manifests import Snapshot
    from bluemirror.mart.payloads import Door
    from bluemirror.variables.applicant import FreshApplicants

    if not (workspace.mart / "current.json").is_file() or not workspace.landing.is_dir():
        raise WorkspaceError(
            "there are no applications to replay",
            file=workspace.mart,
            rule="bench applicant needs the mart and the landing files that it was made from",
            fix="bluemirror ingest (or run) first",
        )
    wanted = applicants or APPLICANTS
    with PeakMemory() as memory, console.working("loading what the mart knows"):
        played, contracts, spine, blocks = replay(workspace, wanted + WARM)
        began = time.perf_counter()
        fresh = FreshApplicants(
            played.connection, contracts, spine, blocks, Door(workspace, contracts, Snapshot())
        )
        loading = time.perf_counter() - began
        # What stays for good is not walked again and again while somebody waits.
        gc.collect()
        gc.freeze()
        taken, values, computed = [], [], []
        try:
            for number, one in enumerate(played.applications()):
                payloads = played.payloads_of(one)
                clock = time.perf_counter(), time.process_time()
                arrival = fresh.arrive(payloads, one.observation_id)
                between = time.perf_counter(), time.process_time()
                found = fresh.values_for(arrival)
                after = time.perf_counter(), time.process_time()
                if number >= WARM:
                    taken.append([end - start for start, end in zip(clock, between, strict=True)])
                    values.append([end - start for start, end in zip(between, after, strict=True)])
                    computed.append(len(found.names))
        finally:
            gc.unfreeze()
    documents = played.held.unique(["observation_id", "source", "_doc"])
    return {
        "applicants": len(values),
        "variables": sum(len(fresh.names(entity)) for entity in fresh.entities),
        **_percentiles([wall for wall, _ in values]),
        "cpu": _percentiles([cpu for _, cpu in values]),
        "raw": {
            "documents": round(len(documents) / documents["observation_id"].n_unique(), 1),
            **_percentiles([wall for wall, _ in taken]),
            "cpu": _percentiles([cpu for _, cpu in taken]),
        },
        "variables_computed": {"least": min(computed), "most": max(computed)},
        "load_seconds": round(loading, 1),
        "peak_rss_mib": memory.mib,
    }


def _percentiles(seconds: list[float]) -> dict[str, float]:
    milliseconds = np.array(seconds) * 1000
    return {
        f"p{percent}_ms": round(float(np.percentile(milliseconds, percent)), 1) for percent in (50, 95, 99)
    }
