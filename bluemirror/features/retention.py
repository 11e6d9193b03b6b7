"""What is kept of computed values, and for how long: feature partitions are a cache with a stated policy."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bluemirror.features.computing import USED
from bluemirror.features.manifest import MANIFEST, read_manifest
from bluemirror.workspace import Workspace

A_DAY = 86_400.0
"""Seconds that what a reader or a build may still hold is left alone."""


@dataclass(frozen=True)
class Dropped:
    """Something that the policy does not keep: what it is, why, how many observations, and bytes on disk."""

    what: str
    why: str
    observations: int
    bytes: int


def prune(workspace: Workspace, *, dry_run: bool = False) -> tuple[Dropped, ...]:
    """Drop computed values that the workspace's policy (``keep:`` in its settings) does not keep.

    Dropped are observations of a set beyond its days, values of observations that somebody brought and has not asked
    for in a while, folders of blocks that are no longer declared or were replaced, values under former declarations
    that no registered version reads, and what a build that was ended left behind. Training sets, declarations that
    they name, and the mart are not touched.

    Parameters
    ----------
    dry_run
        Only tell what would be dropped.
    """
    found = []
    for dropped, drop in (
        *_unasked(workspace),
        *_undeclared(workspace),
        *_left_behind(workspace),
        *_beyond(workspace),
        *_unread(workspace),
    ):
        found.append(dropped)
        if not dry_run:
            drop()
    if not dry_run:
        forget_unread(workspace)
    return tuple(found)


def forget_unread(workspace: Workspace) -> tuple[str, ...]:
    """Remove what no registered version reads: values and declarations of former meanings; names of what went.

    Declarations that a training set names are kept with it.
    """
    from bluemirror.features.services import read_services
    from bluemirror.variables.kept import forget_declarations

    gone = []
    for dropped, drop in _unread(workspace):
        drop()
        gone.append(dropped.what)
    sets = [read_manifest(path) for path in sorted(workspace.training_sets.glob(f"*/{MANIFEST}"))]
    read = {service.declared for service in read_services(workspace)}
    forget_declarations(workspace, read | {one.declared for one in sets})
    return tuple(gone)


Drop = tuple[Dropped, Callable[[], object]]


def _folder(workspace: Workspace, path: Path, why: str) -> Drop:
    size = sum(one.stat().st_size for one in path.rglob("*") if one.is_file() and not one.is_symlink())
    what = path.relative_to(workspace.data).as_posix()
    return Dropped(what, why, _count(path), size), partial(shutil.rmtree, path)


def _count(root: Path) -> int:
    import polars as pl

    from bluemirror.variables.store import part_files

    parts = part_files((root / "observations").resolve()) or part_files(root)
    return 0 if not parts else int(pl.scan_parquet(parts).select(pl.len()).collect().item())


def _unasked(workspace: Workspace) -> Iterator[Drop]:
    days = workspace.keep.own_days
    for root in sorted(workspace.own_variables.glob("[!.]*")):
        mark = root / USED
        asked = (mark if mark.exists() else root).stat().st_mtime
        if time.time() - asked > days * A_DAY:
            yield _folder(workspace, root, f"nobody asked for it in {days} days")


def _undeclared(workspace: Workspace) -> Iterator[Drop]:
    from bluemirror.variables import load_blocks

    declared = {block.name for block in load_blocks(workspace)} | {"observations"}
    for link in sorted(workspace.variables.glob("*/[!.]*")):
        if link.is_symlink() and link.name not in declared:
            told, drop = _folder(workspace, link.resolve(), "the block is not declared any more")

            def both(link: Path = link, drop: Callable[[], object] = drop) -> None:
                link.unlink()
                drop()

            yield told, both


def _left_behind(workspace: Workspace) -> Iterator[Drop]:
    roots = [*workspace.variables.glob("[!.]*"), *workspace.own_variables.glob("[!.]*")]
    roots += workspace.former_variables.glob("*/[!.]*")
    for root in sorted(roots):
        links = [path for path in root.iterdir() if path.is_symlink()]
        live, names = {path.resolve() for path in links}, {path.name for path in links}
        for path in sorted(root.glob(".*")):
            owner = path.name[1:].partition("@")[0]
            old = time.time() - path.stat().st_mtime > A_DAY if path.exists() else False
            if path.is_dir() and not path.is_symlink() and path not in live and old:
                why = "it was replaced" if owner in names else "a build left it behind"
                yield _folder(workspace, path, why)
    for path in sorted(workspace.data.glob(".reproducing-*")):
        if time.time() - path.stat().st_mtime > A_DAY:
            yield _folder(workspace, path, "a reproduction left it behind")


def _beyond(workspace: Workspace) -> Iterator[Drop]:
    """Observations of a set beyond its days."""
    import polars as pl

    from bluemirror.variables.dropping import drop_observations, within
    from bluemirror.variables.store import part_files

    for name, days in workspace.keep.days:
        root = workspace.variables / name
        parts = part_files((root / "observations").resolve())
        if not parts:
            continue
        held = pl.read_parquet(parts, columns=["observation_id", "as_of"])
        ids = held.join(within(workspace.keep, name, held), on="observation_id", how="anti").select(
            "observation_id"
        )
        if len(ids):
            size = sum(path.stat().st_size for path in root.glob("*/part-*.parquet"))
            why = f"older than {days} days" + (", not a month-end" if workspace.keep.month_ends else "")
            told = Dropped(f"variables/{name}", why, len(ids), round(size * len(ids) / len(held)))
            yield told, partial(drop_observations, root, ids)


def _unread(workspace: Workspace) -> Iterator[Drop]:
    from bluemirror.features.services import read_services

    read = {service.declared for service in read_services(workspace)}
    for folder in sorted(workspace.former_variables.glob("[!.]*")):
        if folder.name not in read:
            yield _folder(workspace, folder, "no registered version reads it")
