"""An applicant who has just arrived is served what the next night stores."""

from __future__ import annotations

from typing import Any

import pytest

from bluemirror.cli.applicant_replay import Replay, replay
from bluemirror.features import OnlineApplicants, open_store, parity, plan, publish, publish_service
from bluemirror.features.store import open_online
from bluemirror.mart.manifests import Snapshot
from bluemirror.mart.payloads import Door
from bluemirror.variables import read_variables
from bluemirror.variables.applicant import FreshApplicants
from bluemirror.variables.catalogue import catalogue
from bluemirror.workspace import Workspace

ZONE = "Asia/Shanghai"


@pytest.fixture
def bank(copied: Workspace) -> Workspace:
    """A workspace with one published version."""
    publish_service(copied, "card", 1, [variable.name for variable in catalogue(copied)][3:15])
    publish(copied)
    return copied


def replayed(workspace: Workspace) -> tuple[Replay, OnlineApplicants]:
    """Applications of a workspace whose payloads the mart does not hold."""
    played, contracts, spine, blocks = replay(workspace, 5)
    fresh = FreshApplicants(
        played.connection, contracts, spine, blocks, Door(workspace, contracts, Snapshot())
    )
    return played, OnlineApplicants(fresh, plan(workspace), open_online(workspace), ZONE)


def served(workspace: Workspace, key: str) -> dict[str, Any]:
    store, serving = open_store(workspace), plan(workspace).servings[0]
    answer = store.get_online_features(
        features=store.get_feature_service("card_v1"), entity_rows=[{serving.key: key}]
    ).to_dict()
    return {name: values[0] for name, values in answer.items() if name != serving.key}


def test_an_applicant_is_served_what_the_night_stores(bank: Workspace) -> None:
    played, online = replayed(bank)
    serving = plan(bank).servings[0]
    names = list(serving.service.inputs)
    found = 0
    for one in played.applications():
        (answer,) = online.arrive(played.payloads_of(one), one.observation_id)
        stored = read_variables(bank, serving.observation_set, names).filter(
            observation_id=one.observation_id
        )
        assert dict(answer.values) == stored.select(names).row(0, named=True)
        if answer.written:
            assert served(bank, answer.key) == stored.select(names).row(0, named=True)
            found += 1
    assert found


def test_the_next_night_replaces_what_arrived(bank: Workspace) -> None:
    played, online = replayed(bank)
    one = next(played.applications())
    online.arrive(played.payloads_of(one), one.observation_id)
    (done,) = publish(bank)
    assert done.changed
    assert parity(bank)[0].faults == 0
    assert not publish(bank)[0].changed
