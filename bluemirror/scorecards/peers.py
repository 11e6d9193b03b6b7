"""OptBinning with its own settings, as a bench holds it against screening."""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np


def optbinning_seconds(values: Any, bad: Any) -> float:
    """Seconds of processor that OptBinning takes for one variable and its information value; arrays (rows,)."""
    from optbinning import OptimalBinning

    began = time.process_time()
    if not np.isnan(values).all():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            OptimalBinning().fit(values.astype(float), bad).binning_table.build()
    return time.process_time() - began
