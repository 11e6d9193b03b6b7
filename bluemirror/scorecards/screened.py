"""The screening of a declared model: its training rows, its candidates, what they cost and when they came."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import polars as pl

    from bluemirror.scorecards.candidates import CandidateSet
    from bluemirror.scorecards.population import Population
    from bluemirror.scorecards.screen import ScreenReport
    from bluemirror.scorecards.spec import ModelSpec
    from bluemirror.workspace import Workspace


@dataclass(frozen=True)
class ScreenedModel:
    """A screening with what it was made of; ``seconds`` is the pass over the variables alone."""

    spec: ModelSpec
    population: Population
    candidates: CandidateSet
    report: ScreenReport
    seconds: float

    def _repr_html_(self) -> str:
        return self.population._repr_html_() + self.report._repr_html_()


def screen_model(workspace: Workspace, model: str, as_of: dt.date | None = None) -> ScreenedModel:
    """Screen every candidate of ``models/<model>`` against its label, on its training rows.

    Raises
    ------
    ModelError
        If the declaration is wrong, or the data holds no such rows.
    """
    from bluemirror.scorecards.candidates import candidates
    from bluemirror.scorecards.population import read_population
    from bluemirror.scorecards.spec import read_spec

    spec = read_spec(workspace, model)
    population = read_population(workspace, spec, as_of)
    chosen = candidates(workspace, spec)
    began = time.monotonic()
    report = screen_candidates(workspace, spec, population, chosen)
    return ScreenedModel(spec, population, chosen, report, time.monotonic() - began)


def screen_candidates(
    workspace: Workspace, spec: ModelSpec, population: Population, chosen: CandidateSet
) -> ScreenReport:
    """Screen ``chosen`` on the training side of ``population``; values stream from where they are stored."""
    from bluemirror.scorecards.population import TRAIN
    from bluemirror.scorecards.screen import screen_streams
    from bluemirror.scorecards.stored import block_streams

    rows = population.side(TRAIN)
    late = late_rows(
        rows, first_deliveries(workspace), {v.block: v.source for v in chosen.variables.values()}
    )
    ids = rows["observation_id"]
    streams = block_streams(workspace, spec.observation_set, chosen.by_block, ids, late)
    month = rows["as_of"].to_numpy().astype("datetime64[M]").astype(int)
    costs = {name: float(v.cost_yuan or 0.0) for name, v in chosen.variables.items()}
    return screen_streams(streams, rows["bad"].to_numpy(), month, spec.screening, costs=costs)


def first_deliveries(workspace: Workspace) -> dict[str, dt.date]:
    """The day of each source's first delivery in the mart's snapshot."""
    from bluemirror.mart.manifests import read_snapshot

    deliveries = read_snapshot(workspace).deliveries
    return {source: min(c.day for c in days.values()) for source, days in deliveries.items() if days}


def late_rows(
    rows: pl.DataFrame, first: Mapping[str, dt.date], source_of: Mapping[str, str]
) -> Callable[[str], Any]:
    """Of a block: the rows whose outcome was known on the day on which its source began to deliver.

    All that a source says of such a row it said afterwards, as history; whoever collected that history could look
    the outcome up. A variable that tells of these rows and of no others has probably done so.

    Parameters
    ----------
    rows
        as_of and matured_on.
    first
        Source to the day of its first delivery.
    source_of
        Block to source.
    """
    as_of = rows["as_of"].to_numpy().astype("datetime64[D]")
    known = rows["matured_on"].to_numpy().astype("datetime64[D]")

    def late(block: str) -> Any:
        day = first.get(source_of.get(block, ""))
        if day is None:
            return None
        began = np.datetime64(day)
        return (as_of < began) & (known <= began)

    return late
