"""What Feast promises of an offline store holds for ours and for the stock one alike: the same answers."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import polars as pl
import pytest
from feast.types import Float32, Int64, String

from tests.features.stores import BOTH, OURS, Project, at, company, frame, person, project, view, written

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning")


def loans(folder: Path, **options: Any) -> Any:
    """Several rows a person; the row of the 10th was written twice, the second time with another value."""
    rows = [
        {"person_id": "p1", "happened": at(1), "written": at(1, 13), "amount": 1.0, "loans": 1},
        {"person_id": "p1", "happened": at(10), "written": at(10, 13), "amount": 10.0, "loans": 2},
        {"person_id": "p1", "happened": at(10), "written": at(14), "amount": 11.0, "loans": 3},
        {"person_id": "p1", "happened": at(20), "written": at(20, 13), "amount": 20.0, "loans": 4},
        {"person_id": "p2", "happened": at(5), "written": at(5, 13), "amount": None, "loans": 7},
    ]
    path = written(folder / "loans.parquet", rows)
    return view("loans", [person()], path, {"amount": Float32, "loans": Int64}, **options)


@pytest.fixture(params=BOTH)
def which(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def ask_loans(trial: Project, moments: list[dt.datetime], key: str = "p1", **options: Any) -> list[Any]:
    asked = frame(person_id=[key] * len(moments), event_timestamp=moments)
    return trial.ask(asked, ["loans:amount"], **options)["amount"].to_list()


def test_the_newest_row_up_to_the_moment_counts(which: str, tmp_path: Path) -> None:
    trial = project(tmp_path, which, [person(), loans(tmp_path, created="written")])
    moments = [at(1, 11), at(1), at(9), at(10), at(19), at(20), at(30)]
    assert ask_loans(trial, moments) == [None, 1.0, 1.0, 11.0, 11.0, 20.0, 20.0]


def test_of_rows_of_one_moment_the_one_created_last_counts(which: str, tmp_path: Path) -> None:
    trial = project(tmp_path, which, [person(), loans(tmp_path, created="written")])
    assert ask_loans(trial, [at(11)]) == [11.0]


def test_what_was_written_later_can_be_left_out(which: str, tmp_path: Path) -> None:
    trial = project(tmp_path, which, [person(), loans(tmp_path, created="written")])
    moments = [at(1), at(1, 14), at(10), at(10, 14), at(13), at(14), at(20), at(21)]
    found = ask_loans(trial, moments, filter_by_created_timestamp=True)
    assert found == [None, 1.0, 1.0, 10.0, 10.0, 11.0, 11.0, 20.0]


def test_a_row_holds_for_its_time_to_live(which: str, tmp_path: Path) -> None:
    trial = project(tmp_path, which, [person(), loans(tmp_path, created="written", ttl=dt.timedelta(days=2))])
    moments = [at(1), at(3), at(3, 13), at(9), at(12), at(12, 13), at(22), at(22, 13)]
    assert ask_loans(trial, moments) == [1.0, 1.0, None, None, 11.0, None, 20.0, None]


def test_a_time_to_live_of_nothing_is_for_ever(which: str, tmp_path: Path) -> None:
    trial = project(tmp_path, which, [person(), loans(tmp_path, created="written", ttl=dt.timedelta(0))])
    assert ask_loans(trial, [at(30)]) == [20.0]


def test_nulls_and_unknown_keys_are_null(which: str, tmp_path: Path) -> None:
    trial = project(tmp_path, which, [person(), loans(tmp_path)])
    assert ask_loans(trial, [at(6)], key="p2") == [None]
    assert ask_loans(trial, [at(6)], key="nobody") == [None]


def test_every_row_of_the_frame_is_answered_and_its_columns_stay(which: str, tmp_path: Path) -> None:
    trial = project(tmp_path, which, [person(), loans(tmp_path, created="written")])
    asked = frame(
        person_id=["p1", "p2", "p1", "p1"],
        event_timestamp=[at(2), at(6), at(2), at(21)],
        label=[0, 1, 2, 3],
    )
    found = trial.ask(asked, ["loans:loans"]).sort("label")
    assert found["label"].to_list() == [0, 1, 2, 3]
    assert found["loans"].to_list() == [1, 7, 1, 4]
    assert set(found.columns) == {"person_id", "event_timestamp", "label", "loans"}


def test_fields_are_mapped(which: str, tmp_path: Path) -> None:
    rows = [{"person_id": "p1", "happened": at(1), "AMT": 5.0, "untouched": 6.0}]
    mapped = view(
        "mapped", [person()], written(tmp_path / "mapped.parquet", rows), {"amount": Float32, "untouched": Float32},
        mapping={"AMT": "amount"},
    )  # fmt: skip
    trial = project(tmp_path, which, [person(), mapped])
    found = trial.ask(frame(person_id=["p1"], event_timestamp=[at(2)]), ["mapped:amount", "mapped:untouched"])
    assert found.select("amount", "untouched").row(0) == (5.0, 6.0)


def test_full_feature_names(which: str, tmp_path: Path) -> None:
    first = loans(tmp_path, created="written")
    other = view("other", [person()], tmp_path / "loans.parquet", {"amount": Float32})
    trial = project(tmp_path, which, [person(), first, other])
    asked = frame(person_id=["p1"], event_timestamp=[at(30)])
    found = trial.ask(asked, ["loans:amount", "other:amount"], full_feature_names=True)
    assert {"loans__amount", "other__amount"} <= set(found.columns)
    assert found["loans__amount"].to_list() == found["other__amount"].to_list() == [20.0]


def test_one_name_twice_needs_full_names(which: str, tmp_path: Path) -> None:
    from feast.errors import FeatureNameCollisionError

    first = loans(tmp_path)
    other = view("other", [person()], tmp_path / "loans.parquet", {"amount": Float32})
    trial = project(tmp_path, which, [person(), first, other])
    with pytest.raises(FeatureNameCollisionError):
        trial.ask(frame(person_id=["p1"], event_timestamp=[at(30)]), ["loans:amount", "other:amount"])


def test_views_of_several_entities_and_of_both(which: str, tmp_path: Path) -> None:
    firm = written(
        tmp_path / "firm.parquet",
        [
            {"company_code": 7, "happened": at(3), "size": 70.0},
            {"company_code": 8, "happened": at(3), "size": 80.0},
        ],
    )
    role = written(
        tmp_path / "role.parquet",
        [
            {"person_id": "p1", "company_code": 7, "happened": at(2), "role": "owner"},
            {"person_id": "p1", "company_code": 8, "happened": at(4), "role": "guarantor"},
        ],
    )
    trial = project(
        tmp_path,
        which,
        [
            person(),
            company(),
            loans(tmp_path, created="written"),
            view("firm", [company()], firm, {"size": Float32}),
            view("role", [person(), company()], role, {"role": String}),
        ],
    )
    asked = frame(
        person_id=["p1", "p1", "p2", "p1"],
        company_code=[7, 8, 7, 8],
        event_timestamp=[at(11), at(5), at(11), at(3)],
    )
    found = trial.ask(asked, ["loans:loans", "firm:size", "role:role"]).sort(
        "person_id", "company_code", "event_timestamp"
    )
    assert found["loans"].to_list() == [3, 1, 1, 7]
    assert found["size"].to_list() == [70.0, 80.0, 80.0, 70.0]
    assert found["role"].to_list() == ["owner", None, "guarantor", None]


def test_one_view_asked_by_another_key(which: str, tmp_path: Path) -> None:
    known = loans(tmp_path, created="written")
    from feast import FeatureService

    service = FeatureService(
        name="pair",
        features=[
            known[["loans"]].with_name("self"),
            known[["loans"]].with_name("spouse").with_join_key_map({"person_id": "spouse_id"}),
        ],
    )
    trial = project(tmp_path, which, [person(), known, service])
    asked = frame(person_id=["p1"], spouse_id=["p2"], event_timestamp=[at(21)])
    found = trial.ask(asked, trial.store.get_feature_service("pair"), full_feature_names=True)
    assert (found["self__loans"][0], found["spouse__loans"][0]) == (4, 7)


def test_a_moment_is_the_same_whatever_its_zone(which: str, tmp_path: Path) -> None:
    trial = project(tmp_path, which, [person(), loans(tmp_path, created="written")])
    shanghai = ZoneInfo("Asia/Shanghai")
    moments = [each.astimezone(shanghai) for each in (at(9, 23), at(10, 12))]
    assert ask_loans(trial, moments) == [1.0, 11.0]


def pulled(trial: Project, kind: str, **options: Any) -> pl.DataFrame:
    source = trial.store.get_data_source("loans_files")
    job = getattr(trial.store._get_provider().offline_store, f"pull_{kind}_from_table_or_query")(
        config=trial.store.config,
        data_source=source,
        join_key_columns=["person_id"],
        feature_name_columns=["amount", "loans"],
        timestamp_field="happened",
        created_timestamp_column="written",
        **options,
    )
    return pl.DataFrame(pl.from_arrow(job.to_arrow())).sort("person_id", "happened", "written")


def test_pull_latest_takes_the_newest_of_each_key_in_the_span(which: str, tmp_path: Path) -> None:
    trial = project(tmp_path, which, [person(), loans(tmp_path, created="written")])
    found = pulled(trial, "latest", start_date=at(1), end_date=at(10))
    assert found.select("person_id", "amount", "loans").rows() == [("p1", 11.0, 3), ("p2", None, 7)]
    later = pulled(trial, "latest", start_date=at(6), end_date=at(20))
    assert later.select("person_id", "loans").rows() == [("p1", 4)]


def test_pull_all_takes_every_row_in_the_span(which: str, tmp_path: Path) -> None:
    trial = project(tmp_path, which, [person(), loans(tmp_path, created="written")])
    assert pulled(trial, "all", start_date=at(5), end_date=at(10))["loans"].to_list() == [2, 3, 7]


def test_rows_can_be_added(which: str, tmp_path: Path) -> None:
    # A single file is written anew, as the stock store does.
    known = loans(tmp_path)
    trial = project(tmp_path, which, [person(), known])
    more = pd.DataFrame(
        {"person_id": ["p2"], "happened": [at(8)], "written": [at(8)], "amount": [8.0], "loans": [8]}
    )
    trial.store.write_to_offline_store("loans", more)
    assert ask_loans(trial, [at(8), at(7)], key="p2") == [None, 8.0]
    assert pl.read_parquet(tmp_path / "loans.parquet").height == 6


def test_a_saved_dataset_is_read_back(which: str, tmp_path: Path) -> None:
    from feast.infra.offline_stores.file_source import SavedDatasetFileStorage

    trial = project(tmp_path, which, [person(), loans(tmp_path, created="written")])
    asked = frame(person_id=["p1", "p2", "p1"], event_timestamp=[at(2), at(6), at(11)])
    job = trial.store.get_historical_features(entity_df=asked, features=["loans:amount", "loans:loans"])
    place = tmp_path / "saved" / "one.parquet"
    place.parent.mkdir()
    trial.store.create_saved_dataset(job, "one", SavedDatasetFileStorage(path=str(place)))
    found = trial.store.get_saved_dataset("one").to_df().sort_values(["person_id", "event_timestamp"])
    assert found["loans"].tolist() == [1, 3, 7]
    from feast.errors import SavedDatasetLocationAlreadyExists

    with pytest.raises(SavedDatasetLocationAlreadyExists):
        trial.store.create_saved_dataset(job, "two", SavedDatasetFileStorage(path=str(place)))
    trial.store.create_saved_dataset(
        job, "two", SavedDatasetFileStorage(path=str(place)), allow_overwrite=True
    )
    assert len(trial.store.get_saved_dataset("two").to_df()) == 3


def test_the_frame_may_be_pandas_polars_arrow_or_sql(tmp_path: Path) -> None:
    trial = project(tmp_path, OURS, [person(), loans(tmp_path, created="written")])
    asked = pl.DataFrame({"person_id": ["p2", "p1"], "event_timestamp": [at(6), at(12)]})
    asked.write_parquet(tmp_path / "asked.parquet")
    query = f"SELECT person_id, event_timestamp FROM '{tmp_path}/asked.parquet'"
    for given in (asked, asked.lazy(), asked.to_arrow(), asked.to_pandas(), query):
        job = trial.store.get_historical_features(entity_df=given, features=["loans:loans"])
        assert job.to_polars()["loans"].to_list() == [7, 3]
        assert job.to_df()["loans"].tolist() == [7, 3]


def test_batches_hold_the_same_rows(tmp_path: Path) -> None:
    trial = project(tmp_path, OURS, [person(), loans(tmp_path, created="written")])
    moments = [at(day) for day in range(1, 31)]
    asked = frame(person_id=["p1", "p2"] * 15, event_timestamp=moments, n=list(range(30)))
    job = trial.store.get_historical_features(entity_df=asked, features=["loans:loans", "loans:amount"])
    whole = job.to_polars()
    ordered = [pl.DataFrame(pl.from_arrow(each)) for each in job.to_batches(7, ordered=True)]
    assert [each.height for each in ordered] == [7, 7, 7, 7, 2]
    assert pl.concat(ordered).equals(whole, null_equal=True)
    stored = pl.concat([pl.DataFrame(pl.from_arrow(each)) for each in job.to_batches(7)])
    assert stored.sort("n").equals(whole, null_equal=True)


def test_without_a_frame_the_stored_rows_of_a_span_are_asked(tmp_path: Path) -> None:
    trial = project(tmp_path, OURS, [person(), loans(tmp_path, created="written")])
    job = trial.store.get_historical_features(features=["loans:loans"], start_date=at(5), end_date=at(12))
    assert sorted(job.to_polars().select("person_id", "loans").rows()) == [("p1", 3), ("p2", 7)]


def test_naive_moments_are_wall_time_of_the_stores_zone(tmp_path: Path) -> None:
    known = loans(tmp_path, created="written")
    trial = project(tmp_path, OURS, [person(), known])
    trial.store.config.offline_store.timezone = "Asia/Shanghai"
    # 20 o'clock in Shanghai is noon in UTC, when the row of the 10th happened.
    early, late = (dt.datetime(2026, 5, 10, hour) for hour in (19, 20))
    assert ask_loans(trial, [early, late]) == [1.0, 11.0]
