"""The gate: every check of a contract on the rows of a batch.

What breaks a rule of severity error takes its whole landed record (a line, a document with all its rows) to
quarantine; what breaks one of severity warning is counted. Files are judged before, in ``file_rules``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bluemirror.mart.batch import Batch
from bluemirror.mart.library_rules import check_library_rules
from bluemirror.mart.row_checks import check_rows
from bluemirror.mart.sql_rules import check_sql

if TYPE_CHECKING:
    import duckdb


def check_batch(batch: Batch, connection: duckdb.DuckDBPyConnection) -> None:
    """Run all checks that need nothing but the batch; what they find is in ``batch.findings`` afterwards.

    :func:`~bluemirror.mart.duplicates.check_duplicates` comes after them, so that a rejected record does not shadow
    the good one that follows it, and when everything before is committed.

    Parameters
    ----------
    batch
        Typed tables; the types were checked when it was made.
    connection
        An in-memory DuckDB for the SQL rules.
    """
    check_rows(batch)
    check_sql(batch, connection)
    check_library_rules(batch)
