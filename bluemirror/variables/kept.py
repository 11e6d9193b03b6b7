"""Declarations as they were: family files, spine and contracts of some blocks, kept under the hash of their content.

A training set, and a model that was registered, mean what was declared then. What was declared is kept beside the
data, so that it can be computed again when the workspace says something else by now.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bluemirror.atomic import write_dir
from bluemirror.errors import FamilyError

if TYPE_CHECKING:
    from bluemirror.contracts import Contract
    from bluemirror.variables.declarations import Block
    from bluemirror.variables.spine import Spine
    from bluemirror.workspace import Workspace

DIGITS = 16


def with_lenders(blocks: Sequence[Block], names: Iterable[str]) -> list[Block]:
    """The blocks called ``names`` and those that they borrow from, in the order of ``blocks``."""
    wanted = set(names)
    wanted |= {lender.name for block in blocks if block.name in wanted for lender in block.borrowed}
    return [block for block in blocks if block.name in wanted]


def sources_read(blocks: Iterable[Block], contracts: Mapping[str, Contract], spine: Spine) -> list[str]:
    """Sources of every table that a value of ``blocks`` may come from, also by a query inside an expression."""
    from bluemirror.variables.arrivals import tables_read
    from bluemirror.variables.needed import tables_of
    from bluemirror.variables.tables import Catalog

    catalog = Catalog(contracts)
    owner = {table.name: source for source, one in contracts.items() for table in one.tables}
    found = set()
    for block in blocks:
        tables = tables_read(block, catalog, spine).union(
            *(tables_of(family) for part in (block, *block.borrowed) for family in part.families)
        )
        found |= {owner[name] for name in tables if name in owner} | {block.source} & set(contracts)
    return sorted(found)


def keep_declarations(workspace: Workspace, blocks: Sequence[Block]) -> str:
    """Keep what ``blocks`` (with their lenders) are declared by; returns the name it is kept under."""
    from bluemirror.contracts import read_contracts
    from bluemirror.variables.spine import read_spine

    contracts, spine = read_contracts(workspace.contracts_dir), read_spine(workspace)
    files = {Path(block.path) for block in blocks}
    files |= {contracts[source].path for source in sources_read(blocks, contracts, spine)}
    files |= {spine.path, *(one.path for one in spine.observations.values())}
    # Not resolved: a folder of declarations may be a link to another workspace's.
    content = {file.absolute().relative_to(workspace.root).as_posix(): file.read_bytes() for file in files}
    digest = hashlib.sha256()
    for name, text in sorted(content.items()):
        digest.update(f"{name}\0{len(text)}\0".encode() + text)
    kept = digest.hexdigest()[:DIGITS]
    target = _folder(workspace) / kept
    if not target.is_dir():
        with write_dir(target) as draft:
            for name, text in content.items():
                place = draft / name
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(text)
    return kept


def as_kept(workspace: Workspace, kept: str) -> Workspace:
    """The workspace's data under declarations that were kept; its variables stand in a place of their own.

    Raises
    ------
    FamilyError
        If they are not there.
    """
    root = _folder(workspace) / kept
    if not root.is_dir():
        raise FamilyError(
            "the declarations that this was computed by are not kept here",
            file=root,
            rule="declarations of a training set or a registered model are kept beside the data",
            fix="restore the folder declared/ of the data folder from a copy",
        )
    return replace(workspace, root=root, variables_at=workspace.former_variables / kept)


def forget_declarations(workspace: Workspace, used: Iterable[str]) -> tuple[str, ...]:
    """Remove kept declarations that nothing names any more; their names."""
    folder = _folder(workspace)
    gone = sorted({path.name for path in folder.glob("[!.]*")} - set(used))
    for name in gone:
        shutil.rmtree(folder / name)
    return tuple(gone)


def _folder(workspace: Workspace) -> Path:
    return workspace.data / "declared"
