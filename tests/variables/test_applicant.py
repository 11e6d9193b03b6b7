"""A fresh applicant's variables are those of the batch: from raw payloads, for each value, to the last bit."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import bluemirror
from bluemirror.cli.applicant_replay import Replay, replay
from bluemirror.mart.manifests import Snapshot
from bluemirror.mart.payloads import Door
from bluemirror.variables.applicant import ApplicantValues, FreshApplicants
from bluemirror.variables.cross_engine import engine_of
from bluemirror.variables.observations import observe, with_keys
from bluemirror.variables.tables import Catalog
from bluemirror.workspace import Workspace
from tests.fixtures_flagship import copy_declarations, simulate_and_ingest

APPLICANTS = 1000
SOME = 40


@dataclass
class Difference:
    """Values and reasons that were held against the batch's, and those that are not the same."""

    applicants: int = 0
    variables: int = 0
    values: int = 0
    present: int = 0
    differing: int = 0
    examples: tuple[str, ...] = ()

    def hold(self, name: str, ours: np.ndarray, theirs: np.ndarray) -> None:
        wrong = ~((ours == theirs) | (np.isnan(ours) & np.isnan(theirs)))
        self.values += len(wrong)
        self.present += int((~np.isnan(theirs)).sum())
        self.differing += int(wrong.sum())
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            self.examples += (f"{name}: {ours[row]} against {theirs[row]} at {row}",)


def compare(found: list[ApplicantValues], block: str, batch: pl.DataFrame, difference: Difference) -> None:
    """Hold one block of applicants, in the order of the batch, against it."""
    reasons = np.array([one.reasons[block] for one in found], dtype=np.float64)
    difference.hold(f"{block}__reason", reasons, batch[f"{block}__reason"].to_numpy().astype(np.float64))
    place = {name: number for number, name in enumerate(found[0].names)}
    ours = np.stack([one.values for one in found])
    for name in batch.columns[3:]:
        difference.variables += 1
        theirs = batch[name].fill_null(float("nan")).to_numpy()
        difference.hold(name, ours[:, place[name]], theirs)


def replayed(workspace: Workspace, count: int | None) -> tuple[Difference, Replay, FreshApplicants]:
    """Take applications as if they came today; what had just arrived for others by then is remembered."""
    played, contracts, spine, blocks = replay(workspace, count)
    fresh = FreshApplicants(
        played.connection, contracts, spine, blocks, Door(workspace, contracts, Snapshot())
    )
    moments = {
        (source, document): known
        for source, document, known in played.held.select("source", "_doc", "known_time").iter_rows()
    }
    waiting = list(played.records())
    known: set[tuple[str, int]] = set()
    found: dict[str, list[ApplicantValues]] = {}
    for one in played.applications():
        later = []
        for document, records in waiting:
            if moments[document] <= one.as_of and document not in one.documents:
                fresh.remember(records)
                known.add(document)
            else:
                later.append((document, records))
        waiting = later
        arrival = fresh.arrive(played.payloads_of(one, known), one.observation_id)
        for entity, observation in arrival.observations.items():
            records = arrival.records.after(fresh.recent)
            found.setdefault(entity, []).append(fresh.values(entity, observation, records))
    difference = Difference()
    with bluemirror.connect(workspace) as connection:
        catalog = Catalog(contracts)
        for entity, values in found.items():
            values.sort(key=lambda one: one.observation_id)
            wanted = [one.observation_id for one in values]
            seen = observe(connection, spine, spine.observation_set(spine.set_of(entity)))
            seen = seen.filter(pl.col("observation_id").is_in(wanted))
            observed = with_keys(connection, catalog, spine, entity, seen, blocks[0])
            assert observed["observation_id"].to_list() == wanted
            difference.applicants = max(difference.applicants, len(values))
            for block in blocks:
                if block.entity == entity:
                    batch = engine_of(connection, block, contracts, spine, observed).compute()
                    compare(values, block.name, batch, difference)
    return difference, played, fresh


def tell(what: str, found: Difference, started: float) -> None:
    sys.stdout.write(
        f"\n{what}: {found.applicants:,} applicants x {found.variables:,} variables, {found.values:,} values "
        f"({found.present:,} not null), {found.differing} differ from the batch; "
        f"{time.perf_counter() - started:.0f} s\n"
    )


@pytest.fixture(scope="module")
def some(flagship: Workspace) -> tuple[Difference, Replay, FreshApplicants]:
    started = time.perf_counter()
    result = replayed(flagship, SOME)
    tell("raw payloads", result[0], started)
    return result


@pytest.mark.slow
def test_raw_payloads_give_the_values_of_the_batch(some: tuple[Difference, Replay, FreshApplicants]) -> None:
    difference, _, fresh = some
    assert difference.differing == 0, difference.examples[:20]
    assert difference.applicants == SOME
    assert difference.variables == sum(len(fresh.names(entity)) for entity in fresh.entities)
    assert difference.present > difference.values / 4


@pytest.mark.proof
def test_raw_payloads_of_a_thousand_applicants(tmp_path: Path) -> None:
    started = time.perf_counter()
    workspace = copy_declarations(tmp_path / "workspace")
    simulate_and_ingest(workspace, customers=700, months=36, seed=11)
    difference, _, fresh = replayed(workspace, APPLICANTS)
    tell("raw payloads", difference, started)
    assert difference.differing == 0, difference.examples[:20]
    assert difference.applicants == APPLICANTS
    assert difference.variables == sum(len(fresh.names(entity)) for entity in fresh.entities)
