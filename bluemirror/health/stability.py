"""Population stability of a block's variables: the index, what chance makes of it, and who moved.

The index is ``sum of (a - e) ln(a / e)`` over bins, ``e`` and ``a`` the shares before and now (Siddiqi, *Credit Risk
Scorecards*, 2006, ch. 9). Bins are those of the reference and one for each reason of missing, so a source that falls
silent moves all of its variables. Bins too small to say anything are merged with their neighbour
(:func:`~bluemirror.health.merging.merged_psi`).

A variable moved if its index reaches :data:`SHIFT`, is above what chance makes of it (:func:`limits`), and a quarter
above the most that the weeks of the training window did among themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bluemirror.desk.evidence import psi_limit
from bluemirror.health.merging import merged_psi
from bluemirror.scorecards.cutting import VALUE_CODES

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SHIFT = 0.25
"""From here on a distribution is another one, by the custom of credit scoring."""
WORTH_A_LOOK = 0.1
"""From here on it is worth a look: coloured, no alert."""

FALSE_ALARMS = 1e-6
"""Chance that any variable of an unchanged source passes its limit on one night, by the chi-square distribution. With
bins of five rows the tail is up to twenty times heavier (measured), and rows are not quite independent (a campaign, an
employer, a household); fifty sources then still speak falsely once in a thousand nights."""

MARGIN = 1.25
"""How far above the most that the training weeks did a night must be: the next year's most is a little more than last
year's."""

LEAST_WEEK = 50
"""Rows that a week must have to be judged."""
LEAST_TRAINING = 200
"""Rows that the training window must have for anything to be held against it."""


@dataclass(frozen=True)
class Moved:
    """Comparison of some variables with one earlier segment; all of shape (variables,), NaN where not judged.

    ``index`` is the PSI, ``limit`` what it must reach to count as moved.
    """

    index: Floats
    limit: Floats

    @property
    def moved(self) -> NDArray[np.bool_]:
        """Shape (variables,)."""
        return self.index >= self.limit


def compare(earlier: Ints, now: Ints, usual: Floats, tests: int, least: int) -> Moved:
    """Hold counts of a night against earlier ones.

    Parameters
    ----------
    earlier, now
        Shape (variables, bins).
    usual
        Shape (variables,): what the index was among the weeks of the training window.
    tests
        Variables of the same source: they share the chance of a false alarm.
    least
        Rows that ``earlier`` must have; ``now`` must have :data:`LEAST_WEEK`.
    """
    n, m = (int(counts[0].sum()) if len(counts) else 0 for counts in (earlier, now))
    if n < least or m < LEAST_WEEK:
        nothing = np.full(len(now), np.nan)
        return Moved(nothing, nothing)
    index, bins = merged_psi(earlier, now, VALUE_CODES)
    return Moved(index, np.maximum(limits(bins, n, m, tests), np.maximum(MARGIN * usual, SHIFT)))


def limits(bins: Ints, earlier: int, now: int, tests: int) -> Floats:
    """What PSI passes by chance in one of ``tests`` variables with :data:`FALSE_ALARMS`; shape (variables,)."""
    return np.array([_limit(int(one), earlier, now, tests) for one in bins])


@lru_cache(maxsize=4096)
def _limit(bins: int, earlier: int, now: int, tests: int) -> float:
    return psi_limit(bins, earlier, now, FALSE_ALARMS / max(tests, 1))
