"""The offline store that ``feature_store.yaml`` names: Feast's questions answered by gathering columns from Parquet.

Each question is resolved to a stored row once per view, then the asked columns of these rows are taken. Nothing is
joined in SQL: the cost of a view does not grow with the number of views, and a value is read once and copied once.
Feast finds this class and its settings by their dotted path; nothing else imports the module.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
from feast import FeatureView, OnDemandFeatureView
from feast.data_source import DataSource
from feast.infra.offline_stores.file_source import FileSource
from feast.infra.offline_stores.offline_store import OfflineStore, RetrievalMetadata
from feast.infra.registry.base_registry import BaseRegistry
from feast.repo_config import FeastConfigBaseModel, RepoConfig

from bluemirror.errors import StoreError
from bluemirror.features.asof import NONE
from bluemirror.features.entity_frames import EntityFrame
from bluemirror.features.moments import UTC, instant
from bluemirror.features.offline_job import ParquetRetrievalJob
from bluemirror.features.offline_writing import append_rows, write_log
from bluemirror.features.retrieval_plan import Part, RetrievalPlan, ViewRows, newest
from bluemirror.features.source_rows import source_rows


class ParquetOfflineStoreConfig(FeastConfigBaseModel):
    """Settings of the store."""

    type: Literal["bluemirror.features.offline_store.ParquetOfflineStore"] = (
        "bluemirror.features.offline_store.ParquetOfflineStore"
    )

    timezone: str = UTC
    """Where timestamps without a time zone are wall time, in files and in entity frames. Feast's own stores: UTC."""

    folders: tuple[str, ...] = ()
    """Folders of observation sets that alone answer for views of blocks; all sets of the workspace if none is named."""


class ParquetOfflineStore(OfflineStore):
    """Feast's offline store over Parquet files and over the variables of a workspace."""

    supports_filter_by_created_timestamp = True

    @staticmethod
    def get_historical_features(
        config: RepoConfig,
        feature_views: list[FeatureView],
        feature_refs: list[str],
        entity_df: Any,
        registry: BaseRegistry,
        project: str,
        full_feature_names: bool = False,
        **options: Any,
    ) -> ParquetRetrievalJob:
        """Feature values as of each row's moment; the rows stay in their order, each as often as it is there.

        Parameters
        ----------
        entity_df
            pandas, Polars, Arrow, a query (see :class:`EntityFrame`), or None with ``start_date`` or ``end_date``: then
            every stored row of the first view between them is a question.
        **options
            ``start_date``, ``end_date``, ``filter_by_created_timestamp``: leave out what was written later than asked.

        Raises
        ------
        StoreError
            If the frame has no usable timestamps or keys, or stored files are missing or broken.
        """
        zone = _zone(config)
        known = bool(options.get("filter_by_created_timestamp"))
        wanted = _by_view(feature_views, feature_refs)
        views = {
            view.projection.name_to_use(): (
                view,
                _view_rows(config, view, wanted[view.projection.name_to_use()], full_feature_names),
            )
            for view in feature_views
        }
        if entity_df is None:
            first = next(iter(views.values()))[1]
            entity_df = _questions(first, zone, options.get("start_date"), options.get("end_date"))
        questions = EntityFrame.read(entity_df, zone, config.repo_path)
        parts = [
            Part(rows.rows, rows.columns, rows.answers(questions, zone, known=known))
            for _, rows in views.values()
        ]
        order = list(questions.frame.columns)
        for ref in feature_refs:
            name, _, feature = ref.partition(":")
            if name in views:
                view = views[name][0]
                order.append(_output(view, feature, full_feature_names))
        first_asked, last_asked = questions.span
        return ParquetRetrievalJob(
            RetrievalPlan(questions.frame, parts, order),
            repo_path=config.repo_path,
            full_feature_names=full_feature_names,
            on_demand=OnDemandFeatureView.get_requested_odfvs(feature_refs, project, registry),
            metadata=RetrievalMetadata(
                features=feature_refs,
                keys=[name for name in questions.frame.columns if name != questions.timestamp],
                min_event_timestamp=first_asked,
                max_event_timestamp=last_asked,
            ),
        )

    @staticmethod
    def pull_latest_from_table_or_query(
        config: RepoConfig,
        data_source: DataSource,
        join_key_columns: list[str],
        feature_name_columns: list[str],
        timestamp_field: str,
        created_timestamp_column: str | None,
        start_date: datetime,
        end_date: datetime,
    ) -> ParquetRetrievalJob:
        """The newest row of each key between two moments, both included; of one moment the row created last."""
        return _pulled(
            config, data_source, join_key_columns, feature_name_columns, timestamp_field, created_timestamp_column,
            (start_date, end_date), every=False,
        )  # fmt: skip

    @staticmethod
    def pull_all_from_table_or_query(
        config: RepoConfig,
        data_source: DataSource,
        join_key_columns: list[str],
        feature_name_columns: list[str],
        timestamp_field: str,
        created_timestamp_column: str | None = None,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
    ) -> ParquetRetrievalJob:
        """Every row between two moments, both included."""
        return _pulled(
            config, data_source, join_key_columns, feature_name_columns, timestamp_field, created_timestamp_column,
            (start_date, end_date), every=True,
        )  # fmt: skip

    @staticmethod
    def offline_write_batch(
        config: RepoConfig,
        feature_view: FeatureView,
        table: pa.Table,
        progress: Callable[[int], Any] | None,
    ) -> None:
        """Add rows to the files behind a view: whole or not at all. StoreError if they are not the view's columns."""
        append_rows(config, feature_view, table)
        if progress:
            progress(table.num_rows)

    @staticmethod
    def write_logged_features(
        config: RepoConfig, data: pa.Table | Path, source: Any, logging_config: Any, registry: BaseRegistry
    ) -> None:
        """Add served features that Feast logged to the folder of the log's destination."""
        write_log(config, data, logging_config.destination)


def _zone(config: RepoConfig) -> str:
    return str(getattr(config.offline_store, "timezone", UTC))


def _folders(config: RepoConfig) -> list[str]:
    return list(getattr(config.offline_store, "folders", ()))


def _by_view(views: Sequence[FeatureView], refs: Sequence[str]) -> dict[str, list[str]]:
    """Name of a view, as it is asked by -> its asked features."""
    wanted: dict[str, list[str]] = {view.projection.name_to_use(): [] for view in views}
    for ref in refs:
        name, _, feature = ref.partition(":")
        # What is left are on-demand features: computed by Feast from what is read here.
        if name in wanted:
            wanted[name].append(feature)
    return wanted


def _output(view: FeatureView, feature: str, full: bool) -> str:
    return f"{view.projection.name_alias or view.name}__{feature}" if full else feature


def _view_rows(config: RepoConfig, view: FeatureView, features: list[str], full: bool) -> ViewRows:
    source = view.batch_source
    if source is None:
        raise StoreError(
            f"the view {view.name} has no source of stored rows",
            field=view.name,
            rule="history is read from a view's batch source",
            fix="give the view a FileSource",
        )
    stored = {ours: theirs for theirs, ours in source.field_mapping.items()}
    renamed = view.projection.join_key_map
    keys = [column.name for column in view.entity_columns]
    return ViewRows(
        rows=source_rows(source, config.repo_path, _folders(config)),
        keys={stored.get(key, key): renamed.get(key, key) for key in keys},
        happened=source.timestamp_field,
        created=source.created_timestamp_column or None,
        columns={stored.get(name, name): _output(view, name, full) for name in features},
        ttl=_microseconds(view),
    )


def _microseconds(view: FeatureView) -> int | None:
    """How long a row of the view holds; Feast takes no time at all for ever."""
    if not view.ttl:
        return None
    return int(view.ttl.total_seconds() * 1_000_000)


def _questions(view: ViewRows, zone: str, first: datetime | None, last: datetime | None) -> Any:
    """Keys and moments of the stored rows of a view between two moments."""
    import polars as pl

    found = newest(
        view,
        zone,
        instant(first, zone) if first else None,
        instant(last, zone) if last else None,
        every=True,
    )
    frame = view.rows.gather([*view.keys, view.happened], found)
    return (
        frame.rename({**view.keys, view.happened: "event_timestamp"})
        .unique(maintain_order=True)
        .select(pl.all())
    )


def _pulled(
    config: RepoConfig,
    source: DataSource,
    keys: list[str],
    features: list[str],
    happened: str,
    created: str | None,
    between: tuple[datetime | None, datetime | None],
    *,
    every: bool,
) -> ParquetRetrievalJob:
    zone = _zone(config)
    first, last = (instant(each, zone) if each is not None else None for each in between)
    order = list(dict.fromkeys([*keys, *features, happened, *([created] if created else [])]))
    view = ViewRows(
        rows=source_rows(source, config.repo_path, _folders(config)),
        keys={key: key for key in keys},
        happened=happened,
        created=created or None,
        columns={name: name for name in order},
    )
    numbers = newest(view, zone, first, last, every=every)
    return ParquetRetrievalJob(
        RetrievalPlan(None, [Part(view.rows, view.columns, numbers)], order), repo_path=config.repo_path
    )


__all__ = ["NONE", "FileSource", "ParquetOfflineStore", "ParquetOfflineStoreConfig"]
