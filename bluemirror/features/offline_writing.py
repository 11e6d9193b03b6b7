"""What the offline store writes: rows added to a view's files, saved datasets, logs. Beside first, then renamed."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluemirror.errors import StoreError

if TYPE_CHECKING:
    import pyarrow as pa


def append_rows(config: Any, view: Any, table: pa.Table) -> None:
    """Add ``table`` to the files of a view's source: another file in a folder, or the one file written anew.

    Raises
    ------
    StoreError
        If the rows are not the source's columns in their order, or the source is computed from the mart.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from bluemirror.features.source_rows import COMPUTED, source_path

    source = view.batch_source
    path = Path(source_path(source, config.repo_path))
    if COMPUTED in source.tags:
        raise StoreError(
            f"the rows of {view.name} are computed from the mart, not written",
            field=view.name,
            rule="a variable has one origin: its family",
            fix="deliver the data to the landing folder, then run: bluemirror ingest, bluemirror features",
        )
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path] if path.is_file() else []
    if files:
        schema = pq.read_schema(files[0])
        if schema.names != table.column_names:
            raise StoreError(
                f"rows for {view.name} with the columns {', '.join(table.column_names)}",
                file=path,
                field=view.name,
                rule=f"the columns are, in this order, {', '.join(schema.names)}",
                fix="select them in this order",
            )
        try:
            table = table.cast(schema)
        except pa.ArrowException as error:
            raise StoreError(
                f"rows for {view.name} of other types than the stored ones",
                file=path,
                field=view.name,
                rule="the columns have the types of the stored ones",
                fix=str(error).split("\n")[0],
            ) from None
    if path.suffix != ".parquet":
        path.mkdir(parents=True, exist_ok=True)
        _write([table], path / f"part-{uuid.uuid4().hex[:12]}.parquet")
        return
    _write([*(pq.read_table(file) for file in files), table], path)


def save_dataset(
    batches: Iterable[pa.RecordBatch | pa.Table], storage: Any, repo_path: Path | None, *, overwrite: bool
) -> None:
    """Write a retrieval to the place of a saved dataset: one Parquet file, or one in a folder.

    Raises
    ------
    feast.errors.SavedDatasetLocationAlreadyExists
        If something is there and ``overwrite`` does not allow it.
    """
    from feast.errors import SavedDatasetLocationAlreadyExists

    from bluemirror.features.source_rows import source_path

    place = Path(source_path(storage.to_data_source(), repo_path))
    if place.exists() and not overwrite:
        raise SavedDatasetLocationAlreadyExists(location=str(place))
    if place.suffix == ".parquet":
        _write(batches, place)
        return
    place.mkdir(parents=True, exist_ok=True)
    before = list(place.glob("*.parquet"))
    _write(batches, place / f"part-{uuid.uuid4().hex[:12]}.parquet")
    for file in before:
        file.unlink()


def write_log(config: Any, data: pa.Table | Path, destination: Any) -> None:
    """Add logged features, a table or a folder of Parquet, to the folder of a file destination."""
    import pyarrow.parquet as pq

    from bluemirror.features.source_rows import source_path

    folder = Path(source_path(destination.to_data_source(), config.repo_path))
    folder.mkdir(parents=True, exist_ok=True)
    table = pq.read_table(data) if isinstance(data, Path) else data
    _write([table], folder / f"log-{uuid.uuid4().hex[:12]}.parquet")


def _write(batches: Iterable[pa.RecordBatch | pa.Table], target: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}.draft"
    writer = None
    try:
        for batch in batches:
            table = batch if isinstance(batch, pa.Table) else pa.Table.from_batches([batch])
            if writer is None:
                writer = pq.ParquetWriter(draft, table.schema, compression="snappy", use_dictionary=False)
            writer.write_table(table)
        if writer is None:
            raise StoreError(
                "a retrieval without a row",
                file=target,
                rule="a saved dataset holds rows",
                fix="look at the entity frame: it is empty",
            )
        writer.close()
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)
