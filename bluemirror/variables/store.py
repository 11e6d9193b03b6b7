"""Where variables are kept: one folder of Parquet an observation set and block, a cache that can be recomputed.

``<set>/<block>`` is a link to a folder that holds the block's values under its present meaning; a build makes a folder
beside it and moves the link in one step. Stored parts are taken over as they are: new observations add a part, and
only observations that late-landed rows could touch are computed again (:mod:`bluemirror.variables.arrivals`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from bluemirror.errors import FamilyError
from bluemirror.variables.plan import block_variables
from bluemirror.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

SEEN = "deliveries.json"
"""In a block's folder: the deliveries that its values were computed from."""


def _link(folder: Path, target: Path) -> None:
    """Point ``folder`` to ``target`` (a sibling) in one step."""
    draft = folder.parent / f".{folder.name}.{uuid.uuid4().hex[:8]}.link"
    draft.symlink_to(target.name, target_is_directory=True)
    os.replace(draft, folder)


def part_files(folder: Path) -> list[Path]:
    """The parts of a block's folder, in the order of their names."""
    return sorted(folder.glob("part-*.parquet"))


def _ids(folder: Path) -> pl.DataFrame:
    """Stored observations of a folder: observation_id and event_timestamp."""
    parts = part_files(folder)
    if not parts:
        return pl.DataFrame(schema={"observation_id": pl.String, "event_timestamp": pl.Datetime("us")})
    return pl.scan_parquet(parts).select("observation_id", "event_timestamp").collect()


@dataclass(frozen=True)
class Stored:
    """What is stored of a block under ``meaning``: nothing, if ``folder`` is None."""

    meaning: str
    folder: Path | None
    observations: pl.DataFrame
    deliveries: dict[str, list[str]]

    @classmethod
    def read(cls, root: Path, block: str, meaning: str) -> Stored:
        """What the live folder of ``block`` holds, if it was computed under ``meaning``."""
        folder = (root / block).resolve()
        if not folder.is_dir() or not folder.name.startswith(f".{block}@{meaning}."):
            return cls(meaning, None, _ids(root / ".nothing"), {})
        return cls(meaning, folder, _ids(folder), json.loads((folder / SEEN).read_text(encoding="utf-8")))


def wanted(
    observed: pl.DataFrame, stored: pl.DataFrame, since: dt.datetime | None, query: Path
) -> pl.DataFrame:
    """Ids to compute: what is not stored, and what rows that have arrived since could change."""
    both = observed.select("observation_id", "as_of").join(stored, on="observation_id", how="inner")
    moved = both.filter(pl.col("as_of") != pl.col("event_timestamp"))
    if len(moved):
        raise FamilyError(
            f"{len(moved)} observations have another as_of than when their variables were computed",
            file=query,
            field="as_of",
            rule="an observation is made once: what becomes known later does not move it",
            fix="let the query take the first known version; or, if that was the mistake, remove the stored set",
        )
    missing = observed.select("observation_id").join(stored, on="observation_id", how="anti")
    if since is None:
        return missing
    touched = both.filter(pl.col("as_of") >= since).select("observation_id")
    return pl.concat([missing, touched])


def keep(stored: Stored, without: pl.DataFrame, folder: Path) -> None:
    """Take over the stored parts into ``folder``, leaving out the observations that are computed again."""
    if stored.folder is None:
        return
    for part in part_files(stored.folder):
        ids = pl.read_parquet(part, columns=["observation_id"])
        kept = ids.join(without, on="observation_id", how="anti")
        if len(kept) == len(ids):
            os.link(part, folder / part.name)
        elif len(kept):
            frame = pl.read_parquet(part).join(
                without, on="observation_id", how="anti", maintain_order="left"
            )
            commit_part(folder, partial(_write_frame, frame), kept["observation_id"])


def _write_frame(frame: pl.DataFrame, path: Path) -> None:
    frame.write_parquet(path, compression="snappy", statistics=False)


def store_observations(root: Path, keyed: pl.DataFrame) -> None:
    """Keep who is described, as of when and by which keys: one part, replaced when it says something else."""
    frame = keyed.with_columns(event_timestamp=pl.col("as_of"))
    live = root / "observations"
    parts = part_files(live)
    if parts and pl.read_parquet(parts).sort("observation_id").equals(frame):
        return
    folder = root / f".observations@{uuid.uuid4().hex[:8]}"
    folder.mkdir(parents=True)
    commit_part(folder, partial(_write_frame, frame), frame["observation_id"])
    retire(live, folder)


def commit_part(folder: Path, write: Callable[[Path], None], ids: pl.Series) -> None:
    """Write a part beside its place and rename it; its name tells which observations it holds."""
    digest = hashlib.sha256("\n".join(ids.to_list()).encode()).hexdigest()[:12]
    draft = folder / f".{uuid.uuid4().hex[:8]}.draft"
    try:
        write(draft)
        os.replace(draft, folder / f"part-{digest}.parquet")
    finally:
        draft.unlink(missing_ok=True)


def write_groups(path: Path, groups: Iterable[pa.Table]) -> None:
    """Write tables below each other, a row group each; nothing is written if there is none."""
    import pyarrow.parquet as pq

    writer = None
    try:
        for group in groups:
            if writer is None:
                writer = pq.ParquetWriter(
                    path, group.schema, compression="snappy", use_dictionary=False, write_statistics=False
                )
            writer.write_table(group, row_group_size=max(len(group), 1))
    finally:
        if writer is not None:
            writer.close()


def retire(live: Path, folder: Path) -> None:
    """Make ``folder`` the live one and drop older ones; the one before stays for those who are reading it."""
    before = live.resolve()
    _link(live, folder)
    for other in live.parent.glob(f".{live.name}@*"):
        if other.name not in (folder.name, before.name):
            shutil.rmtree(other, ignore_errors=True)


def variable_files(workspace: Workspace, observation_set: str, block: str) -> list[Path]:
    """Parquet parts of a block (or of ``observations``), in the order of their names; empty if not built."""
    return part_files((workspace.variables / observation_set / block).resolve())


def read_variables(
    workspace: Workspace,
    observation_set: str,
    names: Iterable[str] | None = None,
    observation_ids: Iterable[str] | None = None,
) -> pl.DataFrame:
    """Stored variables as one frame.

    Parameters
    ----------
    names
        Variables, in the order wanted; all of the set's entity if None.
    observation_ids
        The observations wanted; all stored ones if None.

    Returns
    -------
    polars.DataFrame
        observation_id and the variables (Float32), sorted by observation_id.

    Raises
    ------
    FamilyError
        If a name is not a variable, or a block has not been built for the set.
    """
    from bluemirror.variables import load_blocks
    from bluemirror.variables.spine import read_spine

    owner: dict[str, str] = {}
    of_set: list[str] = []
    described = read_spine(workspace).observations.get(observation_set)
    asked = None if names is None else list(names)
    blocks = load_blocks(workspace)
    for block in blocks:
        # A name begins with its block: the variables of blocks that nobody asks for are not spelled out.
        if asked is not None and not any(name.startswith(f"{block.name}_") for name in asked):
            continue
        made = [one.name for one in block_variables(block)]
        owner |= dict.fromkeys([f"{block.name}__reason", *made], block.name)
        if described is None or block.entity == described.entity:
            of_set += made
    chosen = of_set if asked is None else asked
    by_block: dict[str, list[str]] = {}
    for name in chosen:
        if name not in owner:
            import difflib

            known = [one.name for block in blocks for one in block_variables(block)]
            near = difflib.get_close_matches(name, known, 1)
            raise FamilyError(
                f"there is no variable {name!r}",
                file=workspace.families_dir,
                rule="names are computed from the families",
                fix=f"did you mean {near[0]}?" if near else "search with: bluemirror catalogue search",
            )
        by_block.setdefault(owner[name], []).append(name)
    wanted = (
        None if observation_ids is None else pl.DataFrame({"observation_id": list(observation_ids)}).unique()
    )
    result: pl.DataFrame | None = None
    for block_name, columns in by_block.items():
        parts = variable_files(workspace, observation_set, block_name)
        if not parts:
            raise FamilyError(
                f"the block {block_name} has not been built for the observations {observation_set}",
                file=workspace.variables / observation_set / block_name,
                rule="variables are read after they are computed",
                fix="run: bluemirror features",
            )
        frame = pl.scan_parquet(parts).select("observation_id", *columns)
        if wanted is not None:
            frame = frame.join(wanted.lazy(), on="observation_id", how="semi")
        part = frame.collect().sort("observation_id")
        if result is None:
            result = part
        elif result["observation_id"].equals(part["observation_id"]):
            result = result.hstack(part.drop("observation_id"))
        else:
            result = result.join(part, on="observation_id", how="inner", maintain_order="left")
    if result is None:
        result = pl.DataFrame(schema={"observation_id": pl.String})
    return result.select("observation_id", *chosen)
