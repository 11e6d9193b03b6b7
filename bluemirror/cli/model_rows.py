"""A training's report as the command line prints it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bluemirror.errors import ModelError
from bluemirror.workspace import Workspace

if TYPE_CHECKING:
    from bluemirror.scorecards.train import TrainReport

KINDS = ("scorecard", "challenger")
METRICS = ("auc", "ks", "gini", "psi", "brier")


def model_row(report: Any) -> dict[str, Any]:
    """Version, out-of-time numbers, sizes and gates of a ``TrainReport``."""
    return {
        "version": report.version,
        **{
            kind: {metric: _rounded(getattr(report, kind).get(metric)) for metric in METRICS}
            for kind in KINDS
        },
        "training_rows": report.training_rows,
        "oot_rows": report.oot_rows,
        "oot_bads": report.oot_bads,
        "candidates": report.candidates,
        "variables_used": len(report.variables_used),
        "registered": report.model,
        "champion": report.champion,
        "gates": list(report.gates),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 4)


def read_training(workspace: Workspace, model: str, version: str | None = None) -> TrainReport:
    """The report of a registered version (default: the newest), as its training left it.

    Raises
    ------
    ModelError
        If the model has no such version.
    """
    from bluemirror.scorecards.records import find_training
    from bluemirror.scorecards.train import TrainReport

    folder = workspace.state / "trainings" / model
    found = {}
    for path in folder.glob("*.json"):
        plain = json.loads(path.read_text(encoding="utf-8"))
        found[str(plain["version"])] = path.stem
    chosen = version or max(found, key=int, default=None)
    plain = find_training(workspace, model, found[chosen]) if chosen in found else None
    if plain is None:
        raise ModelError(
            f"{model} has no version {version}" if version else f"{model} has no registered version",
            file=folder,
            field=version,
            rule=f"registered versions: {', '.join(sorted(found, key=int)) or 'none'}",
            fix=f"bluemirror train {model} makes one",
        )
    return TrainReport.from_plain({**plain, "changed": False})
