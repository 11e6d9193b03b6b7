"""What a check is, and what it finds: a figure, a limit, a verdict, and a sentence that anybody understands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bluemirror.validation.evidence import Evidence

PASS, ALARM, NOT_JUDGED = "pass", "alarm", "not judged"
STOP, LOOK = "stop", "look"
"""What an alarm means: the model must not score; or a reviewer has to say why it may."""


@dataclass(frozen=True)
class Area:
    """A chapter of the validation."""

    name: str
    zh: str
    en: str


DISCRIMINATION = Area("discrimination", "区分能力", "Discrimination")
CALIBRATION = Area("calibration", "校准", "Calibration")
STABILITY = Area("stability", "稳定性", "Stability")
CONCENTRATION = Area("concentration", "集中度", "Concentration")
SENSITIVITY = Area("sensitivity", "敏感性与压力", "Sensitivity and stress")
BENCHMARK = Area("benchmark", "对比冠军与挑战者", "Against champion and challenger")
FAIRNESS = Area("fairness", "公平性", "Fairness")
LEAKAGE = Area("leakage", "信息泄漏", "Leakage")
INPUTS = Area("inputs", "输入数据质量", "Quality of the inputs")
DOCUMENTATION = Area("documentation", "文档", "Documentation")
AREAS = (
    DISCRIMINATION,
    CALIBRATION,
    STABILITY,
    CONCENTRATION,
    SENSITIVITY,
    BENCHMARK,
    FAIRNESS,
    LEAKAGE,
    INPUTS,
    DOCUMENTATION,
)


@dataclass(frozen=True)
class Outcome:
    """What one check saw: the figure, the limit as text, whether it alarms, and in words."""

    statistic: float | None
    threshold: str
    alarm: bool
    sentence: str
    rows: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Finding:
    """The outcome of a check with all that a reader needs to know of it."""

    check: str
    area: str
    label_zh: str
    label_en: str
    statistic: float | None
    threshold: str
    verdict: str
    severity: str
    sentence: str
    source: str
    rows: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Check:
    """One question put to every model. ``look`` gives None if the evidence does not tell."""

    name: str
    area: Area
    severity: str
    label_zh: str
    label_en: str
    source: str
    look: Callable[[Evidence], Outcome | None]

    def __call__(self, evidence: Evidence) -> Finding:
        """Put the question to a model."""
        outcome = self.look(evidence)
        head = (self.name, self.area.name, self.label_zh, self.label_en)
        if outcome is None:
            untold = "The evidence does not hold what this check needs."
            return Finding(*head, None, "", NOT_JUDGED, self.severity, untold, self.source)
        return Finding(
            *head,
            None if outcome.statistic is None else float(outcome.statistic),
            outcome.threshold,
            ALARM if outcome.alarm else PASS,
            self.severity,
            outcome.sentence,
            self.source,
            tuple(outcome.rows),
        )


Look = Callable[[Evidence], Outcome | None]


class Chapter:
    """The checks of one area, in the order in which its module writes them."""

    def __init__(self, area: Area) -> None:
        self.area = area
        self.checks: list[Check] = []

    def check(self, severity: str, zh: str, en: str, source: str) -> Callable[[Look], Look]:
        """Take the decorated function as a check of that name."""

        def take(look: Look) -> Look:
            self.checks.append(Check(look.__name__, self.area, severity, zh, en, source, look))
            return look

        return take
