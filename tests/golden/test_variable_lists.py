"""The committed lists of variables are what the families yield: a change of meaning shows in review."""

from __future__ import annotations

from pathlib import Path

from bluemirror.variables.catalogue import COMPILED, REFRESH, committed, compiled
from bluemirror.workspace import Workspace


def test_the_committed_lists_are_current(repository: Path) -> None:
    workspace = Workspace.open(repository)
    then, now = committed(workspace), compiled(workspace)
    assert then.keys() == now.keys(), f"a list a block, in feature_repo/{COMPILED}: refresh with {REFRESH}"
    old, new = ({line for text in lists.values() for line in text.splitlines()} for lists in (then, now))
    came, went = sorted(new - old), sorted(old - new)
    assert then == now, (
        f"{len(came)} lines came and {len(went)} went, such as {[*came[:3], *went[:3]]}. If that is meant, refresh "
        f"feature_repo/{COMPILED} with: {REFRESH}"
    )
