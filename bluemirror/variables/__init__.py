"""Variables: from resolved rows to cells, folds and wide Parquet.

Reading order: ``language`` and ``declarations`` (what a family says), ``plan`` (which variables that makes),
``resolve`` (which rows count), ``cells`` and the other kernels, ``engine`` (a block over observations), ``store``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

# Taken at once: their modules have the same names and would shadow them.
from bluemirror.variables.catalogue import catalogue
from bluemirror.variables.explain import explain

if TYPE_CHECKING:
    from bluemirror.variables.building import build as build
    from bluemirror.variables.counting import count_variables as count_variables
    from bluemirror.variables.language import load_blocks as load_blocks
    from bluemirror.variables.store import read_variables as read_variables
    from bluemirror.variables.store import variable_files as variable_files

_LAZY = {
    "build": "bluemirror.variables.building",
    "count_variables": "bluemirror.variables.counting",
    "load_blocks": "bluemirror.variables.language",
    "read_variables": "bluemirror.variables.store",
    "variable_files": "bluemirror.variables.store",
}

__all__ = [
    "build",
    "catalogue",
    "count_variables",
    "explain",
    "load_blocks",
    "read_variables",
    "variable_files",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        # The submodule of the same name would shadow the function; take the function and keep it.
        value = getattr(import_module(_LAZY[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'bluemirror.variables' has no attribute {name!r}")
