"""A model's declaration: what it reads, and every way to write it wrongly."""

from __future__ import annotations

import datetime as dt

import pytest

from bluemirror.errors import ModelError
from bluemirror.scorecards.spec import Moment, read_spec, read_specs
from bluemirror.workspace import Workspace


def test_reads_what_is_declared_and_the_defaults(declare):
    spec = declare(
        {"gates.min_auc": 0.7, "constraints.monotone": {"income_*": "descending", "income_gap": "auto"}}
    )
    assert (spec.name, spec.title_zh, spec.trainer, spec.reviewers) == (
        "card",
        "评分卡",
        "trainer",
        ("reviewer",),
    )
    assert spec.label.text == "select 1"
    assert spec.label.file is not None
    assert spec.population.file is None
    assert spec.gates.min_auc == 0.7
    assert spec.gates.min_bads == 200
    assert spec.split.train_from == Moment(None, 24)
    assert spec.split.train_from.on(dt.date(2025, 12, 31)) == dt.date(2023, 12, 31)
    assert spec.constraints.direction("income_mean") == -1
    assert spec.constraints.direction("income_gap") == 0
    assert spec.constraints.direction("other") == 0
    with pytest.raises(AttributeError):
        spec.seed = 1


def test_a_day_and_a_held_out_query(declare):
    spec = declare({"split": {"by": "hold_out", "sql": "select observation_id from observation where false"}})
    assert spec.split.held_out.text.startswith("select")
    spec = declare({"split.train_from": dt.date(2024, 1, 1)})
    assert spec.split.train_from.on(dt.date(2025, 12, 31)) == dt.date(2024, 1, 1)


def test_what_may_be_declared_beside(declare):
    spec = declare(
        {
            "binning": {"ordered_in": "quarter", "order_tolerance": 1},
            "reject_inference": {"method": "parcelling", "factor": 1.5, "excluded": ["not approved"]},
            "points.target_bad_rate": 0.03,
            "constraints": {"selection": "l1", "max_paid_sources": 3},
            "screening.prefer_cheap": 0.5,
            "reasons": {"R01": {"zh": "查询", "en": "inquiries", "names": ["query_*"]}},
        }
    )
    assert (spec.binning.months, spec.binning.order_tolerance) == (3, 1.0)
    assert spec.rejects.excluded == ("not approved",)
    assert (spec.points.target_bad_rate, spec.screening.prefer_cheap) == (0.03, 0.5)
    assert (spec.constraints.selection, spec.constraints.max_paid_sources) == ("l1", 3)
    assert spec.reasons.of("query_30d").code == "R01"
    assert declare().rejects.method == "none"


WRONG = [
    ({"modell": "card"}, "unknown key 'modell'", "modell", "did you mean 'model'?"),
    ({"model": "other"}, "'other' is not allowed", "model", "write card"),
    ({"owner": None}, "'owner' is missing", "owner", "add owner: ..."),
    ({"title.zh": None}, "'zh' is missing", "title.zh", "add zh: ..."),
    ({"title": "Scorecard"}, "'Scorecard' is not a mapping", "title", "write title: {...}"),
    ({"reviewers": "reviewer"}, "'reviewer' is not a list of texts", "reviewers", "write reviewers: [a, b]"),
    ({"reviewers": ["trainer"]}, "'trainer' is the trainer", "reviewers", "name somebody else"),
    ({"stage": "late"}, "'late' is not allowed", "stage", "write pre or mid or post"),
    ({"label.sql": "labels.sql"}, "there is no file 'labels.sql'", "label.sql", "write the file"),
    ({"label.horizont": "x"}, "unknown key 'horizont'", "label.horizont", "did you mean 'horizon'?"),
    ({"split.by": "customer"}, "'customer' is not allowed", "split.by", "write time or hold_out"),
    (
        {"split.oot_to": "2025-13-01"},
        "is not a day",
        "split.oot_to",
        "write oot_to: 2024-01-01, without quotes",
    ),
    ({"split.sql": "select 1"}, "unknown key 'sql'", "split.sql", "remove it"),
    ({"screening.min_iv": "low"}, "'low' is not a number", "screening.min_iv", "without quotes"),
    ({"screening.max_missing": 2}, "2 is out of range", "screening.max_missing", "within the range"),
    ({"screening.keep": 1.5}, "1.5 is not a whole number", "screening.keep", "write keep: 1"),
    ({"binning.max_bin": 4}, "unknown key 'max_bin'", "binning.max_bin", "did you mean 'max_bins'?"),
    (
        {"constraints.monotone": {"a": "up"}},
        "'up' is not allowed",
        "constraints.monotone.a",
        "write ascending or",
    ),
    ({"challenger.depth": 3}, "3 is not a range", "challenger.depth", "write depth: [2, 5]"),
    ({"challenger.depth": [5, 2]}, "5 is above 2", "challenger.depth", "write depth: [2, 5]"),
    ({"challenger.trials": True}, "True is not a number", "challenger.trials", "without quotes"),
    ({"points.points_to_double": 0}, "0 is out of range", "points.points_to_double", "within the range"),
    ({"binning.ordered_in": "week"}, "'week' is not allowed", "binning.ordered_in", "write whole or month"),
    ({"constraints.selection": "all"}, "'all' is not allowed", "constraints.selection", "forward or l1"),
    (
        {"constraints.max_paid_sources": -1},
        "out of range",
        "constraints.max_paid_sources",
        "within the range",
    ),
    ({"points.target_bad_rate": 5}, "5 is out of range", "points.target_bad_rate", "within the range"),
    ({"screening.max_auc": 85}, "85 is out of range", "screening.max_auc", "within the range"),
    ({"reject_inference": {"method": "guess"}}, "'guess'", "reject_inference.method", "none or fuzzy"),
    (
        {"reject_inference": {"method": "fuzzy"}},
        "nobody is rejected",
        "reject_inference.excluded",
        "[not approved]",
    ),
    (
        {"reject_inference": {"method": "fuzzy", "factor": 0.5, "excluded": ["x"]}},
        "0.5 is out of range",
        "reject_inference.factor",
        "within the range",
    ),
    ({"gates.min_gini": 0.3}, "unknown key 'min_gini'", "gates.min_gini", ""),
]


@pytest.mark.parametrize(("change", "message", "field", "fix"), WRONG, ids=[str(w[0]) for w in WRONG])
def test_every_mistake_names_file_field_rule_and_fix(declare, change, message, field, fix):
    with pytest.raises(ModelError) as caught:
        declare(change)
    error = caught.value
    assert message in error.message
    assert error.file.endswith("model.yaml")
    assert error.field == field
    assert error.rule
    assert fix in error.fix


def test_not_yaml_not_a_mapping_not_there(declare, tmp_path):
    declare()
    file = tmp_path / "models" / "card" / "model.yaml"
    workspace = Workspace.open(tmp_path)
    assert list(read_specs(workspace)) == ["card"]
    file.write_text("model: [card\n", encoding="utf-8")
    with pytest.raises(ModelError, match="is not YAML"):
        read_spec(workspace, "card")
    file.write_text("- card\n", encoding="utf-8")
    with pytest.raises(ModelError, match="not a mapping"):
        read_spec(workspace, "card")
    with pytest.raises(ModelError, match="there is no model 'cart'") as caught:
        read_spec(workspace, "cart")
    assert caught.value.fix == "models of this workspace: card"


def test_the_repositorys_models_are_declared_well(repository):
    specs = read_specs(Workspace.open(repository))
    assert "application_consumer" in specs
    assert all(spec.card for spec in specs.values())
