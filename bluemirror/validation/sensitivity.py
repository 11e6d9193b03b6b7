"""What becomes of the score when an input is missing, moves, or its source does not answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from bluemirror.validation.checks import LOOK, SENSITIVITY, STOP, Chapter, Outcome
from bluemirror.validation.evidence import REASONS_BELOW, Evidence
from bluemirror.validation.ranking import auc

CHAPTER = Chapter(SENSITIVITY)
SAME = 1e-9
STEPS = (0.05, 0.25, 0.5, 0.75, 0.95)
ASKED = 2000
"""Rows that are asked again and again; evenly spread over the judging rows."""


@CHAPTER.check(STOP, "可复算", "The model gives the very scores", "equality to 1e-9")
def scores_reproduce(e: Evidence) -> Outcome | None:
    """Ask the model for the judging rows and compare with the scores that were laid before us."""
    if e.scorer is None:
        return None
    away = float(np.max(np.abs(e.scorer(e.fair.judging.inputs) - e.fair.judging.probability)))
    said = f"Asked again, the model gives the same probabilities to {away:.1g}."
    return Outcome(away, f"<= {SAME:g}", not away <= SAME, said)


@CHAPTER.check(
    STOP, "方向合理", "Risk moves as declared", "mean response along the quantiles (Friedman 2001)"
)
def declared_direction(e: Evidence) -> Outcome | None:
    """Move each input through its quantiles, all else as it is, and compare the way with what is declared."""
    if e.scorer is None:
        return None
    inputs = _asked(e)
    lines: list[dict[str, Any]] = []
    for name, declared in e.variables.items():
        if not declared.direction or name not in inputs:
            continue
        held = e.fair.judging.values[name]
        if np.isnan(held).all():
            continue
        means = [
            float(np.mean(_with(e, inputs, {name: at})))
            for at in np.nanquantile(held, STEPS, method="nearest")
        ]
        way = float(means[-1] - means[0])
        against = min(0.0, float(np.min(np.diff(means) * declared.direction)))
        lines.append({"variable": name, "declared": declared.direction, "change": way, "against": against})
    if not lines:
        return None
    wrong = [one for one in lines if one["against"] < -SAME]
    said = (
        f"{wrong[0]['variable']} moves risk against its declared direction."
        if wrong
        else f"All {len(lines)} inputs with a declared direction move risk that way."
    )
    return Outcome(float(len(wrong)), "0", bool(wrong), said, lines)


@CHAPTER.check(LOOK, "单变量依赖", "Rests on one variable", "share of the Gini lost without it")
def one_variable(e: Evidence) -> Outcome | None:
    """Take away one input at a time, as if it were missing."""
    if e.scorer is None:
        return None
    return _taken_away(e, {name: (name,) for name in e.fair.judging.inputs}, "variable")


@CHAPTER.check(LOOK, "来源中断", "A source does not answer", "AUC lost and mean probability without it")
def source_out(e: Evidence) -> Outcome | None:
    """Take away all inputs of one source at a time."""
    if e.scorer is None:
        return None
    sources: dict[str, list[str]] = {}
    for name in e.fair.judging.inputs:
        if name in e.variables and e.variables[name].source:
            sources.setdefault(e.variables[name].source, []).append(name)
    return _taken_away(e, sources, "source") if sources else None


@CHAPTER.check(LOOK, "冲击测试", "An input moves by one deviation", "mean probability before and after")
def shifted_input(e: Evidence) -> Outcome | None:
    """Move one input at a time by one standard deviation, both ways."""
    if e.scorer is None:
        return None
    inputs = _asked(e)
    base = float(np.mean(e.scorer(inputs)))
    lines: list[dict[str, Any]] = []
    for name, held in inputs.items():
        numbers = np.asarray(held, float)
        present = np.isfinite(numbers) & (numbers >= REASONS_BELOW)
        spread = float(numbers[present].std()) if present.any() else 0.0
        changes = [
            float(np.mean(e.scorer({**inputs, name: np.where(present, numbers + way * spread, numbers)})))
            / base
            for way in (-1, 1)
        ]
        lines.append({"variable": name, "down": changes[0], "up": changes[1], "factor": _factor(changes)})
    lines.sort(key=lambda one: -one["factor"])
    worst, limit = lines[0], e.limits.stress_factor
    said = f"{worst['variable']} moves the mean probability most: by a factor of {worst['factor']:.2f}."
    return Outcome(worst["factor"], f"<= {limit:g}", worst["factor"] > limit, said, lines)


def _taken_away(e: Evidence, sets: Mapping[str, Iterable[str]], what: str) -> Outcome:
    assert e.scorer is not None
    inputs = _asked(e)
    bad = e.fair.judging.bad[_places(e)]
    before = e.scorer(inputs)
    whole = auc(bad, before).value
    lines: list[dict[str, Any]] = []
    for name, members in sets.items():
        without = _with(e, inputs, dict.fromkeys(members, np.nan))
        left = auc(bad, without).value
        lines.append(
            {
                what: name,
                "auc_lost": whole - left,
                "gini_lost": (whole - left) / max(whole - 0.5, SAME),
                "factor": _factor([float(np.mean(without) / np.mean(before))]),
            }
        )
    lines.sort(key=lambda one: -one["auc_lost"])
    worst = lines[0]
    if what == "variable":
        limit = e.limits.dominance
        said = f"Without {worst[what]} {worst['gini_lost']:.0%} of the Gini is lost."
        return Outcome(worst["gini_lost"], f"<= {limit:g}", worst["gini_lost"] > limit, said, lines)
    farthest = max(one["factor"] for one in lines)
    said = (
        f"Without {worst[what]} the AUC falls by {worst['auc_lost']:.3f}; at most the mean probability changes by a "
        f"factor of {farthest:.2f}."
    )
    alarm = worst["auc_lost"] > e.limits.source_loss or farthest > e.limits.stress_factor
    limit_text = f"<= {e.limits.source_loss:g}, factor <= {e.limits.stress_factor:g}"
    return Outcome(worst["auc_lost"], limit_text, alarm, said, lines)


def _places(e: Evidence) -> Any:
    count = len(e.fair.judging)
    return np.unique(np.linspace(0, count - 1, min(count, ASKED)).astype(int))


def _asked(e: Evidence) -> dict[str, Any]:
    places = _places(e)
    return {name: np.asarray(held)[places] for name, held in e.fair.judging.inputs.items()}


def _with(e: Evidence, inputs: Mapping[str, Any], fixed: Mapping[str, float]) -> Any:
    assert e.scorer is not None
    rows = len(next(iter(inputs.values())))
    return e.scorer({**inputs, **{name: np.full(rows, value) for name, value in fixed.items()}})


def _factor(changes: Iterable[float]) -> float:
    return max(max(one, 1 / max(one, SAME)) for one in changes)
