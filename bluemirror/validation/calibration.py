"""Does a probability of five in a hundred mean five in a hundred."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bluemirror.validation import calibrating
from bluemirror.validation.checks import CALIBRATION, LOOK, STOP, Chapter, Outcome
from bluemirror.validation.evidence import Evidence
from bluemirror.validation.parts import large_parts, months

CHAPTER = Chapter(CALIBRATION)


@CHAPTER.check(
    STOP, "整体校准", "Level of all rows", "binomial by the normal law, with the level's own error"
)
def calibration_level(e: Evidence) -> Outcome:
    """Hold the mean probability against the bad rate."""
    sample = e.fair.judging
    difference, p = calibrating.in_the_large(sample.bad, sample.probability, len(e.fair.train))
    plain = calibrating.in_the_large(sample.bad, sample.probability)[1]
    predicted = float(np.mean(sample.probability))
    relative = abs(difference) / max(predicted, calibrating.BARELY)
    said = (
        f"{predicted:.2%} were predicted to turn bad, {predicted + difference:.2%} did (p = {p:.2g}; {plain:.2g} if "
        "the level is taken as known)."
    )
    off = relative > e.limits.calibration and p < e.limits.alpha
    return Outcome(relative, f"<= {e.limits.calibration:g} or by chance", off, said)


@CHAPTER.check(LOOK, "校准斜率", "Slope of the log odds", "Cox, Biometrika 45 (1958)")
def calibration_slope(e: Evidence) -> Outcome | None:
    """See whether the probabilities are too extreme or too timid."""
    sample, (low, high) = e.fair.judging, e.limits.slope
    _, slope, _, error = calibrating.slope(sample.bad, sample.probability)
    if not np.isfinite(slope):
        return None
    sure = 3.29 * error  # two-sided 0.001, so 0.0005 at the side that matters
    said = (
        f"Outcomes follow the log odds with a slope of {slope:.2f} (standard error {error:.2f}); 1 is right."
    )
    return Outcome(slope, f"{low:g} to {high:g}", slope + sure < low or slope - sure > high, said)


@CHAPTER.check(LOOK, "Hosmer-Lemeshow 检验", "Hosmer-Lemeshow over tenths", "Hosmer and Lemeshow 2000, 5.2.2")
def hosmer_lemeshow(e: Evidence) -> Outcome:
    """Test all tenths at once; with the curve as its rows."""
    sample = e.fair.judging
    statistic, p = calibrating.hosmer_lemeshow(sample.bad, sample.probability, e.limits.grades)
    rows, seen, expected = calibrating.by_quantile(sample.bad, sample.probability, e.limits.grades)
    low, high = calibrating.wilson(seen, rows)
    lines = [
        {
            "tenth": at + 1,
            "rows": int(rows[at]),
            "bads": int(seen[at]),
            "predicted": float(expected[at] / rows[at]),
            "observed": float(seen[at] / rows[at]),
            "low": float(low[at]),
            "high": float(high[at]),
        }
        for at in range(rows.size)
    ]
    away = float(np.abs(seen - expected).sum() / max(expected.sum(), calibrating.BARELY))
    said = f"Chi-square {statistic:.1f} over {rows.size} parts (p = {p:.2g}); they are {away:.0%} away from the level."
    alarm = p < e.limits.alpha and away > 1.5 * e.limits.calibration
    return Outcome(
        statistic, f"p >= {e.limits.alpha:g}, or within {1.5 * e.limits.calibration:g}", alarm, said, lines
    )


@CHAPTER.check(LOOK, "Spiegelhalter 检验", "Spiegelhalter's Z of the Brier score", "Spiegelhalter 1986")
def spiegelhalter(e: Evidence) -> Outcome:
    """Test whether the Brier score is the one that true probabilities would have."""
    sample = e.fair.judging
    z, p = calibrating.spiegelhalter(sample.bad, sample.probability)
    seen = calibrating.brier(sample.bad, sample.probability)
    due = float(np.mean(sample.probability * (1 - sample.probability)))
    said = f"Brier score {seen:.4f}, {due:.4f} if all probabilities were true (Z = {z:.2f}, p = {p:.2g})."
    away = abs(seen - due) / max(due, calibrating.BARELY)
    alarm = p < e.limits.alpha and away > e.limits.calibration
    return Outcome(z, f"p >= {e.limits.alpha:g}, or within {e.limits.calibration:g}", alarm, said)


@CHAPTER.check(LOOK, "Brier 技巧分", "Better than one rate for all", "Brier 1950; Murphy 1973")
def brier_skill(e: Evidence) -> Outcome:
    """Compare the Brier score with that of the training rows' bad rate for everybody."""
    sample = e.fair.judging
    base = calibrating.brier(sample.bad, np.full(len(sample), np.mean(e.fair.train.bad)))
    skill = 1 - calibrating.brier(sample.bad, sample.probability) / max(base, calibrating.BARELY)
    said = f"The squared error is {skill:.1%} below that of one rate for everybody."
    return Outcome(skill, "> 0", not skill > 0, said)


@CHAPTER.check(
    STOP, "分等级二项检验", "Binomial test of each grade", "Basel Committee, Working Paper 14 (2005)"
)
def grade_binomial(e: Evidence) -> Outcome:
    """Look for grades that turned out worse than their probability."""
    return _by_grade(e, calibrating.binomial_tail, "binomial")


@CHAPTER.check(STOP, "分等级 Jeffreys 检验", "Jeffreys' test of each grade", "ECB 2019, section 2.5.3.1")
def grade_jeffreys(e: Evidence) -> Outcome:
    """The same by the posterior of the rate."""
    return _by_grade(e, calibrating.jeffreys, "Jeffreys")


@CHAPTER.check(LOOK, "分月校准", "Level by month", "binomial by the normal law")
def calibration_by_month(e: Evidence) -> Outcome | None:
    """Hold each month's mean probability against its bad rate."""
    return by_part(e, months(e.fair.judging))


@CHAPTER.check(LOOK, "分客群校准", "Level by segment", "binomial by the normal law")
def calibration_by_segment(e: Evidence) -> Outcome | None:
    """Hold each segment's mean probability against its bad rate."""
    return by_part(e, e.fair.judging.segments)


def by_part(e: Evidence, held: Mapping[str, Any]) -> Outcome | None:
    """Hold predicted against observed rates of every large part of ``held``."""
    sample = e.fair.judging
    lines: list[dict[str, Any]] = []
    for name, part, here in large_parts(e, held, bads=False):
        bad, p = sample.bad[here], sample.probability[here]
        difference, chance = calibrating.in_the_large(bad, p, len(e.fair.train))
        predicted = float(np.mean(p))
        lines.append(
            {
                "part": f"{name} = {part}",
                "rows": int(here.sum()),
                "predicted": predicted,
                "observed": predicted + difference,
                "relative": difference / max(predicted, calibrating.BARELY),
                "p": chance,
            }
        )
    if not lines:
        return None
    alpha, limit = e.limits.alpha / len(lines), e.limits.group_calibration
    off = [one for one in lines if abs(one["relative"]) > limit and one["p"] < alpha]
    worst = max(lines, key=lambda one: abs(one["relative"]))
    said = (
        f"Farthest off where {worst['part']}: {worst['predicted']:.2%} predicted, {worst['observed']:.2%} observed "
        f"(p = {worst['p']:.2g})."
    )
    return Outcome(worst["relative"], f"within {limit:g}, or p >= {alpha:.1g}", bool(off), said, lines)


def _by_grade(e: Evidence, test: Any, name: str) -> Outcome:
    sample = e.fair.judging
    grade, count = e.grade(sample.probability), len(e.edges) + 1
    rows = np.bincount(grade, minlength=count)
    held = np.flatnonzero(rows)
    bads = np.bincount(grade, sample.bad, minlength=count)[held]
    predicted = np.bincount(grade, sample.probability, minlength=count)[held] / rows[held]
    p = test(bads, rows[held], predicted)
    # A grade's rate may be above its probability by chance of the training rows, too: it must also matter.
    matters = bads / rows[held] > predicted * (1 + e.limits.group_calibration)
    lines = [
        {
            "grade": int(g) + 1,
            "rows": int(rows[g]),
            "bads": int(bads[at]),
            "predicted": float(predicted[at]),
            "observed": float(bads[at] / rows[g]),
            "p": float(p[at]),
        }
        for at, g in enumerate(held)
    ]
    alpha = e.limits.alpha / held.size
    worst = int(np.argmin(p))
    said = (
        f"Grade {lines[worst]['grade']} stands out most: {lines[worst]['predicted']:.2%} predicted, "
        f"{lines[worst]['observed']:.2%} observed (p = {lines[worst]['p']:.2g} by {name})."
    )
    return Outcome(float(p[worst]), f"p >= {alpha:.1g}", bool(((p < alpha) & matters).any()), said, lines)
