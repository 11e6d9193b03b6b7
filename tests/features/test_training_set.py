"""Training sets: what is stored is served, what is not is computed at its moment, what cannot be described is told."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import polars as pl
import pytest

from bluemirror.errors import ModelError
from bluemirror.features import training_set
from bluemirror.features.retrieval import retrieve
from bluemirror.mart.ingest import ingest_source
from bluemirror.variables import read_variables, variable_files
from bluemirror.variables.catalogue import catalogue
from bluemirror.variables.spine import read_spine
from bluemirror.workspace import Workspace


def _observations(workspace: Workspace) -> tuple[str, pl.DataFrame]:
    name = next(iter(read_spine(workspace).observations))
    frame = pl.read_parquet(variable_files(workspace, name, "observations"))
    return name, frame.select("observation_id", "person_id", "as_of")


def _names(workspace: Workspace) -> list[str]:
    return [variable.name for variable in catalogue(workspace)]


def test_equals_the_stored_variables(computed: Workspace) -> None:
    name, observations = _observations(computed)
    names = _names(computed)
    # Neither all observations nor in their order: what Feast joins, it must join by itself.
    some = observations.sample(fraction=0.5, shuffle=True, seed=3)
    found = training_set(names, some, workspace=computed)
    expected = read_variables(computed, name, names, some["observation_id"])
    assert found.computed == 0
    assert found.frame.columns == ["observation_id", "person_id", "as_of", *names]
    assert found.frame.drop("as_of", "person_id").equals(expected, null_equal=True)
    assert found.frame["as_of"].equals(some.sort("observation_id")["as_of"])
    assert found.manifest.rows == len(some)
    assert found.left_out.is_empty()


def test_what_is_not_stored_is_computed_as_the_set_would_have_been(copied: Workspace) -> None:
    """Stored observations under other names, and one day earlier: the first equal what is stored, name for name."""
    name, observations = _observations(copied)
    names = _names(copied)
    renamed = observations.with_columns(observation_id="mine-" + pl.col("observation_id"))
    assert training_set(names[:1], observations, workspace=copied).computed == 0
    found = training_set(names, renamed, workspace=copied)
    expected = read_variables(copied, name, names)
    assert found.computed == len(renamed) * len(names)
    assert found.frame.select(names).equals(expected.select(names), null_equal=True)
    assert training_set(names[:2], renamed, workspace=copied).computed == 0, "found again by their content"

    earlier = observations.head(20).with_columns(pl.col("as_of") - dt.timedelta(days=200))
    before = training_set(names, earlier, workspace=copied)
    stored = read_variables(copied, name, names, earlier["observation_id"])
    assert before.computed == 20 * len(names)
    assert not before.frame.select(names).equals(stored.select(names), null_equal=True)


def test_a_frame_of_any_kind_and_a_file_give_the_same(computed: Workspace, tmp_path: Path) -> None:
    _, observations = _observations(computed)
    few = observations.head(12).select("person_id", "as_of", bad=pl.Series([0, 1] * 6))
    few.write_csv(tmp_path / "few.csv", datetime_format="%Y-%m-%d %H:%M:%S%.6f")
    few.write_parquet(tmp_path / "few.parquet")
    with_zone = few.with_columns(
        pl.col("as_of").dt.replace_time_zone("Asia/Shanghai").dt.convert_time_zone("UTC")
    )
    names = _names(computed)[:4]
    brought = (
        few,
        few.to_pandas(),
        few.to_arrow(),
        str(tmp_path / "few.csv"),
        tmp_path / "few.parquet",
        with_zone,
    )
    found = [training_set(names, one, workspace=computed) for one in brought]
    assert {one.manifest.content for one in found} == {found[0].manifest.content}
    assert found[0].frame.columns == ["observation_id", "person_id", "as_of", "bad", *names]
    assert found[0].frame["observation_id"].is_unique().all()
    assert found[0].frame["bad"].sum() == 6


def test_rows_that_cannot_be_described_are_told(computed: Workspace) -> None:
    _, observations = _observations(computed)
    few = observations.head(6).select("person_id", pl.col("as_of").dt.strftime("%Y-%m-%d %H:%M:%S%.6f"))
    bad = pl.DataFrame(
        {
            "person_id": [None, "P00001", "nobody"],
            "as_of": ["2025-01-31", "31/01/2025", "2025-01-31"],
        }
    )
    found = training_set(_names(computed)[:2], pl.concat([few, bad]), workspace=computed)
    assert len(found.frame) == 6
    assert len(found.left_out) == 3, "nothing is lost"
    reasons = sorted(found.manifest.left_out)
    assert [reason.split(",")[0][:22] for reason in reasons] == [
        "has no key",
        "has no moment that can",
        "its person_id stands i",
    ]
    assert all(count == 1 for count in found.manifest.left_out.values())
    assert pl.read_parquet(found.folder / "left_out.parquet").height == 3
    with pytest.raises(ModelError, match="none of the observations can be described") as error:
        training_set(_names(computed)[:2], bad, workspace=computed)
    assert "nobody" not in str(error.value), "a key is personal"


@pytest.mark.parametrize(
    ("brought", "message"),
    [
        (pl.DataFrame({"who": ["P00001"], "as_of": ["2025-01-31"]}), "have no column person_id"),
        (pl.DataFrame({"person_id": ["P00001"], "when": ["2025-01-31"]}), "have no column as_of"),
        (pl.DataFrame({"person_id": ["P00001"], "as_of": [20250131]}), "as_of is a column of Int64"),
        (
            pl.DataFrame(
                {"observation_id": ["a", "a"], "person_id": ["P00001"] * 2, "as_of": ["2025-01-31"] * 2}
            ),
            "listed twice",
        ),
        ("nowhere.parquet", "there is no such file"),
        ("README.md", "is of no known kind"),
        ([1, 2], "cannot be read from a list"),
    ],
)
def test_bad_observations_are_refused(computed: Workspace, brought: object, message: str) -> None:
    with pytest.raises(ModelError, match=message) as error:
        training_set(_names(computed)[:1], brought, workspace=computed)
    assert error.value.rule
    assert error.value.fix


def test_a_broken_file_is_named(computed: Workspace, tmp_path: Path) -> None:
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 and no more")
    with pytest.raises(ModelError, match="cannot be read") as error:
        training_set(_names(computed)[:1], broken, workspace=computed)
    assert str(broken) in str(error.value)


def test_an_unknown_variable_is_named(computed: Workspace) -> None:
    _, observations = _observations(computed)
    with pytest.raises(ModelError, match="unknown variable nothing_like_it") as error:
        training_set(["nothing_like_it"], observations, workspace=computed)
    assert "bluemirror catalogue search" in str(error.value)
    with pytest.raises(ModelError, match="no registered model is called 'nobody'"):
        training_set("nobody", observations, workspace=computed)


def test_a_row_of_another_moment_never_stands_in(computed: Workspace) -> None:
    _, observations = _observations(computed)
    later = observations.head(4).with_columns(pl.col("as_of") + dt.timedelta(days=1))
    mixed = pl.concat([later, observations.tail(4)])
    with pytest.raises(ModelError, match=r"4 of 8 observations have no row in block \w+ at their as_of"):
        retrieve(computed, mixed, _names(computed)[:1])


def test_values_that_late_data_could_touch_do_not_serve(copied: Workspace) -> None:
    """An instalment lands after the variables were built, known before the moments: stored values lack it."""
    name, observations = _observations(copied)
    late = observations.filter(pl.col("as_of").is_between(dt.datetime(2024, 10, 1), dt.datetime(2025, 1, 31)))
    count = "repay_due_12m_due_sum"
    stored = read_variables(copied, name, [count], late["observation_id"])
    assert training_set([count], late, workspace=copied).computed == 0
    folder = copied.landing / "loan_instalment" / "2024-09-10"
    folder.mkdir()
    rows = late.select(
        loan_id="L" + pl.col("person_id").str.slice(1),
        person_id="person_id",
        due_date=pl.lit("2024-09-09"),
        amount_due=pl.lit(100),
        amount_paid=pl.lit(100),
        days_late=pl.lit(0),
        channel=pl.lit("app"),
    )
    rows.write_csv(folder / "instalments.csv")
    (folder / "_DONE.json").write_text(json.dumps({"files": {"instalments.csv": {"rows": len(rows)}}}))
    assert ingest_source(copied, "loan_instalment").accepted == len(rows)
    found = training_set([count], late, workspace=copied)
    assert found.computed > 0
    assert (found.frame[count] - stored[count]).round(2).unique().to_list() == [100.0]
