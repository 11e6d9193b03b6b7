"""Does the score tell bads from goods, everywhere and always."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bluemirror.validation.checks import DISCRIMINATION, LOOK, STOP, Chapter, Outcome
from bluemirror.validation.comparing import shares_p_value
from bluemirror.validation.evidence import Evidence
from bluemirror.validation.parts import large_parts, months
from bluemirror.validation.ranking import apart, auc, ks

CHAPTER = Chapter(DISCRIMINATION)
DELONG = "DeLong et al., Biometrics 44 (1988)"


@CHAPTER.check(STOP, "判断样本坏客户数", "Enough bads to judge", "design: a model is judged on 200 bads")
def enough_bads(e: Evidence) -> Outcome:
    """Count the bads of the judging rows."""
    bads, least = int(e.fair.judging.bad.sum()), e.limits.min_bads
    said = f"{bads:,} of {len(e.fair.judging):,} judging rows turned bad; {least} are asked for."
    return Outcome(bads, f">= {least}", bads < least, said)


@CHAPTER.check(STOP, "AUC 水平", "Area under the ROC curve", DELONG)
def auc_level(e: Evidence) -> Outcome:
    """Hold the AUC of the judging rows against what is asked for."""
    area = auc(e.fair.judging.bad, e.fair.judging.probability)
    low, high = area.interval()
    said = (
        f"A bad has a higher risk than a good in {area.value:.1%} of all pairs (95 % interval {low:.3f} to {high:.3f}; "
        f"Gini {2 * area.value - 1:.3f})."
    )
    return Outcome(area.value, f">= {e.limits.min_auc:g}", not area.value >= e.limits.min_auc, said)


@CHAPTER.check(STOP, "KS 水平", "Kolmogorov-Smirnov distance", "Kolmogorov 1933, Smirnov 1948")
def ks_level(e: Evidence) -> Outcome:
    """Hold the KS distance of the judging rows against what is asked for."""
    value = ks(e.fair.judging.bad, e.fair.judging.probability)
    said = f"At the best cut-off {value:.1%} more of the bads than of the goods lie above it."
    return Outcome(value, f">= {e.limits.min_ks:g}", not value >= e.limits.min_ks, said)


@CHAPTER.check(LOOK, "训练与验证差距", "Loss from training to judging", f"{DELONG}, independent samples")
def auc_gap(e: Evidence) -> Outcome:
    """See whether the model ranks its training rows better than others: overfitting, or a changed world."""
    one = auc(e.fair.train.bad, e.fair.train.probability)
    other = auc(e.fair.judging.bad, e.fair.judging.probability)
    gap, p = one.value - other.value, apart(one, other)
    said = f"AUC is {one.value:.3f} in training and {other.value:.3f} in judging (p = {p:.2g})."
    limit = f"<= {e.limits.auc_drop:g} or by chance"
    return Outcome(gap, limit, gap > e.limits.auc_drop and p < e.limits.alpha, said)


@CHAPTER.check(LOOK, "分月 AUC", "AUC by month", DELONG)
def auc_by_month(e: Evidence) -> Outcome | None:
    """Compare each month with the others."""
    return _by_part(e, months(e.fair.judging), "month")


@CHAPTER.check(LOOK, "分客群 AUC", "AUC by segment", DELONG)
def auc_by_segment(e: Evidence) -> Outcome | None:
    """Compare each segment with the others."""
    return _by_part(e, e.fair.judging.segments, "segment")


@CHAPTER.check(
    LOOK, "等级排序", "Bad rates rise with the grades", "two proportions, pooled, one pair a grade"
)
def rank_order(e: Evidence) -> Outcome | None:
    """Look for a riskier grade that is surely better than a safer one."""
    sample = e.fair.judging
    grade = e.grade(sample.probability)
    count = len(e.edges) + 1
    rows, bads = np.bincount(grade, minlength=count), np.bincount(grade, sample.bad, minlength=count)
    lines = [
        {"grade": g + 1, "rows": int(rows[g]), "bads": int(bads[g]), "bad_rate": float(bads[g] / rows[g])}
        for g in range(count)
        if rows[g]
    ]
    pairs = count * (count - 1) // 2
    if not pairs:
        return None
    worst, least = "", 1.0
    for i, safer in enumerate(lines):
        for riskier in lines[i + 1 :]:
            if riskier["bad_rate"] >= safer["bad_rate"]:
                continue
            p = shares_p_value(*(int(one[key]) for one in (safer, riskier) for key in ("bads", "rows")))
            if p < least:
                worst, least = f"grade {riskier['grade']} turned out better than {safer['grade']}", p
    said = f"{worst} (p = {least:.2g})." if worst else "Every riskier grade turned out worse."
    return Outcome(
        least, f"p >= {e.limits.alpha / pairs:.1g}", least < e.limits.alpha / pairs, _sentence(said), lines
    )


def _by_part(e: Evidence, held: Mapping[str, Any], what: str) -> Outcome | None:
    sample = e.fair.judging
    lines: list[dict[str, Any]] = []
    for name, part, here in large_parts(e, held):
        area = auc(sample.bad[here], sample.probability[here])
        rest = auc(sample.bad[~here], sample.probability[~here])
        low, high = area.interval()
        lines.append(
            {
                what: part if what == "month" else f"{name} = {part}",
                "rows": int(here.sum()),
                "bads": int(sample.bad[here].sum()),
                "auc": area.value,
                "low": low,
                "high": high,
                "ks": ks(sample.bad[here], sample.probability[here]),
                "below_the_rest": rest.value - area.value,
                "p": apart(area, rest),
            }
        )
    if not lines:
        return None
    alpha, drop = e.limits.alpha / len(lines), e.limits.part_auc_drop
    fallen = [one for one in lines if one["below_the_rest"] > drop and one["p"] < alpha]
    worst = min(lines, key=lambda one: one["auc"])
    said = f"Lowest where {what} is {worst[what]}: AUC {worst['auc']:.3f} ({worst['low']:.3f} to {worst['high']:.3f})."
    return Outcome(worst["auc"], f"not {drop:g} below the rest, p < {alpha:.1g}", bool(fallen), said, lines)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
