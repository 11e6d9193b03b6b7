"""The contracts that the mart's deliveries were read under, and whether a new version may be.

Beside its deliveries a source has ``contracts.json``: each version in its compiled form, in the order in which they
came. A version that breaks what was agreed, without saying so by its major number, is refused before anything is
read under it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from bluemirror.atomic import write_json
from bluemirror.contracts.change import Comparison
from bluemirror.contracts.changes import compare
from bluemirror.contracts.compiled import compiled, from_compiled
from bluemirror.errors import ContractError
from bluemirror.mart.manifests import Committed, Snapshot

if TYPE_CHECKING:
    from bluemirror.contracts import Contract
    from bluemirror.workspace import Workspace

NAME = "contracts.json"
SHOWN = 6
_KNOWN: dict[Path, tuple[bytes, dict[str, Contract]]] = {}
"""File -> (its content, the contracts in it): an ingestion asks several times, and a bureau's contract is large."""


def adopted(workspace: Workspace, source: str) -> dict[str, Contract]:
    """Contracts of a source's deliveries by fingerprint, the oldest first; empty before the first delivery.

    Raises
    ------
    ContractError
        If a kept contract cannot be read.
    """
    path = _path(workspace, source)
    if not path.is_file():
        return {}
    content = path.read_bytes()
    if path not in _KNOWN or _KNOWN[path][0] != content:
        kept = {
            entry["fingerprint"]: from_compiled(entry["contract"], path) for entry in orjson.loads(content)
        }
        _KNOWN[path] = content, kept
    return dict(_KNOWN[path][1])


def newest(workspace: Workspace, source: str, snapshot: Snapshot) -> Contract | None:
    """The contract of the newest version that a committed delivery was read under, None before the first."""
    used = {committed.contract for committed in snapshot.of(source).values()}
    held = [contract for mark, contract in adopted(workspace, source).items() if mark in used]
    return held[-1] if held else None


def adopt(workspace: Workspace, contract: Contract, snapshot: Snapshot) -> tuple[str, ...]:
    """Keep the contract that the next deliveries are read under; call it with the source's lock held.

    A version that was kept but never had a delivery is forgotten: nothing was promised under it.

    Returns
    -------
    tuple
        What to tell: a compatible change whose version number does not say so.

    Raises
    ------
    ContractError
        If the contract breaks the one of the deliveries before, under an unchanged major version.
    """
    last = newest(workspace, contract.source, snapshot)
    said: tuple[str, ...] = ()
    if last is not None and last.fingerprint != contract.fingerprint:
        comparison = compare(last, contract)
        if comparison.refused:
            raise refusal(comparison, contract.path)
        if not comparison.follows:
            what = f"the contract changed ({len(comparison.changes)} changes, {comparison.verdict})"
            least = comparison.least_version
            said = (f"{contract.source}: {what} and is still {contract.version}; call it {least}",)
    used = {committed.contract for committed in snapshot.of(contract.source).values()}
    kept = [entry for entry in _entries(workspace, contract.source) if entry["fingerprint"] in used]
    # The one that is used from now on stands last, also when an older one comes back.
    kept = [entry for entry in kept if entry["fingerprint"] != contract.fingerprint]
    kept.append(
        {"version": contract.version, "fingerprint": contract.fingerprint, "contract": compiled(contract)}
    )
    if kept != _entries(workspace, contract.source):
        write_json(_path(workspace, contract.source), kept)
    return said


def patient(workspace: Workspace, contract: Contract, snapshot: Snapshot) -> Contract:
    """The contract to read by: fields that an earlier version of this major did not have may be missing in a file.

    That is what ``since`` says in the contract itself; a mart that has seen the earlier version knows without.
    """
    major = contract.version.split(".", maxsplit=1)[0]
    used = {committed.contract for committed in snapshot.of(contract.source).values()}
    known: dict[str, list[set[str]]] = {}
    for mark, old in adopted(workspace, contract.source).items():
        if mark in used and old.version.split(".", maxsplit=1)[0] == major:
            for table in old.tables:
                known.setdefault(table.name, []).append({field.name for field in table.fields})
    tables = [
        replace(
            table,
            fields=tuple(
                replace(field, since=contract.version)
                if not field.required and any(field.name not in names for names in known.get(table.name, ()))
                else field
                for field in table.fields
            ),
        )
        for table in contract.tables
    ]
    return replace(contract, tables=tuple(tables))


def same_columns(
    workspace: Workspace, contract: Contract, snapshot: Snapshot, table: str, columns: Collection[str]
) -> list[Committed]:
    """Committed deliveries that have these columns of a table, in the types of today's contract.

    What an earlier major version called or wrote otherwise cannot be compared with what comes today.
    """
    committed = list(snapshot.of(contract.source).values())
    marks = {one.contract for one in committed} - {contract.fingerprint, ""}
    if not marks:
        return committed
    held = adopted(workspace, contract.source)
    today = _types(contract, table)
    wanted = {name: today[name] for name in columns if name in today}
    other = {
        mark for mark in marks if mark in held and not wanted.items() <= _types(held[mark], table).items()
    }
    return [one for one in committed if one.contract not in other]


def of_this_major(contract: Contract, snapshot: Snapshot) -> Snapshot:
    """The snapshot with only those deliveries of the contract's source that came under its major version."""
    major = contract.version.split(".", maxsplit=1)[0]
    mine = {
        day: one
        for day, one in snapshot.of(contract.source).items()
        if one.contract_version.split(".", maxsplit=1)[0] == major
    }
    return Snapshot({**snapshot.deliveries, contract.source: mine})


def _types(contract: Contract, table: str) -> dict[str, str]:
    return {name: kind for one in contract.tables if one.name == table for name, kind in one.columns}


def refusal(comparison: Comparison, file: Path) -> ContractError:
    """The error about a version that breaks what was agreed without saying so."""
    breaking = comparison.breaking
    listed = [f"{change.where}: {change.what} ({change.reason})" for change in breaking[:SHOWN]]
    more = f"\n  and {len(breaking) - SHOWN} more" if len(breaking) > SHOWN else ""
    return ContractError(
        f"version {comparison.new_version} of {comparison.source} breaks version {comparison.old_version}, "
        "which the mart's deliveries were read under:\n  " + "\n  ".join(listed) + more,
        file=file,
        field="version",
        rule="a contract that breaks what was agreed has a new major version",
        fix=f"write version: {comparison.least_version}, if the source agreed; else undo the change. "
        "bluemirror contracts check tells all of it",
    )


def _entries(workspace: Workspace, source: str) -> list[dict[str, object]]:
    path = _path(workspace, source)
    return list(orjson.loads(path.read_bytes())) if path.is_file() else []


def _path(workspace: Workspace, source: str) -> Path:
    return workspace.mart / source / NAME
