"""Which rows a night looks at."""

from __future__ import annotations

import datetime as dt

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from bluemirror.health.windows import TrainingWindow, segments, training_window
from bluemirror.scorecards.spec import read_specs
from bluemirror.workspace import Workspace

DAY = dt.date(2025, 3, 31)
WINDOW = TrainingWindow(dt.date(2024, 1, 1), dt.date(2025, 3, 31), "a model")


def _observations(rows: list[tuple[int, int]]) -> pl.DataFrame:
    """(days before DAY, entity) a row."""
    return pl.DataFrame(
        {
            "observation_id": [f"o{number}" for number in range(len(rows))],
            "person_id": [f"p{entity}" for _, entity in rows],
            "event_timestamp": [
                dt.datetime.combine(DAY, dt.time(12)) - dt.timedelta(days=back, seconds=number)
                for number, (back, _) in enumerate(rows)
            ],
        },
        schema_overrides={"event_timestamp": pl.Datetime("us")},
    )


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(-5, 60), st.integers(0, 6)), max_size=60), st.integers(0, 10))
def test_each_entity_counts_once_a_week_with_its_newest_row(
    rows: list[tuple[int, int]], earlier: int
) -> None:
    as_of = DAY - dt.timedelta(days=earlier)
    observed = _observations(rows)
    found = segments(observed, "person_id", as_of, lambda _: WINDOW)
    known = observed.filter(pl.col("event_timestamp").dt.date() <= as_of)
    if not len(known):
        assert found.last is None
        assert not len(found.rows)
        return
    last = known["event_timestamp"].dt.date().max()
    assert found.last == last
    expected: dict[str, list[str]] = {"recent": [], "before": [], "reference": []}
    newest: dict[tuple[str, int, str], tuple[dt.datetime, str]] = {}
    for one in known.iter_rows(named=True):
        back = (last - one["event_timestamp"].date()).days
        segment = "recent" if back < 7 else "before" if back < 14 else "reference"
        week = (one["event_timestamp"].date() - WINDOW.first).days // 7 if segment == "reference" else 0
        key = (segment, week, one["person_id"])
        newest[key] = max(
            newest.get(key, (dt.datetime.min, "")), (one["event_timestamp"], one["observation_id"])
        )
    for (segment, _, _), (_, name) in newest.items():
        expected[segment].append(name)
    ids = found.rows["observation_id"].to_list()
    assert sorted(ids[: found.recent]) == sorted(expected["recent"])
    assert sorted(ids[found.recent : found.recent + found.before]) == sorted(expected["before"])
    assert sorted(ids[found.recent + found.before :]) == sorted(expected["reference"])
    assert len(found.week) == found.reference
    assert found.rows["place"].to_list() == list(range(len(ids)))


def test_the_training_window_is_that_of_the_models(repository) -> None:
    specs = list(read_specs(Workspace.open(repository)).values())
    found = training_window(specs, "application", DAY)
    assert (found.first, found.last) == (dt.date(2024, 1, 1), dt.date(2024, 11, 30))
    assert found.of == "application_consumer"


def test_without_a_model_it_is_the_year_before_the_two_weeks() -> None:
    found = training_window([], "application", dt.date(2025, 3, 31))
    assert (found.first, found.last) == (dt.date(2024, 3, 1), dt.date(2025, 2, 28))
    # On the tenth the two weeks reach into February.
    found = training_window([], "application", dt.date(2025, 3, 10))
    assert (found.first, found.last) == (dt.date(2024, 2, 1), dt.date(2025, 1, 31))
