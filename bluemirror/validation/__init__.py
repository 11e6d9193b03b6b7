"""The validation pack: judges a model by what it says and what happened, knowing nothing of how it was made.

``evidence`` is what is laid before it, ``limits`` what is asked for; ``ranking``, ``calibrating`` and ``comparing`` are
the statistics; one module an area holds the checks (``discrimination`` to ``documentation``); ``pack`` puts all of them
to a model and ``page`` shows the findings.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bluemirror.validation.evidence import Description as Description
    from bluemirror.validation.evidence import Evidence as Evidence
    from bluemirror.validation.evidence import Sample as Sample
    from bluemirror.validation.evidence import Variable as Variable
    from bluemirror.validation.limits import Limits as Limits
    from bluemirror.validation.pack import Pack as Pack
    from bluemirror.validation.pack import validate as validate

_LAZY = {
    "Description": "evidence",
    "Evidence": "evidence",
    "Limits": "limits",
    "Pack": "pack",
    "Sample": "evidence",
    "Variable": "evidence",
    "validate": "pack",
}

__all__ = ["Description", "Evidence", "Limits", "Pack", "Sample", "Variable", "validate"]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"bluemirror.validation.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'bluemirror.validation' has no attribute {name!r}")
