"""How the figures are made, with the numbers that the code uses."""

from __future__ import annotations

from bluemirror.health import alerts, merging, reference, stability
from bluemirror.health.windows import MONTHS_WITHOUT_MODEL, WEEK
from bluemirror.offline_page import resource
from bluemirror.scorecards.cutting import BINS


def method() -> list[list[str]]:
    """Words of the page and what they mean."""
    text = resource("bluemirror.health", "method.txt").format(
        week=WEEK,
        months=MONTHS_WITHOUT_MODEL,
        cuts=BINS - 1,
        expected=merging.LEAST_EXPECTED,
        shift=stability.SHIFT,
        nights=1 / stability.FALSE_ALARMS,
        margin=stability.MARGIN,
        weekly=reference.LEAST_WEEK,
        least=stability.LEAST_WEEK,
        trained=stability.LEAST_TRAINING,
        silent=alerts.FELL_SILENT,
        severe=alerts.SEVERE,
        drifted=alerts.DRIFTED,
        together=alerts.TOGETHER,
    )
    parts = (part.split("\n", 1) for part in text.strip().split("\n\n"))
    return [[head, body.replace("\n", " ")] for head, body in parts]
