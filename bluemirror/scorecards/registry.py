"""The one seam to MLflow: runs, registered models, aliases, and loading what was registered."""

from __future__ import annotations

import datetime as dt
import io
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from bluemirror.errors import ModelError
from bluemirror.scorecards.records import (
    BY_GATES,
    Promotion,
    champion_record,
    content_hash,
    keep_step,
    verify_promotion,
    write_promotion,
)

if TYPE_CHECKING:
    from bluemirror.scorecards.scorecard import ScorecardClassifier
    from bluemirror.scorecards.train import Trained
    from bluemirror.workspace import Workspace

CHAMPION, CHALLENGER, CANDIDATE = "champion", "challenger", "candidate"
SCORECARD_FILE, CHALLENGER_FILE = "scorecard.yaml", "challenger.json"
LOADER = "bluemirror.scorecards.served"


@dataclass(frozen=True)
class Registered:
    """Versions that a registration made, the champion's version, and the gates that failed."""

    version: str
    challenger_version: str
    champion: str | None
    gates: tuple[str, ...]
    run_id: str


@dataclass(frozen=True)
class LoadedScorecard:
    """A scorecard from the registry with its version and the text it was read from."""

    scorecard: ScorecardClassifier
    version: str
    text: str


def tracking_uri(workspace: Workspace) -> str:
    """Where MLflow keeps runs and registered models: SQLite in the workspace's state."""
    return f"sqlite:///{workspace.state / 'mlflow.db'}"


@contextmanager
def opened(workspace: Workspace) -> Iterator[Any]:
    """MLflow on the workspace's registry; what was set before is set again afterwards. Yields the module."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    workspace.state.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own deprecations and advice; not ours to act on
        import mlflow

        tracking, registry = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
        loggers = [logging.getLogger(name) for name in ("mlflow", "alembic")]
        levels = [logger.level for logger in loggers]
        mlflow.set_tracking_uri(tracking_uri(workspace))
        mlflow.set_registry_uri(tracking_uri(workspace))
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield mlflow
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
            mlflow.set_tracking_uri(tracking)
            mlflow.set_registry_uri(registry)


def register(workspace: Workspace, trained: Trained, log: Callable[[str], None] | None = None) -> Registered:
    """Write one run with everything a reviewer needs, and register scorecard and challenger as new versions.

    The scorecard is saved as its text and the challenger as XGBoost's JSON: no pickles. The first version of a
    model that passes its gates becomes champion; later ones wait for a reviewer under the alias ``candidate``.
    """
    from bluemirror.features import publish_service
    from bluemirror.features.lineage import trace_service
    from bluemirror.scorecards.report import run_files

    spec = trained.spec
    failed = failed_gates(trained)
    with opened(workspace) as mlflow, TemporaryDirectory() as folder:
        client = mlflow.MlflowClient()
        files = run_files(workspace, trained, failed)
        with mlflow.start_run(
            experiment_id=_experiment(client, workspace, spec.name),
            run_name=f"{spec.name} {trained.population.as_of}",
            description=files.description,
        ) as run:
            mlflow.log_params(files.parameters)
            mlflow.log_metrics(files.metrics)
            mlflow.set_tags(files.tags)
            for path, content in files.files.items():
                place = Path(folder) / "run" / path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
            mlflow.log_artifacts(str(Path(folder) / "run"))
            text = trained.scorecard.to_text()
            version = _log_model(
                mlflow,
                Path(folder) / SCORECARD_FILE,
                text,
                spec.name,
                trained.scorecard.variables_,
                ("score", "probability"),
            )
            challenger_version = _log_model(
                mlflow,
                Path(folder) / CHALLENGER_FILE,
                trained.challenger.to_text(),
                f"{spec.name}_challenger",
                trained.challenger.names,
                ("probability",),
            )
        client.update_registered_model(spec.name, files.card)
        client.update_model_version(spec.name, version, files.description)
        tags = {
            "trainer": spec.trainer,
            "gates_failed": "; ".join(failed),
            "fingerprint": trained.fingerprint,
        }
        for key, value in tags.items():
            client.set_model_version_tag(spec.name, version, key, value)
        client.set_registered_model_alias(f"{spec.name}_challenger", CHALLENGER, challenger_version)
        client.set_registered_model_alias(spec.name, CANDIDATE, version)
        for name, number, inputs in (
            (spec.name, version, trained.scorecard.variables_),
            (f"{spec.name}_challenger", challenger_version, trained.challenger.names),
        ):
            service = publish_service(
                workspace, name, number, inputs, observation_set=spec.observation_set, owner=spec.trainer
            )
            for key, value in trace_service(workspace, service).tags.items():
                client.set_model_version_tag(name, number, key, value)
        keep_step(workspace, spec.name, version, "registered", spec.trainer, "; ".join(failed))
        champion = champion_record(workspace, spec.name)
        if champion is None and not failed:
            record = Promotion(
                spec.name, version, content_hash(text), BY_GATES, spec.trainer, _now(), ("passed",)
            )
            _promote(workspace, client, record)
            champion = record
        elif log:
            log(
                f"{spec.name}: version {version} {'failed ' + '; '.join(failed) if failed else 'waits for a reviewer'}"
            )
    if log:
        log(
            f"{spec.name}: registered version {version}"
            + (", champion" if champion and champion.version == version else "")
        )
    return Registered(
        version, challenger_version, champion.version if champion else None, failed, run.info.run_id
    )


def promote(
    workspace: Workspace, model: str, version: str | int, reviewer: str, comment: str = ""
) -> Promotion:
    """Let a version score: write its promotion record and move the alias ``champion`` to it.

    Every attempt is kept as a step (``records.read_steps``), the refused ones with the reason.

    Parameters
    ----------
    comment
        What the reviewer says to it. Checks of the validation that speak against the version are overruled by naming
        each of them here.

    Raises
    ------
    ModelError
        If the reviewer is not declared as one or trained the version, the version does not exist or failed its gates,
        nothing is said, or a check that speaks against it is not answered.
    """
    from bluemirror.scorecards.reviewing import refuse
    from bluemirror.scorecards.spec import read_spec

    spec = read_spec(workspace, model)
    version = str(version)
    with opened(workspace) as mlflow:
        client = mlflow.MlflowClient()
        try:
            found = refuse(
                workspace, spec, version, reviewer, comment, lambda: _version(mlflow, client, model, version)
            )
        except ModelError as error:
            keep_step(workspace, model, version, "refused", reviewer, str(error.args[0]))
            raise
        trainer = found.tags.get("trainer", spec.trainer)
        text = _scorecard_text(mlflow, model, version)
        record = Promotion(
            model, version, content_hash(text), reviewer, trainer, _now(), ("passed",), comment.strip()
        )
        _promote(workspace, client, record)
        client.set_model_version_tag(model, version, "review", comment.strip())
    return record


def load_champion(workspace: Workspace, model: str) -> LoadedScorecard:
    """The scorecard under the alias ``champion``, once its promotion record is verified.

    Raises
    ------
    ModelError
        If there is no champion, or the alias points to a version that was not promoted as it stands.
    """
    with opened(workspace) as mlflow:
        from mlflow.exceptions import MlflowException

        client = mlflow.MlflowClient()
        try:
            version = str(client.get_model_version_by_alias(model, CHAMPION).version)
        except MlflowException:
            raise ModelError(
                f"{model} has no champion",
                file=workspace.models_dir / model / "model.yaml",
                rule="the version under the alias champion scores",
                fix=f"bluemirror train {model}, then bluemirror promote {model} VERSION --reviewer NAME --comment TEXT",
            ) from None
        text = _scorecard_text(mlflow, model, version)
    verify_promotion(workspace, model, version, text)
    newest = champion_record(workspace, model)
    if newest is None or newest.version != version:
        raise ModelError(
            f"the alias champion of {model} was moved to version {version} by hand",
            field=CHAMPION,
            rule="the alias stands where the last promotion put it",
            fix=f"bluemirror promote {model} {newest.version if newest else version} --reviewer NAME --comment TEXT",
        )
    return _loaded(text, version)


def load_scorecard(workspace: Workspace, model: str, version: str | int) -> LoadedScorecard:
    """Any registered version, for a look or a comparison; nothing is verified."""
    with opened(workspace) as mlflow:
        _version(mlflow, mlflow.MlflowClient(), model, str(version))
        text = _scorecard_text(mlflow, model, str(version))
    return _loaded(text, str(version))


def run_text(workspace: Workspace, run_id: str, path: str) -> str | None:
    """A text that a training's run holds, such as ``validation.html``; None if the run has none of that name."""
    with opened(workspace) as mlflow:
        from mlflow.exceptions import MlflowException

        try:
            run = mlflow.get_run(run_id)
            with redirect_stderr(io.StringIO()), TemporaryDirectory() as folder:
                place = mlflow.artifacts.download_artifacts(
                    f"{run.info.artifact_uri}/{path}", dst_path=folder
                )
                return Path(place).read_text(encoding="utf-8")
        except (MlflowException, OSError):
            return None


def failed_gates(trained: Trained) -> tuple[str, ...]:
    """What the scorecard does not reach, in words; empty if it passes."""
    m, gates = trained.scorecard_pack.metrics, trained.spec.gates
    checks = (
        (m["auc"] >= gates.min_auc, f"AUC {m['auc']:.3f} is below {gates.min_auc}"),
        (m["psi"] <= gates.max_psi, f"PSI {m['psi']:.3f} is above {gates.max_psi}"),
        (m["bads"] >= gates.min_bads, f"{m['bads']:.0f} judging bads are fewer than {gates.min_bads}"),
    )
    return tuple(text for passed, text in checks if not passed)


def _promote(workspace: Workspace, client: Any, record: Promotion) -> None:
    # The record first: an alias without a record does not score, a record without an alias does no harm.
    write_promotion(workspace, record)
    keep_step(workspace, record.model, record.version, "promoted", record.reviewer, record.comment)
    client.set_registered_model_alias(record.model, CHAMPION, record.version)
    for key, value in {
        "promoted_by": record.reviewer,
        "promoted_on": record.on,
        "content": record.content,
    }.items():
        client.set_model_version_tag(record.model, record.version, key, value)


def _experiment(client: Any, workspace: Workspace, model: str) -> str:
    found = client.get_experiment_by_name(model)
    if found is not None:
        return str(found.experiment_id)
    place = (workspace.state / "mlflow-artifacts" / model).as_uri()
    return str(client.create_experiment(model, artifact_location=place))


def _log_model(
    mlflow: Any, path: Path, text: str, model: str, inputs: tuple[str, ...], outputs: tuple[str, ...]
) -> str:
    import bluemirror

    path.write_text(text, encoding="utf-8")
    columns = [mlflow.types.ColSpec("double", name, required=False) for name in inputs]
    signature = mlflow.models.ModelSignature(
        mlflow.types.Schema(columns),
        mlflow.types.Schema([mlflow.types.ColSpec("double", o) for o in outputs]),
    )
    with redirect_stderr(io.StringIO()):  # MLflow prints there what the caller logs
        info = mlflow.pyfunc.log_model(
            name=path.stem,
            loader_module=LOADER,
            data_path=str(path),
            pip_requirements=[f"bluemirror[models]=={bluemirror.__version__}"],
            signature=signature,
            registered_model_name=model,
        )
    return str(info.registered_model_version)


def _version(mlflow: Any, client: Any, model: str, version: str) -> Any:
    try:
        return client.get_model_version(model, version)
    except mlflow.exceptions.MlflowException:
        raise ModelError(
            f"there is no version {version} of {model}",
            field=model,
            rule="a version is one that a training registered",
            fix=f"bluemirror train {model} makes one",
        ) from None


def _scorecard_text(mlflow: Any, model: str, version: str) -> str:
    with TemporaryDirectory() as folder:
        place = mlflow.artifacts.download_artifacts(f"models:/{model}/{version}", dst_path=folder)
        return (Path(place) / "data" / SCORECARD_FILE).read_text(encoding="utf-8")


def _loaded(text: str, version: str) -> LoadedScorecard:
    from bluemirror.scorecards.scorecard import ScorecardClassifier

    return LoadedScorecard(ScorecardClassifier.from_text(text), version, text)


def _now() -> str:
    return dt.datetime.now(dt.timezone(dt.timedelta(hours=8))).isoformat(timespec="seconds")
