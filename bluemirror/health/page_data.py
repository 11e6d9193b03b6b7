"""What the page's program reads: a row a variable, numbers shortened to what a reader can tell apart."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any

from bluemirror.clock import ONE_DAY
from bluemirror.health.stability import WORTH_A_LOOK
from bluemirror.health.tables import MISSING, QUANTILES
from bluemirror.health.windows import WEEK

if TYPE_CHECKING:
    from bluemirror.health.nightly import Night
    from bluemirror.workspace import Workspace

DIGITS = 4
FIGURES = (
    "coverage",
    "training_coverage",
    "zero_share",
    "mean",
    "std",
    "minimum",
    *QUANTILES,
    "maximum",
    "training_mean",
    "training_p50",
    "psi_week",
    "limit_week",
    "psi_training",
    "limit_training",
)


def page_data(workspace: Workspace, made: Night) -> dict[str, Any]:
    """Columns by name, rows as arrays; sources and sets stand once."""
    sets = list(made.manifest["sets"])
    sources = sorted(made.variables["source"].unique())
    place = {name: number for number, name in enumerate(sources)}
    labels = _labels(workspace)
    frame = made.variables
    shortened = [[_short(value) for value in frame[name].to_list()] for name in FIGURES]
    missing = [frame[f"missing_{reason}"].to_list() for reason in MISSING]
    names = frame["variable"].to_list()
    known = (labels.get(name, ("", "")) for name in names)
    rows = [
        [
            name,
            zh,
            en,
            place[source],
            sets.index(of),
            seen - sum(lost),
            1 * week + 2 * training,
            *lost,
            *figures,
        ]
        for name, (zh, en), source, of, seen, week, training, lost, figures in zip(
            names,
            known,
            frame["source"].to_list(),
            frame["observation_set"].to_list(),
            frame["observations"].to_list(),
            frame["moved_week"].to_list(),
            frame["moved_training"].to_list(),
            zip(*missing, strict=True),
            zip(*shortened, strict=True),
            strict=True,
        )
    ]
    # The reasons of missing and the quantiles follow each other: the program counts on from their first.
    figures = ["quantiles" if name == QUANTILES[0] else name for name in FIGURES]
    return {
        "columns": [
            "variable",
            "zh",
            "en",
            "source",
            "set",
            "present",
            "moved",
            "missing",
            *MISSING[1:],
            *figures,
        ],
        "reasons": list(MISSING),
        "quantiles": list(QUANTILES),
        "sources": sources,
        "sets": [
            {"name": name, "recent": one["recent"], "week": _week(one)}
            for name, one in made.manifest["sets"].items()
        ],
        "look": WORTH_A_LOOK,
        "rows": rows,
    }


def _labels(workspace: Workspace) -> dict[str, tuple[str, str]]:
    from bluemirror.variables import load_blocks
    from bluemirror.variables.plan import block_variables

    return {
        one.name: (one.label_zh, one.label_en)
        for block in load_blocks(workspace)
        for one in block_variables(block)
    }


def _short(value: float | None) -> float | int | None:
    """Four digits; whole numbers without a point."""
    if value is None or not math.isfinite(value):
        return None
    rounded = float(f"{value:.{DIGITS}g}")
    return int(rounded) if rounded.is_integer() else rounded


def _week(one: dict[str, Any]) -> str:
    if one["last"] is None:
        return ""
    last = dt.date.fromisoformat(one["last"])
    return f"{last - (WEEK - 1) * ONE_DAY} – {last}"
