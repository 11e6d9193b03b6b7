"""The asset graph: what it holds, that it loads fast, and that a change of it shows in review."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from bluemirror.workspace import Workspace
from pipelines.desk import SCORECARD_OP
from pipelines.health import HEALTH_OP
from pipelines.jobs import schedules
from pipelines.platform import platform

GRAPH = Path(__file__).parent / "asset_graph.txt"


def graph_text(definitions: dg.Definitions) -> str:
    """One line an asset with its group, below it what it reads and its checks; then jobs and schedules."""
    graph = definitions.resolve_asset_graph()
    lines = []
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        lines.append(f"{key.to_user_string()}  [{node.group_name}: {', '.join(sorted(node.kinds))}]")
        lines += [f"    < {parent.to_user_string()}" for parent in sorted(node.parent_keys)]
        lines += [f"    check {check.name}" for check in sorted(node.check_keys)]
    for job in sorted(definitions.jobs or (), key=lambda each: each.name):
        steps = definitions.resolve_job_def(job.name).asset_layer.selected_asset_keys
        lines.append(f"job {job.name}: {len(steps)} assets")
    lines += [
        f"schedule {each.name}: {each.job_name} at {each.cron_schedule} {each.execution_timezone}"
        for each in sorted(definitions.schedules or (), key=lambda each: each.name)
    ]
    return "\n".join(lines) + "\n"


def test_the_flagships_asset_graph_is_the_committed_one(repository: Path) -> None:
    """After a wanted change: ``BLUEMIRROR_SNAPSHOT=1 pytest tests/pipelines`` writes it anew."""
    text = graph_text(platform(Workspace.open(repository)))
    if os.environ.get("BLUEMIRROR_SNAPSHOT"):
        GRAPH.write_text(text, encoding="utf-8")
    assert text == GRAPH.read_text(encoding="utf-8")


def test_every_contract_block_and_model_is_an_asset(repository: Path) -> None:
    from bluemirror.contracts import read_contracts
    from bluemirror.scorecards.spec import read_specs
    from bluemirror.variables import load_blocks
    from bluemirror.variables.spine import read_spine

    workspace = Workspace.open(repository)
    keys = {key.to_user_string() for key in platform(workspace).resolve_asset_graph().get_all_asset_keys()}
    assert {f"mart/{source}" for source in read_contracts(workspace.contracts_dir)} <= keys
    spine = read_spine(workspace)
    assert {f"variables/{spine.set_of(one.entity)}/{one.name}" for one in load_blocks(workspace)} <= keys
    for model in read_specs(workspace):
        assert {
            f"{model}/{step}" for step in ("training_set", "scorecard", "challenger", "version", "scores")
        } <= keys


def test_every_asset_says_what_it_is(repository: Path) -> None:
    graph = platform(Workspace.open(repository)).resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description, key
        assert node.kinds, key
        assert node.group_name != "default", key


def test_the_scheduled_night_looks_back_from_the_day_that_ended(repository: Path) -> None:
    """A source that did not come is late then, even if no other came either."""
    nightly = next(each for each in schedules() if each.name == "nightly")
    at = dt.datetime(2026, 1, 1, 2, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
    context = dg.build_schedule_context(
        scheduled_execution_time=at, repository_def=platform(Workspace.open(repository)).get_repository_def()
    )
    (request,) = nightly.evaluate_tick(context).run_requests or ()
    config = {"config": {"as_of": "2025-12-31"}}
    assert request.run_config == {"ops": {SCORECARD_OP: config, HEALTH_OP: config}}


def test_the_code_location_loads_within_its_budget(repository: Path) -> None:
    """Five seconds on a quiet machine; the libraries that take longest must not be loaded at all."""
    program = (
        "import sys, time, pipelines.definitions as d; d.definitions(); "
        "heavy = {'feast', 'mlflow', 'great_expectations', 'optbinning', 'xgboost', 'sklearn'} & set(sys.modules); "
        "assert not heavy, heavy; assert time.process_time() < 5, time.process_time()"
    )
    subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        cwd=repository,
        env={**os.environ, "BLUEMIRROR_WORKSPACE": str(repository)},
    )


def test_dagster_finds_the_definitions_by_module(landed: Workspace, repository: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "dagster", "definitions", "validate", "-m", "pipelines.definitions"],
        check=False,
        cwd=repository,
        env={
            **os.environ,
            "BLUEMIRROR_WORKSPACE": str(landed.root),
            "DAGSTER_HOME": str(landed.root),
            "PYTHONPATH": str(repository),
        },
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("model", ["late_payer"])
def test_a_workspace_of_another_shape_needs_no_code(landed: Workspace, model: str) -> None:
    keys = {key.to_user_string() for key in platform(landed).resolve_asset_graph().get_all_asset_keys()}
    assert keys == {
        "desk/source_scorecard",
        "features/online",
        "features/registry",
        "health/variables",
        "mart/loan_instalment",
        "observations/month",
        "variables/month/repay",
        *(
            f"{model}/{step}"
            for step in ("challenger", "scorecard", "scores", "service", "training_set", "version")
        ),
    }
