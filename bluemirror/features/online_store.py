"""The online stores that ``feature_store.yaml`` names: one packed row an entity and view, in SQLite or in Redis.

Feast finds these classes and their settings by their dotted path; nothing else imports the module at its head.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from feast import Entity, FeatureView
from feast.infra.key_encoding_utils import serialize_entity_key
from feast.infra.online_stores.online_store import OnlineStore
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast.repo_config import FeastConfigBaseModel, RepoConfig

from bluemirror.features.moments import UTC, instant
from bluemirror.features.online_tables import Tables, open_tables, table_name
from bluemirror.features.packing import OTHER, Layout

_KINDS = {"Float32": "f", "Float64": "d", "Int32": "i", "Int64": "q", "Bool": "?"}
_FIELDS = {"f": "float_val", "d": "double_val", "i": "int32_val", "q": "int64_val", "?": "bool_val"}

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class PackedSqliteOnlineStoreConfig(FeastConfigBaseModel):
    """Settings of the embedded store."""

    type: Literal["bluemirror.features.online_store.PackedSqliteOnlineStore"] = (
        "bluemirror.features.online_store.PackedSqliteOnlineStore"
    )

    path: str = "online"
    """Folder of the tables, from the Feast repository on."""


class PackedRedisOnlineStoreConfig(FeastConfigBaseModel):
    """Settings of the store on a Redis server."""

    type: Literal["bluemirror.features.online_store.PackedRedisOnlineStore"] = (
        "bluemirror.features.online_store.PackedRedisOnlineStore"
    )

    address: str = "redis://127.0.0.1:6379/0"
    """Where the server listens, as redis:// or rediss:// address; a password may come as ${VARIABLE}."""


class _PackedOnlineStore(OnlineStore):
    """What both stores share: Feast's values to packed rows and back."""

    def __init__(self) -> None:
        self._tables: Tables | None = None

    def tables(self, config: RepoConfig) -> Tables:
        """Where the rows are kept."""
        if self._tables is None:
            settings = config.online_store.model_dump()
            self._tables = open_tables(settings, Path(config.repo_path) if config.repo_path else Path())
        return self._tables

    def online_write_batch(
        self,
        config: RepoConfig,
        table: FeatureView,
        data: list[tuple[EntityKey, dict[str, Value], dt.datetime, dt.datetime | None]],
        progress: Callable[[int], Any] | None,
    ) -> None:
        """Write rows one by one, as Feast's push and materialize do; a row replaces the entity's whole row."""
        layout = layout_of(table)
        kinds = dict(layout.fields)
        rows = []
        for key, values, moment, _ in data:
            packed = {name: _number(value, kinds[name]) for name, value in values.items() if name in kinds}
            rows.append((_bytes(config, key), layout.pack(instant(moment, UTC), packed)))
        self.tables(config).upsert(table_name(config.project, table.name), layout, rows)
        if progress:
            progress(len(data))

    def online_read(
        self,
        config: RepoConfig,
        table: FeatureView,
        entity_keys: list[EntityKey],
        requested_features: list[str] | None = None,
    ) -> list[tuple[dt.datetime | None, dict[str, Value] | None]]:
        """Event time and values of each entity; (None, None) for one that was not published."""
        keys = [_bytes(config, key) for key in entity_keys]
        layout, rows = self.tables(config).fetch(table_name(config.project, table.name), keys)
        wanted = None if requested_features is None else set(requested_features)
        return [(None, None) if row is None else _read(layout, row, wanted) for row in rows]

    def update(
        self,
        config: RepoConfig,
        tables_to_delete: Sequence[FeatureView],
        tables_to_keep: Sequence[FeatureView],
        entities_to_delete: Sequence[Entity],
        entities_to_keep: Sequence[Entity],
        partial: bool,
    ) -> None:
        """Drop what views that are no longer registered had published."""
        for view in tables_to_delete:
            if getattr(view, "online", False):
                self.tables(config).drop(table_name(config.project, view.name))

    def teardown(self, config: RepoConfig, tables: Sequence[FeatureView], entities: Sequence[Entity]) -> None:
        """Drop everything that the views had published."""
        self.update(config, tables, [], entities, [], partial=False)


class PackedSqliteOnlineStore(_PackedOnlineStore):
    """The embedded store: a SQLite file a serving view."""


class PackedRedisOnlineStore(_PackedOnlineStore):
    """The store on a Redis server: a hash a serving view."""


def layout_of(view: FeatureView) -> Layout:
    """How a view's fields are packed."""
    return Layout(tuple((field.name, _KINDS.get(str(field.dtype), OTHER)) for field in view.features))


def _bytes(config: RepoConfig, key: EntityKey) -> bytes:
    return serialize_entity_key(key, entity_key_serialization_version=config.entity_key_serialization_version)


def _number(value: Value, kind: str) -> Any:
    """What stands in a packed row for a value: a number, bytes, or None."""
    which = value.WhichOneof("val")
    if which is None or which == "null_val":
        return None
    return value.SerializeToString() if kind == OTHER else getattr(value, which)


def _read(layout: Layout, row: bytes, wanted: set[str] | None) -> tuple[dt.datetime, dict[str, Value]]:
    moment, values = layout.unpack(row)
    found = {}
    for (name, kind), value in zip(layout.ordered, values, strict=True):
        if wanted is not None and name not in wanted:
            continue
        if value is None:
            found[name] = Value()
        elif kind == OTHER:
            found[name] = Value.FromString(value)
        else:
            found[name] = Value(**{_FIELDS[kind]: value})
    return _EPOCH + dt.timedelta(microseconds=moment), found
