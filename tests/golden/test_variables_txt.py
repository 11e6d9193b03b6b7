"""The committed list of variables is what the families yield: a change of meaning shows in review."""

from __future__ import annotations

from pathlib import Path

from bluemirror.variables.catalogue import COMPILED, REFRESH, compiled
from bluemirror.workspace import Workspace


def test_the_committed_list_is_current(repository: Path) -> None:
    committed = set((repository / "feature_repo" / COMPILED).read_text(encoding="utf-8").splitlines())
    now = set(compiled(Workspace.open(repository)).splitlines())
    came, went = sorted(now - committed), sorted(committed - now)
    assert committed == now, (
        f"{len(came)} lines came and {len(went)} went, such as {[*came[:3], *went[:3]]}. If that is meant, refresh "
        f"feature_repo/{COMPILED} with: {REFRESH}"
    )
