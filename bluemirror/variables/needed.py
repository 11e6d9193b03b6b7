"""What one variable needs: its block and the tables behind it, found without reading the rest of the workspace.

Reading all family files and contracts takes several times as long as explaining a value. A name begins with its
block's, so a look at the text of the files tells which of them matter.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bluemirror.variables.borrowing import attach
from bluemirror.variables.language import read_block

if TYPE_CHECKING:
    from bluemirror.variables.declarations import Block, Family
    from bluemirror.workspace import Workspace

_BLOCK = re.compile(r"^block:\s*['\"]?([a-z][a-z0-9_]*)", re.MULTILINE)
_READ_FROM = re.compile(r"\b(?:from|join)\s+\"?([A-Za-z_]\w*)", re.IGNORECASE)


def blocks_for(workspace: Workspace, name: str) -> tuple[Block, ...]:
    """The blocks that may have a variable called ``name``, and those that it borrows from.

    Of a block across sources, only the combination that is asked for.

    Raises
    ------
    FamilyError
        If one of them is written wrongly.
    """
    files = _files(workspace)
    found = {path: read_block(path) for path in _owners(files, name)}
    for path, block in list(found.items()):
        if not block.families:
            asked = tuple(one for one in block.combinations if f"{block.name}_{one.name}" == name)
            found[path] = replace(block, combinations=asked)
            sides = [side for one in asked for side in (one.left, one.right)]
            for lender in dict.fromkeys(path for side in sides for path in _owners(files, side)):
                found.setdefault(lender, read_block(lender))
    # In the order of the files, as everywhere: the order of lenders decides which reason comes first.
    return attach(tuple(found[path] for path in sorted(found)))


def _files(workspace: Workspace) -> dict[Path, str]:
    """Family file -> the name of its block."""
    names = {}
    for path in sorted(workspace.families_dir.glob("*.yaml")):
        said = _BLOCK.search(path.read_text(encoding="utf-8"))
        names[path] = said[1] if said else read_block(path).name
    return names


def _owners(files: dict[Path, str], name: str) -> list[Path]:
    return [path for path, block in files.items() if name.startswith(f"{block}_")]


def tables_of(family: Family) -> set[str]:
    """Every table that a family reads: its own, that of its relation, and those that its SQL asks."""
    tables = {family.table}
    expressions: list[str | None] = [*family.columns.values(), family.where]
    if family.via is not None:
        tables.add(family.via.table)
    if family.per is not None:
        expressions += [*family.per.columns.values(), family.per.where]
    return tables.union(*(_READ_FROM.findall(one) for one in expressions if one))
