"""The night in one process: it succeeds beside open readers, repeats without change, stops at a broken contract."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from bluemirror.desk.alerts import CHECKS
from bluemirror.errors import BluemirrorError, LandingError
from bluemirror.health.alerts import CHECKS as HEALTH_CHECKS
from bluemirror.workspace import Workspace
from pipelines import embedded
from pipelines.desk import SCORECARD_KEY
from pipelines.health import HEALTH_KEY
from pipelines.instance import dagster_home, open_instance


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each workspace keeps its runs in its own state folder."""
    monkeypatch.delenv("DAGSTER_HOME", raising=False)


READER = """
import sys
import bluemirror
connection = bluemirror.connect(bluemirror.Workspace.open(sys.argv[1]))
held = connection.execute("BEGIN; SELECT count(*) FROM loan_instalment").fetchone()
print("open", flush=True)
sys.stdin.readline()
print(connection.execute("SELECT count(*) FROM loan_instalment").fetchone()[0], flush=True)
"""


def test_a_night_succeeds_while_another_process_reads_the_mart(landed: Workspace, repository: Path) -> None:
    later = max((landed.landing / "loan_instalment").iterdir())
    hidden = landed.root / "not_yet"
    later.rename(hidden)
    lines: list[str] = []
    embedded.run(landed, "night", say=lines.append)
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(landed.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(repository)},
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdin is not None
        assert reader.stdout.readline() == "open\n"
        hidden.rename(later)
        second = embedded.run(landed, "night", say=lines.append)
        assert second.reports["source", "loan_instalment"].new_deliveries
        reader.stdin.write("\n")
        reader.stdin.flush()
        # The open reader still sees the mart as it was when it opened it.
        assert int(reader.stdout.readline()) == 120 * 11


def test_a_second_night_changes_nothing(landed: Workspace) -> None:
    first = embedded.run(landed, "night", say=print)
    assert first.reports["source", "loan_instalment"].changed
    before = _files(landed)
    second = embedded.run(landed, "night", say=print)
    for (kind, name), report in second.reports.items():
        assert not getattr(report, "changed", False), (kind, name)
    assert _files(landed) == before


def test_a_morning_that_cannot_be_written_is_told_and_no_more(
    landed: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space is left")

    monkeypatch.setattr(embedded, "write_morning", full)
    said: list[str] = []
    embedded.run(landed, "night", say=said.append)
    assert "morning: not written (OSError)" in said


def _files(workspace: Workspace) -> dict[str, int]:
    folders = (workspace.mart, workspace.variables, workspace.quarantine)
    return {
        str(path.relative_to(workspace.data)): path.stat().st_mtime_ns
        for folder in folders
        for path in folder.rglob("*.parquet")
        # A run writes down that it was, whatever it found to do.
        if path.parent.name != "run_step"
    }


def test_runs_are_kept_where_the_pages_look(landed: Workspace) -> None:
    embedded.run(landed, "night", say=print)
    home = dagster_home(landed)
    assert home == landed.state / "dagster"
    with dg.DagsterInstance.from_config(str(home)) as instance:
        runs = instance.get_runs()
        assert [run.job_name for run in runs] == ["night"]
        assert runs[0].status is dg.DagsterRunStatus.SUCCESS
        event = instance.get_latest_materialization_event(dg.AssetKey(["mart", "loan_instalment"]))
        assert event is not None
        assert event.asset_materialization is not None
        metadata = event.asset_materialization.metadata
        assert metadata["accepted"].value == 120 * 12
        assert metadata["rows in"].value == metadata["accepted"].value + metadata["quarantined"].value
    assert "enabled: false" in (home / "dagster.yaml").read_text(encoding="utf-8")


def test_a_broken_declaration_stops_the_run_with_its_own_text(landed: Workspace) -> None:
    query = next(landed.feature_repo.glob("observations/*.sql"))
    query.write_text("SELECT 1 AS something", encoding="utf-8")
    with pytest.raises(BluemirrorError, match="have no column observation_id") as error:
        embedded.run(landed, "night", say=print)
    assert str(query) in str(error.value)


def test_the_desk_is_an_asset_with_a_check_a_question(landed: Workspace) -> None:
    journal = embedded.run(landed, "night", say=print)
    report = journal.of("desk")["source_scorecard"]
    assert report.page.is_file()
    with open_instance(landed) as instance:
        event = instance.get_latest_materialization_event(SCORECARD_KEY)
        assert event is not None
        assert event.asset_materialization is not None
        assert event.asset_materialization.metadata["as of"].value == str(report.card.as_of)
        keys = [dg.AssetCheckKey(SCORECARD_KEY, name) for name in CHECKS]
        records = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
        found = {key.name: records[key].event.dagster_event.asset_check_evaluation_data for key in keys}
    assert all(one.passed for one in found.values())
    assert "loan_instalment" in found["freshness"].metadata["sources"].value


def test_the_health_of_variables_is_an_asset_with_a_check_a_question(landed: Workspace) -> None:
    journal = embedded.run(landed, "night", say=print)
    report = journal.of("health")["variables"]
    assert report.page.is_file()
    assert len(report.night.variables) == journal.of("variables")["month"].variables
    with open_instance(landed) as instance:
        keys = [dg.AssetCheckKey(HEALTH_KEY, name) for name in HEALTH_CHECKS]
        records = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
        found = {key.name: records[key].event.dagster_event.asset_check_evaluation_data for key in keys}
    assert all(one.passed for one in found.values())
    assert found["week"].metadata["alerts"].value == 0


def test_an_alert_fails_its_check_and_not_the_night(landed: Workspace) -> None:
    newest = max((landed.landing / "loan_instalment").iterdir())
    (newest / "_DONE.json").unlink()
    embedded.run(landed, "night", say=print)
    with open_instance(landed) as instance:
        key = dg.AssetCheckKey(SCORECARD_KEY, "freshness")
        record = instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
        result = record.event.dagster_event.asset_check_evaluation_data
        assert instance.get_runs()[0].status is dg.DagsterRunStatus.SUCCESS
    assert not result.passed
    assert result.severity is dg.AssetCheckSeverity.WARN
    assert "delivery not completed" in result.metadata["what and why"].value


def test_a_source_that_is_late_stops_the_night_if_its_contract_says_so(landed: Workspace) -> None:
    """Its deliveries end months before those of another source."""
    contract = (landed.contracts_dir / "loan_instalment.odcs.yaml").read_text(encoding="utf-8")
    other = contract.replace("loan_instalment", "loan_other").replace("policy: block", "policy: go_on")
    (landed.contracts_dir / "loan_other.odcs.yaml").write_text(other, encoding="utf-8")
    folder = landed.landing / "loan_other" / "2030-01-31"
    folder.mkdir(parents=True)
    (folder / "_DONE.json").write_text('{"files": {}}', encoding="utf-8")
    with pytest.raises(LandingError, match="loan_instalment is late, and the night must wait"):
        embedded.run(landed, "night", say=print)
    assert not landed.variables.exists()


def test_a_failed_check_blocks_what_comes_after(landed: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failed:
        passed = False
        recalled = False
        results = ()

    monkeypatch.setattr("pipelines.sources.check_source", lambda *_, **__: Failed())
    with pytest.raises(LandingError, match="the mart of loan_instalment does not meet its contract"):
        embedded.run(landed, "night", say=print)
    assert not landed.variables.exists()
