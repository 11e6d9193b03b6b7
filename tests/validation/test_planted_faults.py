"""Every planted fault is found, clean models are left in peace, and no check is there for nothing."""

from __future__ import annotations

import sys

import pytest

from bluemirror.validation.pack import CHECKS


@pytest.fixture(scope="module")
def measured():
    import measuring

    return measuring.measure()


def say(line):
    sys.stdout.write(f"\n  {line}")


def test_faults_are_declared_for_checks_that_exist():
    import planted_faults

    names = [one.name for one in planted_faults.FAULTS]
    assert len(set(names)) == len(names) >= 40
    assert {check for one in planted_faults.FAULTS for check in one.fires} <= {check.name for check in CHECKS}


@pytest.mark.slow
def test_planted_faults_are_found(measured, capsys):
    with capsys.disabled():
        for one in measured["faults"]:
            say(
                f"{'found ' if one['found'] else 'MISSED'} {one['fault']}: {', '.join(one['fired']) or 'nothing fired'}"
            )
    missed = [one["fault"] for one in measured["faults"] if not one["found"]]
    assert measured["found_share"] >= 0.95, missed


@pytest.mark.slow
def test_clean_models_are_left_in_peace(measured, capsys):
    with capsys.disabled():
        say(
            f"\n  {measured['clean_alarms']} of {measured['clean_models']} clean models: {measured['clean_checks']}"
        )
    assert measured["clean_models"] == 100
    assert measured["clean_share"] <= 0.05


@pytest.mark.slow
def test_every_check_fires_on_some_fault(measured):
    fired = {check for one in measured["faults"] for check in one["fired"]}
    assert fired == {check.name for check in CHECKS}


@pytest.mark.slow
def test_tests_keep_their_levels(measured, capsys):
    """400 draws: 0.05 has a standard error of 0.011, 0.01 one of 0.005. Tests of one side may reject less often."""
    with capsys.disabled():
        say("; ".join(f"{name} {rate}" for name, rate in measured["tests"].items()))
    for name, rate in measured["tests"].items():
        assert rate["0.05"] <= 0.05 + 4 * 0.011, name
        assert rate["0.01"] <= 0.01 + 4 * 0.005, name
        if name not in {"binomial", "jeffreys"}:
            assert rate["0.05"] >= 0.015, name
