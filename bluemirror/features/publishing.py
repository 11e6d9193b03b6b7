"""A night's publication: each entity's newest observation, a packed row for each registered model version."""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluemirror.features.moments import instants
from bluemirror.features.online_tables import Tables, table_name, text_keys
from bluemirror.features.packing import Layout
from bluemirror.features.planning import TIMESTAMP, FeaturePlan, ServingPlan, plan
from bluemirror.workspace import Workspace

if TYPE_CHECKING:
    import polars as pl

ROWS = 20_000
"""Entities packed at a time."""


@dataclass(frozen=True, slots=True)
class Published:
    """What stands online for one model version.

    ``rows`` entities with ``variables`` values each; ``as_of`` is the moment of the newest observation, ``oldest`` that
    of the oldest one; ``changed`` tells whether this call wrote it.
    """

    view: str
    service: str
    key: str
    rows: int
    variables: int
    as_of: str | None
    oldest: str | None
    published_at: str
    bytes: int
    changed: bool
    seconds: float


def publish(
    workspace: Workspace, *, force: bool = False, log: Callable[[str], None] | None = None
) -> tuple[Published, ...]:
    """Publish the inputs of every registered model version; what stands online already is left alone.

    A version's rows replace those of the night before in one step: a reader meets one night or the other. If anything
    fails, what was published before stays, and the next call publishes what is missing.

    Parameters
    ----------
    force
        Publish even if nothing changed.
    log
        Called with a line of progress for each version.

    Raises
    ------
    StoreError
        If the online store does not answer, or variables are missing or broken.
    """
    from bluemirror.features.former import build_former
    from bluemirror.features.registering import apply
    from bluemirror.features.store import open_online

    features = plan(workspace)
    if any(serving.former for serving in features.servings):
        build_former(workspace, log)
    tables = open_online(workspace)
    done = []
    store = None
    for serving in features.servings:
        table = table_name(features.project, serving.name)
        mark = _mark(serving)
        facts = tables.facts(table)
        if force or facts is None or facts.get("mark") != mark or facts["stored_rows"] != facts.get("rows"):
            started = time.perf_counter()
            if store is None:
                apply(workspace, log=log)
                store = _opened(workspace)
            _publish(store, tables, features, serving, mark)
            seconds = time.perf_counter() - started
            found = tables.facts(table)
            assert found is not None
            done.append(_published(serving, found, changed=True, seconds=seconds))
            if log:
                log(
                    f"{serving.service.name}: {found['rows']:,} x {len(serving.fields)} online in {seconds:.1f} s"
                )
        else:
            done.append(_published(serving, facts, changed=False, seconds=0.0))
    return tuple(done)


def newest_observations(workspace: Workspace, serving: ServingPlan) -> pl.DataFrame:
    """Of each entity the newest stored observation: observation_id, the key, event_timestamp; sorted by key."""
    import polars as pl

    from bluemirror.variables import variable_files

    stored = pl.read_parquet(
        variable_files(serving.home(workspace), serving.observation_set, "observations"),
        columns=["observation_id", serving.key, TIMESTAMP],
    )
    # Of several at one moment the last stored one, as the offline store has it: rows stand sorted by id.
    return stored.sort(TIMESTAMP, maintain_order=True).unique(serving.key, keep="last").sort(serving.key)


def _opened(workspace: Workspace) -> Any:
    from bluemirror.features.store import open_store

    return open_store(workspace)


def _mark(serving: ServingPlan) -> str:
    """Tells one state of what is published from another: the plan, and the files that hold the values."""
    from bluemirror.features.rows import parquet_files

    root = Path(serving.path).parent.parent
    patterns = [serving.path, *(str(root / block / "*.parquet") for block in serving.blocks)]
    files = [f"{file}:{file.stat().st_size}" for pattern in patterns for file in parquet_files(pattern)]
    return hashlib.sha256("\n".join([serving.digest, *files]).encode()).hexdigest()


def _publish(store: Any, tables: Tables, features: FeaturePlan, serving: ServingPlan, mark: str) -> None:
    from bluemirror.features.online_store import layout_of
    from bluemirror.features.store import quiet

    with quiet():
        view = store.get_feature_view(serving.name)
        layout = layout_of(view)
        job = store.provider.offline_store.pull_latest_from_table_or_query(
            config=store.config,
            data_source=view.batch_source,
            join_key_columns=[serving.key],
            feature_name_columns=[name for name, _ in layout.fields],
            timestamp_field=TIMESTAMP,
            created_timestamp_column=None,
            start_date=None,
            end_date=None,
        )
    facts = {
        "mark": mark,
        "service": serving.service.name,
        "rows": len(job),
        "variables": len(serving.fields),
        "published_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        **_span(job.moments(TIMESTAMP)),
    }
    rows = _packed(job, serving, layout, store.config.offline_store.timezone)
    tables.publish(table_name(features.project, serving.name), layout, facts, rows)


def _span(moments: pl.Series) -> dict[str, str | None]:
    """First and last moment of what is published, as text."""
    if not len(moments):
        return {"as_of": None, "oldest": None}
    return {"as_of": str(moments.max()), "oldest": str(moments.min())}


def _packed(
    job: Any, serving: ServingPlan, layout: Layout, zone: str
) -> Iterator[tuple[Sequence[bytes], Sequence[bytes]]]:
    for frame in job.pieces(ROWS):
        rows = layout.pack_all(instants(frame[TIMESTAMP], zone), frame)
        yield text_keys(serving.key, frame[serving.key].to_list()), rows


def _published(serving: ServingPlan, facts: dict[str, Any], *, changed: bool, seconds: float) -> Published:
    return Published(
        view=serving.name,
        service=serving.service.name,
        key=serving.key,
        rows=facts["stored_rows"],
        variables=len(serving.fields),
        as_of=facts.get("as_of"),
        oldest=facts.get("oldest"),
        published_at=facts.get("published_at", ""),
        bytes=facts["bytes"],
        changed=changed,
        seconds=seconds,
    )
