"""A larger population for the benchmark: the workspace's mart several times over, under other keys each time."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bluemirror.workspace import Workspace

if TYPE_CHECKING:
    from bluemirror.contracts import Contract, Table

NEWEST = """-- Of each {key} the newest observation, of the first {customers} of them.
SELECT * FROM (
{sql}
)
QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY as_of DESC, observation_id DESC) = 1
ORDER BY {key}
LIMIT {customers}
"""


@dataclass(frozen=True)
class Population:
    """A workspace of its own whose sets can describe each entity once."""

    workspace: Workspace

    def of(self, customers: int, folder: Path) -> Workspace:
        """The same mart, described for no more than ``customers`` persons; other entities in proportion."""
        from bluemirror.variables.spine import read_spine

        spine = read_spine(self.workspace)
        root = folder / f"of-{customers}"
        shutil.copytree(self.workspace.root, root, symlinks=True)
        main = next(iter(spine.observations.values())).entity
        for one in spine.observations.values():
            limit = customers if one.entity == main else 10**9
            text = one.path.read_text(encoding="utf-8").rstrip().rstrip(";")
            target = root / one.path.relative_to(self.workspace.root)
            target.write_text(
                NEWEST.format(key=spine.entities[one.entity].key, sql=text, customers=limit), encoding="utf-8"
            )
        data = root / "data"
        data.mkdir()
        (data / "mart").symlink_to(self.workspace.mart)
        return replace(self.workspace, root=root, data=data)


def enlarged(workspace: Workspace, customers: int, folder: Path, log: Callable[[str], None]) -> Population:
    """Copy the mart of ``workspace`` until it holds ``customers`` that are described; beside it, in ``folder``."""
    import duckdb

    from bluemirror.contracts import read_contracts
    from bluemirror.variables.spine import read_spine

    root = folder / "workspace"
    root.mkdir()
    shutil.copytree(workspace.feature_repo, root / workspace.feature_repo.relative_to(workspace.root))
    for name in ("workspace.yaml", workspace.contracts_dir.name):
        (root / name).symlink_to(workspace.root / name)
    spine = read_spine(workspace)
    first = next(iter(spine.observations.values()))
    described = _described(workspace, first.path, spine.entities[first.entity].key)
    copies = max(1, math.ceil(customers / max(described, 1)))
    larger = replace(workspace, root=root, data=folder / "data")
    log(f"{described:,} customers stand {copies} times in the mart of the benchmark")
    contracts = read_contracts(workspace.contracts_dir)
    keys = {name: _keys(contract, contracts) for name, contract in contracts.items()}
    with duckdb.connect() as connection:
        for path in sorted(workspace.mart.rglob("*")):
            inside = path.relative_to(workspace.mart)
            written_back = inside.parts[0].startswith("_") and path.suffix == ".parquet"
            if path.is_dir() or written_back:
                continue
            target = larger.mart / inside
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".parquet":
                connection.execute(_copies(path, target, copies, keys.get(inside.parts[0], set())))
            else:
                shutil.copy(path, target)
    return Population(larger)


def _described(workspace: Workspace, query: Path, key: str) -> int:
    import bluemirror

    with bluemirror.connect(workspace) as connection:
        text = query.read_text(encoding="utf-8").rstrip().rstrip(";")
        return int(connection.sql(f"SELECT count(DISTINCT {key}) FROM ({text})").fetchall()[0][0])


def _keys(contract: Contract, contracts: Mapping[str, Contract]) -> set[str]:
    """Columns that tell who or which: hashes of keys, and whatever any table is keyed by."""
    business = {name for one in contracts.values() for table in one.tables for name in table.key_columns}
    return {name for table in contract.tables for name in _hashes(table)} | business


def _hashes(table: Table) -> Iterator[str]:
    for item in table.fields:
        if item.key is not None and not item.drop:
            yield from (column for column, _ in (*item.columns, *item.part_columns))


def _copies(path: Path, target: Path, copies: int, keys: set[str]) -> str:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pq.read_schema(path)
    texts = [
        one.name
        for one in schema
        if one.name in keys and (pa.types.is_large_string(one.type) or pa.types.is_string(one.type))
    ]
    others = [f'"{name}" || \'~\' || copy AS "{name}"' for name in texts]
    # One document is one in all tables of its source: the new number depends on the old one and the copy alone.
    others.append("CAST(hash(_doc, copy) >> 1 AS BIGINT) AS _doc")
    return (
        f"COPY (SELECT * EXCLUDE (copy) REPLACE ({', '.join(others)}) FROM read_parquet('{path}'), "
        f"range({copies}) AS copies(copy)) TO '{target}' (FORMAT parquet)"
    )
