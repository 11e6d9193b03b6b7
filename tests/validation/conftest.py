"""Oracles stand beside the tests. The clean model and the planted faults stand in a folder of their own, from which the bench takes them as well."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "faults"), str(HERE)]
