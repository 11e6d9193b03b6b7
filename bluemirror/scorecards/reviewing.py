"""What stands between a registered version and the alias that scores: who may sign, what must be passed and said."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bluemirror.errors import ModelError

if TYPE_CHECKING:
    from bluemirror.scorecards.spec import ModelSpec
    from bluemirror.workspace import Workspace

SHORTEST = 10
"""Letters of a comment: a word is none."""


def refuse(
    workspace: Workspace,
    spec: ModelSpec,
    version: str,
    reviewer: str,
    comment: str,
    find: Callable[[], Any],
) -> Any:
    """Refuse a promotion, or give the version of MLflow that ``find`` looks up.

    Raises
    ------
    ModelError
        For the first reason that there is (see ``registry.promote``).
    """
    if reviewer not in spec.reviewers:
        raise ModelError(
            f"{reviewer!r} may not promote {spec.name}",
            file=spec.file,
            field="reviewers",
            rule="a version is promoted by one of the model's reviewers",
            fix=f"reviewers: {', '.join(spec.reviewers) or 'none declared yet'}",
        )
    found = find()
    if found.tags.get("trainer", spec.trainer) == reviewer:
        raise ModelError(
            f"{reviewer!r} trained version {version} of {spec.name}",
            file=spec.file,
            field="reviewers",
            rule="the reviewer is not the trainer",
            fix="let another reviewer look at it",
        )
    if found.tags.get("gates_failed"):
        raise ModelError(
            f"version {version} of {spec.name} failed its gates: {found.tags['gates_failed']}",
            file=spec.file,
            field="gates",
            rule="only a version that passed its gates can score",
            fix="train a better one, or change the gates and train again",
        )
    if len(comment.strip()) < SHORTEST:
        raise ModelError(
            f"nothing is said to version {version} of {spec.name}",
            field="comment",
            rule="the reviewer leaves name and comment; both are kept with the promotion",
            fix='--comment "what was looked at, and why it may score"',
        )
    against = stops(workspace, str(found.run_id))
    if against is None:
        raise ModelError(
            f"version {version} of {spec.name} was never validated",
            field=version,
            rule="what scores was validated when it was registered",
            fix=f"bluemirror train {spec.name} registers a version with its validation",
        )
    unanswered = [check for check in against if check not in comment]
    if unanswered:
        raise ModelError(
            f"{len(unanswered)} checks speak against version {version} of {spec.name}: {', '.join(unanswered)}",
            field="comment",
            rule="a check that says stop is overruled by name, in the reviewer's comment",
            fix=f"bluemirror validate {spec.name} --version {version} tells more; name each in --comment",
        )
    return found


def stops(workspace: Workspace, run_id: str) -> tuple[str, ...] | None:
    """The checks that say stop to a run's model; None if it was not validated."""
    from bluemirror.scorecards.registry import run_text
    from bluemirror.scorecards.report import VALIDATION_FINDINGS

    text = run_text(workspace, run_id, VALIDATION_FINDINGS)
    if text is None:
        return None
    found = json.loads(text)["findings"]
    return tuple(one["check"] for one in found if one["verdict"] == "alarm" and one["severity"] == "stop")
