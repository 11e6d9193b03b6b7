"""Computed values are a cache: what the policy drops is computed again when it is asked for, to the same content."""

from __future__ import annotations

import json
import os
from pathlib import Path

import polars as pl
import pytest

from bluemirror.cli.main import main
from bluemirror.errors import WorkspaceError
from bluemirror.features import training_set
from bluemirror.features.content import content
from bluemirror.features.retention import prune
from bluemirror.variables import build, read_variables, variable_files
from bluemirror.variables.catalogue import catalogue
from bluemirror.workspace import Keeping, Workspace

DAY = 86_400


def _policy(workspace: Workspace, text: str) -> Workspace:
    path = workspace.root / "workspace.yaml"
    path.write_text(path.read_text(encoding="utf-8") + f"\nkeep: {text}\n", encoding="utf-8")
    return Workspace.open(workspace.root)


def _observations(workspace: Workspace) -> pl.DataFrame:
    held = pl.read_parquet(variable_files(workspace, "month", "observations"))
    return held.select("observation_id", "person_id", "as_of").sort("observation_id")


def _older(path: Path, days: float) -> None:
    moment = path.stat().st_mtime - days * DAY
    os.utime(path, (moment, moment))


def test_what_is_dropped_is_computed_again_equal(copied: Workspace) -> None:
    names = [variable.name for variable in catalogue(copied)]
    before, values = _observations(copied), read_variables(copied, "month")
    whole = content(values, names)
    workspace = _policy(copied, "{days: {month: 100}, month_ends: false}")
    told = prune(workspace, dry_run=True)
    assert read_variables(workspace, "month").equals(values, null_equal=True), "a dry run changes nothing"
    assert prune(workspace) == told
    (dropped,) = told
    left = _observations(workspace)
    assert 0 < len(left) < len(before)
    assert dropped.observations == len(before) - len(left)
    assert left["as_of"].max() == before["as_of"].max()
    assert prune(workspace) == ()
    assert read_variables(workspace, "month")["observation_id"].equals(left["observation_id"])
    assert not build(workspace, "month").changed, "what is not kept is not computed by the night"

    found = training_set(names, before, workspace=workspace)
    assert found.computed == dropped.observations * len(names)
    assert content(found.frame.select(values.columns), names) == whole


def test_month_ends_stay(copied: Workspace) -> None:
    assert prune(_policy(copied, "{days: {month: 1}}")) == (), (
        "all observations of this workspace are month-ends"
    )


def test_what_somebody_brought_goes_when_nobody_asks(copied: Workspace) -> None:
    names = [variable.name for variable in catalogue(copied)][:5]
    brought = _observations(copied).drop("observation_id").head(20)
    first = training_set(names, brought, workspace=copied)
    (folder,) = copied.own_variables.iterdir()
    assert prune(copied) == ()
    _older(folder / "used", 31)
    (dropped,) = prune(copied, dry_run=True)
    assert (dropped.observations, dropped.what) == (20, f"own_variables/{folder.name}")
    assert training_set(names, brought, workspace=copied).computed == 0, "asking keeps it"
    assert prune(copied) == ()
    _older(folder / "used", 31)
    assert len(prune(copied)) == 1
    assert not folder.exists()
    again = training_set(names, brought, workspace=copied)
    assert again.computed > 0
    assert again.manifest.content == first.manifest.content


def test_what_was_left_behind_goes(copied: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    month = copied.variables / "month"
    left = month / ".repay@00000000.abcdef12"
    left.mkdir()
    (month / ".gone@00000000.abcdef12").mkdir()
    (month / "gone").symlink_to(".gone@00000000.abcdef12", target_is_directory=True)
    run = ["--workspace", str(copied.root), "prune", "--json"]
    assert main(run) == 0
    what = [one["what"] for one in json.loads(capsys.readouterr().out)["dropped"]]
    assert what == ["variables/month/.gone@00000000.abcdef12"], "what was made a moment ago may be in use"
    _older(left, 2)
    assert main(run) == 0
    (one,) = json.loads(capsys.readouterr().out)["dropped"]
    assert one["why"] == "it was replaced"
    assert not left.exists()
    assert read_variables(copied, "month").height == 150


@pytest.mark.parametrize(
    "text", ["7", "{own_days: 0}", "{days: {month: soon}}", "{weeks: 3}", "{month_ends: 1}"]
)
def test_a_policy_that_is_none_is_refused(copied: Workspace, text: str) -> None:
    with pytest.raises(WorkspaceError, match="the section keep is not a policy") as error:
        _policy(copied, text)
    assert error.value.field == "keep"


def test_the_policy_is_read(copied: Workspace) -> None:
    assert copied.keep == Keeping(30, (), True)
    read = _policy(copied, "{own_days: 7, days: {month: 400}, month_ends: false}")
    assert read.keep == Keeping(7, (("month", 400),), False)
