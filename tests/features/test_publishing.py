"""A night online: what each registered version reads, nothing else, whole or not at all, equal to what is stored."""

from __future__ import annotations

import datetime as dt
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from bluemirror.errors import StoreError
from bluemirror.features import apply, open_store, parity, plan, publish, publish_service
from bluemirror.features.online_tables import table_name, text_keys
from bluemirror.features.publishing import newest_observations
from bluemirror.features.store import REDIS_STORE, SETTINGS, ensure_settings, open_online
from bluemirror.variables import read_variables
from bluemirror.variables.catalogue import catalogue
from bluemirror.workspace import Workspace
from tests.features.servers import Redis

SQLITE, REDIS = "sqlite", "redis"


@dataclass
class Bank:
    """A workspace with one registered version, and the server of its online store if it has one."""

    workspace: Workspace
    names: list[str]
    server: Redis | None

    @property
    def serving(self) -> Any:
        return plan(self.workspace).servings[0]

    @property
    def table(self) -> str:
        return table_name(plan(self.workspace).project, self.serving.name)

    def expected(self) -> pl.DataFrame:
        newest = newest_observations(self.workspace, self.serving)
        values = read_variables(self.workspace, self.serving.observation_set, self.names)
        return newest.join(values, on="observation_id", how="left", maintain_order="left")

    def served(self, keys: list[str]) -> pl.DataFrame:
        store = open_store(self.workspace)
        answer = store.get_online_features(
            features=store.get_feature_service("card_v1"),
            entity_rows=[{self.serving.key: key} for key in keys],
        )
        return pl.DataFrame(answer.to_dict(), schema_overrides=dict.fromkeys(self.names, pl.Float32))


@pytest.fixture(params=[SQLITE, REDIS])
def bank(request: pytest.FixtureRequest, copied: Workspace, tmp_path: Path) -> Iterator[Bank]:
    server = None
    if request.param == REDIS:
        server = Redis(tmp_path / "redis").start()
        settings = yaml.safe_load(ensure_settings(copied).read_text(encoding="utf-8"))
        settings["online_store"] = {"type": REDIS_STORE, "address": server.address}
        (copied.feature_repo / SETTINGS).write_text(yaml.safe_dump(settings), encoding="utf-8")
    names = [variable.name for variable in catalogue(copied)][3:15]
    publish_service(copied, "card", 1, names)
    try:
        yield Bank(copied, names, server)
    finally:
        if server is not None:
            server.stop()


def test_one_row_an_entity_with_exactly_the_inputs(bank: Bank) -> None:
    (done,) = publish(bank.workspace)
    expected = bank.expected()
    assert (done.service, done.rows, done.variables, done.changed) == ("card_v1", expected.height, 12, True)
    assert done.as_of == str(expected["event_timestamp"].max())
    assert done.oldest == str(expected["event_timestamp"].min())
    keys = expected[bank.serving.key].to_list()
    found = bank.served(keys)
    assert set(found.columns) == {bank.serving.key, *bank.names}
    assert found.select(bank.names).equals(expected.select(bank.names), null_equal=True)
    store = open_store(bank.workspace)
    held = store.get_feature_view(bank.serving.name)
    assert {field.name for field in held.features} == {*bank.names, *bank.serving.reasons}


def test_history_by_the_entity_is_as_of_any_moment(bank: Bank) -> None:
    """Three observations of one person, months apart: a question meets the newest that was there by then."""
    (file,) = Path(bank.serving.path).parent.glob("*.parquet")
    key = bank.serving.key
    stored = pl.read_parquet(file).sort("event_timestamp").with_row_index("at")
    same = stored.with_columns(pl.when(pl.col("at") < 3).then(pl.lit("P")).otherwise(pl.col(key)).alias(key))
    months = pl.col("event_timestamp").dt.offset_by(pl.format("{}mo", pl.min_horizontal("at", pl.lit(3))))
    same.with_columns(event_timestamp=months).drop("at").write_parquet(file.resolve())
    apply(bank.workspace)
    held = pl.read_parquet(file).filter(pl.col(key) == "P").sort("event_timestamp")
    values = read_variables(bank.workspace, bank.serving.observation_set, bank.names, held["observation_id"])
    expected = (
        held.select("observation_id")
        .join(values, on="observation_id", maintain_order="left")
        .select(bank.names)
    )
    store = open_store(bank.workspace)
    times = held["event_timestamp"]
    moments = [
        times[0] - dt.timedelta(seconds=1),
        times[0],
        times[1] - dt.timedelta(seconds=1),
        times[1],
        times[2],
        times[2] + dt.timedelta(days=99),
    ]
    asked = pl.DataFrame({key: ["P"] * 6, "event_timestamp": moments})
    found = store.get_historical_features(
        entity_df=asked, features=store.get_feature_service("card_v1")
    ).to_polars()
    nothing = expected.clear(1)
    wanted = pl.concat([nothing, expected[[0, 0, 1, 2, 2]]])
    assert found.select(bank.names).equals(wanted, null_equal=True)
    (done,) = publish(bank.workspace)
    assert done.rows == stored.height - 2
    assert bank.served(["P"]).select(bank.names).equals(expected[[2]], null_equal=True)
    assert parity(bank.workspace)[0].faults == 0


def test_nothing_new_is_published_twice(bank: Bank) -> None:
    first = publish(bank.workspace)
    again = publish(bank.workspace)
    assert [each.changed for each in again] == [False]
    assert again[0].published_at == first[0].published_at
    assert publish(bank.workspace, force=True)[0].changed


def test_a_row_that_is_added_takes_the_mark_of_the_night_and_nothing_else(bank: Bank) -> None:
    publish(bank.workspace)
    tables = open_online(bank.workspace)
    before = tables.facts(bank.table)
    key = text_keys(bank.serving.key, ["somebody new"])[0]
    layout, _ = tables.fetch(bank.table, [key])
    tables.upsert(bank.table, layout, [(key, layout.pack(0, {}))])
    after = tables.facts(bank.table)
    assert before is not None
    assert after is not None
    assert before.pop("mark")
    for facts in (before, after):
        del facts["bytes"]
    assert after == before | {"stored_rows": before["stored_rows"] + 1}
    assert publish(bank.workspace)[0].changed
    assert parity(bank.workspace)[0].faults == 0


def test_parity_counts_every_cell(bank: Bank) -> None:
    (done,) = publish(bank.workspace)
    (found,) = parity(bank.workspace)
    assert found.cells == done.rows * (12 + len(bank.serving.reasons))
    assert found.through_feast == min(done.rows, 50) * 12
    assert found.faults == 0


def test_parity_sees_a_cell_that_differs_and_an_entity_that_is_missing(bank: Bank) -> None:
    (done,) = publish(bank.workspace)
    tables = open_online(bank.workspace)
    key = bank.serving.key
    one = bank.expected()[key][0]
    layout, (row,) = tables.fetch(bank.table, text_keys(key, [one]))
    moment, values = layout.unpack(row)
    changed = dict(zip(layout.names, values, strict=True))
    name = bank.names[0]
    changed[name] = 7.5 if changed[name] is None else None
    tables.upsert(bank.table, layout, [(text_keys(key, [one])[0], layout.pack(moment, changed))])
    tables.upsert(bank.table, layout, [(text_keys(key, ["nobody"])[0], layout.pack(moment, changed))])
    (found,) = parity(bank.workspace, through_feast=0)
    assert (found.differing, found.surplus, found.missing, found.stale) == (1, 1, 0, 0)
    tables.upsert(bank.table, layout, [(text_keys(key, [one])[0], layout.pack(moment + 1, changed))])
    assert parity(bank.workspace, through_feast=0)[0].stale == 1
    # A table whose rows are not those that were written down is published anew.
    assert publish(bank.workspace)[0].rows == done.rows
    assert parity(bank.workspace)[0].faults == 0


def test_a_version_that_is_no_longer_served_is_gone_online(bank: Bank) -> None:
    publish(bank.workspace)
    table, tables = bank.table, open_online(bank.workspace)
    for file in (bank.workspace.state / "feast" / "services").glob("*.json"):
        file.unlink()
    assert "card_v1" in apply(bank.workspace).removed
    assert tables.facts(table) is None
    with pytest.raises(StoreError, match="nothing has been published"):
        tables.fetch(table, [b"x"])


def test_readers_meet_one_night_or_the_other(bank: Bank) -> None:
    """Nights are told apart by a value that is the same in every row: a reader of many must never see two."""
    publish(bank.workspace)
    tables = open_online(bank.workspace)
    layout = next(tables.scan(bank.table))[0]
    keys = text_keys(bank.serving.key, [f"e{number}" for number in range(500)])

    def night(value: float) -> list[tuple[list[bytes], list[bytes]]]:
        rows = [layout.pack(0, dict.fromkeys(bank.names, value))] * 100
        return [(keys[at : at + 100], rows) for at in range(0, 500, 100)]

    tables.publish(bank.table, layout, {}, night(0.0))
    stop, seen, mixed = threading.Event(), set(), []

    def read() -> None:
        mine = open_online(bank.workspace)
        while not stop.is_set():
            _, rows = mine.fetch(bank.table, keys)
            values = {None if row is None else layout.unpack(row)[1][0] for row in rows}
            seen.update(values)
            if len(values) != 1:
                mixed.append(values)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1, 15):
        tables.publish(bank.table, layout, {}, night(float(number)))
    stop.set()
    reader.join()
    assert not mixed
    assert len(seen) > 2
    assert None not in seen


def test_feasts_own_writing_replaces_the_row_of_an_entity(bank: Bank) -> None:
    import pandas as pd

    publish(bank.workspace)
    store = open_store(bank.workspace)
    key = bank.serving.key
    row = {key: ["new"], "event_timestamp": [pd.Timestamp("2026-01-01")]}
    row |= {name: [2.5] for name in bank.names} | {name: [1] for name in bank.serving.reasons}
    store.write_to_online_store(bank.serving.name, df=pd.DataFrame(row))
    assert bank.served(["new"]).select(bank.names).row(0) == (2.5,) * 12
    assert bank.served(["nobody"]).select(bank.names).row(0) == (None,) * 12


def test_a_store_that_goes_down_while_publishing_keeps_the_night_before(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(bank.workspace)
    expected = bank.expected()
    keys = expected[bank.serving.key].to_list()
    monkeypatch.setattr("bluemirror.features.publishing.ROWS", 20)
    from bluemirror.features.retrieval_plan import RetrievalPlan

    whole = RetrievalPlan.batches

    def failing(self: Any, rows: int) -> Iterator[pl.DataFrame]:
        for number, piece in enumerate(whole(self, rows)):
            if number == 2:
                if bank.server is None:
                    raise sqlite3.OperationalError("disk I/O error")
                bank.server.stop()
            yield piece.with_columns(pl.lit(-1.0, pl.Float32).alias(name) for name in bank.names)

    with monkeypatch.context() as broken:
        broken.setattr(RetrievalPlan, "batches", failing)
        with pytest.raises((StoreError, sqlite3.OperationalError)):
            publish(bank.workspace, force=True)
    if bank.server is not None:
        with pytest.raises(StoreError, match="does not answer"):
            publish(bank.workspace)
        bank.server.start()
    found = bank.served(keys)
    assert found.select(bank.names).equals(expected.select(bank.names), null_equal=True)
    # It goes on from there.
    publish(bank.workspace, force=True)
    assert parity(bank.workspace)[0].faults == 0


def test_what_is_not_published_is_said_so(bank: Bank) -> None:
    apply(bank.workspace)
    with pytest.raises(StoreError, match="nothing has been published") as error:
        bank.served(["anybody"])
    assert "bluemirror publish" in str(error.value)


@pytest.mark.parametrize("bank", [SQLITE], indirect=True)
def test_a_broken_table_is_named(bank: Bank) -> None:
    publish(bank.workspace)
    path = open_online(bank.workspace).path(bank.table)
    path.unlink()
    path.write_bytes(b"not a database")
    with pytest.raises(StoreError, match="cannot be read") as error:
        bank.served(["anybody"])
    assert bank.table in str(error.value)
