"""Which observations are kept, and taking others out of what is stored."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from bluemirror.variables.store import SEEN, Stored, keep

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.workspace import Keeping


def within(policy: Keeping, observation_set: str, rows: pl.DataFrame) -> pl.DataFrame:
    """The observations (with ``as_of``) that a set keeps: those of its last days, and month-ends if they stay."""
    import polars as pl

    days = dict(policy.days).get(observation_set)
    newest = rows["as_of"].max() if days is not None and len(rows) else None
    if days is None or not isinstance(newest, dt.datetime):
        return rows
    recent = pl.col("as_of") > newest - dt.timedelta(days=days)
    last_day = pl.col("as_of").dt.date() == pl.col("as_of").dt.date().dt.month_end()
    return rows.filter(recent | last_day if policy.month_ends else recent)


def drop_observations(root: Path, ids: pl.DataFrame) -> None:
    """Take observations (observation_id) out of all blocks of a set; folders of before are removed with them."""
    for link in sorted(path for path in root.iterdir() if path.is_symlink()):
        before = link.resolve()
        stem = before.name.rpartition(".")[0] or before.name
        folder = root / f"{stem}.{uuid.uuid4().hex[:8]}"
        folder.mkdir()
        keep(Stored("", before, ids.clear(), {}), ids, folder)
        if (before / SEEN).is_file():
            shutil.copy(before / SEEN, folder / SEEN)
        draft = root / f".{link.name}.{uuid.uuid4().hex[:8]}.link"
        draft.symlink_to(folder.name, target_is_directory=True)
        os.replace(draft, link)
        for other in root.glob(f".{link.name}@*"):
            if other != folder:
                shutil.rmtree(other)
