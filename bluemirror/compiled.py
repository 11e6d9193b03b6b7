"""Loops over rows as machine code.

A loop is written as plain Python over arrays and compiled at its first call; what was compiled is kept beside the
source file or in the user's cache, so that the next process starts with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")


def compiled(loop: Callable[P, R]) -> Callable[P, R]:
    """Compile ``loop``; it releases the interpreter's lock, so that threads run beside each other."""
    try:
        machine = njit(cache=True, nogil=True, error_model="numpy")(loop)
    except RuntimeError:
        # Neither the package's folder nor the user's cache can be written: compiled anew in each process.
        machine = njit(nogil=True, error_model="numpy")(loop)
    return cast("Callable[P, R]", machine)
