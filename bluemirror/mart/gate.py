"""The gate: every check of a contract, on all rows of a batch.

What breaks a rule of severity error takes its whole landed record (a line, a document with all its rows) to
quarantine; what breaks one of severity warning is counted. Files are judged before, in ``file_rules``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bluemirror.mart.batch import Batch
from bluemirror.mart.duplicates import check_duplicates
from bluemirror.mart.keys import KeyHasher
from bluemirror.mart.library_rules import check_library_rules
from bluemirror.mart.manifests import Snapshot
from bluemirror.mart.row_checks import check_rows
from bluemirror.mart.sql_rules import check_sql

if TYPE_CHECKING:
    import duckdb

    from bluemirror.workspace import Workspace


def check_batch(
    batch: Batch,
    workspace: Workspace,
    snapshot: Snapshot,
    hasher: KeyHasher,
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """Run all checks; what they find is in ``batch.findings`` afterwards.

    Parameters
    ----------
    batch
        Typed tables; the types were checked when it was made.
    workspace, snapshot
        The mart, for duplicates of what is committed.
    hasher
        Keyed hashes, for business keys that the mart has only hashed.
    connection
        An in-memory DuckDB for the SQL rules.
    """
    check_rows(batch)
    check_sql(batch, connection)
    check_library_rules(batch)
    # Last, so that a rejected record does not shadow the good one that follows it.
    check_duplicates(batch, workspace, snapshot, hasher)
