"""Is written what a reviewer needs, and is it true."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import numpy as np

from bluemirror.validation.checks import DOCUMENTATION, LOOK, STOP, Chapter, Outcome
from bluemirror.validation.evidence import Evidence
from bluemirror.validation.ranking import auc, ks

CHAPTER = Chapter(DOCUMENTATION)
COUNTED = "counted"

NEEDED = {
    "purpose": "用途",
    "population": "总体",
    "label": "标签",
    "method": "方法",
    "limits": "局限",
    "data": "数据快照",
    "code": "代码版本",
    "reproduce": "如何复现",
}
"""Parts that every model's documentation has, with their Chinese names."""

SHORTEST = 8
UNFINISHED = re.compile(r"\b(TODO|TBD|FIXME|XXX|lorem ipsum)\b|待补|待定", re.IGNORECASE)


@CHAPTER.check(STOP, "文档完整", "Every part is written", COUNTED)
def parts_written(e: Evidence) -> Outcome:
    """Count the needed parts that are absent or no more than a word."""
    texts = e.description.texts
    # A hash or a version is short and complete.
    absent = [
        name
        for name in NEEDED
        if len(texts.get(name, "").strip()) < (1 if name in {"data", "code"} else SHORTEST)
    ]
    said = f"Absent: {', '.join(absent)}." if absent else f"All {len(NEEDED)} parts are written."
    return Outcome(float(len(absent)), "0", bool(absent), said)


@CHAPTER.check(LOOK, "文档无占位", "Nothing is left to be written", COUNTED)
def placeholders(e: Evidence) -> Outcome:
    """Look for marks of unfinished text."""
    found = sorted(name for name, text in e.description.texts.items() if UNFINISHED.search(text))
    said = f"Unfinished: {', '.join(found)}." if found else "No text carries a mark of being unfinished."
    return Outcome(float(len(found)), "0", bool(found), said)


@CHAPTER.check(LOOK, "变量有说明", "Every input is described", COUNTED)
def variables_described(e: Evidence) -> Outcome:
    """Count inputs without source or without a label in either language."""
    absent = []
    for name in e.judging.inputs:
        told = e.variables.get(name)
        if told is None or not (told.source and told.label_zh and told.label_en):
            absent.append(name)
    said = (
        f"{len(absent)} inputs lack a source or a label: {', '.join(absent[:5])}."
        if absent
        else f"All {len(e.judging.inputs)} inputs have a source and labels in Chinese and English."
    )
    return Outcome(float(len(absent)), "0", bool(absent), said)


@CHAPTER.check(STOP, "文档数字属实", "Figures told are figures found", "difference to what is measured here")
def claims_true(e: Evidence) -> Outcome | None:
    """Compare every figure that the documentation tells with the one measured here."""
    sample = e.fair.judging
    measured = {
        "auc": lambda: auc(sample.bad, sample.probability).value,
        "ks": lambda: ks(sample.bad, sample.probability),
        "bad_rate": lambda: float(np.mean(sample.bad)),
        "rows": lambda: float(len(e.judging)),
        "bads": lambda: float(np.sum(sample.bad)),
    }
    lines: list[dict[str, Any]] = [
        {"figure": name, "told": told, "found": measured[name]()}
        for name, told in e.description.claims.items()
        if name in measured
    ]
    if not lines:
        return None
    wrong = [
        one for one in lines if not abs(one["told"] - one["found"]) <= 0.0006 * max(1.0, abs(one["found"]))
    ]
    said = (
        "; ".join(
            f"{one['figure']} is told as {one['told']:.4g} and found as {one['found']:.4g}" for one in wrong
        )
        + "."
        if wrong
        else f"All {len(lines)} figures told are those found here."
    )
    return Outcome(float(len(wrong)), "0", bool(wrong), said, lines)


@CHAPTER.check(STOP, "审阅人独立", "A reviewer who is not the trainer", COUNTED)
def independent_reviewer(e: Evidence) -> Outcome:
    """See whether somebody other than the trainer may review."""
    d = e.description
    others = [one for one in d.reviewers if one and one != d.trainer]
    said = (
        f"Trained by {d.trainer or 'nobody named'}; reviewers: {', '.join(others) or 'none but the trainer'}."
    )
    return Outcome(float(len(others)), ">= 1", not others or not d.trainer, said)


@CHAPTER.check(LOOK, "样本流转相符", "The population flow adds up", COUNTED)
def flow_adds_up(e: Evidence) -> Outcome | None:
    """Follow the flow from step to step, down to the rows that are here."""
    flow = e.description.flow
    if not flow:
        return None
    wrong = [
        str(after["step"])
        for before, after in pairwise(flow)
        if before["remaining"] - after["left_out"] != after["remaining"]
    ]
    here = len(e.train) + len(e.judging)
    if flow[-1]["remaining"] != here:
        wrong.append(f"the end tells {flow[-1]['remaining']:,} rows, {here:,} are here")
    said = (
        f"Does not add up: {'; '.join(wrong)}."
        if wrong
        else f"All {len(flow)} steps add up to {here:,} rows."
    )
    return Outcome(float(len(wrong)), "0", bool(wrong), said, flow)
