"""One asset a model step: training set, scorecard, challenger, registered version, feature service, scores."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import dagster as dg

from bluemirror.features import apply
from bluemirror.scorecards.records import champion_record
from bluemirror.scorecards.score import score
from bluemirror.scorecards.spec import ModelSpec
from bluemirror.scorecards.train import train
from bluemirror.workspace import Workspace
from pipelines.declared import Declared
from pipelines.jobs import TRAINING_GROUP
from pipelines.journal import Journal
from pipelines.registry import REGISTRY_KEY
from pipelines.variables import observations_key

NOT_IN_A_TEAM = re.compile(r"[^A-Za-z0-9_-]+")
"""Signs that Dagster refuses in the name of a team."""


def model_assets(declared: Declared, journal: Journal) -> list[dg.AssetsDefinition]:
    """Assets of every declared model."""
    made = []
    for spec in declared.models.values():
        made += [
            _training(declared.workspace, journal, spec),
            _service(declared.workspace, journal, spec),
            _scores(declared.workspace, journal, spec),
        ]
    return made


def model_key(model: str, step: str) -> dg.AssetKey:
    """Key of a model step's asset."""
    return dg.AssetKey([model, step])


def _read(spec: ModelSpec) -> list[dg.AssetKey]:
    """What a model reads: its observations, and variables through the registry, which stands on every block."""
    return [observations_key(spec.observation_set), REGISTRY_KEY]


def _training(workspace: Workspace, journal: Journal, spec: ModelSpec) -> dg.AssetsDefinition:
    title = f"{spec.title_zh} / {spec.title_en}"

    def step(name: str, kind: str, text: str, deps: list[dg.AssetKey]) -> dg.AssetSpec:
        return dg.AssetSpec(
            model_key(spec.name, name),
            group_name=TRAINING_GROUP,
            kinds={kind},
            description=f"{title}: {text}",
            deps=deps,
            owners=[f"team:{NOT_IN_A_TEAM.sub('-', spec.trainer)}"],
            tags={"stage": spec.stage},
        )

    keys = {
        name: model_key(spec.name, name) for name in ("training_set", "scorecard", "challenger", "version")
    }
    specs = [
        step(
            "training_set",
            "polars",
            "population, label, split and screened variables.",
            _read(spec),
        ),
        step("scorecard", "scikitlearn", "binning, weights of evidence, points.", [keys["training_set"]]),
        step("challenger", "xgboost", "boosted trees under monotone constraints.", [keys["training_set"]]),
        step(
            "version",
            "mlflow",
            "the registered version with its validation pack.",
            [keys["scorecard"], keys["challenger"]],
        ),
    ]
    gates = dg.AssetCheckSpec(
        "gates",
        asset=keys["version"],
        description=f"AUC at least {spec.gates.min_auc}, PSI at most {spec.gates.max_psi}, "
        f"at least {spec.gates.min_bads} bads, all out of time.",
    )

    @dg.multi_asset(name=f"train_{spec.name}", specs=specs, check_specs=[gates])
    def trained() -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        with journal.step("model", spec.name) as keep:
            report = keep(train(workspace, spec.name, log=journal.say))
        journal.say(
            f"train {spec.name}: version {report.version}" + ("" if report.changed else " (nothing changed)")
        )
        for name, key in keys.items():
            yield dg.MaterializeResult(asset_key=key, metadata=_metadata(report, name))
        yield dg.AssetCheckResult(
            passed=not report.gates,
            check_name="gates",
            asset_key=keys["version"],
            metadata={"not reached": ", ".join(report.gates) or "none"},
            severity=dg.AssetCheckSeverity.WARN,
        )

    return trained


def _metadata(report: Any, step: str) -> dict[str, Any]:
    """What the asset page shows of a step."""
    if step == "training_set":
        return {
            "dagster/row_count": report.training_rows,
            "out of time": report.oot_rows,
            "bads": report.oot_bads,
        }
    if step == "version":
        return {"version": str(report.version), "registered model": report.model}
    return {name: float(value) for name, value in getattr(report, step).items()}


def _service(workspace: Workspace, journal: Journal, spec: ModelSpec) -> dg.AssetsDefinition:
    @dg.asset(
        key=model_key(spec.name, "service"),
        group_name=TRAINING_GROUP,
        kinds={"feast"},
        deps=[model_key(spec.name, "version"), REGISTRY_KEY],
        description=f"{spec.title_zh} / {spec.title_en}: the feature service with exactly the version's inputs.",
    )
    def service() -> dg.MaterializeResult:
        with journal.step("service", spec.name) as keep:
            report = keep(apply(workspace, log=journal.say))
        mine = [name for name in report.services if name.startswith(f"{spec.name}_v")]
        return dg.MaterializeResult(metadata={"services": ", ".join(mine)})

    return service


def _scores(workspace: Workspace, journal: Journal, spec: ModelSpec) -> dg.AssetsDefinition:
    @dg.asset(
        key=model_key(spec.name, "scores"),
        group_name="scores",
        kinds={"mlflow", "parquet"},
        deps=[model_key(spec.name, "version"), *_read(spec)],
        description=f"{spec.title_zh} / {spec.title_en}: batch scores by the champion, written back to the mart.",
        output_required=False,
    )
    def scores() -> Iterator[dg.MaterializeResult]:
        if champion_record(workspace, spec.name) is None:
            # A night without a champion is a normal night: nothing may score, and nothing does.
            journal.say(f"score {spec.name}: no version is champion yet, nothing scored")
            return
        with journal.step("score", spec.name) as keep:
            report = keep(score(workspace, spec.name, log=journal.say))
        yield dg.MaterializeResult(
            metadata={
                "dagster/row_count": report.scored,
                "written": report.written,
                "version": report.version,
                "promoted by": report.promoted_by,
                "mean score": report.mean_score,
            }
        )

    return scores
