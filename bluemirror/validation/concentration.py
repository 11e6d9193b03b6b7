"""Do the grades spread the rows, or do all stand on one step."""

from __future__ import annotations

import numpy as np

from bluemirror.validation.checks import CONCENTRATION, LOOK, Chapter, Outcome
from bluemirror.validation.comparing import herfindahl
from bluemirror.validation.evidence import Evidence

CHAPTER = Chapter(CONCENTRATION)


@CHAPTER.check(
    LOOK, "等级集中度", "Herfindahl index of the grades", "Herfindahl 1950; ECB 2019, section 2.5.5.3"
)
def grade_hhi(e: Evidence) -> Outcome:
    """Compare the spread over the grades with an even one."""
    rows = np.bincount(e.grade(e.fair.judging.probability), minlength=len(e.edges) + 1)
    value = herfindahl(rows)
    lines = [{"grade": at + 1, "rows": int(n), "share": float(n / rows.sum())} for at, n in enumerate(rows)]
    said = f"The index is {value:.3f} over {rows.size} grades; {1 / rows.size:.3f} would be even."
    return Outcome(value, f"<= {e.limits.hhi:g}", value > e.limits.hhi, said, lines)


@CHAPTER.check(LOOK, "最大等级占比", "Largest grade", "Basel II, paragraph 404")
def largest_grade(e: Evidence) -> Outcome:
    """Look at the grade with the most rows."""
    rows = np.bincount(e.grade(e.fair.judging.probability))
    share = float(rows.max() / rows.sum())
    said = f"Grade {int(rows.argmax()) + 1} holds {share:.1%} of the judging rows."
    return Outcome(share, f"<= {e.limits.grade_share:g}", share > e.limits.grade_share, said)


@CHAPTER.check(LOOK, "同分占比", "Rows with the very same score", "share of the most frequent value")
def score_ties(e: Evidence) -> Outcome:
    """Look at the most frequent score."""
    _, rows = np.unique(e.fair.judging.probability, return_counts=True)
    share = float(rows.max() / rows.sum())
    said = f"{rows.size:,} different scores; the most frequent one stands on {share:.1%} of the rows."
    return Outcome(share, f"<= {e.limits.tie:g}", share > e.limits.tie, said)
