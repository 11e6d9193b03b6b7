"""Writing deliveries on threads, while the next ones are being checked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Self

from bluemirror.atomic import write_dir
from bluemirror.mart.committing import Parcel
from bluemirror.mart.manifests import MANIFEST
from bluemirror.mart.quarantine import write_quarantine

if TYPE_CHECKING:
    from bluemirror.workspace import Workspace

THREADS = 2
"""Encoding and compressing hold no lock of the interpreter; when nothing else is left to do, both cores write."""


class Writing:
    """The deliveries of one chunk being written; used as a context, whose end waits for what has begun."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="mart-writing")
        self._parcels: list[Parcel] = []
        self._futures: list[Future[None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(cancel_futures=True)

    def begin(self, parcels: Sequence[Parcel]) -> None:
        """Start to write the deliveries of a chunk; those of the one before have been taken by :meth:`written`."""
        self._parcels = list(parcels)
        self._futures = [self._threads.submit(write_parcel, self._workspace, parcel) for parcel in parcels]

    def written(self) -> Iterator[list[Parcel]]:
        """Wait for what is being written and give it out to be committed; nothing if there is none."""
        for future in self._futures:
            future.result()
        parcels, self._parcels, self._futures = self._parcels, [], []
        if parcels:
            yield parcels


def write_parcel(workspace: Workspace, parcel: Parcel) -> None:
    """Write a delivery's folder beside and rename it into place, then its quarantine.

    Nothing refers to it before :func:`~bluemirror.mart.manifests.commit` names it.
    """
    committed = parcel.committed
    with write_dir(workspace.mart / committed.source / committed.folder) as draft:
        for table, frame in parcel.tables.items():
            if frame.height:
                frame.write_parquet(draft / f"{table}.parquet", compression="zstd", compression_level=1)
        text = json.dumps(parcel.manifest, ensure_ascii=False, indent=1, sort_keys=True)
        (draft / MANIFEST).write_text(text + "\n", encoding="utf-8")
    if parcel.quarantine.height:
        write_quarantine(
            workspace.quarantine / committed.source / f"{committed.folder}.parquet", parcel.quarantine
        )
