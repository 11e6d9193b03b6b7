"""The whole way in one command, on the workspace that ``init`` makes; then every verb on what it left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bluemirror.cli.main import main
from bluemirror.variables import read_variables
from bluemirror.variables.spine import read_spine
from bluemirror.workspace import Workspace


@dataclass(frozen=True)
class Ran:
    """A workspace after two runs, and what each printed."""

    workspace: Workspace
    first: dict[str, Any]
    first_text: str
    second: dict[str, Any]
    second_text: str


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Ran:
    root = tmp_path_factory.mktemp("run") / "run_bank"
    assert main(["init", str(root)]) == 0
    outputs: list[Any] = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-m", "bluemirror.cli.main", "--workspace", str(root), "run", "--json"],
            check=False,
            cwd=repository,
            env={name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert "nanobind" not in done.stderr
        outputs += [json.loads(done.stdout.splitlines()[-1]), done.stderr]
    return Ran(Workspace.open(root), *outputs)


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main([*arguments, "--json"]) == 0
    return dict(json.loads(capsys.readouterr().out.splitlines()[-1]))


def test_run_has_the_keys_of_the_design(ran: Ran) -> None:
    result = ran.first
    keys = {"as_of", "seconds", "peak_rss_mib", "sources", "variables", "observations", "models"}
    assert keys <= set(result)
    for source in result["sources"].values():
        assert source["in"] == source["accepted"] + source["quarantined"]
        assert source["in"] > 0
    assert result["variables"] > 0
    assert result["observations"] > 0
    for model in result["models"].values():
        assert model["version"] == "1"
        for kind in ("scorecard", "challenger"):
            assert 0.5 < model[kind]["auc"] < 1
            assert 0 < model[kind]["ks"] < 1
            assert model[kind]["psi"] >= 0
    assert 50 < result["peak_rss_mib"] < 6 * 1024


def test_run_lands_first_and_shows_progress_and_a_summary(ran: Ran) -> None:
    text = ran.first_text
    assert "fills landing/" in text
    for step in ("ingest", "check", "variables", "features:", "train"):
        assert f"s] {step} " in text, step
    assert "observations scored by version 1" in text
    for part in ("rows in", "= accepted", "+ quarantined", "AUC", "KS", "PSI", "registered as", "Next:"):
        assert part in text, part


def test_a_second_run_changes_nothing_and_says_so(ran: Ran) -> None:
    assert ran.first["changed"]
    assert ran.second["changed"] == []
    assert "Nothing changed" in ran.second_text
    same = ("as_of", "sources", "variables", "observations", "models")
    assert {key: ran.second[key] for key in same} == {key: ran.first[key] for key in same}


def test_sources(ran: Ran, capsys: pytest.CaptureFixture[str]) -> None:
    result = _json(capsys, "--workspace", str(ran.workspace.root), "sources")
    (row,) = result["sources"]
    keys = "source contract_version last_delivery accepted quarantined hit_rate cost_yuan fresh"
    assert set(keys.split()) <= set(row)
    assert row["fresh"]
    assert row["last_delivery"] == ran.first["as_of"]
    assert row["accepted"] == ran.first["sources"][row["source"]]["accepted"]


def test_ingest_and_features_again_change_nothing(ran: Ran, capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("ingest", "features"):
        assert main(["--workspace", str(ran.workspace.root), verb]) == 0
        assert "Nothing changed" in capsys.readouterr().out


def test_sources_write_the_pages_of_their_contracts(
    ran: Ran, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    result = _json(
        capsys, "--workspace", str(ran.workspace.root), "sources", "--pages", str(tmp_path / "pages")
    )
    for row in result["sources"]:
        text = (tmp_path / "pages" / f"{row['source']}.html").read_text(encoding="utf-8")
        assert row["source"] in text
        assert text.startswith("<!doctype html>")


def test_ingest_names_the_sources_there_are(ran: Ran, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--workspace", str(ran.workspace.root), "ingest", "nobody"]) == 2
    text = capsys.readouterr().err
    assert "no source is called nobody" in text
    assert "sources here are" in text


def test_catalogue(ran: Ran, capsys: pytest.CaptureFixture[str]) -> None:
    where = ("--workspace", str(ran.workspace.root), "catalogue")
    counts = _json(capsys, *where, "count")
    assert {"total", "constant", "duplicate", "useful", "by_source"} <= set(counts)
    assert counts["total"] == ran.first["variables"] == sum(counts["by_source"].values())
    assert counts["useful"] == counts["total"] - counts["constant"] - counts["duplicate"]
    found = _json(capsys, *where, "search", "late")["found"]
    assert found
    assert _json(capsys, *where, "show", found[0])["name"] == found[0]
    assert main([*where, "show", found[0] + "x"]) == 2
    assert found[0] in capsys.readouterr().err
    assert main([*where, "search"]) == 2
    assert "needs a text" in capsys.readouterr().err
    assert _json(capsys, *where, "search", "nothing", "like", "it")["found"] == []


def test_explain_tells_the_stored_value(ran: Ran, capsys: pytest.CaptureFixture[str]) -> None:
    name = next(iter(read_spine(ran.workspace).observations))
    values = read_variables(ran.workspace, name)
    variable = values.columns[1]
    observation, value = values.select("observation_id", variable).drop_nulls().row(3)
    assert main(["--workspace", str(ran.workspace.root), "explain", variable, observation]) == 0
    text = capsys.readouterr().out
    assert variable in text
    assert observation in text
    assert f"{value:g}" in text


def test_validate_score_and_promote(ran: Ran, capsys: pytest.CaptureFixture[str]) -> None:
    where = ("--workspace", str(ran.workspace.root))
    (model,) = ran.first["models"]
    assert _json(capsys, *where, "validate", model)["scorecard"] == ran.first["models"][model]["scorecard"]
    if ran.first["models"][model]["champion"]:
        assert _json(capsys, *where, "score", model)["models"][model]["written"] == 0
    assert main([*where, "validate", model, "--version", "99"]) == 2
    assert f"{model} has no version 99" in capsys.readouterr().err
    assert main([*where, "promote", model, "1", "--reviewer", "nobody"]) == 2
    assert "'nobody' may not promote" in capsys.readouterr().err
    assert main([*where, "score", "nothing"]) == 2
    assert "no model is called nothing" in capsys.readouterr().err


def test_train_again_registers_nothing_new(ran: Ran, capsys: pytest.CaptureFixture[str]) -> None:
    (model,) = ran.first["models"]
    result = _json(capsys, "--workspace", str(ran.workspace.root), "train", model)
    assert not result["changed"]
    assert result["version"] == ran.first["models"][model]["version"]


def test_bench_features(ran: Ran, capsys: pytest.CaptureFixture[str]) -> None:
    result = _json(capsys, "--workspace", str(ran.workspace.root), "bench", "features")
    keys = "cores observations variables values seconds values_per_second peak_rss_mib peers write_floor"
    assert set(keys.split()) <= set(result)
    assert {"values_per_second", "ratio"} <= set(result["write_floor"])
    assert result["values"] == result["observations"] * result["variables"]
    about = result["peers_on"]
    assert 0 < about["applicants_with_rows"] <= about["applicants"] <= about["rows"]
    assert len(result["peers"]) >= 3
    for peer in result["peers"].values():
        assert {"values", "seconds", "values_per_second", "ratio", "ratio_on_the_same_family"} <= set(peer)
        assert (peer["rows"], peer["applicants"]) == (about["rows"], about["applicants_with_rows"])
        assert peer["differing"] == 0


def test_bench_ingest(ran: Ran, capsys: pytest.CaptureFixture[str]) -> None:
    result = _json(capsys, "--workspace", str(ran.workspace.root), "bench", "ingest")
    assert {"rows", "seconds", "rows_per_second", "reports_per_second", "peak_rss_mib", "peers"} <= set(
        result
    )
    assert result["rows"] == sum(source["in"] for source in ran.first["sources"].values())
    assert result["report_size"].keys() == result["reports_per_second"].keys()
    for size in result["report_size"].values():
        assert size["bytes"] > size["mart_rows"] > 1
    for peer in result["peers"].values():
        assert {"seconds", "ratio"} <= set(peer)


def test_bench_without_data_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path / "empty")]) == 0
    assert main(["--workspace", str(tmp_path / "empty"), "bench", "features"]) == 2
    assert "there is no mart to compute variables from" in capsys.readouterr().err
    assert main(["--workspace", str(tmp_path / "empty"), "bench", "ingest"]) == 2
    assert "nothing has landed" in capsys.readouterr().err


def test_bench_store(ran: Ran) -> None:
    from bluemirror.cli.bench_store import bench_store
    from bluemirror.cli.console import Console

    result = bench_store(ran.workspace, Console(as_json=True), 0.002, apart=False)
    history, narrow = result["history"], result["narrow"]
    assert {
        "observations",
        "variables",
        "seconds",
        "peak_rss_mib",
        "stock_values_per_second",
        "ratio",
    } <= set(history)
    assert (history["observations"], history["variables"]) == (40, ran.first["variables"])
    assert history["stock"]["differing"] == 0
    assert narrow["observations"] == 2000
    assert narrow["variables"] == result["publish"]["variables"]
    assert result["publish"]["values"] == 200 * narrow["variables"]
    assert result["publish"]["bytes_per_value"] > 4
    assert result["publish"]["parity"]["differing"] == 0
    for told in result["online"].values():
        assert "skipped" in told or 0 < told["p50_ms"] <= told["p99_ms"]
    assert result["online"]["redis"].get("parity", {"differing": 0})["differing"] == 0
    assert result["apply_seconds"] > 0
    assert result["open"]["variables"] > 0


def test_every_registered_version_is_online_and_equal_to_what_is_stored(
    ran: Ran, capsys: pytest.CaptureFixture[str]
) -> None:
    model = next(iter(ran.first["models"]))
    result = _json(capsys, "--workspace", str(ran.workspace.root), "publish")
    assert [each["service"] for each in result["published"]] == [f"{model}_challenger_v1", f"{model}_v1"]
    for each, same in zip(result["published"], result["parity"], strict=True):
        assert not each["changed"]
        assert same["through_feast"] == 50 * each["variables"]
        assert same["cells"] >= each["rows"] * each["variables"]
        assert same["faults"] == 0
