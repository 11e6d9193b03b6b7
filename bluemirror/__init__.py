"""bluemirror: contracted sources in, point-in-time-correct variables and signed scorecards out.

Importing the package loads nothing heavy; the names below are resolved on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bluemirror.features.reproducing import reproduce as reproduce
    from bluemirror.features.training import training_set as training_set
    from bluemirror.mart.connect import connect as connect
    from bluemirror.mart.payloads import Payload as Payload
    from bluemirror.scorecards.judged import judge as judge
    from bluemirror.variables.applicant import FreshApplicants as FreshApplicants
    from bluemirror.variables.draft import family as family
    from bluemirror.workspace import Workspace as Workspace

__version__ = "0.1.0"

_LAZY = {
    "FreshApplicants": "bluemirror.variables.applicant",
    "Payload": "bluemirror.mart.payloads",
    "Workspace": "bluemirror.workspace",
    "connect": "bluemirror.mart.connect",
    "family": "bluemirror.variables.draft",
    "judge": "bluemirror.scorecards.judged",
    "reproduce": "bluemirror.features.reproducing",
    "training_set": "bluemirror.features.training",
}

__all__ = [
    "FreshApplicants",
    "Payload",
    "Workspace",
    "__version__",
    "connect",
    "family",
    "judge",
    "reproduce",
    "training_set",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'bluemirror' has no attribute {name!r}")
