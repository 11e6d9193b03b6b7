"""Is the population that is judged the one that the model was made on, and does it mean the same."""

from __future__ import annotations

from typing import Any

import numpy as np

from bluemirror.validation.checks import LOOK, STABILITY, STOP, Chapter, Outcome
from bluemirror.validation.comparing import (
    EMPTY_CELL,
    codes,
    counts,
    cuts,
    migration,
    psi,
    psi_p_value,
    shares_p_value,
)
from bluemirror.validation.evidence import Evidence
from bluemirror.validation.parts import large_parts, months
from bluemirror.validation.ranking import auc, two_sided

CHAPTER = Chapter(STABILITY)
SIDDIQI = "Siddiqi 2006, ch. 9; chance by Yurdakul 2018"
COARSE = 5


@CHAPTER.check(STOP, "评分 PSI", "Score: population stability index", SIDDIQI)
def score_psi(e: Evidence) -> Outcome:
    """Compare the distribution of the score in judging with that in training."""
    edges = cuts(e.fair.train.probability)
    one, other = counts(e.fair.train.probability, edges), counts(e.fair.judging.probability, edges)
    value = psi(one, other)
    p = psi_p_value(value, one, other)
    said = f"The score's PSI from training to judging is {value:.3f} (p = {p:.2g} that nothing changed)."
    limit = f"<= {e.limits.psi:g} or by chance"
    return Outcome(value, limit, value > e.limits.psi and p < e.limits.alpha, said)


@CHAPTER.check(LOOK, "评分分月 PSI", "Score by month", SIDDIQI)
def score_psi_by_month(e: Evidence) -> Outcome | None:
    """Compare each judging month with all of training."""
    edges = cuts(e.fair.train.probability)
    whole = counts(e.fair.train.probability, edges)
    lines: list[dict[str, Any]] = []
    for _, month, here in large_parts(e, months(e.fair.judging), bads=False):
        part = counts(e.fair.judging.probability[here], edges)
        value = psi(whole, part)
        lines.append(
            {"month": month, "rows": int(here.sum()), "psi": value, "p": psi_p_value(value, whole, part)}
        )
    if not lines:
        return None
    alpha, limit = e.limits.alpha / len(lines), e.limits.psi
    moved = [one for one in lines if one["psi"] > limit and one["p"] < alpha]
    worst = max(lines, key=lambda one: one["psi"])
    said = f"Highest in {worst['month']}: {worst['psi']:.3f} (p = {worst['p']:.2g})."
    return Outcome(worst["psi"], f"<= {limit:g}, or p >= {alpha:.1g}", bool(moved), said, lines)


@CHAPTER.check(LOOK, "变量 CSI", "Inputs: characteristic stability index", SIDDIQI)
def input_csi(e: Evidence) -> Outcome | None:
    """Compare the distribution of each input, missing values as a bin of their own."""
    lines: list[dict[str, Any]] = []
    for name, held in e.fair.train.values.items():
        edges = cuts(held)
        one, other = counts(held, edges), counts(e.fair.judging.values[name], edges)
        value = psi(one, other)
        p = psi_p_value(value, one, other)
        lines.append({"variable": name, "source": _source(e, name), "csi": value, "p": p})
    if not lines:
        return None
    lines.sort(key=lambda one: -one["csi"])
    alpha, limit = e.limits.alpha / len(lines), e.limits.psi
    moved = [one for one in lines if one["csi"] > limit and one["p"] < alpha]
    said = f"{len(moved)} of {len(lines)} inputs moved; most {lines[0]['variable']}: {lines[0]['csi']:.3f}."
    return Outcome(lines[0]["csi"], f"<= {limit:g}, or p >= {alpha:.1g}", bool(moved), said, lines)


@CHAPTER.check(LOOK, "缺失率变化", "Missing shares", "two proportions, pooled")
def missing_shift(e: Evidence) -> Outcome | None:
    """Compare the share of missing values of each input, and name the sources that changed."""
    lines: list[dict[str, Any]] = []
    for name, held in e.fair.train.values.items():
        one, other = np.isnan(held), np.isnan(e.fair.judging.values[name])
        lines.append(
            {
                "variable": name,
                "source": _source(e, name),
                "training": float(one.mean()),
                "judging": float(other.mean()),
                "p": shares_p_value(int(one.sum()), one.size, int(other.sum()), other.size),
            }
        )
    if not lines:
        return None
    lines.sort(key=lambda one: -abs(one["judging"] - one["training"]))
    alpha, limit = e.limits.alpha / len(lines), e.limits.missing_change
    moved = [one for one in lines if abs(one["judging"] - one["training"]) > limit and one["p"] < alpha]
    worst = lines[0]
    sources = ", ".join(sorted({str(one["source"]) for one in moved}))
    said = (
        f"{worst['variable']} is missing in {worst['training']:.1%} of the training and {worst['judging']:.1%} of the "
        "judging rows."
    )
    said += f" Sources concerned: {sources}." if sources else ""
    change = worst["judging"] - worst["training"]
    return Outcome(change, f"within {limit:g}, or p >= {alpha:.1g}", bool(moved), said, lines)


@CHAPTER.check(LOOK, "分箱坏率稳定", "Bins mean the same", "difference of log odds ratios, normal")
def bin_stability(e: Evidence) -> Outcome | None:
    """Compare the weight of evidence of each bin of each input in training and judging."""
    lines: list[dict[str, Any]] = []
    for name, held in e.fair.train.values.items():
        edges = cuts(held, COARSE)
        one = _evidence_of_bins(codes(held, edges), e.fair.train.bad, len(edges) + 2)
        other = _evidence_of_bins(
            codes(e.fair.judging.values[name], edges), e.fair.judging.bad, len(edges) + 2
        )
        for at, ((woe, error, rows), (later, later_error, later_rows)) in enumerate(
            zip(one, other, strict=True)
        ):
            if min(rows, later_rows) < e.limits.part_rows:
                continue
            lines.append(
                {
                    "variable": name,
                    "bin": "missing" if at == len(edges) + 1 else _bin(edges, at),
                    "training": woe,
                    "judging": later,
                    "p": two_sided(later - woe, float(np.hypot(error, later_error))),
                }
            )
    if not lines:
        return None
    lines.sort(key=lambda one: one["p"])
    alpha, limit = e.limits.alpha / len(lines), e.limits.woe_change
    moved = [one for one in lines if abs(one["judging"] - one["training"]) > limit and one["p"] < alpha]
    worst = lines[0]
    said = (
        f"Least alike: {worst['variable']} in {worst['bin']}, weight of evidence {worst['training']:.2f} in training, "
        f"{worst['judging']:.2f} in judging (p = {worst['p']:.2g})."
    )
    change = worst["judging"] - worst["training"]
    return Outcome(change, f"within {limit:g}, or p >= {alpha:.1g}", bool(moved), said, lines[:40])


@CHAPTER.check(LOOK, "方向稳定", "Inputs keep their direction", "DeLong et al. 1988")
def direction_stability(e: Evidence) -> Outcome | None:
    """Look for inputs that surely told risk one way in training and surely the other way in judging."""
    lines: list[dict[str, Any]] = []
    for name, held in e.fair.train.values.items():
        later = e.fair.judging.values[name]
        there, here = ~np.isnan(held), ~np.isnan(later)
        one = auc(e.fair.train.bad[there], held[there])
        other = auc(e.fair.judging.bad[here], later[here])
        if not np.isfinite(one.value) or not np.isfinite(other.value):
            continue
        turned = (one.value - 0.5) * (other.value - 0.5) < 0
        p = max(two_sided(one.value - 0.5, one.error), two_sided(other.value - 0.5, other.error))
        lines.append(
            {"variable": name, "training": one.value, "judging": other.value, "p": p if turned else 1.0}
        )
    if not lines:
        return None
    lines.sort(key=lambda one: one["p"])
    alpha = e.limits.alpha / len(lines)
    found = [one for one in lines if one["p"] < alpha]
    said = (
        f"{found[0]['variable']} told risk one way in training (AUC {found[0]['training']:.3f}) and the other way in "
        f"judging ({found[0]['judging']:.3f})."
        if found
        else f"None of {len(lines)} inputs turned round."
    )
    return Outcome(float(len(found)), "0", bool(found), said, lines)


@CHAPTER.check(
    LOOK, "等级迁移", "Migration of customers between grades", "share of moves by three grades or more"
)
def grade_migration(e: Evidence) -> Outcome | None:
    """Follow customers with several judging rows from their first grade to their last."""
    sample = e.fair.judging
    order = np.lexsort((sample.as_of, sample.customer))
    customer, grade = np.asarray(sample.customer)[order], e.grade(sample.probability)[order]
    first = np.flatnonzero(np.r_[True, customer[1:] != customer[:-1]])
    last = np.r_[first[1:], customer.size] - 1
    several = last > first
    if several.sum() < e.limits.part_rows:
        return None
    count = len(e.edges) + 1
    before, after = grade[first[several]], grade[last[several]]
    far = float(np.mean(np.abs(after - before) >= max(3, round(0.3 * count))))
    table = migration(before, after, count)
    lines = [
        {"from": at + 1, **{f"to {to + 1}": int(table[at, to]) for to in range(count)}} for at in range(count)
    ]
    said = f"{far:.1%} of {int(several.sum()):,} customers with several rows moved by three grades or more."
    return Outcome(far, f"<= {e.limits.migration:g}", far > e.limits.migration, said, lines)


def _evidence_of_bins(code: Any, bad: Any, count: int) -> list[tuple[float, float, int]]:
    """Weight of evidence of each bin against all rows, its standard error, and its rows."""
    rows = np.bincount(code, minlength=count).astype(float)
    bads = np.bincount(code, bad, minlength=count)
    goods = rows - bads
    b, g = np.maximum(bads, EMPTY_CELL), np.maximum(goods, EMPTY_CELL)
    woe = np.log((g / max(goods.sum(), 1)) / (b / max(bads.sum(), 1)))
    return list(zip(woe.tolist(), np.sqrt(1 / b + 1 / g).tolist(), rows.astype(int).tolist(), strict=True))


def _bin(edges: Any, at: int) -> str:
    low = f"above {edges[at - 1]:.4g}" if at else ""
    high = f"to {edges[at]:.4g}" if at < len(edges) else ""
    return f"{low} {high}".strip() or "all values"


def _source(e: Evidence, name: str) -> str:
    return e.variables[name].source if name in e.variables else ""
