"""A small Feast project over hand-written rows, opened with our offline store or with the stock DuckDB one."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl

UTC = dt.UTC
OURS, STOCK = "ours", "stock"
BOTH = (OURS, STOCK)
SETTINGS = {
    OURS: {"type": "bluemirror.features.offline_store.ParquetOfflineStore"},
    STOCK: {"type": "duckdb"},
}


def at(day: int, hour: int = 12) -> dt.datetime:
    """A moment of May 2026 in UTC."""
    return dt.datetime(2026, 5, day, hour, tzinfo=UTC)


@dataclass
class Project:
    """A folder with Parquet files and the Feast project over them."""

    folder: Path
    store: Any

    def ask(self, frame: Any, features: Any, **options: Any) -> pl.DataFrame:
        """History as a Polars frame, sorted by all that the frame asked with."""
        table = self.store.get_historical_features(entity_df=frame, features=features, **options).to_arrow()
        found = pl.DataFrame(pl.from_arrow(table))
        return found.sort([name for name in found.columns if name in frame.columns])


def project(folder: Path, which: str, objects: list[Any]) -> Project:
    """Open and apply."""
    from feast import FeatureStore
    from feast.repo_config import RepoConfig

    config = RepoConfig(
        project="trial",
        provider="local",
        registry={"registry_type": "file", "path": str(folder / f"{which}.db")},
        offline_store=SETTINGS[which],
        online_store={"type": "sqlite", "path": str(folder / f"{which}-online.db")},
        entity_key_serialization_version=3,
        coerce_tz_aware=False,
        repo_path=folder,
        data_quality_monitoring={"auto_baseline": False},
    )
    store = FeatureStore(config=config)
    store.apply(objects)
    return Project(folder, store)


def person() -> Any:
    from feast import Entity, ValueType

    return Entity(name="person", join_keys=["person_id"], value_type=ValueType.STRING)


def company() -> Any:
    from feast import Entity, ValueType

    return Entity(name="company", join_keys=["company_code"], value_type=ValueType.INT64)


def view(
    name: str,
    entities: list[Any],
    path: Path,
    fields: dict[str, Any],
    *,
    ttl: dt.timedelta | None = None,
    created: str = "",
    mapping: dict[str, str] | None = None,
) -> Any:
    from feast import FeatureView, Field, FileSource
    from feast.data_format import ParquetFormat

    return FeatureView(
        name=name,
        entities=entities,
        ttl=ttl,
        schema=[Field(name=field, dtype=kind) for field, kind in fields.items()],
        source=FileSource(
            name=f"{name}_files",
            path=str(path),
            file_format=ParquetFormat(),
            timestamp_field="happened",
            created_timestamp_column=created,
            field_mapping=mapping or {},
        ),
    )


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Rows as a Parquet file, timestamps aware and in microseconds."""
    frame = pl.DataFrame(rows)
    moments = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Datetime)]
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.with_columns(pl.col(moments).dt.cast_time_unit("us")).write_parquet(path)
    return path


def frame(**columns: list[Any]) -> pd.DataFrame:
    """An entity frame as a user of Feast writes it."""
    return pd.DataFrame(columns)
