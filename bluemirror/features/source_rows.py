"""From a Feast data source to rows: files of any workspace, or the observations of one with their variables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bluemirror.errors import StoreError
from bluemirror.features.rows import FileRows, ObservedRows, Rows, parquet_files

BLOCKS = "blocks"
"""Tag of a source whose path names an observation set's observations: the blocks that hold its variables."""

COMPUTED = "computed"
"""Tag of a source whose rows are computed from the mart, and by nothing else."""


def source_path(source: Any, repo_path: Path | str | None) -> str:
    """Where a Feast ``FileSource`` of Parquet stands; StoreError for another kind of source."""
    from feast.data_format import ParquetFormat
    from feast.infra.offline_stores.file_source import FileSource

    if not isinstance(source, FileSource) or not isinstance(source.file_format, ParquetFormat | None):
        raise StoreError(
            f"the source {source.name} is a {type(source).__name__}",
            field=source.name,
            rule="the offline store reads a FileSource of Parquet",
            fix="let the view's source name Parquet files",
        )
    return FileSource.get_uri_for_file_path(repo_path, source.path)


def source_rows(source: Any, repo_path: Path | str | None, folders: Sequence[str] = ()) -> Rows:
    """The rows behind a source, as its files stand now.

    Parameters
    ----------
    folders
        Folders of observation sets that alone answer for a block's view; every set of the workspace if none is named.
    """
    path = source_path(source, repo_path)
    blocks = source.tags.get(BLOCKS)
    if blocks is not None:
        return ObservedRows(parquet_files(path), Path(path).parent.parent, blocks.split(","))
    if folders and COMPUTED in source.tags:
        place = Path(path)
        return FileRows(
            [
                file
                for folder in folders
                for file in parquet_files(f"{folder}/{place.parent.name}/{place.name}")
            ]
        )
    return FileRows(parquet_files(path))
