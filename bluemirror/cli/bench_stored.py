"""Stored variables for ``bench store``: those of this workspace, copied under other ids until there are enough."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bluemirror.workspace import Workspace

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

THREADS = 2


def declared_at(workspace: Workspace, folder: Path) -> Workspace:
    """A workspace in ``folder`` that declares what ``workspace`` does and has the same mart, but no variables yet."""
    from bluemirror.features.store import SETTINGS

    root = folder / "workspace"
    root.mkdir(parents=True)
    shutil.copytree(
        workspace.feature_repo,
        root / workspace.feature_repo.relative_to(workspace.root),
        ignore=shutil.ignore_patterns("__pycache__", SETTINGS),
    )
    for name in ("workspace.yaml", workspace.contracts_dir.name):
        (root / name).symlink_to(workspace.root / name)
    data = root / "data"
    data.mkdir()
    (data / "mart").symlink_to(workspace.mart)
    return replace(workspace, root=root, data=data)


def copy_stored(
    workspace: Workspace, target: Workspace, count: int, blocks: Iterable[str], entities: int | None = None
) -> int:
    """Write ``count`` observations of the first set, and those of other sets that have the same ids, into ``target``.

    Parameters
    ----------
    count
        Observations; the stored ones are taken over and over, each time under another id and a day later.
    blocks
        Blocks to write.
    entities
        How many entities the observations describe in turn; by default a copy of an observation is of a copy of whom
        it describes.

    Returns
    -------
    int
        Observations written of the first set.
    """
    from bluemirror.variables import variable_files
    from bluemirror.variables.spine import read_spine

    spine = read_spine(workspace)
    wanted = set(blocks)
    stored: pl.DataFrame | None = None
    for one in spine.observations.values():
        files = variable_files(workspace, one.name, "observations")
        if not files:
            continue
        mine = _read(files)
        # The ids of the first set: another set describes some of them once more, as those of another entity.
        stored = mine if stored is None else stored
        copied = _copied(stored, mine, count)
        if not len(copied.rows):
            continue
        key = spine.entities[one.entity].key
        frame = copied.of(mine)
        numbers = np.arange(len(frame)) % entities if entities else copied.copy
        frame = frame.with_columns(_numbered("E" if entities else frame[key], numbers).alias(key))
        _write(frame, target.variables / one.name / "observations")
        names = [each for each in wanted if variable_files(workspace, one.name, each)]
        with ThreadPoolExecutor(THREADS) as pool:
            for done in [
                pool.submit(_copy_block, workspace, target, one.name, each, copied) for each in names
            ]:
                done.result()
    return count


class _Copied:
    """Which stored rows are written, in which copy."""

    def __init__(self, rows: np.ndarray, copy: np.ndarray) -> None:
        self.rows, self.copy = rows, copy

    def of(self, frame: pl.DataFrame, part: slice = slice(None)) -> pl.DataFrame:
        """The rows of a part under their new ids, each copy a day later."""
        import polars as pl

        found = frame[self.rows[part]]
        days = pl.duration(days=pl.lit(pl.Series(self.copy[part])))
        times = [name for name in ("as_of", "event_timestamp") if name in frame.columns]
        return found.with_columns(
            _numbered(found["observation_id"], self.copy[part]).alias("observation_id"),
            *(pl.col(name) + days for name in times),
        )


def _copied(first: pl.DataFrame, mine: pl.DataFrame, count: int) -> _Copied:
    number = np.arange(count)
    ids = first[number % len(first)].select("observation_id").with_columns(copy=number // len(first))
    at = mine.select("observation_id").with_row_index("at")
    found = ids.join(at, on="observation_id", how="inner", maintain_order="left")
    return _Copied(found["at"].to_numpy().astype(np.int64), found["copy"].to_numpy())


def _numbered(texts: pl.Series | str, numbers: np.ndarray) -> pl.Series:
    import polars as pl

    frame = pl.DataFrame({"number": numbers}).with_columns(
        text=pl.lit(texts) if isinstance(texts, str) else texts
    )
    return frame.select(pl.format("{}~{}", "text", "number"))["text"]


def _read(files: list[Path]) -> pl.DataFrame:
    import polars as pl

    return pl.read_parquet(files).sort("observation_id")


def _copy_block(
    workspace: Workspace, target: Workspace, observation_set: str, block: str, copied: _Copied
) -> None:
    from bluemirror.variables import variable_files

    frame = _read(variable_files(workspace, observation_set, block))
    _write(frame, target.variables / observation_set / block, copied)


def _write(frame: pl.DataFrame, folder: Path, copied: _Copied | None = None) -> None:
    """Write parts as a build writes them: groups of rows, a chunk a file."""
    from bluemirror.variables.building import CHUNK, GROUP
    from bluemirror.variables.store import write_groups

    folder.mkdir(parents=True)
    count = len(frame) if copied is None else len(copied.rows)

    def groups(first: int) -> Iterator[pa.Table]:
        last = min(first + CHUNK, count)
        for start in range(first, last, GROUP):
            part = slice(start, min(start + GROUP, last))
            yield (frame[part] if copied is None else copied.of(frame, part)).to_arrow(compat_level=_oldest())

    for first in range(0, count, CHUNK):
        write_groups(folder / f"part-{first:09d}.parquet", groups(first))


def _oldest() -> Any:
    import polars as pl

    return pl.CompatLevel.oldest()
