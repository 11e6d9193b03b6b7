"""Feast's own DuckDB offline store over the workspace's registry: what ours is compared with."""

from __future__ import annotations

from typing import Any

from bluemirror.features.store import open_configured, quiet, read_settings
from bluemirror.workspace import Workspace


def open_stock(workspace: Workspace) -> Any:
    """A ``feast.FeatureStore`` that reads the same files through the stock store."""
    stores = {"offline_store": {"type": "duckdb"}, "online_store": {"type": "sqlite"}}
    return open_configured(workspace, read_settings(workspace) | stores)


def import_all() -> None:
    """Import what every process of Feast pays once, before it knows what to do: a measurement begins after it."""
    from importlib import import_module

    with quiet():
        for name in (
            "duckdb",
            "polars",
            "pyarrow.parquet",
            "feast.infra.offline_stores.duckdb",
            "feast.infra.passthrough_provider",
            "feast.infra.compute_engines.local.compute",
            "bluemirror.features.offline_store",
            "bluemirror.features.online_store",
            "bluemirror.features.sql_registry",
        ):
            import_module(name)
