"""Which entity each key means, at every moment: vendors' hashes of one number are one telephone, once that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bluemirror.identity.columns import RANKS
from bluemirror.identity.evidence import ties_sql
from bluemirror.identity.naming import name_over_time

if TYPE_CHECKING:
    import duckdb
    import polars as pl

    from bluemirror.identity.declared import Declared

NO_TIES = """
    SELECT '' AS a_form, '' AS a_key, '' AS b_form, '' AS b_key, TIMESTAMP 'epoch' AS known,
      NULL::TIMESTAMP AS until WHERE false
"""


def resolve_keys(connection: duckdb.DuckDBPyConnection, declared: Declared) -> None:
    """Make the temporary table ``_key``: the entity of each key over time.

    Reads ``_evidence`` and ``_seen``. Columns: ``entity``, ``form``, ``key``, ``entity_id``, ``number`` (of the entity
    among its kind, to calculate with), ``known``, ``until``. An entity is called by the first of its keys in the order
    of :data:`~bluemirror.identity.columns.RANKS`.
    """
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE _key (entity VARCHAR, form VARCHAR, key VARCHAR, entity_id VARCHAR,"
        " number INTEGER, known TIMESTAMP, until TIMESTAMP)"
    )
    for kind in declared.entities.values():
        found = " UNION ALL ".join(f"({query})" for query in ties_sql(declared, kind)) or NO_TIES
        connection.execute(f"CREATE OR REPLACE TEMP TABLE _tie AS {_joined(found)}")
        ends = [
            f"SELECT {end}_form AS form, {end}_key AS key, known FROM _evidence SEMI JOIN"
            f" (SELECT seen FROM _seen WHERE {end} = '{kind.name}') USING (seen)"
            for end in "ab"
        ]
        ends += [f"SELECT {end}_form AS form, {end}_key AS key, known FROM _tie" for end in "ab"]
        nodes = connection.sql(
            f"SELECT form, key, min(known) AS known FROM ({' UNION ALL '.join(ends)}) GROUP BY ALL"
        ).pl()
        resolved = _named(nodes, connection.sql("SELECT * FROM _tie").pl())
        connection.register("_resolved", resolved)
        connection.execute(
            f"INSERT INTO _key SELECT '{kind.name}', form, key, entity_id, number, known, until FROM _resolved"
        )
        connection.unregister("_resolved")
    connection.execute("DROP TABLE _tie")


def _joined(found: str) -> str:
    """Spans of one tie that touch or overlap are one span."""
    pair = "PARTITION BY a_form, a_key, b_form, b_key"
    return f"""
        SELECT a_form, a_key, b_form, b_key, min(known) AS known,
          CASE WHEN bool_or(until IS NULL) THEN NULL ELSE max(until) END AS until
        FROM (
          SELECT *, sum(CASE WHEN reach >= known THEN 0 ELSE 1 END) OVER ({pair} ORDER BY known, until) AS span
          FROM (
            SELECT *, max(coalesce(until, TIMESTAMP 'infinity')) OVER (
              {pair} ORDER BY known, until ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reach
            FROM ({found}) WHERE until IS NULL OR known < until
          )
        ) GROUP BY a_form, a_key, b_form, b_key, span
    """


def _named(nodes: pl.DataFrame, ties: pl.DataFrame) -> pl.DataFrame:
    """Keys with the entity that they mean over time."""
    import polars as pl

    ranked = nodes.with_columns(
        rank=pl.col("form").replace_strict(list(RANKS), list(range(len(RANKS))), return_dtype=pl.Int64)
    )
    ranked = ranked.sort("rank", "key").with_row_index("node")
    index = ranked.select("form", "key", pl.col("node").cast(pl.Int64))
    numbered = (
        ties.join(index.rename({"form": "a_form", "key": "a_key", "node": "a"}), on=["a_form", "a_key"])
        .join(index.rename({"form": "b_form", "key": "b_key", "node": "b"}), on=["b_form", "b_key"])
        .select(
            "a", "b",
            pl.col("known").cast(pl.Datetime("us")).dt.timestamp("us"),
            pl.col("until").cast(pl.Datetime("us")).dt.timestamp("us"),
        )
    )  # fmt: skip
    known = ranked["known"].cast(pl.Datetime("us")).dt.timestamp("us").to_numpy().astype(np.int64)
    over_time = name_over_time(known, numbered)
    return over_time.select(
        form=ranked["form"].gather(over_time["node"]),
        key=ranked["key"].gather(over_time["node"]),
        entity_id=ranked["key"].gather(over_time["name"]),
        number=over_time["name"].cast(pl.Int32),
        known=pl.col("known").cast(pl.Datetime("us")),
        until=pl.col("until").cast(pl.Datetime("us")),
    )
