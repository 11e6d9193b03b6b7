"""``bench store``: history, publishing, online reads and the registry, through Feast, on this workspace's variables."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from bluemirror.cli import bench_store_jobs as jobs
from bluemirror.cli.bench_stored import copy_stored, declared_at
from bluemirror.cli.console import Console
from bluemirror.errors import StoreError, WorkspaceError
from bluemirror.workspace import Workspace

WIDE, LONG, CUSTOMERS, NARROW, READS = 20_000, 1_000_000, 100_000, 200, 3_000
STOCK_SECONDS = 60.0
MODEL, SERVICE, HUNDRED = "bench", "bench_v1", "hundred_v1"


def bench_store(
    workspace: Workspace, console: Console, share: float = 1.0, *, apart: bool = True
) -> dict[str, Any]:
    """Measure Feast over our stores, beside the stock offline store on the same files.

    The stored variables are copied under other ids until there are 20,000 observations of all blocks, and a million of
    four blocks of ordinary width; nothing of the workspace is touched.

    Parameters
    ----------
    share
        Of the sizes above: tests take less.
    apart
        Measure each in a process of its own.
    """
    from bluemirror.features import plan, publish_service
    from bluemirror.features.planning import JOIN_KEY, TIMESTAMP

    features = plan(workspace)
    built = [view for view in features.views if _files(view.path)]
    if not built:
        raise WorkspaceError(
            "there are no stored variables to read",
            file=workspace.variables,
            rule="bench store measures on what has been computed",
            fix="bluemirror features (or run) first",
        )
    result: dict[str, Any] = {}
    run = jobs.Runner(apart)
    with tempfile.TemporaryDirectory(prefix="bluemirror-bench-") as scratch:
        wide = declared_at(workspace, Path(scratch) / "wide")
        with console.working("copying stored variables: all blocks"):
            copy_stored(workspace, wide, round(WIDE * share), [view.block for view in built])
        applied = run(jobs.applied, wide)
        console.say(f"apply: {applied['variables']:,} variables in {applied['seconds']} s")
        mine = {view.block: [f"{view.name}:{field.name}" for field in view.fields] for view in built}
        frame = _frame(wide, [JOIN_KEY, TIMESTAMP])
        with console.working("history, all variables"):
            whole = run(jobs.history, wide, [ref for refs in mine.values() for ref in refs], frame)
        _say(console, "history", whole)
        with console.working("history, the stock DuckDB store on as much as it takes"):
            ordinary = [mine[view.block] for view in _ordinary(built)]
            stock = run(jobs.stock, wide, ordinary, frame, STOCK_SECONDS)
        whole["stock"] = stock
        most = stock["largest"]["values_per_second"]
        whole["stock_values_per_second"] = most
        whole["ratio"] = round(whole["values_per_second"] / most, 1)
        console.say(
            f"the stock store: {most:,} values a second on {stock['largest']['variables']:,} variables"
        )
        hundred = _names(_ordinary(_described_first(workspace, built))[:4], 100)
        publish_service(wide, HUNDRED.removesuffix("_v1"), 1, hundred)
        opened = run(jobs.opened, wide, HUNDRED)
        console.say(f"opening the store and resolving {opened['variables']} variables: {opened['seconds']} s")
        shutil.rmtree(wide.variables)
        result |= {"history": whole, "apply_seconds": applied["seconds"], "apply": applied, "open": opened}
        result |= _serving(workspace, built, Path(scratch), share, run, console)
    return result


def _serving(
    workspace: Workspace,
    built: Sequence[Any],
    scratch: Path,
    share: float,
    run: jobs.Runner,
    console: Console,
) -> dict[str, Any]:
    """History of few variables and many observations; the same variables published and read online."""
    from bluemirror.features import plan, publish_service
    from bluemirror.features.planning import JOIN_KEY, TIMESTAMP

    views = _ordinary(_described_first(workspace, built))[:4]
    names = _names(views, NARROW)
    long = declared_at(workspace, scratch / "long")
    with console.working("copying stored variables: many observations of few blocks"):
        copy_stored(
            workspace, long, round(LONG * share), [view.block for view in views], round(CUSTOMERS * share)
        )
    publish_service(long, MODEL, 1, names)
    run(jobs.applied, long)
    view_of = plan(long).view_of
    refs = [f"{view_of[name].name}:{name}" for name in names]
    with console.working("history, many observations"):
        narrow = run(jobs.history, long, refs, _frame(long, [JOIN_KEY, TIMESTAMP]))
    _say(console, "narrow", narrow)
    with console.working("publishing"):
        published = run(jobs.published, long)
    console.say(f"published {published['values']:,} values in {published['seconds']} s")
    key = plan(long).servings[0].key
    keys = _keys(long, key)
    online = {"sqlite": run(jobs.read_online, long, SERVICE, key, keys)}
    with _redis(scratch) as address:
        if address is None:
            online["redis"] = {"skipped": "redis-server is not installed here"}
        else:
            server = _on_redis(long, address)
            there = run(jobs.published, server)
            online["redis"] = run(jobs.read_online, server, SERVICE, key, keys) | {
                "publish_seconds": there["seconds"],
                "parity": there["parity"],
            }
    for store, told in online.items():
        console.say(f"online, {store}: " + ", ".join(f"{name} {value}" for name, value in told.items()))
    return {"narrow": narrow, "publish": published, "online": online}


def _described_first(workspace: Workspace, views: Sequence[Any]) -> list[Any]:
    """The views of the entity that the first observation set describes."""
    from bluemirror.variables.spine import read_spine

    entity = next(iter(read_spine(workspace).observations.values())).entity
    return [view for view in views if view.tags["entity"] == entity]


def _ordinary(views: Sequence[Any]) -> list[Any]:
    """The views, those of median width first."""
    by_width = sorted(views, key=lambda view: len(view.fields))
    middle = len(by_width) // 2
    return sorted(by_width, key=lambda view: abs(by_width.index(view) - middle))


def _names(views: Sequence[Any], count: int) -> list[str]:
    """So many variables, as many of each view as there are, up to an equal share; spread over a view's columns."""
    names: list[str] = []
    for at, view in enumerate(views):
        share = (count - len(names)) // (len(views) - at)
        fields = [field.name for field in view.fields]
        step = max(1, len(fields) // max(1, share))
        names += fields[::step][:share]
    return names


def _files(path: str) -> bool:
    from bluemirror.features.rows import parquet_files

    try:
        return bool(parquet_files(path))
    except StoreError:
        return False


def _frame(workspace: Workspace, columns: list[str]) -> Any:
    """Every observation of the first set in no order, as a user of Feast asks: a pandas frame."""
    return _observations(workspace, columns).sample(fraction=1.0, shuffle=True, seed=1).to_pandas()


def _keys(workspace: Workspace, key: str) -> list[str]:
    keys = _observations(workspace, [key])[key].unique().sort()
    return keys.sample(min(READS, len(keys)), seed=1).to_list()


def _observations(workspace: Workspace, columns: list[str]) -> Any:
    import polars as pl

    from bluemirror.variables import variable_files
    from bluemirror.variables.spine import read_spine

    first = next(iter(read_spine(workspace).observations))
    return pl.read_parquet(variable_files(workspace, first, "observations"), columns=columns)


def _on_redis(workspace: Workspace, address: str) -> Workspace:
    """The same workspace with its online store on a Redis server."""
    import yaml

    from bluemirror.features.store import REDIS_STORE, SETTINGS, read_settings

    root = workspace.root.parent / "redis"
    shutil.copytree(workspace.root, root, symlinks=True, ignore=shutil.ignore_patterns("data"))
    other = replace(workspace, root=root)
    settings = read_settings(workspace)
    settings["online_store"] = {"type": REDIS_STORE, "address": address}
    settings["registry"]["path"] = os.path.relpath(
        workspace.state / "feast" / "registry.sqlite", other.feature_repo
    )
    text = yaml.safe_dump(settings, sort_keys=False)
    (other.feature_repo / SETTINGS).write_text(text, encoding="utf-8")
    return other


@contextmanager
def _redis(folder: Path) -> Iterator[str | None]:
    """A Redis server of our own on the loopback while the block runs; None where it is not installed."""
    program = shutil.which("redis-server")
    if program is None:
        yield None
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        try:
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            child.terminate()


def _say(console: Console, what: str, told: dict[str, Any]) -> None:
    console.say(
        f"{what}: {told['observations']:,} observations x {told['variables']:,} variables in {told['seconds']} s "
        f"({told['cpu_seconds']} s of processors), {told['peak_rss_mib']:,} MiB"
    )
