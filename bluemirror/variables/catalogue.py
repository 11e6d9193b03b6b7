"""The catalogue: every variable of a workspace with what its contracts add; search; the committed list."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bluemirror.errors import FamilyError
from bluemirror.variables.variable import Variable

if TYPE_CHECKING:
    from bluemirror.contracts import Contract
    from bluemirror.variables.declarations import Block, Family
    from bluemirror.workspace import Workspace

COMPILED = "variables"
"""Folder of the committed lists, beside the families: ``<block>.txt``."""

REFRESH = "bluemirror catalogue compile"


def catalogue(workspace: Workspace) -> tuple[Variable, ...]:
    """Every variable of ``workspace``, in the order of blocks and stored columns.

    Stages are those that every contract on the way allows, the cost is what one hit of each of them costs, and the
    first day is that of the earliest moment at which anything of all of them was known.

    Raises
    ------
    FamilyError
        If a family is written wrongly or reads a table that no contract declares.
    """
    from bluemirror.contracts import read_contracts
    from bluemirror.variables.language import load_blocks

    contracts = read_contracts(workspace.contracts_dir)
    first_days = _first_days(workspace, contracts)
    found: list[Variable] = []
    for block in load_blocks(workspace):
        for variable, sources in _with_sources(block, contracts):
            found.append(_completed(variable, [contracts[name] for name in sources], first_days))
    return tuple(found)


def _with_sources(
    block: Block, contracts: Mapping[str, Contract]
) -> Iterator[tuple[Variable, tuple[str, ...]]]:
    """Each variable of ``block`` and the sources that it rests on."""
    from bluemirror.variables.plan import block_variables

    families = {family.name: sources_of(block, family, contracts) for family in block.families}
    sides = {one.name: (one.left, one.right) for one in block.combinations}
    known = {
        variable.name: sources
        for part in block.borrowed
        for variable, sources in _with_sources(part, contracts)
    }
    for variable in block_variables(block):
        sources = families.get(variable.family)
        if sources is None:
            left, right = sides[variable.family]
            sources = tuple(dict.fromkeys((*known[left], *known[right])))
        known[variable.name] = sources
        yield variable, sources


def _completed(variable: Variable, contracts: list[Contract], first_days: Mapping[str, str]) -> Variable:
    stages = tuple(stage for stage in contracts[0].stages if all(stage in one.stages for one in contracts))
    days = [first_days.get(one.source, "") for one in contracts]
    return replace(
        variable,
        stages=stages,
        cost_yuan=round(sum(one.price("hit") for one in contracts), 4),
        first_day=max(days) if all(days) else "",
    )


def sources_of(block: Block, family: Family, contracts: Mapping[str, Contract]) -> tuple[str, ...]:
    """Sources that a family reads: the block's own first, then those of its table and of its relation."""
    owner = {table.name: source for source, one in contracts.items() for table in one.tables}
    tables = [family.table] + ([family.via.table] if family.via else [])
    for table in tables:
        if table not in owner:
            near = difflib.get_close_matches(table, owner, 1)
            raise FamilyError(
                f"no contract declares the table {table!r}",
                file=f"{block.path}, line {family.line}",
                field="table",
                rule="a family reads a contracted table of the mart",
                fix=f"write {near[0]}" if near else "declare it in data_contracts/",
            )
    if block.source not in contracts:
        near = difflib.get_close_matches(block.source, contracts, 1)
        raise FamilyError(
            f"there is no contract for the source {block.source!r}",
            file=block.path,
            field="source",
            rule="the source of a block is the id of a contract",
            fix=f"write {near[0]}" if near else "declare it in data_contracts/",
        )
    return tuple(dict.fromkeys([block.source, *(owner[table] for table in tables)]))


def _first_days(workspace: Workspace, contracts: Mapping[str, Contract]) -> dict[str, str]:
    """Day of the earliest known time of each delivered source."""
    from bluemirror.mart.manifests import read_snapshot

    snapshot = read_snapshot(workspace)
    result = {}
    for source in contracts:
        known = [one.known[0] for one in snapshot.of(source).values() if one.known]
        if known:
            result[source] = min(known)[:10]
    return result


def find(variables: Iterable[Variable], name: str) -> Variable:
    """The variable called ``name``.

    Raises
    ------
    FamilyError
        With the nearest names, if there is none.
    """
    known = {one.name: one for one in variables}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, 3)
    raise FamilyError(
        f"there is no variable {name!r}",
        field=name,
        rule="names are computed from the families",
        fix=f"did you mean {' or '.join(near)}?" if near else "search with: bluemirror catalogue search TEXT",
    )


def search(workspace: Workspace, text: str) -> tuple[Variable, ...]:
    """Variables that match every word of ``text`` by name or label, Chinese or English; the best first.

    A whole part of a name counts most, then a whole word of a label, then a piece of either; among equals the
    shorter name comes first, because it has fewer filters.
    """
    words = [word for word in re.split(r"[\s,;，；]+", text.lower()) if word]
    if not words:
        return ()
    scored = [(_score(one, words), one) for one in catalogue(workspace)]
    hits = [(score, one) for score, one in scored if score > 0]
    return tuple(one for _, one in sorted(hits, key=lambda pair: (-pair[0], len(pair[1].name), pair[1].name)))


def _score(variable: Variable, words: list[str]) -> int:
    name = variable.name.lower()
    parts = set(name.split("_"))
    english = set(re.findall(r"[a-z0-9%]+", variable.label_en.lower()))
    score = 0
    for word in words:
        if word == name:
            score += 100
        elif word in parts:
            score += 8
        elif word in english or word in variable.label_zh:
            score += 5
        elif word in name:
            score += 3
        elif word in variable.label_en.lower():
            score += 2
        else:
            return 0
    return score


def compiled(workspace: Workspace) -> dict[str, str]:
    """Block -> its variables, a line ``name meaning`` each, sorted by name: a change of meaning shows in review."""
    lines: dict[str, list[str]] = {}
    for one in catalogue(workspace):
        lines.setdefault(one.block, []).append(f"{one.name} {one.meaning}")
    return {block: "\n".join(sorted(names)) + "\n" for block, names in lines.items()}


def committed(workspace: Workspace) -> dict[str, str]:
    """Block -> the committed list; empty where there is none yet."""
    folder = workspace.feature_repo / COMPILED
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.txt"))}


def write_compiled(workspace: Workspace) -> tuple[Path, int, int]:
    """Refresh the committed lists; returns their folder, and how many lines came and went."""
    from bluemirror.atomic import write_text

    folder = workspace.feature_repo / COMPILED
    before, after = committed(workspace), compiled(workspace)
    folder.mkdir(exist_ok=True)
    for block in before.keys() - after.keys():
        (folder / f"{block}.txt").unlink()
    for block, text in after.items():
        if before.get(block) != text:
            write_text(folder / f"{block}.txt", text)
    old, new = ({line for text in lists.values() for line in text.splitlines()} for lists in (before, after))
    return folder, len(new - old), len(old - new)
