"""Retiring a registered version: nobody computes, publishes or reads its variables any more."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from bluemirror.errors import ModelError

if TYPE_CHECKING:
    from bluemirror.features.services import ServicePlan
    from bluemirror.workspace import Workspace


def retire(workspace: Workspace, model: str, version: str | int) -> ServicePlan:
    """Let go of a version; its run, its report and its text stay in MLflow.

    Raises
    ------
    ModelError
        If it is the champion, or there is no such version.
    """
    from bluemirror.features.services import retire_service
    from bluemirror.scorecards.records import champion_record
    from bluemirror.scorecards.registry import opened

    version = str(version)
    champion = champion_record(workspace, model)
    if champion is not None and champion.version == version:
        raise ModelError(
            f"version {version} of {model} is the champion",
            file=workspace.models_dir / model / "model.yaml",
            rule="the version that scores is not retired",
            fix=f"bluemirror promote {model} VERSION --reviewer NAME --comment TEXT, then retire {version}",
        )
    service = retire_service(workspace, model, version)
    if (workspace.state / "mlflow.db").is_file():
        with opened(workspace) as mlflow:
            from mlflow.exceptions import MlflowException

            client = mlflow.MlflowClient()
            try:
                on = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
                client.set_model_version_tag(model, version, "retired_on", on)
            except MlflowException:
                # A service that was published by hand has no registered version to be marked.
                return service
    return service
