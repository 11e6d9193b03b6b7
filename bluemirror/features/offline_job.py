"""A retrieval that Feast hands to its user: read when asked, as Arrow, pandas, Polars, or a stream of batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from feast import OnDemandFeatureView
from feast.infra.offline_stores.offline_store import RetrievalJob, RetrievalMetadata
from feast.saved_dataset import SavedDatasetStorage

from bluemirror.features.offline_writing import save_dataset
from bluemirror.features.retrieval_plan import BATCH, RetrievalPlan

if TYPE_CHECKING:
    import polars as pl


class ParquetRetrievalJob(RetrievalJob):
    """What :class:`~bluemirror.features.offline_store.ParquetOfflineStore` answers.

    ``to_arrow``, ``to_df`` and the rest are Feast's; ``to_polars`` and ``to_batches`` are ours.
    """

    def __init__(
        self,
        plan: RetrievalPlan,
        *,
        repo_path: Path | None = None,
        full_feature_names: bool = False,
        on_demand: Sequence[OnDemandFeatureView] = (),
        metadata: RetrievalMetadata | None = None,
    ) -> None:
        super().__init__()
        self._plan = plan
        self._repo_path = repo_path
        self._full = full_feature_names
        self._on_demand = list(on_demand)
        self._metadata = metadata

    def __len__(self) -> int:
        return len(self._plan)

    def to_polars(self) -> pl.DataFrame:
        """The whole result as a Polars frame."""
        import polars as pl

        return pl.DataFrame(pl.from_arrow(self.to_arrow())) if self._on_demand else self._plan.frame()

    def to_batches(self, rows: int = BATCH, *, ordered: bool = False) -> Iterator[pa.RecordBatch]:
        """The result as Arrow batches of at most ``rows`` rows; memory holds one batch at a time.

        Batches come as rows are stored; with ``ordered`` in the order of the entity frame, at the price of reading
        again what several batches need. On-demand features are not part of it.
        """
        for piece in self._plan.batches(rows, ordered=ordered):
            yield from _arrow(piece).combine_chunks().to_batches()

    def pieces(self, rows: int = BATCH) -> Iterator[pl.DataFrame]:
        """What :meth:`to_batches` gives, as Polars frames."""
        return self._plan.batches(rows)

    def moments(self, column: str) -> pl.Series:
        """One column of the result alone: the moments of what was pulled, before its values are read."""
        return self._plan.column(column)

    def persist(
        self, storage: SavedDatasetStorage, allow_overwrite: bool = False, timeout: int | None = None
    ) -> None:
        """Write the result where a saved dataset is kept, whole or not at all."""
        batches = iter([self.to_arrow()]) if self._on_demand else self.to_batches(ordered=True)
        save_dataset(batches, storage, self._repo_path, overwrite=allow_overwrite)

    def _to_arrow_internal(self, timeout: int | None = None) -> pa.Table:
        return _arrow(self._plan.frame())

    def _to_df_internal(self, timeout: int | None = None) -> Any:
        return self._to_arrow_internal(timeout).to_pandas()

    @property
    def full_feature_names(self) -> bool:
        """Whether features carry the name of their view."""
        return self._full

    @property
    def on_demand_feature_views(self) -> list[OnDemandFeatureView]:
        """Views that Feast computes from what is read here."""
        return self._on_demand

    @property
    def metadata(self) -> RetrievalMetadata | None:
        """What was asked: features, keys, first and last moment."""
        return self._metadata


def _arrow(frame: pl.DataFrame) -> pa.Table:
    return frame.to_arrow(compat_level=_compatible())


def _compatible() -> Any:
    """Text as Arrow's large strings, which every reader of Arrow and pandas knows."""
    import polars as pl

    return pl.CompatLevel.oldest()
