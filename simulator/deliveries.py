"""Deliveries: rows wait for their day of arrival, files are written beside, ``_DONE.json`` comes last."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import polars as pl

from simulator.assumptions import Assumptions
from simulator.spoiling import SPOILED, Plant, spoil
from simulator.streams import Streams
from simulator.timeline import GO_LIVE_MONTHS, START, first_day, last_day

DONE = "_DONE.json"
ARRIVES = "_arrives"
ORDER = "_order"


class Page(Protocol):
    """A record that shares its file with others of the same delivery."""

    @property
    def suffix(self) -> str:
        """Of the file."""

    def packed(self, others: Sequence[Any]) -> bytes:
        """Content of the file that holds this record, and ``others`` after it."""


Paper = tuple[np.datetime64, str, "str | Page", bool]
"""Day of arrival, file name, text (or a page of a file that the delivery shares), whether it was spoiled."""


@dataclass
class Deliveries:
    """What is on its way to the landing folder.

    Parameters
    ----------
    landing
        The landing folder; one sub-folder a source is made in it.
    suffix
        File format of each source of lines: ``csv``, ``jsonl`` or ``parquet``.
    until
        Last delivery day to write (None: no end).
    every
        Months between the deliveries of a source; missing or 0: every day; -1: every Sunday.
    plants
        How a few rows of a source are broken, see ``simulator.spoiling``.
    """

    landing: Path
    suffix: dict[str, str]
    streams: Streams
    assume: Assumptions
    until: np.datetime64 | None = None
    document_sources: tuple[str, ...] = ()
    every: dict[str, int] = field(default_factory=dict)
    plants: dict[str, Plant] = field(default_factory=dict)
    rows: dict[str, list[pl.DataFrame]] = field(default_factory=dict)
    documents: dict[str, list[Paper]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    planted: dict[str, int] = field(default_factory=dict)
    made: dict[str, int] = field(default_factory=dict)

    def add(self, source: str, frame: pl.DataFrame, month: int, may_be_late: bool = True) -> None:
        """Rows of a source with their day of arrival (``_arrives``) and sort key (``_order``)."""
        if not frame.height:
            return
        purpose = f"{source} {len(self.rows.get(source, []))}"
        frame = spoil(self.plants.get(source), frame, purpose, month, self.streams, self.assume.spoiled_share)
        if may_be_late:
            rng = self.streams.of(f"late {purpose}", month)
            late = rng.random(frame.height) < self.assume.late_share
            days = np.where(late, rng.integers(1, 6, frame.height), 0)
            arrives = frame[ARRIVES].to_numpy().astype("datetime64[D]") + days.astype("timedelta64[D]")
            frame.replace_column(frame.get_column_index(ARRIVES), pl.Series(ARRIVES, arrives))
        self.rows.setdefault(source, []).append(frame)

    def add_document(
        self, source: str, day: np.datetime64, name: str, text: str | Page, spoiled: bool
    ) -> None:
        """One document of a source, arriving on ``day``: a file of its own, or a page of one."""
        self.documents.setdefault(source, []).append((day, name, text, spoiled))

    def flush(self, month: int) -> None:
        """Write every delivery that falls in ``month``; what arrives later goes on waiting."""
        if month < START + GO_LIVE_MONTHS:
            days = [last_day(month)]
        else:
            days = list(np.arange(first_day(month), first_day(month + 1)))
        for source in sorted({*self.suffix, *self.documents, *self.document_sources}):
            every = self.every.get(source, 0)
            if every > 0 and (month + 1) % every:
                continue
            waiting = self._waiting(source)
            papers = sorted(self.documents.get(source, []), key=lambda paper: (paper[0], paper[1]))
            for day in self._due(source, days):
                if self.until is not None and day > self.until:
                    break
                if source in self.suffix:
                    waiting = self._lines(source, day, waiting)
                else:
                    papers = self._papers(source, day, papers)
            if waiting is not None:
                self.rows[source] = [waiting]
            self.documents[source] = papers
            if not papers:
                self.documents.pop(source)

    def _due(self, source: str, days: list[np.datetime64]) -> list[np.datetime64]:
        """The days of a month on which a source delivers, without those that it misses."""
        every = self.every.get(source, 0)
        if every > 0 or len(days) == 1:
            return days[-1:]
        missed = [(first, last) for name, first, last in self.assume.unpunctual if name == source]
        return [
            day
            for day in days
            if (not every or day.astype(object).weekday() == 6)
            and not any(first <= str(day) <= last for first, last in missed)
        ]

    def _waiting(self, source: str) -> pl.DataFrame | None:
        parts = self.rows.get(source)
        if not parts:
            return None
        return pl.concat(parts, how="vertical_relaxed").sort(ORDER, maintain_order=True)

    def _folder(self, source: str, day: np.datetime64) -> Path:
        folder = self.landing / source / str(day)
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        self.made[source] = self.made.get(source, 0) + 1
        return folder

    def _lines(self, source: str, day: np.datetime64, waiting: pl.DataFrame | None) -> pl.DataFrame | None:
        folder = self._folder(source, day)
        files = {}
        if waiting is not None:
            here = pl.col(ARRIVES) <= pl.lit(day.astype(object))
            now = waiting.filter(here).drop(ARRIVES, ORDER).rechunk()
            self.planted[source] = self.planted.get(source, 0) + int(now[SPOILED].sum())
            now = now.drop(SPOILED)
            waiting = waiting.filter(~here)
            if now.height:
                name = f"{source}_{str(day).replace('-', '')}.{self.suffix[source]}"
                _write(now, folder / name)
                files[name] = {"rows": now.height}
                self.counts[source] = self.counts.get(source, 0) + now.height
        _done(folder, files)
        return waiting

    def _papers(self, source: str, day: np.datetime64, papers: list[Paper]) -> list[Paper]:
        folder = self._folder(source, day)
        files, pages = {}, []
        for arrives, name, text, spoiled in papers:
            if arrives > day:
                continue
            self.planted[source] = self.planted.get(source, 0) + spoiled
            if isinstance(text, str):
                (folder / name).write_bytes(text.encode())
                files[name] = {"rows": 1}
            else:
                pages.append(text)
        if pages:
            name = f"{source}_{str(day).replace('-', '')}.{pages[0].suffix}"
            (folder / name).write_bytes(pages[0].packed(pages[1:]))
            files[name] = {"rows": len(pages)}
        self.counts[source] = self.counts.get(source, 0) + sum(file["rows"] for file in files.values())
        _done(folder, files)
        return [paper for paper in papers if paper[0] > day]


def _write(frame: pl.DataFrame, path: Path) -> None:
    if path.suffix == ".csv":
        frame.write_csv(path)
    elif path.suffix == ".jsonl":
        frame.write_ndjson(path)
    else:
        frame.write_parquet(path, compression="zstd", compression_level=1, row_group_size=200_000)


def _done(folder: Path, files: dict[str, dict[str, int]]) -> None:
    (folder / DONE).write_text(json.dumps({"files": files}, sort_keys=True) + "\n", encoding="utf-8")


def moment(name: str) -> pl.Expr:
    """A moment column as text, to the millisecond, as CSV and JSON carry it."""
    return pl.col(name).dt.strftime("%Y-%m-%dT%H:%M:%S%.3f")


def only_where(there: np.ndarray, values: np.ndarray) -> pl.Series:
    """``values`` as a column that is null except ``there``."""
    column = pl.Series(values)
    return column.zip_with(pl.Series(there), pl.Series([None] * len(there), dtype=column.dtype))
