"""A training set through Feast is what the variable store holds, row for row."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from bluemirror.errors import ModelError
from bluemirror.features import training_set
from bluemirror.variables import read_variables, variable_files
from bluemirror.variables.catalogue import catalogue
from bluemirror.variables.spine import read_spine
from bluemirror.workspace import Workspace


def _observations(workspace: Workspace) -> tuple[str, pl.DataFrame]:
    name = next(iter(read_spine(workspace).observations))
    frame = pl.read_parquet(variable_files(workspace, name, "observations"))
    return name, frame.select("observation_id", "as_of")


def test_equals_the_stored_variables(computed: Workspace) -> None:
    name, observations = _observations(computed)
    names = [variable.name for variable in catalogue(computed)]
    # Neither all observations nor in their order: what Feast joins, it must join by itself.
    some = observations.sample(fraction=0.5, shuffle=True, seed=3)
    found = training_set(computed, some, names)
    expected = read_variables(computed, name, names, some["observation_id"])
    assert found.columns == ["observation_id", "as_of", *names]
    assert found.drop("as_of").equals(expected, null_equal=True)
    assert found["as_of"].equals(some.sort("observation_id")["as_of"])


def test_columns_of_the_observations_stay(computed: Workspace) -> None:
    _, observations = _observations(computed)
    few = observations.head(5).with_columns(bad=pl.Series([0, 1, 0, 1, 0]))
    names = [variable.name for variable in catalogue(computed)][:3]
    found = training_set(computed, few, names)
    assert found.columns == ["observation_id", "as_of", "bad", *names]
    assert found.sort("observation_id")["bad"].equals(few.sort("observation_id")["bad"])


def test_a_row_of_another_moment_never_stands_in(computed: Workspace) -> None:
    _, observations = _observations(computed)
    later = observations.head(4).with_columns(pl.col("as_of") + dt.timedelta(days=1))
    mixed = pl.concat([later, observations.tail(4)])
    with pytest.raises(ModelError, match=r"4 of 8 observations have no row in block \w+ at their as_of"):
        training_set(computed, mixed, [next(iter(catalogue(computed))).name])


def test_an_unknown_variable_is_named(computed: Workspace) -> None:
    _, observations = _observations(computed)
    with pytest.raises(ModelError, match="unknown variable nothing_like_it") as error:
        training_set(computed, observations, ["nothing_like_it"])
    assert "bluemirror catalogue search" in str(error.value)


def test_an_observation_listed_twice_is_refused(computed: Workspace) -> None:
    _, observations = _observations(computed)
    with pytest.raises(ModelError, match="listed twice"):
        training_set(computed, pl.concat([observations, observations.head(1)]), [])
