"""Erasing a person: from the mart, from what was computed, from training sets, and from what is online."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluemirror.atomic import write_json
from bluemirror.errors import StoreError
from bluemirror.features.content import as_text, content
from bluemirror.features.manifest import ERASED, LEFT_OUT, OBSERVATIONS, ROWS, now, read_manifest
from bluemirror.features.planning import JOIN_KEY
from bluemirror.features.reproducing import erased_rows
from bluemirror.workspace import Workspace

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.variables.spine import Spine

Keys = Mapping[str, frozenset[str]]
"""Name of a key -> values that are this person's and nobody else's."""


@dataclass(frozen=True)
class Erasure:
    """What an erasure took out.

    Attributes
    ----------
    rows
        Rows of the mart, by table.
    observations
        Stored observations, of all sets.
    training_sets
        Training set -> rows.
    published
        Whether what is online was written anew.
    """

    rows: Mapping[str, int]
    observations: int
    training_sets: Mapping[str, int]
    published: bool


def erase(
    workspace: Workspace, value: str, *, entity: str = "person", log: Callable[[str], None] | None = None
) -> Erasure:
    """Erase whoever has the key ``value``: records and what hangs under them, stored variables, rows of training sets.

    Keys that others have had too (an address, an employer) do not erase their records. Landed files are not touched:
    they are the source's and go by its own rule.

    Raises
    ------
    StoreError
        If the spine has no such entity, or nothing anywhere has this key.
    """
    from bluemirror.features.publishing import publish
    from bluemirror.features.services import read_services
    from bluemirror.mart.erasing import erase_records, erase_written, note_erasure
    from bluemirror.variables.spine import read_spine

    say = log or (lambda _: None)
    spine = read_spine(workspace)
    if entity not in spine.entities:
        raise StoreError(
            f"there is no entity {entity!r}",
            file=spine.path,
            field="entities",
            rule=f"entities here are {', '.join(spine.entities)}",
            fix="name one of them: --entity",
        )
    keys = _keys_of(workspace, spine, entity, value)
    erased = erase_records(workspace, _records_of(workspace, spine, entity, keys))
    say(
        f"{sum(erased.rows.values()):,} rows of {len(erased.rows)} tables, {erased.deliveries} deliveries anew"
    )
    rows = dict(erased.rows) | erase_written(workspace, keys)
    key = spine.entities[entity].key
    sets = [*sorted(workspace.variables.glob("[!.]*")), *sorted(workspace.own_variables.glob("[!.]*"))]
    observations = sum(_erase_stored(root, key, value) for root in sets)
    training = {
        folder.name: count
        for folder in sorted(workspace.training_sets.glob("[!.]*"))
        if (count := _erase_training(folder, key, value))
    }
    if not rows and not observations and not training:
        raise StoreError(
            f"nobody of the entity {entity} has this key",
            field=key,
            rule=f"an erasure names a value of {key}, as the mart has it",
            fix="look it up in the mart: bluemirror.connect(workspace)",
        )
    say(f"{observations:,} stored observations, rows of {len(training)} training sets")
    facts = {"rows": sum(rows.values()), "observations": observations, "training_sets": training}
    note_erasure(workspace, entity, value, facts)
    services = bool(read_services(workspace))
    if services:
        publish(workspace, log=log)
    return Erasure(rows, observations, training, services)


def _keys_of(workspace: Workspace, spine: Spine, entity: str, value: str) -> Keys:
    import bluemirror
    from bluemirror.mart.versions import quote

    declared = spine.entities[entity]
    found = {declared.key: frozenset({value})}
    if declared.keys_table is None:
        return found
    key, table = quote(declared.key), quote(declared.keys_table)
    with bluemirror.connect(workspace) as connection:
        for name in declared.keys_columns:
            column = quote(name)
            mine = connection.execute(
                f"SELECT DISTINCT {column} FROM {table} t WHERE {key} = ? AND {column} IS NOT NULL AND NOT EXISTS "
                f"(SELECT 1 FROM {table} o WHERE o.{column} = t.{column} AND o.{key} <> t.{key})",
                [value],
            ).fetchall()
            found[name] = frozenset(str(one) for (one,) in mine)
    return found


def _records_of(
    workspace: Workspace, spine: Spine, entity: str, keys: Keys
) -> dict[str, dict[str, frozenset[str]]]:
    """Table -> column -> values: where families look this entity up, and wherever its own key stands."""
    from bluemirror.contracts import read_contracts
    from bluemirror.mart.erasing import columns_of
    from bluemirror.variables import load_blocks
    from bluemirror.variables.tables import Catalog

    contracts = read_contracts(workspace.contracts_dir)
    catalog = Catalog(contracts)
    key = spine.entities[entity].key
    wanted: dict[str, dict[str, frozenset[str]]] = {}
    for contract in contracts.values():
        for table, columns in columns_of(contract).items():
            if key in columns:
                wanted.setdefault(table, {})[key] = keys[key]
    for block in load_blocks(workspace):
        for family in block.families if block.entity == entity else ():
            column, by = family.match
            if family.via is None and keys.get(by):
                wanted.setdefault(catalog.header(family.table, block).name, {})[column] = keys[by]
    return wanted


def _erase_stored(root: Path, key: str, value: str) -> int:
    """Take the person's observations out of a set, from all its blocks; how many they were."""
    import polars as pl

    from bluemirror.variables.dropping import drop_observations
    from bluemirror.variables.store import part_files

    parts = part_files((root / "observations").resolve())
    held = pl.read_parquet(parts) if parts else None
    if held is None or key not in held.columns:
        return 0
    ids = held.filter(pl.col(key) == value).select(JOIN_KEY)
    if len(ids):
        drop_observations(root, ids)
    return len(ids)


def _erase_training(folder: Path, key: str, value: str) -> int:
    """Take the person's rows out of a training set and keep the sum of their hashes; how many they were."""
    import polars as pl

    manifest = read_manifest(folder)
    count = 0
    for name in (ROWS, OBSERVATIONS, LEFT_OUT):
        path = folder / name
        if not path.is_file():
            continue
        frame = pl.read_parquet(path)
        if key not in frame.columns:
            continue
        mine = frame[key].cast(pl.String).str.strip_chars().eq(value).fill_null(False)
        if not mine.any():
            continue
        if name == ROWS:
            gone = frame.filter(mine)
            count = len(gone)
            told: dict[str, Any] = {"at": now(), "rows": count}
            told["content"] = as_text(content(gone, list(manifest.variables)))
            write_json(folder / ERASED, [*erased_rows(folder), told])
        _replace(path, frame.filter(~mine))
    return count


def _replace(path: Path, frame: pl.DataFrame) -> None:
    draft = path.with_name(f".{path.name}.draft")
    frame.write_parquet(draft)
    os.replace(draft, path)
