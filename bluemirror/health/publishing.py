"""Every night's health, kept: three tables of the mart that grow by the night, a manifest, and the page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bluemirror.health.nightly import Night, health_folder, manifest_path, night, table_part
from bluemirror.health.tables import ALERTS, BLOCKS, KEYS, VARIABLES

if TYPE_CHECKING:
    from bluemirror.workspace import Workspace

PAGE = "variables.html"


@dataclass(frozen=True)
class HealthReport:
    """What was published: the night, the page, and whether anything is new."""

    night: Night
    page: Path
    changed: bool


def publish(
    workspace: Workspace,
    as_of: dt.date | str | None = None,
    log: Callable[[str], None] | None = None,
) -> HealthReport:
    """Look at the night of ``as_of``, keep it in the mart and write the page.

    A night that was published before is replaced; equal content is not written again.

    Raises
    ------
    WorkspaceError, FamilyError
        As :func:`~bluemirror.health.nightly.night` does.
    """
    made = night(workspace, as_of, log)
    changed = keep(workspace, made)
    return HealthReport(made, write_page(workspace, made), changed)


def keep(workspace: Workspace, made: Night) -> bool:
    """Write the night's part of every table, then its manifest; returns whether any differs from what was there.

    References that no kept night of the last two weeks names are removed.
    """
    import polars as pl

    from bluemirror.atomic import write_json
    from bluemirror.mart.writeback import write_table

    changed = False
    for name, frame in ((VARIABLES, made.variables), (BLOCKS, made.blocks), (ALERTS, made.alerts)):
        path = table_part(workspace, name, made.as_of)
        ordered = frame.sort(KEYS[name])
        if path.is_file() and pl.read_parquet(path).equals(ordered):
            continue
        path.unlink(missing_ok=True)
        write_table(workspace, name, ordered, KEYS[name], made.as_of.isoformat())
        changed = True
    path = manifest_path(workspace, made.as_of)
    if changed or not path.is_file():
        # Last, so that a night with a manifest is whole.
        write_json(path, dict(made.manifest))
        _forget(workspace)
    return changed


def _forget(workspace: Workspace) -> None:
    """Remove references that none of the newest nights was held against."""
    import json

    newest = sorted(health_folder(workspace).glob("????-??-??.json"))[-KEPT_NIGHTS:]
    named = {
        f"{block}-{each['reference']}"
        for path in newest
        for one in json.loads(path.read_text(encoding="utf-8"))["sets"].values()
        for block, each in one["blocks"].items()
    }
    for path in (health_folder(workspace) / "reference").rglob("*.parquet"):
        if path.stem not in named:
            path.unlink(missing_ok=True)


KEPT_NIGHTS = 14
"""Newest nights whose references stay."""


def write_page(workspace: Workspace, made: Night) -> Path:
    """Write the page of a night; what is there already stays."""
    from bluemirror.atomic import write_text
    from bluemirror.health.page import page_html

    path = health_folder(workspace) / PAGE
    text = page_html(workspace, made)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_text(path, text)
    return path
