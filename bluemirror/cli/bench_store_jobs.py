"""The measurements of ``bench store``, each in a process of its own: its memory is its own, imports are paid."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, Self

from bluemirror.cli.memory import PeakMemory
from bluemirror.workspace import Workspace


@dataclass(frozen=True)
class Runner:
    """Runs a measurement in a process of its own; in this one if not ``apart``, where memory is not looked at."""

    apart: bool = True

    def __call__(self, job: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
        """What ``job`` returns."""
        if not self.apart:
            return job(*arguments)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            return pool.submit(job, *arguments).result()


def applied(workspace: Workspace) -> dict[str, Any]:
    """Seconds of an apply of the whole catalogue into an empty registry, and of one that finds nothing to do."""
    from bluemirror.features import apply
    from bluemirror.features.stock import import_all

    import_all()
    with _Clock() as clock:
        report = apply(workspace)
    with _Clock() as again:
        apply(workspace)
    return {"variables": report.variables, **clock.told, "unchanged_seconds": again.told["seconds"]}


def opened(workspace: Workspace, service: str) -> dict[str, Any]:
    """Seconds to open the store and resolve a service beyond imports."""
    from bluemirror.features import apply, open_store
    from bluemirror.features.stock import import_all
    from bluemirror.features.store import quiet

    import_all()
    apply(workspace)
    with _Clock() as clock, quiet():
        store = open_store(workspace)
        found = store.get_feature_service(service)
        count = sum(len(each.features) for each in found.feature_view_projections)
    return {"variables": count, **clock.told}


def history(workspace: Workspace, refs: Sequence[str], frame: Any) -> dict[str, Any]:
    """Seconds and memory from the question to the whole answer as an Arrow table, by our store."""
    from bluemirror.features import open_store
    from bluemirror.features.stock import import_all
    from bluemirror.features.store import quiet

    import_all()
    with PeakMemory() as memory, _Clock() as clock, quiet():
        store = open_store(workspace)
        table = store.get_historical_features(entity_df=frame, features=list(refs)).to_arrow()
        rows, columns = table.num_rows, table.num_columns - len(frame.columns)
        peak = memory.mib
    values = rows * columns
    return {
        "observations": rows,
        "variables": columns,
        "values": values,
        **clock.told,
        "values_per_second": round(values / clock.told["seconds"]),
        "peak_rss_mib": peak,
    }


def stock(workspace: Workspace, views: Sequence[Sequence[str]], frame: Any, limit: float) -> dict[str, Any]:
    """The stock DuckDB store on the same files, asked for one view, two, four ... until a question takes ``limit`` s.

    The largest question that it answers counts; the answers to the first one are compared with ours.
    """
    from bluemirror.features import open_store
    from bluemirror.features.stock import import_all, open_stock
    from bluemirror.features.store import quiet

    import_all()
    tried: list[dict[str, Any]] = []
    count = 1
    differing = None
    with quiet():
        other = open_stock(workspace)
        while True:
            refs = [ref for view in views[:count] for ref in view]
            with _Clock() as clock:
                table = other.get_historical_features(entity_df=frame.copy(), features=refs).to_arrow()
            if differing is None:
                mine = (
                    open_store(workspace).get_historical_features(entity_df=frame, features=refs).to_arrow()
                )
                differing = _differing(table, mine, list(frame.columns))
            one = {"views": min(count, len(views)), "variables": len(refs), **clock.told}
            one["values_per_second"] = round(len(refs) * table.num_rows / one["seconds"])
            tried.append(one)
            if one["seconds"] > limit or count >= len(views):
                break
            count *= 2
    best = max(each["values_per_second"] for each in tried)
    return {"largest": tried[-1], "best_values_per_second": best, "tried": tried, "differing": differing}


def published(workspace: Workspace) -> dict[str, Any]:
    """Seconds to publish what is registered, bytes on disk, and the cells that differ from the stored ones."""
    from bluemirror.features import apply, parity, publish
    from bluemirror.features.stock import import_all

    import_all()
    apply(workspace)
    with PeakMemory() as memory, _Clock() as clock:
        (done,) = publish(workspace, force=True)
        peak = memory.mib
    (found,) = parity(workspace)
    values = done.rows * done.variables
    return {
        "rows": done.rows,
        "variables": done.variables,
        "values": values,
        **clock.told,
        "bytes_per_value": round(done.bytes / values, 2),
        "peak_rss_mib": peak,
        "parity": {"cells": found.cells, "differing": found.faults},
    }


def read_online(workspace: Workspace, service: str, key: str, keys: Sequence[str]) -> dict[str, Any]:
    """Milliseconds of reading one entity's values through Feast, as a decision does."""
    import numpy as np

    from bluemirror.features import open_store
    from bluemirror.features.store import quiet

    times = []
    processors = []
    with quiet():
        store = open_store(workspace)
        found = store.get_feature_service(service)
        for number, each in enumerate(keys):
            start, before = time.perf_counter(), time.process_time()
            answer = store.get_online_features(features=found, entity_rows=[{key: each}]).to_dict()
            if number >= len(keys) // 10:  # the first ones warm up
                times.append((time.perf_counter() - start) * 1000)
                processors.append((time.process_time() - before) * 1000)
        assert len(answer) > 1
    p50, p99 = np.percentile(times, [50, 99])
    return {
        "reads": len(times),
        "p50_ms": round(float(p50), 2),
        "p99_ms": round(float(p99), 2),
        "cpu_ms": round(float(np.median(processors)), 2),
    }


class _Clock:
    """Seconds of the wall, and of the processors: the second is what counts beside other work."""

    def __enter__(self) -> Self:
        self._start = time.perf_counter(), _processors()
        return self

    def __exit__(self, *_: object) -> None:
        self.told = {
            "seconds": round(time.perf_counter() - self._start[0], 2),
            "cpu_seconds": round(_processors() - self._start[1], 2),
        }


def _processors() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _differing(theirs: Any, ours: Any, keys: list[str]) -> int:
    """Cells in which two answers differ; the rows are told apart by all columns of the entity frame."""
    import polars as pl

    one, other = (pl.DataFrame(pl.from_arrow(each)) for each in (theirs, ours))
    one, other = one.sort(keys[0]), other.sort(keys[0])
    assert one[keys[0]].equals(other[keys[0]])
    names = [name for name in other.columns if name not in keys]
    return sum(int((~one[name].cast(other[name].dtype).eq_missing(other[name])).sum()) for name in names)
