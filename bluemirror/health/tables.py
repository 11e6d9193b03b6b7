"""A night as rows: a row a variable, a row a block, a row an alert; the tables that the mart keeps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from bluemirror.health.profile import AT, Profile
from bluemirror.health.stability import LEAST_TRAINING, LEAST_WEEK, compare
from bluemirror.scorecards.cutting import CODES
from bluemirror.variables.reasons import ERROR, NO_HIT, NOT_APPLICABLE, NOT_QUERIED

if TYPE_CHECKING:
    from bluemirror.health.block import BlockHealth
    from bluemirror.variables.variable import Variable

VARIABLES, BLOCKS, ALERTS = "variable_health", "block_health", "health_alert"
"""Names of the tables; each has one part a night."""

KEYS: Mapping[str, tuple[str, ...]] = {
    VARIABLES: ("as_of", "observation_set", "variable"),
    BLOCKS: ("as_of", "observation_set", "block"),
    ALERTS: ("as_of", "source"),
}

QUANTILES = tuple(f"p{round(100 * at):02d}" for at in AT)
REASON_COLUMNS = ("answered", "not_applicable", "not_queried", "no_hit", "error")
"""Rows of a block by the reason of its source, in the order of its codes."""

MISSING = ("not_applicable", "not_queried", "no_hit", "error", "zero_denominator", "empty")
"""Why a value may be missing; ``empty`` is what the source itself left empty."""

ALERT_SCHEMA: Mapping[str, Any] = {
    "as_of": pl.Date,
    "source": pl.String,
    "kind": pl.String,
    "severity": pl.String,
    "cause": pl.String,
    "todo": pl.String,
    "since": pl.Date,
    "variables": pl.Int64,
    "moved_week": pl.Int64,
    "moved_training": pl.Int64,
    "moved": pl.List(pl.String),
    "together": pl.List(pl.String),
}


def variable_rows(
    as_of: dt.date,
    observation_set: str,
    variables: Sequence[Variable],
    found: BlockHealth,
    tests: Mapping[str, int],
) -> pl.DataFrame:
    """The rows of one block in ``variable_health``.

    Parameters
    ----------
    tests
        Number of variables of each source, over all blocks.
    """
    now, reference = found.recent, found.reference
    sources = [one.source for one in variables]
    columns: dict[str, Any] = {
        "observation_set": [observation_set] * len(variables),
        "variable": [one.name for one in variables],
        "block": [one.block for one in variables],
        "family": [one.family for one in variables],
        "source": sources,
        "observations": np.full(len(variables), now.rows, np.int64),
        **_coverage("", now),
        **_missing(variables, now),
        **_spread(now),
        "training_observations": np.full(len(variables), reference.profile.rows, np.int64),
        **_coverage("training_", reference.profile),
        "training_mean": reference.profile.mean,
        "training_p50": reference.profile.quantiles[:, QUANTILES.index("p50")],
    }
    most = max((tests[source] for source in sources), default=1)
    training = compare(reference.profile.counts, now.counts, reference.usual_training, most, LEAST_TRAINING)
    week = compare(found.before.counts, now.counts, reference.usual_week, most, LEAST_WEEK)
    for name, one in (("training", training), ("week", week)):
        columns |= {f"psi_{name}": one.index, f"limit_{name}": one.limit, f"moved_{name}": one.moved}
    frame = pl.DataFrame(columns).with_columns(pl.col(pl.Float64).fill_nan(None).cast(pl.Float32))
    counts = pl.Series("counts", now.counts.astype(np.uint32), dtype=pl.Array(pl.UInt32, CODES))
    return frame.with_columns(counts).insert_column(0, pl.lit(as_of).alias("as_of"))


def _coverage(prefix: str, profile: Profile) -> dict[str, Any]:
    with np.errstate(invalid="ignore"):
        return {f"{prefix}coverage": profile.present / np.float64(profile.rows)}


def _missing(variables: Sequence[Variable], profile: Profile) -> dict[str, Any]:
    """Rows without a value by reason: what is missing although the source answered is what the variable says it is."""
    by_code = profile.missing
    own = np.array([_own_reason(one.null_means) for one in variables])
    counted = {
        "not_applicable": by_code[:, NOT_APPLICABLE],
        "not_queried": by_code[:, NOT_QUERIED],
        "no_hit": by_code[:, NO_HIT],
        "error": by_code[:, ERROR],
    }
    none = np.zeros(len(variables), np.int64)
    return {
        f"missing_{reason}": counted.get(reason, none) + np.where(own == reason, by_code[:, 0], 0)
        for reason in MISSING
    }


def _own_reason(null_means: str) -> str:
    """The reason that a variable gives for a null of its own (see :attr:`Variable.null_means`)."""
    for reason in ("not_applicable", "zero_denominator"):
        if null_means.startswith(reason.replace("_", " ")):
            return reason
    return "empty"


def _spread(profile: Profile) -> dict[str, Any]:
    with np.errstate(invalid="ignore", divide="ignore"):
        zero = profile.zeros / profile.present.astype(np.float64)
    return {
        "mean": profile.mean,
        "std": profile.std,
        "minimum": profile.low,
        **dict(zip(QUANTILES, profile.quantiles.T, strict=True)),
        "maximum": profile.high,
        "zero_share": zero,
    }


def block_row(
    as_of: dt.date, observation_set: str, block: str, source: str, found: BlockHealth, rows: pl.DataFrame
) -> dict[str, Any]:
    """The row of one block in ``block_health``: rows by reason of its source, and how many of its variables moved."""
    judged_week, judged_training = (rows[f"psi_{one}"].drop_nulls() for one in ("week", "training"))
    return {
        "as_of": as_of,
        "observation_set": observation_set,
        "block": block,
        "source": source,
        "observations": found.recent.rows,
        **dict(zip(REASON_COLUMNS, found.reasons.tolist(), strict=True)),
        **_named("week_", found.before.reasons.tolist()),
        **_named("training_", found.reference.reasons.tolist()),
        "variables": len(rows),
        "moved_week": int(rows["moved_week"].sum()),
        "moved_training": int(rows["moved_training"].sum()),
        "psi_week_median": judged_week.median(),
        "psi_week_max": judged_week.max(),
        "psi_training_median": judged_training.median(),
        "psi_training_max": judged_training.max(),
    }


def _named(prefix: str, counts: Sequence[int]) -> dict[str, int]:
    return dict(zip((f"{prefix}{name}" for name in REASON_COLUMNS), counts, strict=True))
