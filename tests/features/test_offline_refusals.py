"""What the offline store is not given, or finds broken, it says: with the place, the rule and the fix."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from feast.errors import FeatureViewNotFoundException
from feast.types import Float32

from bluemirror.errors import StoreError
from tests.features.stores import OURS, Project, at, frame, person, project, view, written


@pytest.fixture
def trial(tmp_path: Path) -> Project:
    rows = [{"person_id": "p1", "happened": at(day), "amount": float(day)} for day in range(1, 20)]
    path = written(tmp_path / "rows" / "loans.parquet", rows)
    return project(tmp_path, OURS, [person(), view("loans", [person()], path.parent, {"amount": Float32})])


def ask(trial: Project, asked: Any, features: Any = ("loans:amount",)) -> pl.DataFrame:
    return trial.store.get_historical_features(entity_df=asked, features=list(features)).to_polars()


def test_a_frame_without_timestamps(trial: Project) -> None:
    with pytest.raises(StoreError, match="no column of moments") as error:
        ask(trial, frame(person_id=["p1"]))
    assert "event_timestamp" in str(error.value)


def test_a_frame_with_two_columns_of_moments(trial: Project) -> None:
    with pytest.raises(StoreError, match="several columns of moments: first, second"):
        ask(trial, frame(person_id=["p1"], first=[at(1)], second=[at(2)]))


def test_a_frame_with_missing_moments_or_keys(trial: Project) -> None:
    with pytest.raises(StoreError, match="1 of 2 rows of the entity frame have no event_timestamp"):
        ask(trial, frame(person_id=["p1", "p1"], event_timestamp=[at(1), None]))
    with pytest.raises(StoreError, match="1 of 2 rows of the entity frame have no person_id"):
        ask(trial, frame(person_id=["p1", None], event_timestamp=[at(1), at(2)]))
    with pytest.raises(StoreError, match="has no column person_id"):
        ask(trial, frame(customer=["p1"], event_timestamp=[at(1)]))


def test_moments_that_are_none(trial: Project) -> None:
    with pytest.raises(StoreError, match="holds text that is no moment"):
        ask(trial, frame(person_id=["p1"], event_timestamp=["yesterday"]))
    with pytest.raises(StoreError, match="holds Int64, not moments"):
        ask(trial, frame(person_id=["p1"], event_timestamp=[20260501]))


def test_moments_as_text_and_as_days(trial: Project) -> None:
    assert ask(trial, frame(person_id=["p1"], event_timestamp=["2026-05-03T12:00:00"]))["amount"][0] == 3.0
    assert (
        ask(trial, frame(person_id=["p1"], event_timestamp=["2026-05-03T12:00:00+08:00"]))["amount"][0] == 2.0
    )
    days = pl.DataFrame({"person_id": ["p1"], "event_timestamp": [dt.date(2026, 5, 4)]})
    assert ask(trial, days)["amount"][0] == 3.0


def test_a_key_of_another_type(trial: Project) -> None:
    numbers = written(trial.folder / "n.parquet", [{"person_id": 7, "happened": at(1), "amount": 7.0}])
    trial.store.apply([view("numbered", [person()], numbers, {"amount": Float32})])
    assert (
        ask(trial, frame(person_id=["7"], event_timestamp=[at(2)]), ["numbered:amount"])["amount"][0] == 7.0
    )
    with pytest.raises(StoreError, match="the stored one Int64"):
        ask(trial, frame(person_id=["p1"], event_timestamp=[at(2)]), ["numbered:amount"])


def test_before_the_first_row_there_is_nothing(trial: Project) -> None:
    asked = frame(person_id=["p1", "p1"], event_timestamp=[dt.datetime(1970, 1, 1), dt.datetime(1900, 1, 1)])
    assert ask(trial, asked)["amount"].to_list() == [None, None]


def test_an_empty_frame_is_an_empty_answer(trial: Project) -> None:
    asked = pl.DataFrame({"person_id": ["p1"], "event_timestamp": [at(2)]}).clear()
    assert ask(trial, asked).columns == ["person_id", "event_timestamp", "amount"]


def test_an_unknown_variable_or_view(trial: Project) -> None:
    asked = frame(person_id=["p1"], event_timestamp=[at(2)])
    with pytest.raises(KeyError, match="nothing"):
        ask(trial, asked, ["loans:nothing"])
    with pytest.raises(FeatureViewNotFoundException):
        ask(trial, asked, ["loans__v2:amount"])


def test_a_query_that_does_not_run(trial: Project) -> None:
    with pytest.raises(StoreError, match="does not run"):
        ask(trial, "SELECT person_id FROM nowhere")


def test_a_partition_that_is_missing_or_broken(trial: Project) -> None:
    asked = frame(person_id=["p1"], event_timestamp=[at(2)])
    file = trial.folder / "rows" / "loans.parquet"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StoreError, match="cannot be read as Parquet") as error:
        ask(trial, asked)
    assert "loans.parquet" in str(error.value)
    file.write_bytes(b"PAR1" + bytes(len(whole) - 200) + whole[-196:])
    with pytest.raises(StoreError, match="cannot be read as Parquet"):
        ask(trial, asked)
    file.unlink()
    with pytest.raises(StoreError, match="there is no file to read"):
        ask(trial, asked)
    file.write_bytes(whole)
    assert ask(trial, asked)["amount"][0] == 2.0


def test_rows_that_are_not_the_views_columns_are_not_added(trial: Project) -> None:
    write = trial.store._get_provider().offline_store.offline_write_batch
    loans = trial.store.get_feature_view("loans")
    more = pl.DataFrame({"person_id": ["p2"], "happened": [at(8)], "other": [8.0]})
    with pytest.raises(StoreError, match="rows for loans with the columns") as error:
        write(trial.store.config, loans, more.to_arrow(), None)
    assert "person_id, happened, amount" in str(error.value)
    with pytest.raises(StoreError, match="of other types than the stored ones"):
        write(
            trial.store.config,
            loans,
            more.rename({"other": "amount"}).with_columns(amount=pl.lit("much")).to_arrow(),
            None,
        )
    assert len(list((trial.folder / "rows").iterdir())) == 1


def test_rows_are_added_to_a_folder_as_another_file(trial: Project) -> None:
    import pandas as pd

    more = pd.DataFrame({"person_id": ["p2"], "happened": [at(8)], "amount": [8.0]})
    trial.store.write_to_offline_store("loans", more)
    assert len(list((trial.folder / "rows").glob("*.parquet"))) == 2
    asked = frame(person_id=["p1", "p2"], event_timestamp=[at(9), at(9)])
    assert ask(trial, asked)["amount"].to_list() == [9.0, 8.0]
