"""A changed meaning makes another view; a registered version goes on with its own until it is retired."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import polars as pl
import pytest

from bluemirror.cli.main import main
from bluemirror.errors import ModelError
from bluemirror.features import (
    open_store,
    parity,
    plan,
    publish,
    publish_service,
    reproduce,
    training_set,
)
from bluemirror.features.former import build_former, home_of
from bluemirror.features.services import read_services, retire_service
from bluemirror.features.store import open_online
from bluemirror.variables import build, read_variables
from bluemirror.variables.catalogue import catalogue
from bluemirror.workspace import Workspace

CHANGED = "repay_due_d7p_6m_cnt"
SAME = "repay_due_ontime_3m_cnt"
INPUTS = [SAME, CHANGED]


def _redeclare(workspace: Workspace) -> None:
    family = next(workspace.families_dir.glob("*.yaml"))
    text = family.read_text(encoding="utf-8")
    assert "d7p: [7, null]" in text
    family.write_text(text.replace("d7p: [7, null]", "d7p: [12, null]"), encoding="utf-8")


def _served(workspace: Workspace, service: str) -> pl.DataFrame:
    """What a version's service gives offline, by person as of the far future."""
    held = read_variables(workspace, "month", [SAME])["observation_id"]
    frame = pl.DataFrame(
        {"person_id": held.str.slice(0, 6), "event_timestamp": [dt.datetime(2030, 1, 1)] * len(held)}
    )
    store = open_store(workspace)
    got = store.get_historical_features(frame, store.get_feature_service(service)).to_polars()
    return got.sort("person_id").select(SAME, CHANGED)


def test_both_versions_read_their_own_values(copied: Workspace) -> None:
    before = read_variables(copied, "month", INPUTS)
    publish_service(copied, "card", 1, INPUTS, observation_set="month", owner="first")
    publish(copied)
    old_view = plan(copied).views[0].name
    made = training_set(INPUTS, _some(copied), workspace=copied)

    _redeclare(copied)
    build(copied, "month")
    publish_service(copied, "card", 2, INPUTS, observation_set="month", owner="second")
    (first,) = build_former(copied)
    assert first.values == 0, "what was computed before the change is taken over, not computed again"
    published = {one.service: one for one in publish(copied)}
    assert set(published) == {"card_v1", "card_v2"}
    assert all(one.faults == 0 and one.cells > 0 for one in parity(copied))

    features = plan(copied)
    assert features.views[0].name != old_view
    assert [view.name for view in features.former] == [old_view]
    assert {view.name for view in open_store(copied).list_feature_views()} >= {
        old_view,
        features.views[0].name,
    }
    after = read_variables(copied, "month", INPUTS)
    assert not after[CHANGED].equals(before[CHANGED])
    assert after[SAME].equals(before[SAME], null_equal=True)
    assert _served(copied, "card_v1").equals(before.select(INPUTS), null_equal=True)
    assert _served(copied, "card_v2").equals(after.select(INPUTS), null_equal=True)

    # What is dropped is computed again under the former meaning, to the same values.
    shutil.rmtree(copied.former_variables)
    live = (copied.variables / "month" / "repay").resolve()
    for folder in live.parent.glob(".repay@*"):
        if folder != live:
            shutil.rmtree(folder)
    (again,) = build_former(copied)
    assert again.values > 0
    home = home_of(copied, read_services(copied)[0])
    assert read_variables(home, "month", INPUTS).equals(before, null_equal=True)

    retire_service(copied, "card", 1)
    assert [one.name for one in read_services(copied)] == ["card_v2"]
    assert plan(copied).former == ()
    assert old_view not in {view.name for view in open_store(copied).list_feature_views()}
    assert list(copied.former_variables.iterdir()) == []
    assert open_online(copied).facts("feature_bank.serving_card_v1") is None
    assert open_online(copied).facts("feature_bank.serving_card_v2") is not None
    assert reproduce(made.folder, workspace=copied).identical, "a training set keeps its declarations"
    assert _served(copied, "card_v2").equals(after.select(INPUTS), null_equal=True)
    with pytest.raises(ModelError, match="version 1 was retired"):
        publish_service(copied, "card", 1, INPUTS)
    with pytest.raises(ModelError, match="no registered version is called card_v1"):
        retire_service(copied, "card", 1)


def _some(workspace: Workspace) -> pl.DataFrame:
    held = read_variables(workspace, "month", [SAME])["observation_id"].head(30)
    parts = held.str.split("@")
    return pl.DataFrame({"person_id": parts.list.get(0), "as_of": parts.list.get(1)})


def test_the_night_computes_what_versions_of_before_read(
    copied: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    service = publish_service(copied, "card", 1, INPUTS, observation_set="month")
    _redeclare(copied)
    assert main(["--workspace", str(copied.root), "features"]) == 0
    home = home_of(copied, service)
    assert read_variables(home, "month", INPUTS).height == 150
    capsys.readouterr()
    assert main(["--workspace", str(copied.root), "features"]) == 0
    assert "Nothing changed." in capsys.readouterr().out
    assert main(["--workspace", str(copied.root), "retire", "card", "1"]) == 0
    assert "card_v1 is retired" in capsys.readouterr().out
    assert main(["--workspace", str(copied.root), "retire", "card", "1"]) == 2


def test_a_version_of_before_declarations_were_kept_is_told(copied: Workspace) -> None:
    service = publish_service(copied, "card", 1, INPUTS)
    path = copied.state / "feast" / "services" / "card_v1.json"
    path.write_text(path.read_text().replace(service.declared, ""), encoding="utf-8")
    _redeclare(copied)
    with pytest.raises(ModelError, match=f"card_v1 reads {CHANGED}, which means something else today"):
        home_of(copied, read_services(copied)[0])
    assert plan(copied).servings == ()


@pytest.mark.slow
def test_the_champion_scores_with_what_it_was_trained_on(small_workspace: Path, tmp_path: Path) -> None:
    from bluemirror.scorecards.registry import opened
    from bluemirror.scorecards.retiring import retire
    from bluemirror.scorecards.score import score

    root = tmp_path / small_workspace.name
    shutil.copytree(small_workspace, root, symlinks=True)
    workspace = Workspace.open(root)
    assert not score(workspace, "late_payer").changed
    with opened(workspace) as mlflow:
        version = mlflow.MlflowClient().get_model_version("late_payer", "1")
        tags = version.tags
        trained_on = mlflow.get_run(version.run_id).data.tags["training_set"]
    made = reproduce(workspace.training_sets / trained_on, workspace=workspace)
    assert (made.identical, made.differing) == (True, {})
    assert {"bad", "matured_on", "side"} <= set(made.frame.columns)
    assert tags["contracts"] == "loan_instalment 1.0.0"
    assert (tags["blocks"], tags["tables"], tags["cost_yuan"]) == ("repay", "loan_instalment", "0")
    family = next(workspace.families_dir.glob("*.yaml"))
    text = family.read_text(encoding="utf-8")
    # Every band and both amounts: whatever the card reads, its meaning changes.
    for old, new in (("d1p: [1,", "d1p: [4,"), ("d7p: [7,", "d7p: [20,"), ("scale: 0.01", "scale: 0.1")):
        assert old in text
        text = text.replace(old, new)
    family.write_text(text.replace("of: days_late", "of: amount_paid"), encoding="utf-8")
    build(workspace, "month")
    meanings = {one.name: one.meaning for one in catalogue(workspace)}
    service = next(one for one in read_services(workspace) if one.model == "late_payer")
    assert any(meanings.get(name) != meaning for name, meaning in service.inputs.items())
    again = score(workspace, "late_payer")
    assert (again.changed, again.written) == (False, 0)
    with pytest.raises(ModelError, match="version 1 of late_payer is the champion"):
        retire(workspace, "late_payer", 1)
    assert retire(workspace, "late_payer_challenger", 1).name == "late_payer_challenger_v1"
