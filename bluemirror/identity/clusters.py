"""The table ``entity_cluster``: which entities are one, as it was known at each moment.

Spellings and registrations are nodes, pairs at or above the threshold are ties between them; a tie is known when both
ends are. A cluster is called by its member that was known first. Clusters grow and join as more becomes known; what a
moment sees stays, because a pair's probability depends on the two and on the model alone, and the model is trained
once and kept.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bluemirror.identity.matching import MatchModel, score, train
from bluemirror.identity.naming import name_over_time
from bluemirror.identity.records import records_sql
from bluemirror.identity.settings import author

if TYPE_CHECKING:
    import duckdb
    import polars as pl

    from bluemirror.identity.declared import Declared, Match
    from bluemirror.workspace import Workspace

CLUSTER = "entity_cluster"
FOLDER = "identity"


def model_path(workspace: Workspace, match: Match) -> Path:
    """Where the trained model of a match is kept."""
    return workspace.state / FOLDER / f"match-{match.name}.json"


def pairs_path(workspace: Workspace, match: Match) -> Path:
    """Where the scored pairs of a match are kept: keyed hashes and probabilities."""
    return workspace.state / FOLDER / f"pairs-{match.name}.parquet"


def match_entities(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, declared: Declared, match: Match, anew: bool
) -> pl.DataFrame:
    """Clusters of one match, over all that the mart holds; its model is trained if there is none, or ``anew``.

    Returns
    -------
    pl.DataFrame
        The rows of ``entity_cluster`` of this match.
    """
    records = connection.sql(f"SELECT * FROM ({records_sql(declared, match)}) ORDER BY unique_id").pl()
    path = model_path(workspace, match)
    model = None if anew else MatchModel.load(path)
    if model is None:
        model = train(records, author(declared, match))
        if records.height:
            model.save(path)
    pairs = score(records, model, "entity_id" if match.table else None)
    target = pairs_path(workspace, match)
    target.parent.mkdir(parents=True, exist_ok=True)
    pairs.write_parquet(target)
    return clusters_over_time(records, pairs, match)


def clusters_over_time(records: pl.DataFrame, pairs: pl.DataFrame, match: Match) -> pl.DataFrame:
    """From records and scored pairs to who belongs to which cluster, and from when that was known.

    Returns
    -------
    pl.DataFrame
        ``match``, ``entity``, ``entity_id``, ``cluster_id``, ``probability`` (of the likeliest tie that holds it in
        the cluster, as known then; 1 for the one that names it), ``valid_from``, ``valid_to`` (null: two spellings of
        one thing are that for good), ``known_time``, ``superseded_time``.
    """
    import polars as pl

    nodes = records.group_by("entity_id").agg(pl.col("known").min()).sort("known", "entity_id")
    nodes = nodes.with_row_index("node").with_columns(pl.col("node").cast(pl.Int64))
    index = nodes.select("entity_id", "node")
    firm = (
        pairs.filter(pl.col("probability") >= match.threshold)
        .group_by("a", "b")
        .agg(pl.col("known").min(), pl.col("probability").max())
    )
    ties = (
        firm.join(index.rename({"entity_id": "a", "node": "one"}), on="a")
        .join(index.rename({"entity_id": "b", "node": "other"}), on="b")
        .select(
            a="one", b="other", known="known", until=pl.lit(None, dtype=pl.Int64), probability="probability"
        )
        .sort("known", "a", "b")
    )
    named = name_over_time(nodes["known"].to_numpy(), ties.drop("probability"))
    each = pl.concat(
        [ties.select("known", "probability", node="a"), ties.select("known", "probability", node="b")]
    ).sort("known")
    best = each.with_columns(pl.col("probability").cum_max().over("node"))
    named = (
        named.sort("known")
        .join_asof(best, on="known", by="node", strategy="backward", check_sortedness=False)
        .with_columns(
            probability=pl.when(pl.col("node") == pl.col("name")).then(1.0).otherwise(pl.col("probability"))
        )
    )
    first = nodes["known"]
    return named.select(
        match=pl.lit(match.name),
        entity=pl.lit(match.entity),
        entity_id=nodes["entity_id"].gather(named["node"]),
        cluster_id=nodes["entity_id"].gather(named["name"]),
        probability="probability",
        valid_from=first.gather(named["node"]).cast(pl.Datetime("us")),
        valid_to=pl.lit(None, dtype=pl.Datetime("us")),
        known_time=pl.col("known").cast(pl.Datetime("us")),
        superseded_time=pl.col("until").cast(pl.Datetime("us")),
    ).sort("entity_id", "known_time")
