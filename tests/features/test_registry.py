"""The registry follows the declarations: views by meaning, services by model version, nothing done twice."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from bluemirror.errors import ModelError, WorkspaceError
from bluemirror.features import apply, open_store, plan, publish_service
from bluemirror.features.store import SETTINGS, ensure_settings
from bluemirror.variables.catalogue import catalogue
from bluemirror.variables.spine import read_spine
from bluemirror.workspace import Workspace


def test_one_view_a_block_with_labels_and_meaning(copied: Workspace) -> None:
    first = apply(copied)
    assert first.changed
    assert first.variables == len(catalogue(copied))
    store = open_store(copied)
    views = {view.name: view for view in store.list_feature_views()}
    assert set(views) == {view.name for view in plan(copied).views}
    for view in views.values():
        assert view.tags["stages"]
        assert view.owner == view.tags["domain"]
        assert view.tags["label_zh"]
        assert view.entities == ["observation"]
        for field in view.features:
            if not field.name.endswith("__reason"):
                assert {"label_zh", "label_en", "meaning", "stages"} <= set(field.tags)


def test_a_second_apply_does_nothing_and_does_not_open_feast(
    copied: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(copied)

    def opened(workspace: Workspace) -> None:
        raise AssertionError("the registry was opened")

    monkeypatch.setattr("bluemirror.features.registering.open_store", opened)
    again = apply(copied)
    assert not again.changed
    assert again.views == len(plan(copied).views)


def test_a_changed_meaning_is_another_view_and_the_old_one_goes(copied: Workspace) -> None:
    apply(copied)
    before = plan(copied)
    family = next(copied.families_dir.glob("*.yaml"))
    text = family.read_text(encoding="utf-8")
    assert "[7, null]" in text
    family.write_text(text.replace("[7, null]", "[8, null]"), encoding="utf-8")
    after = plan(copied)
    assert {view.block for view in after.views} == {view.block for view in before.views}
    assert {view.name for view in after.views} != {view.name for view in before.views}
    report = apply(copied)
    assert report.changed
    gone = {view.name for view in before.views} - {view.name for view in after.views}
    assert set(report.removed) == gone
    assert {view.name for view in open_store(copied).list_feature_views()} == {v.name for v in after.views}


def test_a_changed_label_is_the_same_view(copied: Workspace) -> None:
    before = plan(copied)
    family = next(copied.families_dir.glob("*.yaml"))
    text = family.read_text(encoding="utf-8")
    assert "en: number" in text
    family.write_text(text.replace("en: number", "en: how many"), encoding="utf-8")
    after = plan(copied)
    assert [view.name for view in after.views] == [view.name for view in before.views]
    assert after.digest != before.digest


def test_a_service_holds_exactly_the_inputs_of_a_version(copied: Workspace) -> None:
    names = [variable.name for variable in catalogue(copied)][1:6]
    service = publish_service(copied, "card", 3, names)
    assert publish_service(copied, "card", "3", reversed(names)) == service
    report = apply(copied)
    assert report.services == ("card_v3",)
    registered = open_store(copied).get_feature_service("card_v3")
    held = [feature.name for view in registered.feature_view_projections for feature in view.features]
    assert sorted(held) == sorted(names)


def test_a_versions_inputs_never_change(copied: Workspace) -> None:
    names = [variable.name for variable in catalogue(copied)]
    publish_service(copied, "card", 1, names[:3])
    with pytest.raises(ModelError, match="was published with other inputs"):
        publish_service(copied, "card", 1, names[:4])
    with pytest.raises(ModelError, match="that no family makes: nothing_like_it"):
        publish_service(copied, "card", 2, ["nothing_like_it"])


def test_a_service_whose_inputs_mean_something_else_now_is_served_as_it_was_declared(
    copied: Workspace,
) -> None:
    names = [variable.name for variable in catalogue(copied) if "d7p" in variable.name][:2]
    service = publish_service(copied, "card", 1, names)
    assert apply(copied).services == ("card_v1",)
    family = next(copied.families_dir.glob("*.yaml"))
    text = family.read_text(encoding="utf-8")
    family.write_text(text.replace("[7, null]", "[8, null]"), encoding="utf-8")
    before = plan(copied)
    assert apply(copied).services == ("card_v1",)
    assert [view.block for view in before.former] == ["repay"]
    assert before.former[0].name != before.views[0].name
    assert before.servings[0].former
    # Nobody kept how it was declared: then it is not served.
    path = copied.state / "feast" / "services" / "card_v1.json"
    path.write_text(path.read_text().replace(service.declared, ""), encoding="utf-8")
    report = apply(copied)
    assert report.services == ()
    assert "card_v1" in report.removed


def test_settings_are_written_when_missing_and_checked_when_there(copied: Workspace) -> None:
    path = copied.feature_repo / SETTINGS
    path.unlink(missing_ok=True)
    text = ensure_settings(copied).read_text(encoding="utf-8")
    assert "auto_baseline: false" in text
    assert str(copied.root) not in text
    path.write_text(text.replace("ParquetOfflineStore", "OtherOfflineStore"), encoding="utf-8")
    with pytest.raises(WorkspaceError, match="settings do not fit") as error:
        ensure_settings(copied)
    assert "offline_store" in str(error.value)


def test_the_flagships_settings_are_those_expected(repository: object) -> None:
    workspace = Workspace.open(str(repository))
    assert ensure_settings(workspace) == workspace.feature_repo / SETTINGS


def test_definitions_hold_the_same_objects_as_the_registry(copied: Workspace, repository: object) -> None:
    """``feast apply`` by hand reads definitions.py; it must register what ``apply`` registers."""
    source = Workspace.open(str(repository)).feature_repo / "definitions.py"
    file = copied.feature_repo / "definitions.py"
    file.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("definitions_of_a_test", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert "definitions_of_a_test" not in sys.modules
    views = {name for name in vars(module) if name.startswith("featureview_")}
    assert views == {f"featureview_{view.name}" for view in plan(copied).views}
    assert module.entity_observation.join_key == "observation_id"


def test_only_what_changed_is_registered_anew(copied: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    publish_service(copied, "card", 1, [variable.name for variable in catalogue(copied)][:2])
    apply(copied)
    from feast import FeatureStore

    applied: list[list[str]] = []
    whole = FeatureStore.apply

    def watched(store: FeatureStore, objects: list, **options: object) -> None:
        applied.append([each.name for each in objects])
        whole(store, objects, **options)

    monkeypatch.setattr(FeatureStore, "apply", watched)
    names = [variable.name for variable in catalogue(copied)][:3]
    publish_service(
        copied, "card", 2, names, observation_set=next(iter(read_spine(copied).observations)), owner="us"
    )
    report = apply(copied)
    assert report.services == ("card_v1", "card_v2")
    assert {"serving_card_v2", "card_v2"} <= set(applied[0])
    assert not {"serving_card_v1", "card_v1", *(view.name for view in plan(copied).views)} & set(applied[0])
    store = open_store(copied)
    assert {each.name for each in store.list_feature_services()} == {"card_v1", "card_v2"}
    assert (
        store.get_feature_service("card_v2").owner == store.get_feature_view("serving_card_v2").owner == "us"
    )


def test_an_entity_for_everyone_whom_the_spine_describes(copied: Workspace) -> None:
    apply(copied)
    found = {entity.name: entity.join_key for entity in open_store(copied).list_entities()}
    assert found == {"observation": "observation_id", **plan(copied).entities}


def test_the_store_opens_from_any_folder(
    copied: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from feast import FeatureStore

    apply(copied)
    monkeypatch.chdir(tmp_path)
    store = FeatureStore(repo_path=str(copied.feature_repo))
    assert {view.name for view in store.list_feature_views()} == {view.name for view in plan(copied).views}


def test_with_the_data_elsewhere_the_registry_is_there(
    copied: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BLUEMIRROR_DATA", str(tmp_path / "elsewhere"))
    monkeypatch.chdir(tmp_path)
    moved = Workspace.open(copied.root)
    apply(moved)
    assert (tmp_path / "elsewhere" / "state" / "feast" / "registry.sqlite").is_file()
    assert not copied.state.exists()
    assert {view.name for view in open_store(moved).list_feature_views()} == {
        view.name for view in plan(moved).views
    }
