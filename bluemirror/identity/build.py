"""Building the identity tables: anew if anything that they come from changed, else not at all."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluemirror.atomic import write_json
from bluemirror.identity.clusters import CLUSTER, FOLDER, match_entities, model_path
from bluemirror.identity.declared import Declared, read_declared
from bluemirror.identity.report import Check, ClusterReport, SpineReport
from bluemirror.identity.spine import ENTITY, KEY, LINK, make_spine, write_spine

if TYPE_CHECKING:
    import duckdb

    from bluemirror.workspace import Workspace


def build_spine(workspace: Workspace, log: Callable[[str], None] | None = None) -> SpineReport:
    """Bring ``entity``, ``entity_key`` and ``entity_link`` up to what the mart holds.

    Running it again with nothing new changes nothing.

    Raises
    ------
    IdentityError
        If ``feature_repo/entities.yaml`` is absent or written wrongly.
    """
    declared = read_declared(workspace)
    mark = _fingerprint(workspace, declared)
    kept = _recall(workspace, "spine", mark, (LINK, KEY, ENTITY))
    if kept is not None:
        return SpineReport(checks=_checks(kept.pop("checks")), changed=False, **kept)
    began = time.monotonic()
    connection = _open(workspace)
    try:
        make_spine(connection, declared)
        write_spine(connection, workspace)
        report = _spine_report(connection, declared, time.monotonic() - began)
    finally:
        connection.close()
    _remember(workspace, "spine", mark, report.as_dict())
    if log:
        log(f"identity: {sum(report.entities.values()):,} entities, {len(report.links)} kinds of tie")
    return report


def build_clusters(
    workspace: Workspace, log: Callable[[str], None] | None = None, *, anew: bool = False
) -> ClusterReport:
    """Bring ``entity_cluster`` up to what the mart holds.

    Parameters
    ----------
    anew
        Train the models of the matches again, on everything that is known now. What former moments see of clusters
        changes then; without it, it never does.
    """
    import polars as pl

    from bluemirror.mart.writeback import replace_table

    declared = read_declared(workspace)
    mark = _fingerprint(workspace, declared)
    kept = None if anew else _recall(workspace, "clusters", mark, (CLUSTER,))
    if kept is not None and all(
        model_path(workspace, match).is_file() for match in declared.matches.values()
    ):
        return ClusterReport(checks=_checks(kept.pop("checks")), changed=False, **kept)
    began = time.monotonic()
    connection = _open(workspace)
    try:
        frames = []
        for match in declared.matches.values():
            frames.append(match_entities(connection, workspace, declared, match, anew))
            if log:
                log(f"identity: {match.name}, {frames[-1]['entity_id'].n_unique():,} compared")
        if not frames:
            return ClusterReport({}, (), 0.0)
        connection.register("_clusters", pl.concat(frames))
        replace_table(workspace, CLUSTER, connection, "SELECT * FROM _clusters")
        report = _cluster_report(connection, workspace, declared, time.monotonic() - began)
    finally:
        connection.close()
    _remember(workspace, "clusters", mark, report.as_dict())
    return report


def _open(workspace: Workspace) -> duckdb.DuckDBPyConnection:
    from bluemirror.mart.connect import connect

    return connect(workspace)


def _spine_report(connection: duckdb.DuckDBPyConnection, declared: Declared, seconds: float) -> SpineReport:
    def counts(query: str) -> dict[str, Any]:
        return {row[0]: row[1] if len(row) == 2 else row[1:] for row in connection.sql(query).fetchall()}

    now = "superseded_time IS NULL"
    entities = counts(
        f"SELECT entity, count(DISTINCT entity_id) FROM {ENTITY} WHERE {now} GROUP BY ALL ORDER BY 1"
    )
    keys = counts(f"SELECT entity, count(*) FROM {KEY} WHERE {now} GROUP BY ALL ORDER BY 1")
    pairs = counts(
        f"SELECT link, count(DISTINCT (from_id, to_id)) FILTER (WHERE {now}), count(*) FROM {LINK}"
        " GROUP BY ALL ORDER BY 1"
    )
    orphans = connection.sql(f"""
        SELECT count(*) FROM (
          SELECT from_entity AS entity, from_id AS entity_id FROM {LINK} WHERE {now}
          UNION SELECT to_entity, to_id FROM {LINK} WHERE {now}
        ) ANTI JOIN (SELECT entity, entity_id FROM {ENTITY} WHERE {now}) USING (entity, entity_id)
    """).fetchall()[0][0]
    backwards = connection.sql(
        f"SELECT count(*) FROM {LINK} WHERE superseded_time <= known_time OR valid_to <= valid_from OR evidence < 1"
    ).fetchall()[0][0]
    empty = sorted(set(declared.links) - set(pairs))
    checks = (
        Check(
            "counts",
            not empty,
            f"ties without a pair: {', '.join(empty)}" if empty else "every tie has pairs",
        ),
        Check("orphan_links", orphans == 0, f"{orphans:,} ends of ties that are no entity"),
        Check("intervals", backwards == 0, f"{backwards:,} versions that end before they begin"),
    )
    links = {name: {"pairs": now_, "versions": all_} for name, (now_, all_) in pairs.items()}
    return SpineReport(entities, keys, links, checks, round(seconds, 2))


def _cluster_report(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, declared: Declared, seconds: float
) -> ClusterReport:
    import polars as pl

    from bluemirror.identity.clusters import pairs_path

    found = {}
    checks = []
    for match in declared.matches.values():
        entities, clusters, merged, largest, big = connection.sql(f"""
            SELECT coalesce(sum(n), 0), count(*), coalesce(sum(n) FILTER (WHERE n > 1), 0), coalesce(max(n), 0),
              count(*) FILTER (WHERE n > {match.largest})
            FROM (SELECT cluster_id, count(*) AS n FROM _clusters
              WHERE match = '{match.name}' AND superseded_time IS NULL GROUP BY ALL)
        """).fetchall()[0]
        found[match.name] = {
            "entities": int(entities), "clusters": int(clusters), "merged": int(merged), "largest": int(largest),
            "pairs": pl.scan_parquet(pairs_path(workspace, match)).select(pl.len()).collect().item(),
            "threshold": match.threshold,
        }  # fmt: skip
        checks += [
            Check(f"{match.name}_counts", entities > 0, f"{entities:,} compared, {clusters:,} clusters"),
            Check(
                f"{match.name}_not_too_large",
                big == 0,
                f"{big:,} clusters of more than {match.largest}; the largest has {largest:,}",
            ),
        ]
    return ClusterReport(found, tuple(checks), round(seconds, 2))


def _checks(kept: list[dict[str, Any]]) -> tuple[Check, ...]:
    return tuple(Check(**each) for each in kept)


def _fingerprint(workspace: Workspace, declared: Declared) -> str:
    """Changes with what is committed, with the declarations, and with the code that works it out."""
    from bluemirror.mart.manifests import read_snapshot

    digest = hashlib.sha256(read_snapshot(workspace).id.encode())
    for path in (declared.path, *(contract.path for contract in declared.contracts.values())):
        digest.update(path.read_bytes())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _path(workspace: Workspace, name: str) -> Path:
    return workspace.state / FOLDER / f"{name}.json"


def _recall(workspace: Workspace, name: str, mark: str, tables: tuple[str, ...]) -> dict[str, Any] | None:
    """The former report, if it was made of the same and its tables are there."""
    from bluemirror.mart.connect import WRITTEN

    path = _path(workspace, name)
    there = all((workspace.mart / WRITTEN / table / "part-0.parquet").is_file() for table in tables)
    if not there or not path.is_file():
        return None
    kept = json.loads(path.read_text(encoding="utf-8"))
    return {k: v for k, v in kept["report"].items() if k != "changed"} if kept["mark"] == mark else None


def _remember(workspace: Workspace, name: str, mark: str, report: dict[str, Any]) -> None:
    write_json(_path(workspace, name), {"mark": mark, "report": report})
