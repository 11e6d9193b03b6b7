"""Tables that the platform itself writes into the mart, such as scores."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bluemirror.errors import BluemirrorError
from bluemirror.mart.connect import WRITTEN
from bluemirror.mart.manifests import lock

if TYPE_CHECKING:
    import duckdb
    import polars as pl

    from bluemirror.workspace import Workspace


def write_table(
    workspace: Workspace, name: str, frame: pl.DataFrame, key: Sequence[str] | str, part: str = "0"
) -> Path:
    """Write rows of a table; rows with an equal key are replaced, the others stay.

    Parameters
    ----------
    workspace
        The workspace.
    name
        Table name; ``connect`` shows it as a view.
    frame
        The rows (polars).
    key
        Columns that tell one row from another.
    part
        A table that grows by the day is kept in parts, such as one a day: only this part is read and replaced, and
        a key must not come in two of them.

    Returns
    -------
    Path
        The file. It is replaced in one step: a reader sees the old rows or the new ones.

    Raises
    ------
    BluemirrorError
        If the name is taken by a contract, the part is no name, or the key is missing or not unique in ``frame``.
    """
    import polars as pl

    columns = [key] if isinstance(key, str) else list(key)
    _check_name(workspace, name)
    missing = [column for column in columns if column not in frame.columns]
    if missing or frame.select(columns).is_duplicated().any():
        raise BluemirrorError(
            f"the rows for {name!r} have no usable key",
            field=", ".join(missing or columns),
            rule="the key columns are there and tell every row from every other",
            fix="add the columns, or drop the repeated rows",
        )
    if not re.fullmatch(r"[A-Za-z0-9_-]+", part):
        raise BluemirrorError(
            f"{part!r} is no name of a part of {name}",
            rule="a part is named by letters, digits, - and _",
            fix="name it by its day, such as 2025-12-31",
        )
    path = workspace.mart / WRITTEN / name / f"part-{part}.parquet"
    with lock(workspace.mart / WRITTEN / f".{name}.lock"):
        if path.is_file():
            kept = pl.read_parquet(path).join(frame, on=columns, how="anti", nulls_equal=True)
            frame = pl.concat([kept, frame], how="diagonal_relaxed").sort(columns)
        else:
            frame = frame.sort(columns)
        with _replaced(path) as draft:
            frame.write_parquet(draft)
    return path


def replace_table(workspace: Workspace, name: str, connection: duckdb.DuckDBPyConnection, query: str) -> Path:
    """Write a table as the rows of ``query``, in its order, in place of all rows that it had.

    Parameters
    ----------
    connection, query
        Where the rows come from.

    Returns
    -------
    Path
        The file, replaced in one step.

    Raises
    ------
    BluemirrorError
        If the name is taken by a contract.
    """
    _check_name(workspace, name)
    path = workspace.mart / WRITTEN / name / "part-0.parquet"
    with lock(workspace.mart / WRITTEN / f".{name}.lock"), _replaced(path) as draft:
        target = str(draft).replace("'", "''")
        connection.execute(f"COPY ({query}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
    return path


def _check_name(workspace: Workspace, name: str) -> None:
    from bluemirror.contracts import read_contracts

    taken = {
        table.name
        for contract in read_contracts(workspace.contracts_dir).values()
        for table in contract.tables
    }
    if name in taken or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise BluemirrorError(
            f"{name!r} cannot be written back",
            rule="a written-back table has a name of its own: lower case, digits and _, not one of a contract",
            fix="choose another name",
        )


@contextmanager
def _replaced(path: Path) -> Iterator[Path]:
    """A file to write beside ``path``, which takes its place when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.parent / f".{uuid.uuid4().hex[:8]}.draft"
    try:
        yield draft
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
