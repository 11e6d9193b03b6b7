"""A fresh applicant's variables are those of the batch: from raw payloads, for each value, to the last bit."""

from __future__ import annotations

import datetime as dt
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest

import bluemirror
from bluemirror.cli.applicant_replay import Replay, replay
from bluemirror.contracts import read_contracts
from bluemirror.errors import BluemirrorError, FamilyError, PayloadError
from bluemirror.mart.connect import mart_columns
from bluemirror.mart.manifests import Snapshot
from bluemirror.mart.payloads import Door, Payload
from bluemirror.mart.versions import quote
from bluemirror.variables import load_blocks
from bluemirror.variables.applicant import ApplicantValues, FreshApplicants
from bluemirror.variables.applicant.records import Records, records_of
from bluemirror.variables.cross_engine import engine_of
from bluemirror.variables.generated import generate_mart
from bluemirror.variables.observations import observe, with_keys
from bluemirror.variables.spine import read_spine
from bluemirror.variables.tables import Catalog
from bluemirror.workspace import Workspace
from tests.fixtures_flagship import copy_declarations, simulate_and_ingest

APPLICANTS = 1000
SOME = 20


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


def test_asked_variables_are_those_of_all(some: tuple[Difference, Replay, FreshApplicants]) -> None:
    _, played, fresh = some
    one = list(played.applications())[-1]
    payloads = played.payloads_of(one)
    arrival = fresh.arrive(payloads, one.observation_id)
    every = fresh.values_for(arrival)
    names = every.names[::97][::-1]
    asked = fresh.variables_for(payloads, names, one.observation_id)
    assert asked.names == names
    assert asked.observation_id == one.observation_id
    assert asked.as_of == one.as_of
    whole = every.as_dict()
    assert asked.as_dict() == {name: whole[name] for name in names}
    assert asked[names[0]] == whole[names[0]]


def test_a_name_that_is_no_variable_is_told(some: tuple[Difference, Replay, FreshApplicants]) -> None:
    _, played, fresh = some
    one = next(played.applications())
    arrival = fresh.arrive(played.payloads_of(one), one.observation_id)
    with pytest.raises(FamilyError, match="there is no variable 'own_txn_txn_in_30d_cn'"):
        fresh.values_for(arrival, ["own_txn_txn_in_30d_cn"])
    with pytest.raises(FamilyError, match="no block describes the entity 'ship'"):
        fresh.values("ship", arrival.observations["person"], arrival.records)


def spoilt(payloads: list[Payload], source: str, change: Callable[[bytes], bytes]) -> list[Payload]:
    """The payloads with those of one source changed."""
    assert any(one.source == source for one in payloads)
    return [
        Payload(one.source, one.name, change(one.content), one.day) if one.source == source else one
        for one in payloads
    ]


BAD: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "not what its name says": ("ml_apply", lambda _: b"\x00\x01", "readable_json"),
    "a code that does not exist": (
        "source_call",
        lambda text: text.replace(b",hit,", b",hti,"),
        "codes",
    ),
    "a column that is gone": ("source_call", lambda text: text.replace(b"cost", b"price", 1), "columns"),
    "a field that is empty": ("ml_apply", lambda text: text.replace(b'"req_id":', b'"req":'), "required"),
    "twice the same": ("ml_apply", lambda text: text + text, "duplicate"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_payload_that_breaks_its_contract_is_refused(
    some: tuple[Difference, Replay, FreshApplicants], what: str
) -> None:
    _, played, fresh = some
    source, change, rule = BAD[what]
    one = next(
        one
        for one in played.applications()
        if {"ml_apply", "source_call"} <= {source for source, _ in one.documents}
    )
    payloads = played.payloads_of(one)
    fresh.arrive(payloads, one.observation_id)
    with pytest.raises(PayloadError) as caught:
        fresh.arrive(spoilt(payloads, source, change), one.observation_id)
    assert caught.value.rule == rule
    assert caught.value.file
    assert caught.value.fix
    assert source in str(caught.value)


def test_payloads_must_say_whom_they_are_about(
    some: tuple[Difference, Replay, FreshApplicants], flagship: Workspace
) -> None:
    _, played, fresh = some
    one = next(played.applications())
    payloads = played.payloads_of(one)
    with pytest.raises(PayloadError, match="describe nobody"):
        fresh.arrive([payload for payload in payloads if payload.source != "own_apply"])
    with pytest.raises(PayloadError, match="there is no source 'nobody'"):
        fresh.arrive([Payload("nobody", "a.json", b"{}", one.as_of.date())])
    quarantine = {path: path.stat().st_mtime_ns for path in flagship.quarantine.rglob("*")}
    with pytest.raises(BluemirrorError):
        fresh.arrive(spoilt(payloads, "own_apply", lambda text: text + b"nonsense\n"))
    assert quarantine == {path: path.stat().st_mtime_ns for path in flagship.quarantine.rglob("*")}


def split(mart: Any, contracts: Any, share: float) -> tuple[duckdb.DuckDBPyConnection, Records]:
    """A generated mart in two: what was delivered first, and the documents of the last deliveries as records."""
    tables = {name for (name,) in mart.sql("SELECT table_name FROM duckdb_tables()").fetchall()}
    past, records = duckdb.connect(), Records()
    for contract in contracts.values():
        header = contract.header.name
        if header not in tables:
            continue
        cut = mart.sql(f"SELECT quantile_disc(_delivery, {1 - share}) AS d FROM {quote(header)}").fetchall()[
            0
        ][0]
        late = f"_doc IN (SELECT _doc FROM {quote(header)} WHERE _delivery > DATE '{cut}')"
        frames = {}
        for table in contract.tables:
            if table.name not in tables:
                continue
            order = "ORDER BY _delivery, _file, _line, _seq"
            frames[table.name] = mart.sql(f"SELECT * FROM {quote(table.name)} WHERE {late} {order}").pl()
            past.register(
                "_old", mart.sql(f"SELECT * FROM {quote(table.name)} WHERE NOT {late}").pl().to_arrow()
            )
            past.execute(f"CREATE TABLE {quote(table.name)} AS SELECT * FROM _old")
            past.unregister("_old")
        records.add(records_of(contract, frames))
    for contract in contracts.values():
        for table in contract.tables:
            columns = ", ".join(f"{quote(name)} {kind}" for name, kind in mart_columns(table))
            past.execute(f"CREATE TABLE IF NOT EXISTS {quote(table.name)} ({columns})")
    return past, records


@pytest.mark.slow
def test_records_of_every_kind_give_the_values_of_the_batch(repository: Path) -> None:
    """On a generated mart, where rows are restated, removed, known late and dated alike, and every code occurs."""
    started = time.perf_counter()
    workspace = Workspace.open(repository)
    contracts, blocks = dict(read_contracts(workspace.contracts_dir)), load_blocks(workspace)
    spine = read_spine(workspace)
    mart = generate_mart(contracts, blocks, spine, entities=20, seed=3)
    past, records = split(mart.connection, contracts, 0.25)
    fresh = FreshApplicants(past, contracts, spine, blocks)
    difference = Difference()
    for entity, observations in mart.observations.items():
        # The last moment of each is the one of which most is known.
        observed = observations.filter(pl.int_range(pl.len()) % 3 == 2)
        values = [fresh.values(entity, row, records) for row in observed.to_dicts()]
        difference.applicants += len(values)
        for block in blocks:
            if block.entity == entity:
                batch = engine_of(mart.connection, block, contracts, spine, observed).compute()
                compare(values, block.name, batch, difference)
    tell("records of every kind", difference, started)
    assert difference.differing == 0, difference.examples[:20]
    assert difference.present > difference.values / 3


@pytest.mark.slow
def test_records_that_come_late_stand_where_they_belong(repository: Path) -> None:
    """Any document may be delivered last: also one of which the mart holds a later version, or that it is gone."""
    started = time.perf_counter()
    workspace = Workspace.open(repository)
    contracts, spine = dict(read_contracts(workspace.contracts_dir)), read_spine(workspace)
    names = ("fraud_list", "logistics", "device_fp", "own_txn", "ml_apply")
    blocks = tuple(one for one in load_blocks(workspace) if one.name in names)
    mart = generate_mart(contracts, blocks, spine, entities=20, seed=4)
    for (name,) in mart.connection.sql("SELECT table_name FROM duckdb_tables()").fetchall():
        mart.connection.execute(
            f"UPDATE {quote(name)} SET _delivery = _delivery + INTERVAL 10000 DAYS WHERE hash(_doc) % 10 < 3"
        )
    past, records = split(mart.connection, contracts, 0.3)
    fresh = FreshApplicants(past, contracts, spine, blocks)
    observed = mart.observations["person"]
    values = [fresh.values("person", row, records) for row in observed.to_dicts()]
    difference = Difference(applicants=len(values))
    for block in blocks:
        batch = engine_of(mart.connection, block, contracts, spine, observed).compute()
        compare(values, block.name, batch, difference)
    tell("late records", difference, started)
    assert difference.differing == 0, difference.examples[:20]
    assert difference.present > difference.values / 3


def test_only_what_was_known_counts(some: tuple[Difference, Replay, FreshApplicants]) -> None:
    """An answer that comes after the application's inputs were complete changes nothing."""
    _, played, fresh = some
    one = list(played.applications())[-1]
    arrival = fresh.arrive(played.payloads_of(one), one.observation_id)
    before = fresh.values("person", arrival.observations["person"], arrival.records)
    moved = dict(arrival.observations["person"], as_of=one.as_of - dt.timedelta(days=2))
    nothing = fresh.values("person", moved, Records())
    unknown = fresh.values("person", moved, arrival.records)
    assert np.array_equal(nothing.values, unknown.values, equal_nan=True)
    assert nothing.reasons == unknown.reasons
    assert not np.array_equal(before.values, unknown.values, equal_nan=True)
