"""Rejected applicants and a target, declared and carried out in a workspace."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from bluemirror.errors import ModelError
from bluemirror.scorecards.candidates import candidates
from bluemirror.scorecards.finishing import finish
from bluemirror.scorecards.population import TRAIN, read_population
from bluemirror.scorecards.scorecard import ScorecardClassifier
from bluemirror.scorecards.screened import screen_candidates
from bluemirror.scorecards.spec import Query, Rejects, read_specs
from bluemirror.scorecards.stored import SPECIALS, with_reasons
from bluemirror.scorecards.train import training_frame

SOME_REJECTED = """
SELECT observation_id, CASE hash(observation_id) % 5 WHEN 0 THEN 'not approved' WHEN 1 THEN 'not drawn' END AS excluded
FROM observation
"""


@pytest.fixture(scope="module")
def fitted(computed):
    declared = next(iter(read_specs(computed).values()))
    spec = replace(declared, population=Query(SOME_REJECTED))
    population = read_population(computed, spec)
    chosen = candidates(computed, spec)
    kept = screen_candidates(computed, spec, population, chosen).kept[:6]
    rows = population.side(TRAIN)
    frame = training_frame(computed, rows, kept)
    inputs = with_reasons(computed, spec.observation_set, frame, chosen.block_of).select(kept)
    bad = rows["bad"].to_numpy()
    card = ScorecardClassifier(specials=dict(SPECIALS), max_variables=4).fit(inputs, bad)
    return spec, population, chosen, card, inputs, bad


def test_what_is_declared_is_done(computed, fitted):
    spec, population, *rest = fitted
    chosen, card, inputs, bad = rest
    told = []
    asked = replace(
        spec,
        rejects=Rejects("fuzzy", 2.0, ("not approved",)),
        points=replace(spec.points, target_bad_rate=0.05),
    )
    done = finish(computed, asked, population, chosen, card, inputs, bad, told.append)
    turned = population.left_out(["not approved"], TRAIN)
    assert done.inference.rejected == len(turned) > 50
    assert set(turned["observation_id"]).isdisjoint(population.rows["observation_id"])
    assert done.calibration.rows == len(bad) + len(turned)
    assert done.calibration.after == pytest.approx(0.05)
    assert done.card.variables_ == card.variables_
    assert len(told) == 2
    window = population.side(TRAIN)["as_of"]
    assert turned["as_of"].is_between(window.min(), window.max()).mean() > 0.9


def test_nothing_declared_changes_nothing(computed, fitted):
    spec, population, chosen, card, inputs, bad = fitted
    done = finish(computed, spec, population, chosen, card, inputs, bad, print)
    assert done.card is card
    assert done.inference is done.calibration is None


def test_a_target_alone_moves_the_intercept(computed, fitted):
    spec, population, chosen, card, inputs, bad = fitted
    asked = replace(spec, points=replace(spec.points, target_bad_rate=0.2))
    done = finish(computed, asked, population, chosen, card, inputs, bad, print)
    assert done.card.predict_proba(inputs)[:, 1].mean() == pytest.approx(0.2)
    assert (done.card.coef_ == card.coef_).all()


def test_nobody_rejected_is_told(computed, fitted):
    spec, population, chosen, card, inputs, bad = fitted
    asked = replace(spec, rejects=Rejects("parcelling", 1.0, ("declined",)))
    with pytest.raises(ModelError, match="nobody was rejected") as error:
        finish(computed, asked, population, chosen, card, inputs, bad, print)
    assert "not approved, not drawn" in str(error.value)
    assert isinstance(population.excluded, pl.DataFrame)
