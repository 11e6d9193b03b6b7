"""Observations: who is described as of when, with the keys by which sources knew them at that moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from bluemirror.errors import FamilyError
from bluemirror.mart.versions import quote
from bluemirror.variables.load import Request
from bluemirror.variables.resolve import Moments
from bluemirror.variables.spine import ObservationSet, Spine
from bluemirror.variables.tables import Catalog, KeyedTable, Keys

if TYPE_CHECKING:
    import duckdb

    from bluemirror.variables.declarations import Block


def observe(connection: duckdb.DuckDBPyConnection, spine: Spine, which: ObservationSet) -> pl.DataFrame:
    """Run the query of an observation set.

    Returns
    -------
    polars.DataFrame
        observation_id (String), the entity's key, as_of (Datetime us), carried keys; sorted by observation_id.

    Raises
    ------
    FamilyError
        If a column is missing, an id is null or stands twice, or an as_of is null.
    """
    frame = connection.sql(which.sql).pl()
    key = spine.entities[which.entity].key
    for column in ("observation_id", key, "as_of"):
        if column not in frame.columns:
            raise FamilyError(
                f"the observations {which.name} have no column {column}",
                file=which.path,
                field=column,
                rule=f"the query yields observation_id, {key}, as_of",
                fix=f"select something AS {column}",
            )
        if frame[column].null_count():
            raise FamilyError(
                f"{frame[column].null_count()} observations of {which.name} have no {column}",
                file=which.path,
                field=column,
                rule="id, key and moment of an observation are known",
                fix=f"add WHERE {column} IS NOT NULL, or correct the expression",
            )
    frame = frame.with_columns(
        pl.col("observation_id").cast(pl.String),
        pl.col(key).cast(pl.String),
        pl.col("as_of").cast(pl.Datetime("us")),
    )
    twice = frame.filter(pl.col("observation_id").is_duplicated())
    if len(twice):
        raise FamilyError(
            f"{twice['observation_id'].n_unique()} observations of {which.name} stand more than once",
            file=which.path,
            field="observation_id",
            rule="an observation is one row",
            fix="aggregate, or select one version: QUALIFY row_number() OVER (PARTITION BY ...) = 1",
        )
    return frame.sort("observation_id")


def with_keys(
    connection: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    spine: Spine,
    entity: str,
    observations: pl.DataFrame,
    at: Block,
) -> pl.DataFrame:
    """Add the entity's other keys as its state table knew them at each as_of."""
    declared = spine.entities[entity]
    if declared.keys_table is None:
        return observations
    contract = catalog.contract(declared.keys_table, at)
    table = contract.table(declared.keys_table)
    names = [name for name in declared.keys_columns if name not in observations.columns]
    request = Request()
    aliases = {name: request.alias(f"t.{quote(name)}") for name in names}
    keys = Keys.of(observations[declared.key])
    keyed = KeyedTable.read(connection, contract, table, declared.key, keys, request)
    as_of = observations["as_of"].dt.timestamp("us").to_numpy()
    row = keyed.resolve(Moments(keys.ids(observations[declared.key]), as_of)).newest(len(observations))
    index = pl.Series(row).replace(-1, None)
    return observations.with_columns(
        keyed.loaded.column(alias).gather(index).alias(name) for name, alias in aliases.items()
    )
