"""All checks over one model's evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bluemirror.validation import (
    benchmark,
    calibration,
    concentration,
    discrimination,
    documentation,
    fairness,
    inputs,
    leakage,
    sensitivity,
    stability,
)
from bluemirror.validation.checks import ALARM, AREAS, LOOK, NOT_JUDGED, PASS, STOP, Check, Finding
from bluemirror.validation.evidence import Evidence

CHECKS: tuple[Check, ...] = tuple(
    check
    for module in (
        discrimination,
        calibration,
        stability,
        concentration,
        sensitivity,
        benchmark,
        fairness,
        leakage,
        inputs,
        documentation,
    )
    for check in module.CHAPTER.checks
)
"""Every check, in the order in which a reader meets them."""


@dataclass(frozen=True)
class Pack:
    """The findings on one model, in the order of ``CHECKS``."""

    evidence: Evidence
    findings: tuple[Finding, ...]

    def __getitem__(self, check: str) -> Finding:
        return next(one for one in self.findings if one.check == check)

    @property
    def alarms(self) -> tuple[Finding, ...]:
        """The findings that raise an alarm."""
        return tuple(one for one in self.findings if one.verdict == ALARM)

    @property
    def stops(self) -> tuple[Finding, ...]:
        """The alarms with which a model must not score."""
        return tuple(one for one in self.alarms if one.severity == STOP)

    @property
    def counts(self) -> dict[str, int]:
        """How many findings there are of each verdict, alarms by severity."""
        found = Counter(one.verdict if one.verdict != ALARM else one.severity for one in self.findings)
        return {verdict: found.get(verdict, 0) for verdict in (PASS, LOOK, STOP, NOT_JUDGED)}

    def as_plain(self) -> dict[str, Any]:
        """Numbers and texts only, for JSON."""
        return {
            "model": self.evidence.description.name,
            "version": self.evidence.description.version,
            "counts": self.counts,
            "findings": [asdict(one) for one in self.findings],
        }

    def __repr__(self) -> str:
        lines = [", ".join(f"{n} {verdict}" for verdict, n in self.counts.items())]
        lines += [f"  {one.severity}: {one.check}: {one.sentence}" for one in self.alarms]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from bluemirror.validation.page import summary_html

        return summary_html(self)


def validate(evidence: Evidence) -> Pack:
    """Put every check to a model.

    Returns
    -------
    Pack
        One finding a check; ``not judged`` where the evidence does not hold what a check needs.
    """
    return Pack(evidence, tuple(check(evidence) for check in CHECKS))


def by_area(pack: Pack) -> Mapping[str, tuple[Finding, ...]]:
    """The findings by area, in the order of ``AREAS``."""
    return {area.name: tuple(one for one in pack.findings if one.area == area.name) for area in AREAS}
