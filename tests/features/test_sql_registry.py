"""The registry in SQLite and on a real PostgreSQL server: one apply is one step, and nobody's apply is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from bluemirror.errors import StoreError
from bluemirror.features import apply, open_store, plan, publish_service
from bluemirror.features.store import REGISTRY_STORE, SETTINGS, ensure_settings
from bluemirror.variables.catalogue import catalogue
from bluemirror.workspace import Workspace
from tests.features.servers import Postgres


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    import shutil
    import tempfile

    # Below the temporary folder itself: the server runs as another user, who may not enter pytest's folders.
    folder = Path(tempfile.mkdtemp(prefix="bluemirror-postgres-"))
    server = Postgres(folder)
    try:
        yield server.start()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def bank(request: pytest.FixtureRequest, copied: Workspace) -> Iterator[Workspace]:
    if request.param == "postgresql":
        server = request.getfixturevalue("server")
        settings = yaml.safe_load(ensure_settings(copied).read_text(encoding="utf-8"))
        settings["registry"] |= {"registry_store_type": REGISTRY_STORE, "path": server.address}
        (copied.feature_repo / SETTINGS).write_text(yaml.safe_dump(settings), encoding="utf-8")
    yield copied
    open_store(copied).registry._registry_store.teardown()


def test_what_is_applied_is_read_by_others(bank: Workspace) -> None:
    names = [variable.name for variable in catalogue(bank)][:4]
    publish_service(bank, "card", 1, names)
    report = apply(bank)
    assert report.changed
    assert not apply(bank).changed
    store = open_store(bank)
    assert {view.name for view in store.list_feature_views()} == {
        *(view.name for view in plan(bank).views),
        "serving_card_v1",
    }
    held = store.get_feature_service("card_v1").feature_view_projections[0]
    assert [field.name for field in held.features] == sorted(names)


def test_an_apply_upon_an_older_state_is_refused(bank: Workspace) -> None:
    apply(bank)
    one, other = (open_store(bank).registry._registry_store for _ in range(2))
    mine, theirs = one.get_registry_proto(), other.get_registry_proto()
    mine.entities.add().spec.name = "first"
    one.update_registry_proto(mine)
    theirs.entities.add().spec.name = "second"
    with pytest.raises(StoreError, match="changed by somebody else"):
        other.update_registry_proto(theirs)
    again = other.get_registry_proto()
    again.entities.add().spec.name = "second"
    other.update_registry_proto(again)
    assert {"first", "second"} <= {entity.spec.name for entity in one.get_registry_proto().entities}


def test_of_two_first_applies_one_is_refused(bank: Workspace) -> None:
    one, other = (open_store(bank) for _ in range(2))
    one.registry._registry_store.teardown()
    fresh = type(one.registry._registry_store)(one.config.registry, bank.feature_repo)
    late = type(one.registry._registry_store)(other.config.registry, bank.feature_repo)
    registry = type(one.registry.proto())()
    fresh.update_registry_proto(registry)
    with pytest.raises(StoreError, match="changed by somebody else"):
        late.update_registry_proto(registry)


def test_the_history_of_views_that_are_gone_goes(bank: Workspace) -> None:
    apply(bank)
    before = {view.name for view in plan(bank).views}
    family = next(bank.families_dir.glob("*.yaml"))
    family.write_text(family.read_text(encoding="utf-8").replace("[7, null]", "[8, null]"), encoding="utf-8")
    apply(bank)
    records = open_store(bank).registry.proto().feature_view_version_history.records
    assert not before & {record.feature_view_name for record in records}
    assert {view.name for view in plan(bank).views} <= {record.feature_view_name for record in records}


def test_a_server_that_is_down_is_said_so(copied: Workspace) -> None:
    settings = yaml.safe_load(ensure_settings(copied).read_text(encoding="utf-8"))
    settings["registry"] |= {
        "path": "postgresql+psycopg://bank:secret@127.0.0.1:9/postgres?connect_timeout=2"
    }
    (copied.feature_repo / SETTINGS).write_text(yaml.safe_dump(settings), encoding="utf-8")
    with pytest.raises(StoreError, match="the registry's database does not answer") as error:
        apply(copied)
    assert "127.0.0.1:9" in str(error.value)
    assert "secret" not in str(error.value)
