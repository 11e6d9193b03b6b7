"""A training set made again from its manifest, as it was known then, and what differs if something does."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any

from bluemirror.errors import ModelError
from bluemirror.features.content import MODULUS, content, from_text
from bluemirror.features.manifest import (
    ERASED,
    OBSERVATIONS,
    ROWS,
    Manifest,
    code_version,
    library_versions,
    read_manifest,
)
from bluemirror.features.planning import JOIN_KEY
from bluemirror.workspace import Workspace

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Reproduction:
    """What making a training set again showed.

    Attributes
    ----------
    id, rows, variables
        Which one; how many rows were made again, and of how many variables.
    erased
        Rows that are gone because a person was erased since.
    identical
        Whether every row that is still there has the content that the manifest tells.
    differing
        Variable -> cells that differ from the kept rows.
    kept_rows_changed
        Whether the kept rows are no longer what the manifest describes.
    notes
        What is otherwise than it was: code, libraries, declarations.
    frame
        The rows as they were made again.
    """

    id: str
    rows: int
    variables: int
    erased: int
    identical: bool
    differing: Mapping[str, int]
    kept_rows_changed: bool
    notes: tuple[str, ...]
    seconds: float
    frame: pl.DataFrame = field(repr=False)

    def as_json(self) -> dict[str, Any]:
        """Everything but the rows."""
        return {name: value for name, value in vars(self).items() if name != "frame"}


def reproduce(
    manifest: str | Path,
    *,
    workspace: Workspace | None = None,
    log: Callable[[str], None] | None = None,
) -> Reproduction:
    """Make a training set again: from the deliveries, declarations and observations that its manifest names.

    Nothing that was computed before is read: all values are computed from the mart.

    Parameters
    ----------
    manifest
        Path of a manifest or of the folder that it stands in.
    workspace
        Default: the one around the present folder.

    Raises
    ------
    ModelError
        If the manifest, or the observations beside it, are not there.
    WorkspaceError, FamilyError
        If the state of the mart or the declarations that it names are not kept any more.
    """
    import polars as pl

    started = time.perf_counter()
    workspace = workspace or Workspace.here()
    told = read_manifest(manifest)
    folder = Path(manifest) if Path(manifest).is_dir() else Path(manifest).parent
    kept, keyed = (_beside(folder, name) for name in (ROWS, OBSERVATIONS))
    names = [name for name in told.columns if name in told.variables]
    values = _computed(workspace, told, keyed, log).select(JOIN_KEY, *names)
    made = (
        kept.drop(names)
        .join(values, on=JOIN_KEY, how="left", maintain_order="left")
        .select(told.columns)
        .sort(JOIN_KEY)
    )
    gone = erased_rows(folder)
    rest = (from_text(told.content) - sum(from_text(one["content"]) for one in gone)) % MODULUS
    rows = told.rows - sum(one["rows"] for one in gone)
    differing = {
        name: count
        for name in names
        if (count := int((~made[name].eq_missing(kept.sort(JOIN_KEY)[name])).sum()))
    }
    found = content(made, names)
    return Reproduction(
        id=told.id,
        rows=len(made),
        variables=len(names),
        erased=told.rows - rows,
        identical=found == rest and len(made) == rows,
        differing=differing,
        kept_rows_changed=content(kept, names) != rest or len(kept) != rows,
        notes=_otherwise(workspace, told),
        seconds=time.perf_counter() - started,
        frame=made if len(made) else pl.DataFrame(),
    )


def erased_rows(folder: Path) -> list[dict[str, Any]]:
    """What erasures took out of a training set: when, how many rows, the sum of their hashes."""
    path = folder / ERASED
    return list(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else []


def _beside(folder: Path, name: str) -> pl.DataFrame:
    import polars as pl

    path = folder / name
    try:
        return pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError):
        raise ModelError(
            "a file of the training set is gone or cannot be read",
            file=path,
            rule="the observations of a training set stand beside its manifest",
            fix="restore the folder whole, or make the training set anew",
        ) from None


def _computed(
    workspace: Workspace, told: Manifest, keyed: pl.DataFrame, log: Callable[[str], None] | None
) -> pl.DataFrame:
    """All values, under the declarations and from the deliveries of then; observation_id and the blocks' columns."""
    from bluemirror.mart.connect import connect
    from bluemirror.variables import load_blocks
    from bluemirror.variables.building import build_observed
    from bluemirror.variables.kept import as_kept, with_lenders
    from bluemirror.variables.pending import Observed

    then = as_kept(workspace, told.declared)
    blocks = with_lenders(load_blocks(then), told.blocks)
    root = workspace.data / f".reproducing-{uuid.uuid4().hex[:8]}"
    root.mkdir(parents=True)
    try:
        with connect(then, told.snapshot) as connection:
            observed = Observed(told.id, told.entity, keyed.sort(JOIN_KEY), root, root)
            build_observed(then, connection, observed, blocks, snapshot=told.snapshot, log=log)
        return _read(root, blocks, list(told.variables))
    finally:
        rmtree(root, ignore_errors=True)


def _read(root: Path, blocks: Sequence[Any], names: Sequence[str]) -> pl.DataFrame:
    import polars as pl

    from bluemirror.variables.plan import block_variables
    from bluemirror.variables.store import part_files

    wanted = set(names)
    result: pl.DataFrame | None = None
    for block in blocks:
        mine = [one.name for one in block_variables(block) if one.name in wanted]
        if not mine:
            continue
        part = pl.read_parquet(part_files((root / block.name).resolve()), columns=[JOIN_KEY, *mine])
        result = part if result is None else result.join(part, on=JOIN_KEY, how="left", maintain_order="left")
    assert result is not None
    return result


def _otherwise(workspace: Workspace, told: Manifest) -> tuple[str, ...]:
    """What is not as it was when the training set was made."""
    from bluemirror.features.planning import plan

    notes = []
    if told.code != code_version():
        notes.append(f"made by code {told.code}, made again by {code_version()}")
    have = library_versions()
    notes += [
        f"made with {name} {version}, made again with {have.get(name, 'none')}"
        for name, version in told.libraries.items()
        if have.get(name) != version
    ]
    today = plan(workspace).meanings
    gone = [name for name in told.variables if name not in today]
    other = [name for name, meaning in told.variables.items() if today.get(name, meaning) != meaning]
    for what, names in (("are not declared any more", gone), ("mean something else today", other)):
        if names:
            notes.append(f"{len(names)} variables {what} ({names[0]}); made again as they were declared then")
    return tuple(notes)
