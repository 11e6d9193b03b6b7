"""The parts that rows fall into, those that are large enough to be judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from bluemirror.validation.evidence import Evidence, Sample

Array = Any


def large_parts(
    evidence: Evidence, held: Mapping[str, Array], bads: bool = True
) -> Iterator[tuple[str, str, Array]]:
    """Name, part and rows (a mask over the judging rows) of every part with enough rows.

    Parameters
    ----------
    held
        Name to the part of each row; empty texts and None belong to none.
    bads
        Whether enough bads and goods are asked for as well.
    """
    sample, limits = evidence.fair.judging, evidence.limits
    for name, column in held.items():
        told = np.asarray(["" if one is None else str(one) for one in np.asarray(column).tolist()])
        for part in np.unique(told[told != ""]).tolist():
            here = told == part
            rows, of_them = int(here.sum()), int(sample.bad[here].sum())
            if rows < limits.part_rows:
                continue
            if bads and min(of_them, rows - of_them) < limits.part_bads:
                continue
            yield name, part, here


def months(sample: Sample) -> Mapping[str, Array]:
    """The month of each row as the parts of one name."""
    return {"month": sample.month.astype(str)}
