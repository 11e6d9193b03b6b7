"""``bench health``: the pass over every stored variable, on nights as large as asked for.

The nights are made of this workspace's stored rows, drawn with replacement and written as the store does; its own
rows are the history that they are held against.
"""

from __future__ import annotations

import datetime as dt
import math
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluemirror.cli.console import Console
from bluemirror.cli.memory import PeakMemory
from bluemirror.errors import WorkspaceError
from bluemirror.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    import pyarrow as pa

CUSTOMERS = 100_000
WEEK = dt.timedelta(days=7)


def bench_health(workspace: Workspace, console: Console, customers: int | None = None) -> dict[str, Any]:
    """Measure a night of ``customers`` (default 100,000), from stored Parquet to committed rows of the mart.

    History is looked at first, once, so that reference and last week's counts are there as they are every night. A
    tenth of the customers is a night of its own before, to show how time and memory grow.
    """
    from bluemirror.cli.source_state import snapshot_day
    from bluemirror.health.nightly import night

    asked = customers or CUSTOMERS
    if snapshot_day(workspace) is None or not workspace.variables.is_dir():
        raise WorkspaceError(
            "there are no stored variables to look at",
            file=workspace.variables,
            rule="bench health draws its nights from what has been computed",
            fix="bluemirror features (or run) first",
        )
    with tempfile.TemporaryDirectory(prefix="bluemirror-bench-") as folder:
        scratch = replace(workspace, data=Path(folder))
        last = night(workspace).as_of
        with console.working("writing the nights"):
            began = time.perf_counter()
            nights = [(last + WEEK, max(asked // 10, 1)), (last + 2 * WEEK, asked)]
            enlarge(workspace, scratch, nights)
            console.say(
                f"nights of {nights[0][1]:,} and {asked:,} written in {time.perf_counter() - began:.0f} s"
            )
        history = _apart(scratch, last, console)
        console.say(
            f"history: {history.observations:,} observations of the week, reference and all in {history.seconds:.1f} s"
        )
        line = []
        for day, number in nights:
            one = _apart(scratch, day, console)
            line.append({"customers": number, **one.figures()})
            console.say(f"{one.observations:,} observations: {one.seconds:.1f} s, {one.peak_rss_mib:,} MiB")
    return {
        "cores": os.cpu_count(),
        "customers": asked,
        "variables": one.variables,
        **one.figures(),
        "values_per_second": round(one.values / one.seconds),
        "page_seconds": round(one.page_seconds, 2),
        "reference_seconds": round(history.seconds, 2),
        "line": line,
    }


@dataclass(frozen=True)
class Measured:
    """One night in a process of its own."""

    variables: int
    observations: int
    values: int
    seconds: float
    cpu_seconds: float
    page_seconds: float
    peak_rss_mib: int

    def figures(self) -> dict[str, Any]:
        """What the result tells of a night."""
        return {
            "observations": self.observations,
            "values": self.values,
            "seconds": round(self.seconds, 2),
            "cpu_seconds": round(self.cpu_seconds, 2),
            "peak_rss_mib": self.peak_rss_mib,
        }


def _apart(workspace: Workspace, day: dt.date, console: Console) -> Measured:
    """Look at a night in a process of its own, so that its memory is its own."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        console.working("looking at every variable"),
    ):
        return pool.submit(measure, workspace, day).result()


def measure(workspace: Workspace, day: dt.date) -> Measured:
    """The pass and its commit, then the page: each timed."""
    from bluemirror.health.nightly import night
    from bluemirror.health.publishing import keep, write_page

    with PeakMemory() as memory:
        began, processor = time.perf_counter(), time.process_time()
        made = night(workspace, day)
        keep(workspace, made)
        seconds, spent = time.perf_counter() - began, time.process_time() - processor
        peak = memory.mib
        began = time.perf_counter()
        write_page(workspace, made)
        page = time.perf_counter() - began
    values = int(made.variables["observations"].sum())
    return Measured(len(made.variables), made.observations, values, seconds, spent, page, peak)


def enlarge(workspace: Workspace, scratch: Workspace, nights: Sequence[tuple[dt.date, int]]) -> None:
    """Store, beside links to what ``workspace`` holds, rows of further nights drawn from it.

    The first set gets the asked number of observations, the others as many as they have in proportion; each is of an
    entity of its own, at noon of its night.
    """
    import numpy as np
    import polars as pl

    from bluemirror.variables import load_blocks
    from bluemirror.variables.building import THREADS
    from bluemirror.variables.spine import read_spine
    from bluemirror.variables.store import variable_files

    spine = read_spine(workspace)
    blocks = load_blocks(workspace)
    scratch.mart.mkdir(parents=True)
    shutil.copy(workspace.mart / "current.json", scratch.mart)
    main = None
    for name, which in spine.observations.items():
        held = pl.read_parquet(variable_files(workspace, name, "observations")).sort("observation_id")
        main = main or len(held)
        drawn: list[tuple[dt.date, np.ndarray[Any, Any]]] = []
        for number, (day, customers) in enumerate(nights):
            rng = np.random.default_rng(number)
            drawn.append((day, rng.integers(0, len(held), math.ceil(customers * len(held) / main))))
        key = spine.entities[which.entity].key
        jobs: list[Callable[[], None]] = [
            partial(_store, workspace, scratch, name, "observations", held, drawn, key)
        ]
        jobs += [
            partial(_store, workspace, scratch, name, block.name, held, drawn, None)
            for block in blocks
            if block.entity == which.entity
        ]
        with ThreadPoolExecutor(THREADS) as pool:
            for done in [pool.submit(job) for job in jobs]:
                done.result()


def _store(
    workspace: Workspace,
    scratch: Workspace,
    observation_set: str,
    block: str,
    held: pl.DataFrame,
    drawn: Sequence[tuple[dt.date, Any]],
    key: str | None,
) -> None:
    """One block, or the observations with their ``key``, with the parts of the further nights."""
    import polars as pl

    from bluemirror.variables.building import CHUNK, GROUP
    from bluemirror.variables.store import variable_files, write_groups

    files = variable_files(workspace, observation_set, block)
    root = scratch.variables / observation_set
    folder = root / files[0].parent.name
    folder.mkdir(parents=True)
    (root / block).symlink_to(folder.name, target_is_directory=True)
    for path in files:
        (folder / path.name).symlink_to(path)
    frame = pl.read_parquet(files).sort("observation_id")
    assert frame["observation_id"].equals(held["observation_id"])

    def groups(day: dt.date, first: int, chunk: Any) -> Iterator[pa.Table]:
        noon = dt.datetime.combine(day, dt.time(12))
        for start in range(0, len(chunk), GROUP):
            at = chunk[start : start + GROUP]
            ids = [f"{day}/{first + start + place:09d}" for place in range(len(at))]
            part = frame[at].with_columns(
                observation_id=pl.Series(ids), event_timestamp=pl.lit(noon, dtype=pl.Datetime("us"))
            )
            if key is not None:
                part = part.with_columns(pl.Series(key, ids))
            yield part.to_arrow(compat_level=pl.CompatLevel.oldest())

    for day, rows in drawn:
        for first in range(0, len(rows), CHUNK):
            chunk = rows[first : first + CHUNK]
            write_groups(folder / f"part-{day}-{first:09d}.parquet", groups(day, first, chunk))
