"""The pack as a value: one finding a check, what cannot be judged is said to be so, nothing of a broken row breaks it."""

from __future__ import annotations

import json
from dataclasses import replace

import clean_model
import numpy as np
import pytest

from bluemirror.validation import Evidence, validate
from bluemirror.validation.checks import ALARM, AREAS, NOT_JUDGED, PASS
from bluemirror.validation.pack import CHECKS, by_area


@pytest.fixture(scope="module")
def evidence():
    return clean_model.clean(0)


@pytest.fixture(scope="module")
def pack(evidence):
    return validate(evidence)


def test_every_check_gives_one_finding(pack):
    assert [one.check for one in pack.findings] == [check.name for check in CHECKS]
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    for one in pack.findings:
        assert one.verdict == PASS, one
        assert one.label_zh
        assert one.label_en
        assert one.source
        assert one.sentence.endswith(".")
    assert sum(pack.counts.values()) == len(CHECKS)
    assert [name for name, held in by_area(pack).items() if held] == [area.name for area in AREAS]


def test_it_is_plain_and_shows_itself(pack):
    plain = json.loads(json.dumps(pack.as_plain(), default=float))
    assert len(plain["findings"]) == len(CHECKS)
    assert repr(pack).startswith(f"{len(CHECKS)} pass")
    assert pack["auc_level"].statistic > 0.7


def test_what_is_not_laid_before_it_is_not_judged(evidence):
    bare = replace(
        evidence,
        train=replace(evidence.train, known=None, matured_on=None, segments={}, groups={}),
        judging=replace(evidence.judging, known=None, matured_on=None, segments={}, groups={}),
        scorer=None,
        champion=None,
        challenger=None,
        description=replace(evidence.description, claims={}, flow=(), split_in_time=False),
    )
    pack = validate(bare)
    untold = {one.check for one in pack.findings if one.verdict == NOT_JUDGED}
    assert untold == {
        "auc_by_segment",
        "calibration_by_segment",
        "scores_reproduce",
        "declared_direction",
        "one_variable",
        "source_out",
        "shifted_input",
        "against_champion",
        "against_challenger",
        "swap_set",
        "adverse_impact",
        "equal_opportunity",
        "group_calibration",
        "proxy",
        "split_in_time",
        "label_matured",
        "known_by_then",
        "claims_true",
        "flow_adds_up",
    }
    assert not pack.alarms


def test_rows_that_cannot_be_judged_are_left_out_and_told(evidence):
    probability = evidence.judging.probability.copy()
    probability[:5] = np.nan
    broken = replace(evidence, judging=replace(evidence.judging, probability=probability))
    pack = validate(broken)
    assert [one.check for one in pack.alarms if one.check == "scores_valid"] == ["scores_valid"]
    assert pack["scores_valid"].statistic == 5
    rest = clean_rows(evidence, np.arange(5, len(evidence.judging)))
    assert pack["auc_level"].statistic == validate(rest)["auc_level"].statistic


def clean_rows(evidence: Evidence, keep) -> Evidence:
    return replace(
        evidence,
        judging=evidence.judging.rows(keep),
        champion=evidence.champion[keep],
        challenger=evidence.challenger[keep],
    )


def test_reasons_of_missing_are_no_numbers(evidence):
    name = "income_level"
    held = evidence.judging.inputs[name]
    told = np.where(np.isnan(held), -(2.0**111), held)
    sample = replace(evidence.judging, inputs={**evidence.judging.inputs, name: told})
    assert np.array_equal(sample.values[name], evidence.judging.values[name], equal_nan=True)


def test_limits_are_the_models_own(evidence):
    strict = replace(evidence, limits=replace(evidence.limits, min_auc=0.9, min_bads=5000))
    assert {one.check for one in validate(strict).alarms} == {"auc_level", "enough_bads"}
    assert validate(strict)["auc_level"].verdict == ALARM
