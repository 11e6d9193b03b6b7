"""Are labels, scores and inputs what they should be before anything is computed from them."""

from __future__ import annotations

from typing import Any

import numpy as np

from bluemirror.validation.checks import INPUTS, LOOK, STOP, Chapter, Outcome
from bluemirror.validation.evidence import Evidence

CHAPTER = Chapter(INPUTS)
COUNTED = "counted"
TWIN_ROWS = 2000


@CHAPTER.check(STOP, "标签有效", "Outcomes are 0 or 1", COUNTED)
def labels_valid(e: Evidence) -> Outcome:
    """Count outcomes that are neither."""
    wrong = sum(int((~np.isin(np.asarray(s.bad, float), (0.0, 1.0))).sum()) for s in (e.train, e.judging))
    return Outcome(float(wrong), "0", wrong > 0, f"{wrong:,} outcomes are neither 0 nor 1.")


@CHAPTER.check(STOP, "评分有效", "Every row has a probability", COUNTED)
def scores_valid(e: Evidence) -> Outcome:
    """Count probabilities that are missing or outside of 0 to 1."""
    wrong = 0
    for side in (e.train, e.judging):
        p = np.asarray(side.probability, float)
        wrong += int((~(np.isfinite(p) & (p >= 0) & (p <= 1))).sum())
    return Outcome(float(wrong), "0", wrong > 0, f"{wrong:,} probabilities are missing or outside of 0 to 1.")


@CHAPTER.check(LOOK, "坏率跳变", "The bad rate does not jump", "ratio of odds")
def bad_rate_jump(e: Evidence) -> Outcome:
    """Compare the odds of bad in judging with those in training: a swapped or redefined label shows here."""
    rates = [float(np.clip(np.mean(side.bad), 1e-6, 1 - 1e-6)) for side in (e.fair.train, e.fair.judging)]
    ratio = (rates[1] / (1 - rates[1])) / (rates[0] / (1 - rates[0]))
    factor = max(ratio, 1 / ratio)
    said = f"{rates[0]:.2%} of the training rows turned bad, {rates[1]:.2%} of the judging rows."
    return Outcome(factor, "<= 2", factor > 2, said)


@CHAPTER.check(LOOK, "常量变量", "No input is constant", COUNTED)
def constant_input(e: Evidence) -> Outcome | None:
    """Look for inputs with one value in nearly all rows of one side."""
    return _shares(
        e,
        lambda side, name: _largest_share(side.inputs[name]),
        e.limits.constant,
        "has one value in {0:.1%} of the",
    )


@CHAPTER.check(LOOK, "高缺失变量", "No input is nearly always missing", COUNTED)
def mostly_missing(e: Evidence) -> Outcome | None:
    """Look for inputs that hardly anybody has on one side."""
    return _shares(
        e,
        lambda side, name: float(np.isnan(side.values[name]).mean()),
        e.limits.mostly_missing,
        "is missing in {0:.1%} of the",
    )


@CHAPTER.check(STOP, "无穷值", "No input is infinite", COUNTED)
def infinite_input(e: Evidence) -> Outcome | None:
    """Count infinite values."""
    found = {
        name: sum(int(np.isinf(np.asarray(side.inputs[name], float)).sum()) for side in (e.train, e.judging))
        for name in e.train.inputs
    }
    if not found:
        return None
    worst = max(found, key=lambda name: found[name])
    total = sum(found.values())
    said = f"{total:,} values are infinite, most of them of {worst}." if total else "No value is infinite."
    return Outcome(float(total), "0", total > 0, said)


@CHAPTER.check(STOP, "量纲变化", "Units are the same", "ratio of the medians of the non-zero sizes")
def unit_change(e: Evidence) -> Outcome | None:
    """Compare the typical size of each input on both sides: yuan taken for fen is a factor of a hundred."""
    lines: list[dict[str, Any]] = []
    for name in e.train.inputs:
        sizes = []
        for side in (e.train, e.judging):
            held = np.abs(side.values[name])
            held = held[np.isfinite(held) & (held > 0)]
            sizes.append(float(np.median(held)) if held.size >= e.limits.part_rows else float("nan"))
        ratio = sizes[1] / sizes[0]
        if np.isfinite(ratio):
            lines.append({"variable": name, "ratio": ratio, "factor": max(ratio, 1 / ratio)})
    if not lines:
        return None
    lines.sort(key=lambda one: -one["factor"])
    worst, limit = lines[0], e.limits.scale
    said = f"{worst['variable']} is typically {worst['ratio']:.3g} times as large in judging as in training."
    return Outcome(worst["factor"], f"<= {limit:g}", worst["factor"] > limit, said, lines)


@CHAPTER.check(
    LOOK, "哨兵值", "No number stands for something else", "one far value on many rows (Tukey 1977)"
)
def sentinel_value(e: Evidence) -> Outcome | None:
    """Look for one outermost value, far from all others, that many rows share, such as -999."""
    lines: list[dict[str, Any]] = []
    for name in e.train.inputs:
        for side in (e.train, e.judging):
            held = side.values[name]
            held = held[np.isfinite(held)]
            if held.size < e.limits.part_rows:
                continue
            low, high = np.quantile(held, (0.25, 0.75))
            for outermost in (held.min(), held.max()):
                here = held == outermost
                rest = held[~here]
                spread = max(float(high - low), float(np.ptp(rest)) if rest.size else 0.0)
                gap = float(np.abs(rest - outermost).min()) if rest.size else 0.0
                if gap > 2 * spread and spread > 0:
                    lines.append({"variable": name, "value": float(outermost), "share": float(here.mean())})
    lines.sort(key=lambda one: -one["share"])
    limit = e.limits.sentinel
    found = [one for one in lines if one["share"] > limit]
    said = (
        f"{found[0]['variable']} is {found[0]['value']:g}, far from all else, in {found[0]['share']:.1%} of the rows."
        if found
        else "No far value is shared by many rows."
    )
    return Outcome(lines[0]["share"] if lines else 0.0, f"<= {limit:g}", bool(found), said, lines)


@CHAPTER.check(LOOK, "孪生变量", "No input says the same as another", "Spearman 1904")
def twin_inputs(e: Evidence) -> Outcome | None:
    """Compare the ranks of every two inputs; missing values get the middle."""
    from scipy.stats import rankdata

    places = np.linspace(0, len(e.train) - 1, min(TWIN_ROWS, len(e.train))).astype(int)
    ranks: dict[str, Any] = {}
    for name, held in e.train.values.items():
        numbers = held[places]
        known = np.isfinite(numbers)
        if known.sum() < e.limits.part_rows or np.ptp(numbers[known]) == 0:
            continue
        centred = np.zeros(places.size)
        ranked = rankdata(numbers[known])
        centred[known] = ranked - ranked.mean()
        ranks[name] = centred / np.linalg.norm(centred)
    if len(ranks) < 2:
        return None
    names = list(ranks)
    matrix = np.abs(np.array(list(ranks.values())) @ np.array(list(ranks.values())).T)
    np.fill_diagonal(matrix, 0)
    one, other = np.unravel_index(int(matrix.argmax()), matrix.shape)
    worst, limit = float(matrix.max()), e.limits.twin
    said = f"{names[one]} and {names[other]} are most alike: rank correlation {worst:.2f}."
    return Outcome(worst, f"<= {limit:g}", worst > limit, said)


@CHAPTER.check(LOOK, "月份缺口", "No month is absent", COUNTED)
def month_gap(e: Evidence) -> Outcome:
    """Look for months without rows between the first and the last of each side."""
    absent: list[str] = []
    for side in (e.train, e.judging):
        held = np.unique(side.month)
        absent += [str(one) for one in np.setdiff1d(np.arange(held.min(), held.max() + 1), held)]
    said = f"No rows in {', '.join(absent)}." if absent else "Every month between first and last has rows."
    return Outcome(float(len(absent)), "0", bool(absent), said)


def _shares(e: Evidence, share: Any, limit: float, words: str) -> Outcome | None:
    found = [
        (share(side, name), name, what)
        for name in e.train.inputs
        for what, side in (("training", e.train), ("judging", e.judging))
    ]
    if not found:
        return None
    worst, name, what = max(found)
    return Outcome(worst, f"< {limit:g}", worst >= limit, f"{name} {words.format(worst)} {what} rows.")


def _largest_share(held: Any) -> float:
    _, rows = np.unique(np.asarray(held, float), return_counts=True)
    return float(rows.max() / rows.sum())
