"""A model from variables to scores: registration, "nothing changed", promotion, and what refuses to score."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json

import numpy as np
import polars as pl
import pytest

import bluemirror
from bluemirror.errors import ModelError
from bluemirror.scorecards import records, registry, reviewing
from bluemirror.scorecards.challenger import Challenger
from bluemirror.scorecards.refit import edges_from_text
from bluemirror.scorecards.score import score
from bluemirror.scorecards.spec import read_spec
from bluemirror.scorecards.stored import read_observations, with_reasons, without_reasons
from bluemirror.scorecards.train import TrainReport, train
from bluemirror.variables import catalogue, read_variables

MODEL = "late_payer"


@pytest.fixture(scope="module")
def trained(computed):
    lines = []
    report = train(computed, MODEL, lines.append)
    return computed, report, lines


def test_a_training_reports_what_it_did(trained):
    workspace, report, lines = trained
    assert (report.version, report.changed, report.champion, report.gates) == ("1", True, "1", ())
    assert report.scorecard["auc"] > 0.65
    assert report.challenger["auc"] > 0.65
    assert report.training_rows + report.oot_rows == report.flow[-1]["remaining"]
    assert 1 <= len(report.variables_used) <= 8
    assert TrainReport.from_plain(json.loads(json.dumps(report.as_plain()))) == report
    assert any("screened" in line for line in lines)
    assert "AUC" in read_card(workspace)
    assert "auc" in report._repr_html_()


def read_card(workspace):
    with registry.opened(workspace) as mlflow:
        return mlflow.MlflowClient().get_model_version(MODEL, "1").description


def test_the_run_holds_what_a_reviewer_needs(trained):
    workspace, report, _ = trained
    with registry.opened(workspace) as mlflow:
        client = mlflow.MlflowClient()
        run = client.get_run(report.run_id)
        names = {
            f.path
            for folder in ("tables", "plots", "")
            for f in client.list_artifacts(report.run_id, folder or None)
        }
        page = mlflow.artifacts.load_text(f"{run.info.artifact_uri}/report.html")
    wanted = [
        "variables",
        "points",
        "binning",
        "screening",
        "population_flow",
        "source_cost",
        "scorecard_months",
    ]
    assert {f"tables/{name}.csv" for name in wanted} <= names
    assert {f"plots/scorecard_{name}.png" for name in ("roc", "calibration", "bands", "stability")} <= names
    assert {"card.md", "model.yaml", "report.html", "validation.html", "validation.json"} <= names
    assert {"scoring.sql", "bins.yaml", "tables/reason_codes.csv"} <= names
    assert run.data.metrics["scorecard_auc"] == pytest.approx(report.scorecard["auc"])
    assert {"fingerprint", "data_hash", "meaning", "snapshot", "code", "git", "trainer"} <= set(run.data.tags)
    assert page.count("data:image/png") == 11
    assert 'src="http' not in page


def test_the_card_answers_what_a_reviewer_asks(trained):
    workspace, report, _ = trained
    card = read_card(workspace)
    for heading in (
        "Figures",
        "Against the champion",
        "Population flow",
        "Variables",
        "Sources and cost",
        "Data and code",
        "How to reproduce",
    ):
        assert f"\n## {heading}\n" in card
    assert "There is no champion to compare with" in card
    assert f"({report.scorecard['auc_low']:.3f} to {report.scorecard['auc_high']:.3f})" in card
    assert report.fingerprint in card
    assert all(f"`{name}`" in card for name in report.variables_used)


def test_the_validation_judged_the_very_rows_and_scores(trained, capsys):
    from bluemirror.cli.main import main

    workspace, report, _ = trained
    found = json.loads(registry.run_text(workspace, report.run_id, "validation.json"))
    of = {one["check"]: one for one in found["findings"]}
    assert of["auc_level"]["statistic"] == pytest.approx(report.scorecard["auc"], abs=1e-12)
    assert of["ks_level"]["statistic"] == pytest.approx(report.scorecard["ks"], abs=1e-12)
    assert of["enough_bads"]["statistic"] == report.oot_bads
    # Two independent implementations agree on every figure told, and the registered text gives the very scores.
    for check in (
        "claims_true",
        "scores_reproduce",
        "flow_adds_up",
        "overlapping_customers",
        "parts_written",
    ):
        assert of[check]["verdict"] == "pass", of[check]
    assert of["against_champion"]["verdict"] == "not judged"
    assert registry.run_text(workspace, report.run_id, "no such file") is None

    assert (
        main(["--workspace", str(workspace.root), "validate", MODEL, "--version", "1", "--html", "--json"])
        == 0
    )
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["validation"]["counts"] == found["counts"]
    page = (workspace.data / "validation" / f"{MODEL}-1.html").read_text(encoding="utf-8")
    assert told["page"].endswith(f"{MODEL}-1.html")
    assert "http" not in page.replace("http-equiv", "")
    assert all(one["label_zh"] in page for one in found["findings"])


def test_the_second_training_changes_nothing_and_says_so(trained):
    workspace, report, _ = trained
    lines = []
    again = train(workspace, MODEL, lines.append)
    assert not again.changed
    assert dataclasses.replace(again, changed=True, seconds=report.seconds) == report
    assert any("nothing changed" in line for line in lines)


def test_scores_are_those_of_the_scorecard_and_written_once(trained):
    workspace, _, _ = trained
    first = score(workspace, MODEL)
    assert first.scored == first.written == read_observations(workspace, "month").rows.height
    second = score(workspace, MODEL)
    assert (second.scored, second.written, second.changed) == (first.scored, 0, False)
    connection = bluemirror.connect(workspace)
    written = connection.sql("select * from model_score order by observation_id").pl()
    connection.close()
    assert written.columns[:6] == ["person_id", "observation_id", "as_of", "score", "probability", "reason_1"]
    card = registry.load_scorecard(workspace, MODEL, 1).scorecard
    values = read_variables(workspace, "month", list(card.variables_))
    block_of = {v.name: v.block for v in catalogue(workspace)}
    X = with_reasons(workspace, "month", values, block_of).select(card.variables_)
    assert (written["score"].to_numpy() == card.score_points(X)).all()
    assert (written["probability"].to_numpy() == card.predict_proba(X)[:, 1]).all()
    assert first.promoted_by == records.BY_GATES


def test_the_registered_query_gives_the_scores_that_were_written(trained):
    import duckdb

    workspace, report, _ = trained
    score(workspace, MODEL)
    with registry.opened(workspace) as mlflow:
        run = mlflow.MlflowClient().get_run(report.run_id)
        query = mlflow.artifacts.load_text(f"{run.info.artifact_uri}/scoring.sql")
        bins = mlflow.artifacts.load_text(f"{run.info.artifact_uri}/bins.yaml")
    card = registry.load_scorecard(workspace, MODEL, 1).scorecard
    assert edges_from_text(bins) == {v: card.tables_[v].edges for v in card.variables_}
    values = read_variables(workspace, "month", list(card.variables_))
    block_of = {v.name: v.block for v in catalogue(workspace)}
    inputs = with_reasons(workspace, "month", values, block_of).with_columns(values["observation_id"])
    with duckdb.connect() as connection:
        connection.register("inputs", inputs.to_arrow())
        made = connection.sql(query).pl()
    with bluemirror.connect(workspace) as connection:
        written = connection.sql("select observation_id, score as kept from model_score").pl()
    both = made.join(written, on="observation_id")
    assert len(both) == len(written) == len(values)
    assert (both["score"] == both["kept"]).all()


def test_mlflow_loads_both_without_pickles(trained):
    workspace, _, _ = trained
    with registry.opened(workspace) as mlflow:
        served = mlflow.pyfunc.load_model(f"models:/{MODEL}@champion")
        other = mlflow.pyfunc.load_model(f"models:/{MODEL}_challenger@challenger")
    card = registry.load_champion(workspace, MODEL).scorecard
    frame = read_variables(workspace, "month", list(card.variables_)).drop("observation_id").head(50)
    frame = frame.cast(pl.Float64).fill_null(float("nan"))
    out = served.predict(frame.to_pandas())
    assert (out["probability"].to_numpy() == card.predict_proba(frame)[:, 1]).all()
    names = other.metadata.get_input_schema().input_names()
    more = (
        read_variables(workspace, "month", names)
        .select(names)
        .head(50)
        .cast(pl.Float64)
        .fill_null(float("nan"))
    )
    assert other.predict(more.to_pandas())["probability"].between(0.0001, 0.9999).all()
    assert not list((workspace.state / "mlflow-artifacts").rglob("*.pkl"))


def test_only_a_reviewer_who_is_not_the_trainer_promotes(trained):
    workspace, _, _ = trained
    with pytest.raises(ModelError, match="'modelling' may not promote"):
        registry.promote(workspace, MODEL, 1, "modelling")
    with pytest.raises(ModelError, match="there is no version 9"):
        registry.promote(workspace, MODEL, 9, "validation")
    with registry.opened(workspace) as mlflow:
        mlflow.MlflowClient().set_model_version_tag(MODEL, "1", "trainer", "validation")
    with pytest.raises(ModelError, match="'validation' trained version 1"):
        registry.promote(workspace, MODEL, 1, "validation")
    with registry.opened(workspace) as mlflow:
        mlflow.MlflowClient().set_model_version_tag(MODEL, "1", "trainer", "modelling")
        mlflow.MlflowClient().set_model_version_tag(MODEL, "1", "gates_failed", "AUC 0.6 is below 0.7")
    with pytest.raises(ModelError, match="failed its gates: AUC"):
        registry.promote(workspace, MODEL, 1, "validation")
    with registry.opened(workspace) as mlflow:
        mlflow.MlflowClient().set_model_version_tag(MODEL, "1", "gates_failed", "")
    with pytest.raises(ModelError, match="nothing is said"):
        registry.promote(workspace, MODEL, 1, "validation", " ok ")
    said = "Looked at the report; ranks and is calibrated well enough for a first model."
    said += "".join(f" {check} is known." for check in reviewing.stops(workspace, trained[1].run_id))
    record = registry.promote(workspace, MODEL, 1, "validation", said)
    assert (record.reviewer, record.trainer, record.comment) == ("validation", "modelling", said)
    steps = [one for one in records.read_steps(workspace, MODEL) if one["version"] == "1"]
    assert [(one["step"], one["who"]) for one in steps] == [
        ("registered", "modelling"),
        ("promoted", records.BY_GATES),
        ("refused", "modelling"),
        *[("refused", "validation")] * 3,
        ("promoted", "validation"),
    ]
    assert "failed its gates" in steps[4]["told"]
    assert steps[-1]["told"] == said
    assert records.champion_record(workspace, MODEL) == record.sealed(workspace)
    assert registry.load_champion(workspace, MODEL).version == "1"


def test_a_check_that_says_stop_is_overruled_by_name(trained, monkeypatch):
    workspace, _, _ = trained
    monkeypatch.setattr(reviewing, "stops", lambda *_: ("grade_jeffreys", "proxy"))
    with pytest.raises(ModelError, match="1 checks speak against version 1 of late_payer: proxy"):
        registry.promote(workspace, MODEL, 1, "validation", "grade_jeffreys is a matter of one month")
    monkeypatch.setattr(reviewing, "stops", lambda *_: None)
    with pytest.raises(ModelError, match="was never validated"):
        registry.promote(workspace, MODEL, 1, "validation", "looked at everything there is")


def test_a_record_without_comment_keeps_its_seal(trained):
    workspace, _, _ = trained
    plain = records.Promotion(MODEL, "1", "0" * 64, "validation", "modelling", "2026-01-01", ("passed",))
    told = {k: v for k, v in dataclasses.asdict(plain).items() if k not in {"seal", "comment"}}
    text = json.dumps(told, sort_keys=True, default=list)
    seal = hmac.new(workspace.secret_key(), f"promotion:{text}".encode(), hashlib.sha256).hexdigest()
    assert plain.sealed(workspace).seal == seal
    assert dataclasses.replace(plain, comment="why").sealed(workspace).seal != seal


def test_an_altered_record_or_a_moved_alias_does_not_score(trained):
    workspace, _, _ = trained
    file = records.promotion_file(workspace, MODEL, "1")
    kept = file.read_text(encoding="utf-8")
    for change, message in (
        ({"reviewer": "somebody"}, "was altered"),
        ({"content": "0" * 64}, "was altered"),
    ):
        file.write_text(json.dumps({**json.loads(kept), **change}), encoding="utf-8")
        with pytest.raises(ModelError, match=message):
            score(workspace, MODEL)
    file.unlink()
    with pytest.raises(ModelError, match="was never promoted"):
        score(workspace, MODEL)
    other = records.Promotion(MODEL, "1", "0" * 64, "validation", "modelling", "2026-01-01", ())
    records.write_promotion(workspace, other)
    with pytest.raises(ModelError, match="is not the scorecard that was promoted"):
        score(workspace, MODEL)
    own = dataclasses.replace(other, reviewer="modelling")
    records.write_promotion(workspace, own)
    with pytest.raises(ModelError, match="is not valid"):
        score(workspace, MODEL)
    file.write_text(kept, encoding="utf-8")
    pointer = file.parent / "champion.json"
    pointer.write_text('{"version": "2"}', encoding="utf-8")
    with pytest.raises(ModelError, match="moved to version 1 by hand"):
        score(workspace, MODEL)
    pointer.write_text('{"version": "1"}', encoding="utf-8")
    assert not score(workspace, MODEL).changed


def test_a_changed_declaration_makes_a_version_that_waits(trained):
    workspace, _, _ = trained
    file = workspace.models_dir / MODEL / "model.yaml"
    kept = file.read_text(encoding="utf-8")
    try:
        file.write_text(kept.replace("max_variables: 8", "max_variables: 2"), encoding="utf-8")
        report = train(workspace, MODEL)
    finally:
        file.write_text(kept, encoding="utf-8")
    assert (report.version, report.changed, report.champion) == ("2", True, "1")
    found = json.loads(registry.run_text(workspace, report.run_id, "validation.json"))
    of = {one["check"]: one for one in found["findings"]}
    assert of["against_champion"]["verdict"] != "not judged"
    first, second = (json.loads(json.dumps(r.scorecard))["auc"] for r in (train(workspace, MODEL), report))
    assert of["against_champion"]["statistic"] == pytest.approx(second - first, abs=1e-12)
    assert len(report.variables_used) <= 2
    assert registry.load_champion(workspace, MODEL).version == "1"
    assert train(workspace, MODEL).version == "1"  # the first declaration again: its version is still there


def test_wrong_candidates_are_refused(trained):
    from bluemirror.scorecards.candidates import candidates

    workspace, _, _ = trained
    spec = read_spec(workspace, MODEL)
    name = next(iter(candidates(workspace, spec).variables))
    with pytest.raises(ModelError, match="there is no") as caught:
        candidates(workspace, changed(spec, names=(name + "x",)))
    assert "did you mean" in caught.value.fix
    assert list(candidates(workspace, changed(spec, names=(name,))).variables) == [name]
    before = dataclasses.replace(spec, stage="pre")
    allowed = {v.stages for v in catalogue(workspace)}
    if all("pre" not in stages for stages in allowed):
        with pytest.raises(ModelError, match="may not be used in a pre-loan model"):
            candidates(workspace, changed(before, names=(name,)))
        with pytest.raises(ModelError, match="no variable may enter this model"):
            candidates(workspace, before)
    with pytest.raises(ModelError, match="no variable may enter"):
        candidates(workspace, changed(spec, exclude=("*",)))


def changed(spec, **values):
    return dataclasses.replace(spec, candidates=dataclasses.replace(spec.candidates, **values))


def test_reasons_become_special_values_and_back():
    values = np.array([1.0, np.nan, -(2.0**111), -(2.0**114), -5e8])
    assert np.isnan(without_reasons(values)).tolist() == [False, True, True, True, False]


def test_challenger_is_deterministic_monotone_and_survives_its_text():
    from bluemirror.scorecards.challenger import fit_challenger, later_rows
    from bluemirror.scorecards.spec import ChallengerSearch

    random = np.random.default_rng(9)
    X = random.normal(size=(1500, 4)).astype(np.float32)
    X[random.random(X.shape) < 0.1] = np.nan
    bad = (
        random.random(1500) < 1 / (1 + np.exp(1.5 - np.nan_to_num(X[:, 0]) + np.nan_to_num(X[:, 1])))
    ).astype(int)
    later = later_rows(np.zeros(1500, "datetime64[us]"), [str(i) for i in range(1500)])
    search = ChallengerSearch(trials=3, rounds=60)
    one, two = (
        fit_challenger(X, bad, ["a", "b", "c", "d"], [1, -1, 0, 0], later, search, 5) for _ in range(2)
    )
    assert one.to_text() == two.to_text()
    assert (Challenger.from_text(one.to_text()).probability(X) == one.probability(X)).all()
    line = np.zeros((50, 4))
    line[:, 0] = np.linspace(-3, 3, 50)
    assert (np.diff(one.probability(line)) >= 0).all()
    line[:, [0, 1]] = line[:, [1, 0]]
    assert (np.diff(one.probability(line)) <= 0).all()
    assert one.importance()["gain"].sum() == pytest.approx(1)


def test_later_rows_are_the_last_quarter_by_time():
    from bluemirror.scorecards.challenger import later_rows

    days = np.datetime64("2024-01-01", "us") + np.arange(1000) * np.timedelta64(6, "h")
    later = later_rows(days, [""] * 1000)
    assert later.sum() == 250
    assert days[later].min() > days[~later].max()
    same = later_rows(np.full(1000, days[0]), [str(i) for i in range(1000)])
    assert 200 < same.sum() < 300
