"""The door to the mart: an in-memory DuckDB with one view a table, over what is committed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bluemirror.mart.adopted import adopted
from bluemirror.mart.versioned import Part, View, make_view, notes

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
        per table written back. Tables that only earlier versions of a contract had keep their view.

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
    contracts = read_contracts(workspace.contracts_dir)
    for contract in contracts.values():
        define_views(connection, workspace, contract, state)
    for source in state.deliveries.keys() - contracts.keys():
        _define_former(connection, workspace, source, state, contracts.values())
    written = workspace.mart / WRITTEN
    for folder in sorted(written.iterdir()) if written.is_dir() else ():
        files = sorted(folder.glob("*.parquet"))
        if files:
            _written_view(connection, folder.name, files)
    return connection


def define_views(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, contract: Contract, state: Snapshot
) -> None:
    """One view a table of a contract; without any row, an empty one with the right columns.

    Where deliveries were read under other versions of the contract, tables that only those had get a view too, and
    :mod:`bluemirror.mart.versioned` tells what becomes of the columns.
    """
    committed = state.of(contract.source).values()
    if all(one.contract == contract.fingerprint for one in committed):
        for table in contract.tables:
            columns = dict(mart_columns(table))
            files = state.files(workspace, table.name)
            parts = [Part(contract.version, files, columns)] if files else []
            _make(connection, make_view(table.name, columns, parts))
        return
    held = adopted(workspace, contract.source)
    versions = [one for mark, one in held.items() if mark != contract.fingerprint]
    told = notes([*versions, contract])
    for name, today in _tables([*versions, contract], contract).items():
        view = make_view(name, today, _parts(connection, workspace, contract.source, name, state, held))
        if view.columns:
            known = told.get(name, {})
            view.notes = {column: text for column, text in known.items() if column in {"", *view.columns}}
            _make(connection, view)


def _define_former(
    connection: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    source: str,
    state: Snapshot,
    contracts: Iterable[Contract],
) -> None:
    """Views of a source whose contract is gone, as its last version had them; today's tables come first."""
    held = adopted(workspace, source)
    taken = {table.name for contract in contracts for table in contract.tables}
    for name in _tables(list(held.values()), None):
        if name not in taken:
            view = make_view(name, {}, _parts(connection, workspace, source, name, state, held))
            if view.parts:
                view.notes = {"": f"the workspace has no contract of {source} any more"}
                _make(connection, view)


def _tables(versions: Sequence[Contract], today: Contract | None) -> dict[str, dict[str, str]]:
    """Every table of any version with its columns today, none where today's contract has no such table."""
    found: dict[str, dict[str, str]] = {
        table.name: dict(mart_columns(table)) for table in (today.tables if today else ())
    }
    for contract in versions:
        for table in contract.tables:
            found.setdefault(table.name, {})
    return found


def _parts(
    connection: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    source: str,
    table: str,
    state: Snapshot,
    held: Mapping[str, Contract],
) -> list[Part]:
    """The files of a table by the contract that they were read under, the oldest version first."""
    files: dict[str, list[Path]] = {}
    for _, one in sorted(state.of(source).items()):
        if one.tables.get(table):
            files.setdefault(one.contract, []).append(
                workspace.mart / source / one.folder / f"{table}.parquet"
            )
    order = {mark: place for place, mark in enumerate(held, 1)}
    parts = []
    for mark, listed in sorted(files.items(), key=lambda item: order.get(item[0], 0)):
        contract = held.get(mark)
        if contract is not None:
            parts.append(Part(contract.version, listed, dict(mart_columns(contract.table(table)))))
        else:
            # Delivered before contracts were kept: only the files themselves can say what they have.
            parts.append(Part("0", listed, _columns_of(connection, listed)))
    return parts


def _columns_of(connection: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> dict[str, str]:
    found = connection.read_parquet(
        [str(path) for path in files], hive_partitioning=False, union_by_name=True
    )
    return dict(zip(found.columns, map(str, found.types), strict=True))


def _make(connection: duckdb.DuckDBPyConnection, view: View) -> None:
    for statement in view.statements():
        connection.execute(statement)


def _written_view(connection: duckdb.DuckDBPyConnection, name: str, files: Iterable[Path]) -> None:
    listed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in files)
    connection.execute(
        f'CREATE OR REPLACE VIEW "{name}" AS '
        f"SELECT * FROM read_parquet([{listed}], hive_partitioning = false, union_by_name = true)"
    )


def mart_columns(table: Table) -> list[tuple[str, str]]:
    """Columns of a mart table with their DuckDB types, system columns last."""
    from bluemirror.contracts import DUCKDB_TYPES
    from bluemirror.mart.system_columns import SYSTEM

    own = {"doc": "BIGINT", "row": "INTEGER", **DUCKDB_TYPES}
    columns = [*table.columns, *SYSTEM.items()]
    return [(name, own[kind]) for name, kind in columns]
