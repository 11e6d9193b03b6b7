"""Stored variables of a bank in which nothing changes but what a test plants: real declarations, drawn values.

Blocks are written in the store's own shape. The variables of a source share what an observation is like, so they move
together by chance as real ones do; one source has the rhythm of the month.
"""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from bluemirror.variables import load_blocks
from bluemirror.variables.engine import as_table
from bluemirror.variables.plan import block_variables
from bluemirror.variables.reasons import ANSWERED, ERROR, NO_HIT, NOT_QUERIED
from bluemirror.workspace import Workspace
from tests.fixtures_flagship import copy_declarations

FIRST, LAST = dt.date(2024, 1, 1), dt.date(2025, 3, 31)
"""The flagship's model trains on the eleven months from the first day on."""
A_DAY = 20
"""Observations a day."""
BLOCKS = (
    "addr_risk",
    "card4",
    "court_enforce",
    "device_fp",
    "face_live",
    "fraud_list",
    "ip_risk",
    "phone_risk",
    "telco3",
    "vehicle",
)
RHYTHM = "ip_risk"
"""Its counts double in the first week of every month."""
SET = "application"
ROWS_A_GROUP = 512


@dataclass(frozen=True)
class Fault:
    """What happens to a source from a day on: ``all_miss``, ``down``, ``scale`` (a hundredfold) or ``shift``."""

    kind: str
    first: dt.date


def write(
    folder: Path, faults: Mapping[str, Fault] | None = None, quiet: Workspace | None = None, seed: int = 1
) -> Workspace:
    """A workspace in ``folder`` whose variables are stored.

    Parameters
    ----------
    faults
        By block.
    quiet
        The same bank without faults: blocks without one are taken from it.
    """
    workspace = copy_declarations(folder)
    for path in workspace.families_dir.glob("*.yaml"):
        if path.stem not in BLOCKS:
            path.unlink()
    days = (LAST - FIRST).days + 1
    day = np.repeat(np.arange(days), A_DAY)
    rng = np.random.default_rng(seed)
    minute = rng.integers(0, 24 * 60, len(day))
    moment = np.datetime64(FIRST, "us") + day * np.timedelta64(1, "D") + minute * np.timedelta64(1, "m")
    observed = pl.DataFrame(
        {
            "observation_id": [f"A{number:07d}" for number in range(len(day))],
            "person_id": [f"P{number:06d}" for number in rng.integers(0, 100_000, len(day))],
            "as_of": moment,
        }
    ).with_columns(event_timestamp="as_of")
    root = workspace.variables / SET
    _store(root, "observations", "0.a", observed.to_arrow(compat_level=pl.CompatLevel.oldest()))
    for block in load_blocks(workspace):
        fault = (faults or {}).get(block.name)
        if quiet is not None and fault is None:
            (root / block.name).symlink_to((quiet.variables / SET / block.name).resolve())
            continue
        drawn = np.random.default_rng((seed, zlib.crc32(block.name.encode())))
        values, reason = _drawn(block, drawn, day, fault)
        blank = ~((reason == ANSWERED) | ((reason == NO_HIT) & (block.miss == "zero")))
        values[:, blank] = np.nan
        if block.miss == "zero":
            values[:, reason == NO_HIT] = 0
        table = as_table(block, block_variables(block), observed, reason.astype(np.int8), values)
        _store(root, block.name, "0a1b2c3d.e4", table)
    return workspace


def _drawn(block: Any, rng: Any, day: Any, fault: Fault | None) -> tuple[Any, Any]:
    """Values (variables, observations) and reasons of a block."""
    variables = block_variables(block)
    like = rng.normal(size=len(day))
    answered = 0.3 + 0.65 * (zlib.crc32(block.source.encode()) % 100) / 100
    draw = rng.random(len(day))
    reason = np.where(draw < answered, ANSWERED, np.where(draw < answered + 0.02, NOT_QUERIED, NO_HIT))
    reason = np.where(rng.random(len(day)) < 0.01, ERROR, reason)
    of_month = np.array([(FIRST + dt.timedelta(days=int(one))).day for one in range(day.max() + 1)])[day]
    values = np.empty((len(variables), len(day)), np.float32)
    for into, one in zip(values, variables, strict=True):
        own = np.random.default_rng(zlib.crc32(one.name.encode()))
        level, weight = own.uniform(-1.5, 1.5), own.uniform(0, 0.8)
        what = weight * like + np.sqrt(1 - weight**2) * rng.normal(size=len(day))
        if one.unit == "flag":
            into[:] = what > level
        elif one.unit in ("ratio", "day"):
            into[:] = 1 / (1 + np.exp(-what - level)) * (90 if one.unit == "day" else 1)
            into[rng.random(len(day)) < own.uniform(0, 0.6)] = np.nan
        elif one.unit == "yuan":
            into[:] = np.exp(8 + level + what)
        else:
            rate = np.exp(0.5 * level + 0.7 * what)
            if block.name == RHYTHM:
                rate = rate * np.where(of_month <= 7, 2, 1)
            into[:] = rng.poisson(rate)
    if fault is not None:
        _break(values, reason, day >= (fault.first - FIRST).days, fault.kind)
    return values, reason


def _break(values: Any, reason: Any, since: Any, kind: str) -> None:
    if kind == "all_miss":
        reason[since & (reason == ANSWERED)] = NO_HIT
    elif kind == "down":
        reason[since] = ERROR
    elif kind == "scale":
        values[:, since] *= 100
    elif kind == "shift":
        values[:, since] += np.nanstd(values, axis=1, keepdims=True)
    else:
        raise ValueError(kind)


def _store(root: Path, name: str, meaning: str, table: Any) -> None:
    folder = root / f".{name}@{meaning}"
    folder.mkdir(parents=True)
    half = len(table) // 2
    for number, part in enumerate((table.slice(0, half), table.slice(half))):
        pq.write_table(
            part, folder / f"part-{number}.parquet", compression="snappy", row_group_size=ROWS_A_GROUP
        )
    (root / name).symlink_to(folder.name, target_is_directory=True)
