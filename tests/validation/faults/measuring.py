"""The figures of the validation: which faults it finds, how often it cries without one, how its tests keep their levels."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import clean_model
import false_alarms
import planted_faults

from bluemirror.validation import validate

FIRST_CLEAN, FIRST_PLANTED = 1000, 500


def measure(clean_models: int = 100, draws: int = 400) -> dict[str, Any]:
    """Plant every fault once, make ``clean_models`` models without one, draw each test ``draws`` times.

    Keys: faults (name, told, expected, fired, found), found, planted, found_share, clean_models, clean_alarms,
    clean_share, clean_checks (check to alarms), tests (see ``false_alarms.rates``), checks, cpu_seconds.
    """
    began = time.process_time()
    faults = []
    for at, fault in enumerate(planted_faults.FAULTS):
        fired = [one.check for one in validate(fault.evidence(FIRST_PLANTED + at)).alarms]
        found = [name for name in fault.fires if name in fired]
        faults.append(
            {
                "fault": fault.name,
                "told": fault.told,
                "expected": list(fault.fires),
                "fired": fired,
                "found": found,
            }
        )
    crying: Counter[str] = Counter()
    cried = 0
    for seed in range(FIRST_CLEAN, FIRST_CLEAN + clean_models):
        pack = validate(clean_model.clean(seed))
        crying.update(one.check for one in pack.alarms)
        cried += bool(pack.alarms)
    hit = sum(bool(one["found"]) for one in faults)
    return {
        "faults": faults,
        "planted": len(faults),
        "found": hit,
        "found_share": hit / len(faults),
        "clean_models": clean_models,
        "clean_alarms": cried,
        "clean_share": cried / clean_models if clean_models else 0.0,
        "clean_checks": dict(crying),
        "tests": false_alarms.rates(draws),
        "checks": len(pack.findings),
        "cpu_seconds": round(time.process_time() - began, 1),
    }
