"""How the figures are made, said once, with the thresholds as the code has them."""

from __future__ import annotations

from importlib import resources

from bluemirror.desk import drift, evidence, repeats, watching_calls, watching_files, windows


def method() -> list[tuple[str, str]]:
    """What and how, in the order of the page."""
    told = (resources.files("bluemirror.desk") / "method.txt").read_text(encoding="utf-8")
    filled = told.format(
        month=windows.MONTH_DAYS,
        weeks=windows.BASELINE_DAYS // 7,
        overlap=windows.OVERLAP_DAYS,
        collapse=watching_calls.COLLAPSE,
        outage=watching_calls.OUTAGE,
        moved=watching_calls.MOVED,
        broken=watching_calls.BROKEN,
        false_alarms=evidence.FALSE_ALARMS,
        least_recent=drift.LEAST_RECENT,
        least_before=drift.LEAST_BEFORE,
        psi=drift.PSI_SHIFT,
        psi_alarms=drift.FALSE_ALARMS,
        empty=drift.EMPTY_SHIFT,
        new_code=watching_files.NEW_CODE_RECORDS,
        quarantine=watching_files.QUARANTINE_MATTERS,
        serious=watching_files.QUARANTINE_SERIOUS,
        requests=watching_files.REPEATED_REQUESTS,
        rise=repeats.RISE,
        people=repeats.LEAST_PEOPLE,
    )
    parts = [part.split("\n", 1) for part in filled.strip().split("\n\n")]
    return [(what, how.replace("\n", " ")) for what, how in parts]
