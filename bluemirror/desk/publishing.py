"""Every morning's scorecard, kept: tables of the mart that grow by the day, and the page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bluemirror.desk.card import Scorecard
from bluemirror.desk.daily import desk_folder, scorecard
from bluemirror.desk.history import KEYS, history_frames

if TYPE_CHECKING:
    from bluemirror.workspace import Workspace

PAGE = "sources.html"


@dataclass(frozen=True)
class DeskReport:
    """What was published: the scorecard, the page, and whether anything is new."""

    card: Scorecard
    page: Path
    changed: bool


def publish(
    workspace: Workspace,
    as_of: dt.date | str | None = None,
    log: Callable[[str], None] | None = None,
) -> DeskReport:
    """Make the scorecard of ``as_of``, keep it in the mart and write the page and the contracts' pages beside it.

    A day that was published before is replaced; equal content is not written again.

    Raises
    ------
    WorkspaceError, FamilyError
        As :func:`~bluemirror.desk.daily.scorecard` does.
    """
    card = scorecard(workspace, as_of, log)
    changed = keep(workspace, card)
    return DeskReport(card, write_page(workspace, card), changed)


def keep(workspace: Workspace, card: Scorecard) -> bool:
    """Write the day's part of every table of the history; returns whether any differs from what was there."""
    import polars as pl

    from bluemirror.mart.connect import WRITTEN
    from bluemirror.mart.writeback import write_table

    changed = False
    part = card.as_of.isoformat()
    for name, frame in history_frames(card).items():
        path = workspace.mart / WRITTEN / name / f"part-{part}.parquet"
        if path.is_file() and pl.read_parquet(path).equals(frame.sort(KEYS[name])):
            continue
        path.unlink(missing_ok=True)
        write_table(workspace, name, frame, KEYS[name], part)
        changed = True
    return changed


def write_page(workspace: Workspace, card: Scorecard) -> Path:
    """Write the page, and the page of every contract that it links to; what is there already stays."""
    from bluemirror.contracts import read_contracts
    from bluemirror.contracts.pages import page_html as contract_page
    from bluemirror.desk.page import page_html

    folder = desk_folder(workspace)
    pages = {folder / PAGE: page_html(card)}
    for source, contract in read_contracts(workspace.contracts_dir).items():
        pages[folder / "contracts" / f"{source}.html"] = contract_page(contract)
    for path, text in pages.items():
        _write(path, text)
    return folder / PAGE


def _write(path: Path, text: str) -> None:
    from bluemirror.atomic import write_text

    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_text(path, text)
