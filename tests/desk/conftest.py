"""The test bank with every fault, and a small one without any; built once, looked at only."""

from __future__ import annotations

import pytest

from bluemirror.desk import scorecard
from tests.desk.world import ASKED, FEEDS, build


@pytest.fixture(scope="session")
def faulty(tmp_path_factory: pytest.TempPathFactory):
    """The bank in which every source but a few has its own fault."""
    return build(tmp_path_factory.mktemp("desk") / "bank", (*ASKED, *FEEDS))


@pytest.fixture(scope="session")
def card(faulty):
    """Its scorecard as of the last day."""
    return scorecard(faulty.workspace)
