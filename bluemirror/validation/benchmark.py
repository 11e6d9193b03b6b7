"""Is the model better than the one that scores now, and how much is left on the table."""

from __future__ import annotations

from typing import Any

import numpy as np

from bluemirror.validation.checks import BENCHMARK, LOOK, STOP, Chapter, Outcome
from bluemirror.validation.comparing import shares_p_value
from bluemirror.validation.evidence import Evidence
from bluemirror.validation.ranking import auc_difference

CHAPTER = Chapter(BENCHMARK)
PAIRED = "DeLong et al. 1988, paired"


@CHAPTER.check(STOP, "对比冠军", "Against the champion", PAIRED)
def against_champion(e: Evidence) -> Outcome | None:
    """Compare with the champion on the same rows."""
    if e.fair.champion is None:
        return None
    sample = e.fair.judging
    difference, error, p = auc_difference(sample.bad, sample.probability, e.fair.champion)
    said = f"AUC is {difference:+.3f} against the champion's (standard error {error:.3f}, p = {p:.2g})."
    limit = e.limits.worse_than
    return Outcome(
        difference, f">= -{limit:g} or by chance", difference < -limit and p < e.limits.alpha, said
    )


@CHAPTER.check(LOOK, "对比挑战者", "Against the challenger", PAIRED)
def against_challenger(e: Evidence) -> Outcome | None:
    """Compare with the challenger on the same rows: what does the simpler model cost."""
    if e.fair.challenger is None:
        return None
    sample = e.fair.judging
    difference, error, p = auc_difference(sample.bad, sample.probability, e.fair.challenger)
    said = f"AUC is {difference:+.3f} against the challenger's (standard error {error:.3f}, p = {p:.2g})."
    limit = e.limits.better_challenger
    return Outcome(
        difference, f">= -{limit:g} or by chance", difference < -limit and p < e.limits.alpha, said
    )


@CHAPTER.check(STOP, "换入换出", "Swap set at equal approval", "two proportions, pooled")
def swap_set(e: Evidence) -> Outcome | None:
    """Compare whom only this model approves with whom only the champion does, both approving as many."""
    if e.fair.champion is None:
        return None
    sample = e.fair.judging
    ours = approved(sample.probability, e.limits.approve)
    theirs = approved(e.fair.champion, e.limits.approve)
    lines: list[dict[str, Any]] = []
    for name, here in (
        ("approved by both", ours & theirs),
        ("swapped in", ours & ~theirs),
        ("swapped out", ~ours & theirs),
        ("declined by both", ~ours & ~theirs),
    ):
        rows, bads = int(here.sum()), int(sample.bad[here].sum())
        lines.append({"set": name, "rows": rows, "bads": bads, "bad_rate": bads / rows if rows else None})
    swapped_in, swapped_out = lines[1], lines[2]
    if not swapped_in["rows"] or not swapped_out["rows"]:
        return Outcome(0.0, "", False, "Both approve the same rows.", lines)
    p = shares_p_value(swapped_in["bads"], swapped_in["rows"], swapped_out["bads"], swapped_out["rows"])
    difference = swapped_in["bad_rate"] - swapped_out["bad_rate"]
    said = (
        f"At {e.limits.approve:.0%} approval {swapped_in['rows']:,} rows are swapped in, "
        f"{swapped_in['bad_rate']:.2%} of them bad; of those swapped out {swapped_out['bad_rate']:.2%} (p = {p:.2g})."
    )
    return Outcome(difference, "<= 0 or by chance", difference > 0 and p < e.limits.alpha, said, lines)


def approved(probability: Any, share: float) -> Any:
    """The ``share`` of rows with the lowest probability; ties by place; shape (rows,) of bool."""
    probability = np.asarray(probability)
    chosen = np.zeros(probability.size, bool)
    chosen[np.argsort(probability, kind="stable")[: round(share * probability.size)]] = True
    return chosen
