"""Are people treated alike: approvals, errors and calibration by sex, age band, region, as far as they are known."""

from __future__ import annotations

from typing import Any

import numpy as np

from bluemirror.validation import calibration
from bluemirror.validation.benchmark import approved
from bluemirror.validation.checks import FAIRNESS, LOOK, STOP, Chapter, Outcome
from bluemirror.validation.comparing import shares_p_value
from bluemirror.validation.evidence import Evidence
from bluemirror.validation.parts import large_parts
from bluemirror.validation.ranking import auc

CHAPTER = Chapter(FAIRNESS)


@CHAPTER.check(LOOK, "差别影响", "Adverse impact", "four-fifths rule, 29 CFR 1607.4 D")
def adverse_impact(e: Evidence) -> Outcome | None:
    """Compare the approval rate of each group with the best group's."""
    lines = _rates(e)
    if not lines:
        return None
    alpha, limit = e.limits.alpha / len(lines), e.limits.adverse_impact
    hit = [one for one in lines if one["impact"] < limit and one["impact_p"] < alpha]
    worst = min(lines, key=lambda one: one["impact"])
    said = (
        f"At {e.limits.approve:.0%} approval {worst['approved']:.1%} are approved where {worst['group']}, "
        f"{worst['impact']:.2f} of the best group's rate."
    )
    return Outcome(worst["impact"], f">= {limit:g}, or p >= {alpha:.1g}", bool(hit), said, lines)


@CHAPTER.check(LOOK, "机会均等", "Goods are approved alike", "equal opportunity, Hardt et al. 2016")
def equal_opportunity(e: Evidence) -> Outcome | None:
    """Compare the approval rate among those who turn out good."""
    lines = _rates(e)
    if not lines:
        return None
    alpha, limit = e.limits.alpha / len(lines), e.limits.equal_opportunity
    hit = [one for one in lines if one["goods_behind"] > limit and one["goods_p"] < alpha]
    worst = max(lines, key=lambda one: one["goods_behind"])
    said = f"Goods are approved {worst['goods_behind']:.1%} less often where {worst['group']} than in the best group."
    return Outcome(worst["goods_behind"], f"<= {limit:g}, or p >= {alpha:.1g}", bool(hit), said)


@CHAPTER.check(LOOK, "分群校准", "Probabilities hold in every group", "binomial by the normal law")
def group_calibration(e: Evidence) -> Outcome | None:
    """Hold predicted against observed rates of each group."""
    return calibration.by_part(e, e.fair.judging.groups)


@CHAPTER.check(
    STOP, "敏感属性代理", "No input stands for a group", "AUC of an input for the group, Fawcett 2006"
)
def proxy(e: Evidence) -> Outcome | None:
    """See how well one input alone, or its being missing, tells a group."""
    lines: list[dict[str, Any]] = []
    for name, part, here in large_parts(e, e.fair.judging.groups, bads=False):
        if here.all():
            continue
        for variable, held in e.fair.judging.values.items():
            known = ~np.isnan(held)
            told = max(_tells(here, known), _tells(here[known], held[known]))
            lines.append({"group": f"{name} = {part}", "variable": variable, "auc": 0.5 + told})
    if not lines:
        return None
    lines.sort(key=lambda one: -one["auc"])
    worst, limit = lines[0], e.limits.proxy
    said = f"{worst['variable']} tells best who is {worst['group']}: AUC {worst['auc']:.2f}."
    return Outcome(worst["auc"], f"<= {limit:g}", worst["auc"] > limit, said, lines[:20])


def _tells(here: Any, risk: Any) -> float:
    """How far from a half the AUC of ``risk`` for being in the group is; 0 if it cannot be told."""
    value = auc(here, risk).value
    return abs(value - 0.5) if np.isfinite(value) else 0.0


def _rates(e: Evidence) -> list[dict[str, Any]]:
    """Approval and error rates of each group, and how far behind the best group of the same kind."""
    sample = e.fair.judging
    yes, good = approved(sample.probability, e.limits.approve), sample.bad == 0
    lines: list[dict[str, Any]] = []
    for name, part, here in large_parts(e, sample.groups):
        lines.append(
            {
                "kind": name,
                "group": f"{name} = {part}",
                "rows": int(here.sum()),
                "bad_rate": float(sample.bad[here].mean()),
                "approved": float(yes[here].mean()),
                "goods_approved": float(yes[here & good].mean()),
                "bads_approved": float(yes[here & ~good].mean()),
                "auc": auc(sample.bad[here], sample.probability[here]).value,
                "_goods": int((here & good).sum()),
            }
        )
    for kind in {one["kind"] for one in lines}:
        mine = [one for one in lines if one["kind"] == kind]
        for key, apart, p, rows in (
            ("approved", "impact", "impact_p", "rows"),
            ("goods_approved", "goods_behind", "goods_p", "_goods"),
        ):
            best = max(mine, key=lambda one: one[key])
            for one in mine:
                one[apart] = one[key] / best[key] if apart == "impact" else best[key] - one[key]
                one[p] = shares_p_value(
                    round(one[key] * one[rows]), one[rows], round(best[key] * best[rows]), best[rows]
                )
    return [{key: value for key, value in one.items() if key not in {"_goods", "kind"}} for one in lines]
