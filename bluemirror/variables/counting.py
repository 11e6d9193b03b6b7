"""How many variables there are, and how many say anything: constants and duplicates among the stored values."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bluemirror.workspace import Workspace

COLUMNS = 128
"""Columns read at a time: memory stays flat in the number of variables."""


def count_variables(workspace: Workspace, observation_set: str | None = None) -> dict[str, Any]:
    """Count the variables of ``workspace``.

    Parameters
    ----------
    observation_set
        The set whose stored values are judged; of each block the first that describes its entity by default.

    Returns
    -------
    dict
        ``total``; ``constant`` (fewer than two different values, nulls aside); ``duplicate`` (the same values,
        nulls included, as a variable before it); ``useful`` = total - constant - duplicate; ``by_source``;
        ``judged`` (variables whose values are stored) and ``observations`` (of the largest set). Variables that are not
        stored count as useful.
    """
    from bluemirror.variables.catalogue import catalogue

    variables = catalogue(workspace)
    constants, duplicates, judged, observations = judge(workspace, observation_set)
    names = {one.name for one in variables}
    constant, duplicate = len(names & constants), len(names & set(duplicates))
    return {
        "total": len(variables),
        "constant": constant,
        "duplicate": duplicate,
        "useful": len(variables) - constant - duplicate,
        "by_source": dict(sorted(Counter(one.source for one in variables).items())),
        "judged": judged,
        "observations": observations,
    }


def judge(
    workspace: Workspace, observation_set: str | None = None
) -> tuple[set[str], dict[str, str], int, int]:
    """Constants, duplicates (name -> the variable it repeats), variables judged and observations of the largest set.

    Variables of two sets are not held against each other: they describe other things.
    """
    from bluemirror.variables.language import load_blocks
    from bluemirror.variables.spine import read_spine
    from bluemirror.variables.store import variable_files

    spine = read_spine(workspace)
    constants: set[str] = set()
    duplicates: dict[str, str] = {}
    seen: dict[tuple[str, bytes], str] = {}
    judged = observations = 0
    for block in load_blocks(workspace):
        which = observation_set or spine.set_of(block.entity)
        files = variable_files(workspace, which, block.name)
        if not files:
            continue
        for name, digest, constant in _columns(files):
            judged += 1
            if constant:
                constants.add(name)
            elif (which, digest) in seen:
                duplicates[name] = seen[which, digest]
            else:
                seen[which, digest] = name
        observations = max(observations, _rows(files))
    return constants, duplicates, judged, observations


def _rows(files: list[Path]) -> int:
    import pyarrow.parquet as pq

    return sum(pq.read_metadata(path).num_rows for path in files)


def _columns(files: list[Path]) -> list[tuple[str, bytes, bool]]:
    """Name, hash of the values sorted by observation, and whether they are constant, of each stored variable."""
    import numpy as np
    import polars as pl

    schema = pl.scan_parquet(files).collect_schema()
    names = [name for name, kind in schema.items() if kind == pl.Float32]
    order = pl.read_parquet(files, columns=["observation_id"])["observation_id"].arg_sort()
    result = []
    for start in range(0, len(names), COLUMNS):
        frame = pl.read_parquet(files, columns=names[start : start + COLUMNS])
        for name in frame.columns:
            column = frame[name]
            present = column.drop_nulls()
            constant = len(present) == 0 or bool(present.min() == present.max())
            # One spelling of null, and no negative zero: equal values are equal bytes.
            values = column.gather(order).fill_null(float("nan")).to_numpy() + np.float32(0.0)
            values[np.isnan(values)] = np.float32("nan")
            result.append((name, hashlib.blake2b(values.tobytes(), digest_size=16).digest(), constant))
    return result
