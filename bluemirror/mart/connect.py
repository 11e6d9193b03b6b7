"""The door to the mart: an in-memory DuckDB with one view a table, over what is committed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

    from bluemirror.contracts import Contract, Table
    from bluemirror.mart.manifests import Snapshot
    from bluemirror.workspace import Workspace

WRITTEN = "_written"
"""Folder under the mart with the tables that the platform itself writes back."""


def connect(workspace: Workspace, snapshot: str | None = None) -> duckdb.DuckDBPyConnection:
    """Open the mart for reading.

    Nothing is locked and nothing is shared: any number of processes may do this while others ingest. The views
    keep to the deliveries that were committed at this moment.

    Parameters
    ----------
    workspace
        The workspace.
    snapshot
        Id of an earlier state, from a manifest; default the current one.

    Returns
    -------
    duckdb.DuckDBPyConnection
        In memory. One view per contracted table (empty, with its columns, if nothing was delivered) and one
        per table written back.

    Raises
    ------
    WorkspaceError
        If there is no such snapshot.
    """
    import duckdb

    from bluemirror.contracts import read_contracts
    from bluemirror.mart.manifests import read_snapshot

    state = read_snapshot(workspace, snapshot)
    connection = duckdb.connect()
    for contract in read_contracts(workspace.contracts_dir).values():
        define_views(connection, workspace, contract, state)
    written = workspace.mart / WRITTEN
    for folder in sorted(written.iterdir()) if written.is_dir() else ():
        files = sorted(folder.glob("*.parquet"))
        if files:
            _view(connection, folder.name, files, by_name=True)
    return connection


def define_views(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, contract: Contract, state: Snapshot
) -> None:
    """One view a table of a contract; without any row, an empty one with the right columns."""
    versions = {committed.contract_version for committed in state.of(contract.source).values()}
    for table in contract.tables:
        files = state.files(workspace, table.name)
        if files:
            # Opening every file for its columns is only needed when the contract changed in between.
            _view(connection, table.name, files, by_name=len(versions) > 1)
        else:
            connection.execute(_empty_view(table.name, mart_columns(table)))


def mart_columns(table: Table) -> list[tuple[str, str]]:
    """Columns of a mart table with their DuckDB types, system columns last."""
    from bluemirror.contracts import DUCKDB_TYPES
    from bluemirror.mart.finished import SYSTEM

    own = {"doc": "BIGINT", "row": "INTEGER", **DUCKDB_TYPES}
    columns = [*table.columns, *SYSTEM.items()]
    return [(name, own[kind]) for name, kind in columns]


def _view(connection: duckdb.DuckDBPyConnection, name: str, files: Iterable[Path], by_name: bool) -> None:
    listed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in files)
    option = ", union_by_name = true" if by_name else ""
    connection.execute(
        f'CREATE OR REPLACE VIEW "{name}" AS SELECT * FROM read_parquet([{listed}], hive_partitioning = false{option})'
    )


def _empty_view(name: str, columns: Iterable[tuple[str, str]]) -> str:
    values = ", ".join(f'CAST(NULL AS {kind}) AS "{column}"' for column, kind in columns)
    return f'CREATE OR REPLACE VIEW "{name}" AS SELECT {values} WHERE false'
